# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the host while the agent runs: cables, renamed and vanished links, other programs."""

from __future__ import annotations

import errno

from vrrp_agent.conf.model import GlobalSettings, Tracked
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.wire import arp

from tests.unit.daemon.host import Done, packed
from tests.unit.daemon.make import OURS, SECOND, VIP, address, datagram, instance
from tests.unit.daemon.stage import Stage

DOWN = 0x1
LATE = GlobalSettings(dynamic_interfaces=True)
OTHER_MAC = "020000000099"


def test_a_pulled_cable_is_a_fault_and_its_reason_is_told(stage: Stage) -> None:
    stage.start_active(instance())
    stage.host.add_link(2, "eth0", flags=DOWN)
    stage.wait(0)
    one = stage.one()
    assert (one["state"], one["reason"]) == ("fault", "interface eth0 is down")
    assert one["faults"] == ["interface eth0 is down"]
    assert stage.socket().priorities() == [0]
    assert f"{VIP}/24" not in stage.host.holds()


def test_every_reason_of_a_fault_is_in_its_reason_also_when_they_change(stage: Stage) -> None:
    stage.apply(instance(track_interfaces=(Tracked("eth1"),)))
    stage.host.add_link(2, "eth0", flags=DOWN)
    stage.wait(0)
    assert stage.one()["reason"] == "interface eth0 is down"
    stage.host.add_link(3, "eth1", flags=DOWN)
    stage.wait(0)
    assert stage.one()["reason"] == "interface eth0 is down, tracked interface eth1 is down"
    stage.host.add_link(2, "eth0")
    stage.wait(0)
    assert (stage.one()["state"], stage.one()["reason"]) == ("fault", "tracked interface eth1 is down")


def test_an_instance_that_starts_in_fault_says_why(stage: Stage) -> None:
    stage.host.add_link(2, "eth0", flags=DOWN)
    stage.wait(0)
    stage.apply(instance())
    assert (stage.one()["state"], stage.one()["reason"]) == ("fault", "interface eth0 is down")


def test_the_cable_comes_back_and_the_router_listens_first(stage: Stage) -> None:
    stage.start_active(instance())
    for flags in (DOWN, 0x41):
        stage.host.add_link(2, "eth0", flags=flags)
        stage.wait(0)
    assert stage.one()["state"] == "backup"
    stage.wait(4)
    assert stage.one()["state"] == "active"
    assert f"{VIP}/24" in stage.host.holds()


def test_a_weight_moves_the_priority_in_the_next_advert(stage: Stage) -> None:
    stage.start_active(instance(track_interfaces=(Tracked("eth1", weight=-30),)))
    stage.host.add_link(3, "eth1", flags=DOWN)
    stage.wait(1.1)
    assert stage.socket().priorities()[-1] == 70
    one = stage.one()
    assert (one["base_priority"], one["effective_priority"]) == (100, 70)
    assert one["priority_parts"] == [
        {"from": "base", "change": 100},
        {"from": "interface eth1", "change": -30},
    ]


def test_an_interface_may_come_late(stage: Stage) -> None:
    stage.apply(instance(interface="eth7"), settings=LATE)
    assert stage.one()["reason"].startswith("interface eth7 does not exist")
    stage.host.add_link(7, "eth7")
    stage.host.add_address(7, "198.51.100.7/24")
    stage.wait(4)
    assert stage.one()["state"] == "active"
    assert stage.socket(interface="eth7").index == 7
    assert f"{VIP}/24" in stage.host.holds(7)


def test_an_interface_that_vanishes_and_returns_gets_a_new_socket(stage: Stage) -> None:
    stage.start_active(instance())
    old = stage.socket()
    stage.host.remove_link(2)
    stage.wait(0)
    assert old.closed
    assert stage.one()["reason"].startswith("interface eth0 does not exist")
    stage.host.add_link(9, "eth0")
    stage.host.add_address(9, f"{OURS}/24")
    stage.wait(4)
    assert stage.socket().index == 9
    assert f"{VIP}/24" in stage.host.holds(9)
    stage.hear(datagram(priority=200))
    assert stage.one()["state"] == "backup", "and hears"


def test_even_when_it_is_back_with_the_same_index_before_anybody_looked(stage: Stage) -> None:
    """The old socket's membership of the group is gone with the old interface."""
    stage.apply(instance())
    old = stage.socket()
    stage.host.remove_link(2)
    stage.host.add_link(2, "eth0")
    stage.host.add_address(2, f"{OURS}/24")
    stage.wait(0)
    assert old.closed
    new = stage.socket()
    assert new.groups == old.groups
    stage.hear(datagram(priority=200))
    assert stage.one()["active_router"]


def test_a_renamed_interface_is_not_the_one_that_was_meant(stage: Stage) -> None:
    stage.start_active(instance())
    stage.host.add_link(2, "lan0")
    stage.wait(0)
    assert stage.one()["reason"].startswith("interface eth0 does not exist")
    stage.host.add_link(2, "eth0")
    stage.wait(4)
    assert stage.one()["state"] == "active"
    stage.hear(datagram(priority=200))
    assert stage.one()["state"] == "backup"


def test_a_socket_that_cannot_be_opened_again_is_a_fault_and_not_a_deaf_router(stage: Stage) -> None:
    stage.apply(instance())
    stage.host.socket_error[4] = KernelError("cannot use interface eth0", errno=errno.EPERM)
    stage.host.remove_link(2)
    stage.host.add_link(2, "eth0")
    stage.host.add_address(2, f"{OURS}/24")
    stage.wait(10)
    assert (stage.one()["state"], stage.one()["reason"]) == ("fault", "cannot use interface eth0")
    stage.host.socket_error.clear()
    stage.host.add_link(2, "eth0", mac=OTHER_MAC)
    stage.wait(4)
    assert stage.one()["state"] == "active", "the next news of the interface try again"


def test_an_interface_without_an_address_is_a_fault_until_it_has_one(stage: Stage) -> None:
    stage.start_active(instance())
    stage.host.remove_address(2, f"{OURS}/24")
    stage.wait(0)
    assert stage.one()["reason"] == "interface eth0 has no IPv4 address to send from"
    stage.host.add_address(2, "198.51.100.77/24")
    stage.wait(4)
    assert stage.one()["source"] == "198.51.100.77"
    assert stage.socket().sent[-1][0][12:16] == packed("198.51.100.77")


def test_an_address_that_becomes_virtual_is_no_source_any_more(stage: Stage) -> None:
    stage.host.add_address(2, "203.0.113.5/24")
    stage.wait(0)
    stage.apply(instance())
    assert stage.one()["source"] == OURS
    stage.host.remove_address(2, f"{OURS}/24")
    stage.wait(0)
    assert stage.one()["source"] == "203.0.113.5"
    stage.apply(instance(), instance("VI_2", "203.0.113.5/24", vrid=20, interface="eth1"))
    assert stage.one()["reason"] == "interface eth0 has no IPv4 address to send from"


def test_a_new_mac_is_announced_with_the_addresses(stage: Stage) -> None:
    stage.start_active(instance())
    stage.host.add_link(2, "eth0", mac=OTHER_MAC)
    stage.wait(0)
    frame = arp.gratuitous_arp(bytes.fromhex(OTHER_MAC), packed(VIP))
    assert stage.host.frames == [("eth0", frame)]
    assert stage.one()["state"] == "active"


def test_the_new_mac_is_there_for_the_next_takeover(stage: Stage) -> None:
    stage.apply(instance())
    stage.wait(0.1)
    stage.host.add_link(2, "eth0", mac=OTHER_MAC)
    stage.wait(5)
    assert {frame[6:12] for _interface, frame in stage.host.frames} == {bytes.fromhex(OTHER_MAC)}


def test_another_interface_of_an_address_may_be_another_one_at_the_takeover(stage: Stage) -> None:
    stage.apply(instance(addresses=(address(VIP, device="eth1"),)))
    stage.host.remove_link(3)
    stage.wait(0)
    assert stage.one()["reason"] == "interface eth1 of a virtual address is down"
    stage.host.add_link(8, "eth1")
    stage.wait(5)
    assert stage.host.holds(8) == [f"{VIP}/32"]


def test_an_address_on_an_untracked_interface_returns_with_it(stage: Stage) -> None:
    stage.start_active(instance(addresses=(address(VIP, device="eth1", no_track=True),)))
    stage.host.remove_link(3)
    stage.wait(0)
    assert stage.one()["state"] == "active"
    stage.host.add_link(8, "eth1")
    stage.wait(0)
    assert stage.host.holds(8) == [f"{VIP}/32"]


# Other programs.


def test_an_address_that_another_program_removes_is_put_back_and_announced(stage: Stage) -> None:
    stage.start_active(instance(restore=True))
    stage.host.remove_address(2, f"{VIP}/24")
    stage.wait(0)
    assert f"{VIP}/24" in stage.host.holds()
    assert len(stage.host.frames) == 1
    assert stage.log.having(f"another program removed {VIP}; put back")
    assert stage.one()["state"] == "active"


def test_a_fight_over_an_address_is_said_once_a_while(stage: Stage) -> None:
    stage.start_active(instance(restore=True))
    for _ in range(20):
        stage.host.remove_address(2, f"{VIP}/24")
        stage.wait(0)
    assert len(stage.log.having("another program removed")) == 1


def test_no_track_leaves_a_removed_address_to_those_who_removed_it(stage: Stage) -> None:
    stage.start_active(instance(addresses=(address(VIP, no_track=True),)))
    stage.host.remove_address(2, f"{VIP}/32")
    stage.wait(5)
    assert f"{VIP}/32" not in stage.host.holds()
    assert stage.one()["addresses_held"] == [], "and the status tells the truth"


def test_our_own_removal_is_not_taken_for_somebody_elses(stage: Stage) -> None:
    stage.start_active(instance())
    stage.hear(datagram(priority=200))
    assert stage.one()["state"] == "backup"
    stage.wait(5)
    stage.hear(datagram(priority=0))
    stage.wait(2)
    assert stage.one()["state"] == "active"
    assert stage.log.having("another program removed") == []


def test_an_address_that_the_kernel_refuses_is_told_and_not_tried_again_and_again(stage: Stage) -> None:
    stage.host.refuse[VIP] = errno.EACCES
    stage.apply(instance("VI_1", VIP, "203.0.113.1", restore=True))
    stage.wait(5)
    one = stage.one()
    assert one["addresses_refused"] == {VIP: "Permission denied"}
    assert one["addresses_held"] == ["203.0.113.1/32"]
    stage.forget()
    stage.host.remove_address(2, "203.0.113.1/32")
    stage.wait(0)
    assert stage.host.done == [Done("add", 2, "203.0.113.1/32")]


def test_news_that_were_lost_are_made_good_by_listing_everything(stage: Stage) -> None:
    stage.start_active(instance())
    stage.host.lost_news = True
    stage.host.add_link(2, "eth0", flags=DOWN)
    stage.wait(0)
    assert stage.one()["reason"] == "interface eth0 is down"
    assert stage.log.having("listing everything again")


def test_a_list_that_cannot_be_read_then_is_survived(stage: Stage) -> None:
    stage.start_active(instance())
    stage.host.lost_news = True

    def broken(_request: bytes) -> None:
        raise KernelError("netlink gave no answer to a dump")

    stage.host.dump = broken  # type: ignore[method-assign, assignment]
    stage.host.add_link(2, "eth0", flags=DOWN)
    stage.wait(2)
    assert stage.one()["state"] == "active"
    assert stage.log.having("the next change of an interface tries again")


def test_the_news_of_links_that_mean_nothing_to_us_change_nothing(stage: Stage) -> None:
    stage.start_active(instance())
    for index in range(100, 150):
        stage.host.add_link(index, f"veth{index}")
        stage.host.add_address(index, "192.0.2.1/32")
        stage.host.remove_link(index)
    stage.wait(0.5)
    assert stage.host.done == stage.host.frames == []
    assert stage.one()["state"] == "active"
    assert stage.clock.now % SECOND == 500_000_000
