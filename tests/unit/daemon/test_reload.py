# SPDX-License-Identifier: GPL-3.0-or-later
"""A new configuration changes what differs and disturbs nothing else."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import List

import pytest
from vrrp_agent.conf.model import Config, GlobalSettings, Tracked
from vrrp_agent.daemon.agent import MissingInterface
from vrrp_agent.kernel.errors import KernelError

from tests.unit.daemon.host import Done
from tests.unit.daemon.make import OURS, PEER, VIP, address, addresses, datagram, instance
from tests.unit.daemon.stage import Stage

A, B = "203.0.113.1", "203.0.113.2"
LATE = GlobalSettings(dynamic_interfaces=True)


def removed(stage: Stage) -> List[str]:
    return [done.address for done in stage.host.done if done.verb == "remove"]


def added(stage: Stage) -> List[str]:
    return [done.address for done in stage.host.done if done.verb == "add"]


def test_a_reload_that_changes_nothing_sends_nothing_and_touches_nothing(stage: Stage) -> None:
    stage.start_active(instance())
    before = stage.one()
    stage.apply(instance())
    assert stage.socket().sent == stage.host.done == stage.host.frames == []
    after = stage.one()
    assert (after["since"], after["transitions"]) == (before["since"], before["transitions"])


def test_settings_change_under_an_active_router_without_an_interruption(stage: Stage) -> None:
    stage.start_active(instance())
    stage.apply(instance(priority=150, advert_int_ns=500_000_000))
    assert stage.one()["state"] == "active"
    assert stage.host.done == []
    stage.wait(1.1)
    assert stage.socket().priorities() == [150, 150]


def test_a_new_instance_begins_beside_the_old_one(stage: Stage) -> None:
    stage.start_active(instance())
    stage.apply(instance(), instance("VI_2", A, vrid=20))
    assert [one["state"] for one in stage.status()] == ["active", "backup"]
    assert added(stage) == removed(stage) == []


def test_an_instance_that_is_gone_resigns_and_gives_its_addresses_back(stage: Stage) -> None:
    stage.start_active(instance(), instance("VI_2", A, vrid=20))
    stage.apply(instance())
    assert removed(stage) == [f"{A}/32"]
    assert stage.socket().priorities() == [0]
    assert stage.log.having("VI_2: removed from the configuration")
    stage.wait(2)
    assert set(stage.socket().priorities()) == {0, 100}


def test_the_last_instance_takes_its_socket_along(stage: Stage) -> None:
    stage.start_active(instance())
    sock = stage.socket()
    stage.apply()
    assert sock.closed
    assert sock.priorities() == [0]
    assert stage.status() == []


def test_addresses_come_and_go_with_their_lines(stage: Stage) -> None:
    stage.start_active(instance("VI_1", A, VIP))
    stage.apply(instance("VI_1", VIP, B))
    assert removed(stage) == [f"{A}/32"]
    assert added(stage) == [f"{B}/32"]
    assert len(stage.host.frames) == 1, "only the new one is announced"


def test_a_backup_with_other_addresses_touches_none(stage: Stage) -> None:
    stage.apply(instance("VI_1", A))
    stage.forget()
    stage.apply(instance("VI_1", B))
    assert stage.host.done == []


def test_an_address_with_another_prefix_is_another_address(stage: Stage) -> None:
    stage.start_active(instance("VI_1", f"{VIP}/24"))
    stage.apply(instance("VI_1", f"{VIP}/32"))
    assert stage.host.holds() == [f"{OURS}/24", "fe80::1/64", f"{VIP}/32"]


def test_what_only_the_agent_cares_about_leaves_the_address_alone(stage: Stage) -> None:
    stage.start_active(instance(addresses=(address(VIP),)))
    stage.apply(instance(addresses=(address(VIP, no_track=True, device="eth0"),)))
    assert stage.host.done == []
    stage.apply(instance(addresses=(), excluded_addresses=(address(VIP),)))
    assert stage.host.done == [], "it moves between the blocks"


def test_an_address_that_moves_between_two_instances_stays_on_the_host(stage: Stage) -> None:
    stage.start_active(instance("VI_1", A, VIP), instance("VI_2", B, vrid=20))
    stage.apply(instance("VI_1", A), instance("VI_2", B, VIP, vrid=20))
    assert removed(stage) == []
    assert f"{VIP}/32" in stage.host.holds()
    stage.agent.stop()
    assert stage.host.holds() == [f"{OURS}/24", "fe80::1/64"], "and goes with its new instance"


def test_it_stays_too_when_its_old_instance_goes(stage: Stage) -> None:
    stage.start_active(instance("VI_1", A, VIP), instance("VI_2", B, vrid=20))
    stage.apply(instance("VI_2", B, VIP, vrid=20))
    assert removed(stage) == [f"{A}/32"]
    assert f"{VIP}/32" in stage.host.holds()


def test_it_goes_when_its_new_instance_is_no_active_one(stage: Stage) -> None:
    stage.start_active(instance("VI_1", A, VIP), instance("VI_2", B, vrid=20))
    for _ in range(3):
        stage.hear(datagram(vrid=20, priority=200))
    stage.apply(instance("VI_1", A), instance("VI_2", B, VIP, vrid=20))
    assert f"{VIP}/32" not in stage.host.holds()


def test_a_new_name_makes_no_new_router(stage: Stage) -> None:
    stage.start_active(instance("OLD"))
    stage.apply(instance("NEW"))
    assert stage.one("NEW")["state"] == "active"
    assert stage.host.done == []


def test_another_vrid_makes_a_new_router(stage: Stage) -> None:
    stage.start_active(instance())
    stage.apply(instance(vrid=11))
    assert stage.one()["state"] == "backup"
    assert stage.socket().priorities() == [0], "the old one has resigned"
    assert f"{VIP}/24" not in stage.host.holds()


def test_the_startup_delay_is_for_the_start(stage: Stage) -> None:
    delayed = GlobalSettings(startup_delay_ns=30_000_000_000)
    stage.apply(instance(), settings=delayed)
    stage.wait(20)
    assert stage.one()["state"] == "backup"
    stage.wait(15)
    assert stage.one()["state"] == "active"
    stage.apply(instance(), instance("VI_2", A, vrid=20), settings=delayed)
    stage.wait(5)
    assert stage.one("VI_2")["state"] == "active"


# What cannot be done changes nothing.


def test_a_socket_that_cannot_be_opened_refuses_the_whole_reload(stage: Stage) -> None:
    stage.start_active(instance())
    stage.host.socket_error[6] = KernelError("no raw IPv6 socket", "is it switched off?", errno.EAFNOSUPPORT)
    new = [instance("VI_1", B), instance("VI_2", A, vrid=20, interface="eth1"), instance("VI_6", family=6)]
    with pytest.raises(KernelError, match="IPv6"):
        stage.apply(*new)
    assert stage.host.done == stage.socket().sent == []
    assert [one["name"] for one in stage.status()] == ["VI_1"]
    assert stage.one()["addresses"] == [f"{VIP}/24"]
    assert all(sock.closed for sock in stage.host.sockets if sock.interface == "eth1"), "nothing is left open"
    stage.wait(2)
    assert stage.socket().priorities() == [100, 100]
    stage.host.socket_error.clear()
    stage.apply(*new)
    assert [one["state"] for one in stage.status()] == ["active", "fault", "backup"]


def test_an_unknown_interface_is_named_with_the_way_out(stage: Stage) -> None:
    with pytest.raises(MissingInterface, match="interfaces do not exist: eth7, eth8, eth9") as caught:
        stage.agent.check_interfaces(
            Config(
                instances=(
                    instance(interface="eth9", track_interfaces=(Tracked("eth8"),)),
                    instance("VI_2", vrid=2, addresses=(address(A, device="eth7"),)),
                )
            )
        )
    assert "dynamic_interfaces" in caught.value.hint
    with pytest.raises(MissingInterface, match="interface eth9 does not exist"):
        stage.agent.check_interfaces(Config(static_addresses=(address(A, device="eth9"),)))
    stage.agent.check_interfaces(Config(settings=LATE, instances=(instance(interface="eth9"),)))


# A hundred reloads.


def test_reloading_leaves_nothing_behind(stage: Stage) -> None:
    one, two = instance("VI_1", A, VIP), instance("VI_1", B, priority=120)
    other = instance("VI_2", "203.0.113.9", vrid=20, interface="eth1")
    stage.start_active(one)
    for number in range(50):
        stage.apply(two if number % 2 else one, *([other] if number % 3 else []), settings=LATE)
    assert sum(not sock.closed for sock in stage.host.sockets) <= 2
    assert len(stage.loop.schedule._heap) < 20
    stage.wait(1)
    assert stage.one()["state"] == "active"


# Death and the next process.


def restart(stage: Stage, tmp_path: Path, pause_s: float) -> Stage:
    """The old process is killed: it says nothing, and the kernel closes its sockets."""
    stage.clock.now += int(pause_s * 1e9)
    stage.forget()
    for sock in stage.host.sockets:
        sock.close()
    stage.host.sockets.clear()
    return Stage(tmp_path, stage.clock, stage.host)


def test_the_successor_of_a_killed_agent_goes_on_at_once(stage: Stage, tmp_path: Path) -> None:
    stage.start_active(instance())
    after = restart(stage, tmp_path, pause_s=1.5)
    after.apply(instance())
    assert after.one()["state"] == "active"
    assert removed(after) == []
    assert after.socket().priorities() == [100]


def test_a_successor_that_comes_late_removes_what_was_left_and_listens(stage: Stage, tmp_path: Path) -> None:
    stage.start_active(instance())
    after = restart(stage, tmp_path, pause_s=3)
    after.apply(instance())
    assert after.one()["state"] == "backup"
    assert f"{VIP}/24" not in after.host.holds()
    assert after.log.having(f"removed addresses left by a predecessor: {VIP}")


def test_leftovers_go_whatever_their_prefix_and_only_from_their_interface(
    stage: Stage, tmp_path: Path
) -> None:
    stage.host.add_address(2, f"{VIP}/32")
    stage.host.add_address(2, f"{VIP}/25")
    stage.host.add_address(3, f"{VIP}/32")
    after = restart(stage, tmp_path, pause_s=0)
    after.apply(instance("VI_1", f"{VIP}/24"))
    assert after.host.holds(2) == [f"{OURS}/24", "fe80::1/64"]
    assert after.host.holds(3) == [f"{VIP}/32"], "a real server may have it there on purpose"


def test_with_the_wrong_prefix_nothing_is_resumed(stage: Stage, tmp_path: Path) -> None:
    stage.start_active(instance("VI_1", f"{VIP}/24"))
    after = restart(stage, tmp_path, pause_s=1)
    after.apply(instance("VI_1", f"{VIP}/32"))
    assert after.one()["state"] == "backup"


def test_an_orderly_stop_leaves_nothing_to_resume(stage: Stage, tmp_path: Path) -> None:
    stage.start_active(instance())
    stage.agent.stop()
    assert stage.host.holds() == [f"{OURS}/24", "fe80::1/64"]
    after = restart(stage, tmp_path, pause_s=0)
    after.apply(instance())
    assert after.one()["state"] == "backup"


# The owner of the addresses: they are its interface's own.

OWNER = instance("VI_1", f"{OURS}/24", priority=255)


def test_an_owner_never_takes_its_own_address_away(stage: Stage) -> None:
    stage.apply(OWNER)
    assert stage.one()["state"] == "active"
    stage.apply(replace(OWNER, advert_int_ns=2_000_000_000))
    stage.agent.stop()
    assert Done("remove", 2, f"{OURS}/24") not in stage.host.done
    assert f"{OURS}/24" in stage.host.holds()


def test_nor_does_its_successor(stage: Stage, tmp_path: Path) -> None:
    stage.apply(OWNER)
    stage.wait(2)
    after = restart(stage, tmp_path, pause_s=1)
    after.apply(OWNER)
    after.agent.stop()
    assert f"{OURS}/24" in after.host.holds()


def test_an_owner_gives_back_what_it_has_taken(stage: Stage, tmp_path: Path) -> None:
    """Priority 255 for an address that the interface had not."""
    borrowed = instance("VI_1", f"{VIP}/24", priority=255)
    stage.apply(borrowed)
    stage.wait(2)
    after = restart(stage, tmp_path, pause_s=1)
    after.apply(borrowed)
    after.agent.stop()
    assert after.host.holds() == [f"{OURS}/24", "fe80::1/64"]


def test_excluded_addresses_are_handled_like_the_others(stage: Stage, tmp_path: Path) -> None:
    one = instance(addresses=(), excluded_addresses=addresses(A))
    stage.start_active(one)
    after = restart(stage, tmp_path, pause_s=1)
    after.apply(one)
    assert after.one()["state"] == "active"
    after.hear(datagram(PEER, priority=200, addresses=()))
    assert f"{A}/32" not in after.host.holds()
