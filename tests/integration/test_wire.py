# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent's packets look like: RFC 9568 5 and 7.2, RFC 3768 5, byte by byte."""

from __future__ import annotations

import pytest

from tests.lab import frames
from tests.lab.capture import Frame
from tests.lab.lan import VIP4, VIP4_SECOND, VIP6, VIP6_LINK_LOCAL
from tests.lab.plugin import MakeBench


@pytest.mark.parametrize(
    "version, family, group, group_mac",
    [
        (2, 4, frames.GROUP4, frames.GROUP4_MAC),
        (3, 4, frames.GROUP4, frames.GROUP4_MAC),
        (3, 6, frames.GROUP6, frames.GROUP6_MAC),
    ],
)
def test_a_multicast_advert_has_every_field_right(
    make_bench: MakeBench, version: int, family: int, group: str, group_mac: str
) -> None:
    """R-L02, R-L04, R-L06, R-L07, R-L08, R-P01 to R-P16, R-V02 to R-V10."""
    addresses = (
        [f"{VIP4_SECOND}/24", f"{VIP4}/24"] if family == 4 else [f"{VIP6_LINK_LOCAL}/64", f"{VIP6}/64"]
    )
    advert_int_s = 1 if version == 2 else 0.1
    bench = make_bench(version=version, family=family, advert_int=advert_int_s, vrid=10, addresses=addresses)
    bench.start_active()
    for seen in bench.wire.wait_for_adverts("d", 2):
        advert = seen.advert
        assert advert.ttl == 255
        assert advert.tos == 0xC0
        assert advert.source == bench.d.address(family)
        assert advert.source_mac == bench.d.mac
        assert (advert.destination, advert.destination_mac) == (group, group_mac)
        assert (advert.version, advert.type, advert.vrid, advert.priority) == (version, 1, 10, 100)
        assert advert.interval_s == advert_int_s
        assert advert.message[4] >> 4 == 0, "the reserve nibble"
        assert advert.count == 2
        assert list(advert.addresses) == [line.split("/")[0] for line in addresses]
        assert advert.checksum_form == ("message" if version == 2 else "pseudo")
        assert len(advert.message) == 8 + 2 * (4 if family == 4 else 16) + (8 if version == 2 else 0)
        if version == 2:
            assert (advert.auth_type, advert.auth_data) == (0, b"\0" * 8)


@pytest.mark.parametrize("interval_s", [0.01, 2.55, 2.56, 40.95])
def test_the_interval_is_carried_in_centiseconds(make_bench: MakeBench, interval_s: float) -> None:
    """R-P08, R-P10; the owner speaks at once, so nobody has to wait for 40 seconds."""
    bench = make_bench(priority=255, state="MASTER", advert_int=interval_s)
    advert = bench.start_active().advert
    assert advert.interval_s == pytest.approx(interval_s)
    assert advert.message[4] >> 4 == 0


@pytest.mark.parametrize("priority", [1, 254])
def test_the_extreme_priorities_are_on_the_wire(make_bench: MakeBench, priority: int) -> None:
    """R-P05."""
    bench = make_bench(priority=priority)
    assert bench.start_active().advert.priority == priority


def test_the_source_is_the_primary_address_also_when_others_are_there(make_bench: MakeBench) -> None:
    """R-L06."""
    bench = make_bench()
    bench.d.ip("address", "add", "198.51.100.5/24", "dev", "eth0")
    bench.start_active()
    seen = bench.wire.wait_for_adverts("d", 3)
    assert {one.advert.source for one in seen} == {bench.d.ipv4}


def test_mcast_src_ip_sets_the_source(make_bench: MakeBench) -> None:
    bench = make_bench(lines="mcast_src_ip 198.51.100.5")
    bench.d.ip("address", "add", "198.51.100.5/24", "dev", "eth0")
    assert bench.start_active().advert.source == "198.51.100.5"


@pytest.mark.parametrize("version, family", [(2, 4), (3, 4), (3, 6)])
def test_a_unicast_advert_goes_to_each_peer(make_bench: MakeBench, version: int, family: int) -> None:
    bench = make_bench("e", version=version, family=family, advert_int=1 if version == 2 else 0.1)
    bench.agent.write(bench.config(unicast=[bench.d, bench.t, bench.lan.e]))
    bench.start_active()
    seen = [one.advert for one in bench.wire.wait_for_adverts("d", 4)]
    peers = {
        bench.t.unicast_address(family): bench.t.mac,
        bench.lan.e.unicast_address(family): bench.lan.e.mac,
    }
    assert {one.destination: one.destination_mac for one in seen} == peers
    assert {one.source for one in seen} == {bench.d.unicast_address(family)}
    assert {one.ttl for one in seen} == {255}
    assert {one.checksum_form for one in seen} == {"message" if version == 2 else "pseudo"}


def test_a_password_is_carried_and_checked(make_bench: MakeBench) -> None:
    """R-V06 with keepalived's auth_type PASS."""
    lines = ["authentication {", "    auth_type PASS", "    auth_pass 12345678", "}"]
    bench = make_bench(version=2, advert_int=1, lines=lines)
    with bench.tester.speaking(every_s=1, priority=200, auth_type=1, auth_data=b"12345678"):
        started_ns = bench.start()
        bench.wire.wait_for_adverts("t", 2, since_ns=started_ns)
        assert bench.agent.instance()["active_router"] == {"address": bench.t.ipv4, "priority": 200}
    first = bench.takes_over_after(bench.last_advert_of_t(), bench.down_s)
    assert (first.advert.auth_type, first.advert.auth_data) == (1, b"12345678")


def test_checksum_as_v2_leaves_the_pseudo_header_out(make_bench: MakeBench) -> None:
    """R-P11: RFC 9568's own form."""
    bench = make_bench(lines="v3_checksum_as_v2")
    assert bench.start_active().advert.checksum_form == "message"


@pytest.mark.parametrize("family", [4, 6])
def test_the_group_is_joined_when_the_agent_starts(make_bench: MakeBench, family: int) -> None:
    """R-L07: a report of IGMP or MLD names the group."""
    bench = make_bench(family=family)
    group = frames.pack_ip(frames.GROUP4 if family == 4 else frames.GROUP6)

    def is_report(frame: Frame) -> bool:
        other_protocol = frames.parse_advert(frame.data) is None
        return frame.node == "d" and other_protocol and group in frame.data[34:]

    started_ns = bench.start()
    bench.wire.wait_for("a report of d for the group", is_report, since_ns=started_ns - 1_000_000_000)


@pytest.mark.parametrize("family", [4, 6])
def test_a_host_that_forwards_does_not_forward_adverts(make_bench: MakeBench, family: int) -> None:
    """R-L01: whatever the TTL; eth1 is cabled to a segment of its own."""
    bench = make_bench(family=family)
    bench.d.add_interface("eth1")
    bench.wire.watch("d-eth1", "d-eth1")
    bench.d.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    bench.start_active()
    for ttl in (255, 64):
        bench.tester.send(priority=50, packet_options={"ttl": ttl})
    bench.wire.wait_for_adverts("d", 4)
    assert not bench.wire.adverts("d-eth1")
