# SPDX-License-Identifier: GPL-3.0-or-later
"""From the socket to the election: each packet is counted once, and nothing gets in by a short cut."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from vrrp_agent.conf.model import GlobalSettings, UnicastPeer
from vrrp_agent.daemon.hearing.receiver import _MOST_PER_TURN
from vrrp_agent.kernel.advert_socket import Received
from vrrp_agent.wire.advert import GROUP_IPV4, GROUP_IPV6

from tests.unit.daemon.host import packed
from tests.unit.daemon.make import (
    OURS,
    PEER,
    PEER6,
    SECOND,
    VIP,
    addresses,
    datagram,
    instance,
    message,
)
from tests.unit.daemon.stage import Stage


def received6(source: str = PEER6, ttl: int = 255, **words: Any) -> Received:
    """An IPv6 advert as the raw socket gives it."""
    return Received(packed(source), GROUP_IPV6, ttl, message(source, GROUP_IPV6, **words))


def discards(stage: Stage) -> Dict[str, int]:
    """Of the instance and of the interface, together."""
    found = dict(stage.one()["counters"]["discards"])
    for line in stage.lines_of_status():
        for reason, number in line.get("interface", {}).get("discards", {}).items():
            found[reason] = found.get(reason, 0) + number
    return found


def count(stage: Stage, name: str = "adverts_received") -> int:
    number: int = stage.one()["counters"][name]
    return number


def test_an_advert_reaches_its_election(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(priority=200))
    assert stage.one()["active_router"] == {"address": PEER, "priority": 200}
    assert count(stage) == 1


def test_what_comes_again_and_again_is_counted_each_time(stage: Stage) -> None:
    stage.apply(instance())
    for number in range(1, 6):
        stage.hear(datagram())
        assert count(stage) == number
    stage.hear(*[datagram()] * 10)
    assert count(stage) == 15
    assert discards(stage) == {}


def test_an_ipv6_advert_too(stage: Stage) -> None:
    stage.apply(instance(family=6))
    stage.hear(received6(), received6(), family=6)
    assert stage.one()["active_router"] == {"address": PEER6, "priority": 200}
    assert count(stage) == 2


def test_a_remembered_datagram_with_another_ttl_is_not_believed(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(), datagram())
    stage.hear(datagram(ttl=254))
    assert count(stage) == 2
    assert discards(stage) == {"ttl": 1}


def test_a_remembered_ipv6_datagram_with_another_hop_limit_is_not_believed(stage: Stage) -> None:
    stage.apply(instance(family=6))
    stage.hear(received6(), received6(), received6(ttl=254), family=6)
    assert count(stage) == 2
    assert discards(stage) == {"ttl": 1}


def test_a_remembered_datagram_with_one_bit_flipped_is_not_believed(stage: Stage) -> None:
    stage.apply(instance())
    good = datagram()
    stage.hear(good, good)
    for bit in range(12 * 8, len(good) * 8):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        stage.hear(bytes(bad))
    assert count(stage) == 2, "source, destination and message are all under the checksum"
    assert sum(discards(stage).values()) == (len(good) - 12) * 8


def test_what_is_remembered_is_forgotten_with_a_new_configuration(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(), datagram())
    stage.apply(instance(version=2))
    stage.hear(datagram())
    assert discards(stage) == {"version_mismatch": 1}
    assert count(stage) == 2


def test_what_is_remembered_is_forgotten_when_its_source_becomes_our_own_address(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(), datagram())
    stage.host.remove_address(2, f"{OURS}/24")
    stage.host.add_address(2, f"{PEER}/24")
    stage.wait(0.1)
    stage.hear(datagram())
    assert discards(stage) == {"own_advert": 1}


def test_our_own_advert_that_comes_back_is_nobodys(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(OURS, priority=255))
    assert discards(stage) == {"own_advert": 1}
    assert stage.one()["active_router"] is None


def test_an_unknown_vrid_is_counted_at_the_interface_and_said_only_on_request(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(vrid=77))
    assert discards(stage) == {"unknown_vrid": 1}
    assert stage.log.having("VRID 77") == []
    stage.apply(instance(), settings=GlobalSettings(log_unknown_vrids=True))
    stage.hear(datagram(vrid=77))
    assert len(stage.log.having(f"VRID 77 from {PEER} is not configured here")) == 1


BAD = [
    ("ttl", datagram(ttl=254)),
    ("checksum", datagram()[:-1] + b"\xff"),
    ("length", datagram()[:20] + datagram()[20:24] + b"\0\0\0\0"),
    ("version_mismatch", datagram(version=2)),
    ("unexpected_unicast", datagram(destination=packed(OURS))),
    ("ip_header", b"\x45" + bytes(30)),
    ("ip_header", b"E"),
    ("ip_header", b""),
]


@pytest.mark.parametrize("reason, data", BAD)
def test_a_bad_packet_is_counted_once_by_its_reason_and_said_with_evidence(
    stage: Stage, reason: str, data: bytes
) -> None:
    if data and len(data) > 24 and reason == "length":
        data = data[:2] + len(data).to_bytes(2, "big") + data[4:]
    stage.apply(instance())
    stage.hear(data)
    found = discards(stage)
    assert sum(found.values()) == 1
    if reason == "length":  # the header's own sum is not right for this one
        assert set(found) <= {"length", "ip_header"}
    else:
        assert found == {reason: 1}
    assert len(stage.log.having("packet discarded")) == 1
    assert count(stage) == 0


def test_a_flood_is_counted_packet_by_packet_and_said_once(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(*[datagram(ttl=1)] * 500)
    assert discards(stage) == {"ttl": 500}
    assert len(stage.log.having("packet discarded")) == 1
    stage.wait(10)
    stage.hear(datagram(ttl=1))
    assert stage.log.having("499 more like this")


def test_version_2_with_another_interval_or_password_is_not_believed(stage: Stage) -> None:
    stage.apply(instance(version=2, auth_password=b"secret\0\0"))
    stage.hear(datagram(version=2, auth_type=1, auth_data=b"Secret"))
    stage.hear(datagram(version=2))
    stage.hear(datagram(version=2, auth_type=1, auth_data=b"secret", interval_ns=2 * SECOND))
    stage.hear(datagram(version=2, auth_type=1, auth_data=b"secret"))
    assert discards(stage) == {"auth_failure": 1, "auth_type_mismatch": 1, "interval_mismatch": 1}
    assert count(stage) == 1


def test_what_differs_but_counts_is_noticed_each_time_and_said_now_and_then(stage: Stage) -> None:
    stage.apply(instance())
    for _ in range(3):
        stage.hear(datagram(addresses=(packed("203.0.113.1"),), interval_ns=2 * SECOND))
    assert count(stage) == 3
    assert count(stage, "addr_list_mismatches") == count(stage, "interval_mismatches") == 3
    assert len(stage.log.having("has other addresses")) == 1


def test_a_resignation_is_counted_as_one_and_never_taken_from_memory(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram())
    for _ in range(3):
        stage.hear(datagram(priority=0))
    assert count(stage, "priority_zero_received") == 3
    assert stage.one()["active_router"] is None


def test_a_unicast_router_hears_its_peers_whatever_their_ttl_and_no_multicast(stage: Stage) -> None:
    stage.apply(instance(unicast_peers=(UnicastPeer(packed(PEER)),)))
    stage.hear(*[datagram(destination=packed(OURS), ttl=60)] * 2)
    assert count(stage) == 2
    stage.hear(datagram())
    assert discards(stage) == {"unexpected_multicast": 1}


def test_the_options_of_an_ip_header_are_looked_past_each_time(stage: Stage) -> None:
    stage.apply(instance())
    plain = datagram()
    with_options = bytearray(b"\x46" + plain[1:20] + b"\x94\x04\0\0" + plain[20:])
    with_options[2:4] = len(with_options).to_bytes(2, "big")
    with_options[10:12] = b"\0\0"
    total = sum(int.from_bytes(with_options[at : at + 2], "big") for at in range(0, 24, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    with_options[10:12] = (~total & 0xFFFF).to_bytes(2, "big")
    stage.hear(bytes(with_options), bytes(with_options))
    assert count(stage) == 2


def test_two_instances_on_one_interface_hear_only_their_own(stage: Stage) -> None:
    stage.apply(instance("A", vrid=10), instance("B", "203.0.113.1/24", vrid=20))
    stage.hear(datagram(vrid=10), datagram(vrid=20), datagram(vrid=20))
    assert [one["counters"]["adverts_received"] for one in stage.status()] == [1, 2]


# A router without addresses (keepalived no_virtual_ipaddress).


@pytest.mark.parametrize("version", [2, 3])
def test_routers_without_addresses_understand_each_other(stage: Stage, version: int) -> None:
    excluded = addresses("203.0.113.1/32")
    stage.apply(instance(version=version, addresses=(), excluded_addresses=excluded))
    stage.hear(*[datagram(version=version, addresses=())] * 3)
    assert count(stage) == 3
    assert discards(stage) == {}
    stage.wait(4)
    assert stage.one()["state"] == "active"
    assert stage.host.holds() == [f"{OURS}/24", "fe80::1/64", "203.0.113.1/32"]
    assert stage.socket().priorities()


def test_a_router_with_addresses_ignores_an_advert_without_any(stage: Stage) -> None:
    """RFC 9568 5.2.5, erratum 8299."""
    stage.apply(instance())
    stage.hear(datagram(addresses=()))
    assert discards(stage) == {"count_zero": 1}


# A process that was away for a while.


def test_a_process_that_was_stopped_hears_what_waits_before_it_takes_over(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram())
    stage.socket().put(datagram())
    stage.clock.now += 60 * SECOND
    stage.wait(0)
    assert stage.one()["state"] == "backup"
    assert stage.socket().sent == []


def test_even_when_more_waits_than_is_read_at_once(stage: Stage) -> None:
    """The advert that says the active router lives is the last of a long queue."""
    stage.apply(instance())
    stage.hear(datagram())
    junk = [datagram(vrid=99)] * (3 * _MOST_PER_TURN)
    stage.socket().put(*junk, datagram())
    stage.clock.now += 60 * SECOND
    stage.wait(0)
    assert stage.one()["state"] == "backup"
    assert stage.socket().sent == []
    stage.wait(4)
    assert stage.one()["state"] == "active", "and without it the takeover comes"


def test_an_active_router_sends_in_time_however_much_there_is_to_read(stage: Stage) -> None:
    stage.start_active(instance())
    sock = stage.socket()
    sock.put(*[datagram(vrid=99)] * (3 * _MOST_PER_TURN))
    stage.clock.now += 2 * SECOND
    stage.loop.turn(0)
    assert sock.queue, "there is more to read"
    assert len(sock.sent) == 1


def test_the_group_is_joined_once_and_unicast_joins_none(stage: Stage) -> None:
    stage.apply(instance("A", vrid=10), instance("B", "203.0.113.1/24", vrid=20))
    assert stage.socket().groups == [GROUP_IPV4]
    stage.apply(
        instance("C", VIP, vrid=30, unicast_peers=(UnicastPeer(packed(PEER)),), interface="eth1"),
        settings=GlobalSettings(dynamic_interfaces=True),
    )
    assert stage.socket(interface="eth1").groups == []
