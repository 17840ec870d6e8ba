# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for routes, read back by another program's decoder."""

from __future__ import annotations

import contextlib
import struct
import sys
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.rtmsg import rtmsg
from vrrp_agent.conf.model import Encap, NextHop, Route
from vrrp_agent.kernel import attributes as nla
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.messages import RTM_DELROUTE, RTM_NEWROUTE
from vrrp_agent.kernel.routes import add_request, decode_route, devices_of, key_of, remove_request

from tests.unit.daemon.host import packed

NET, GATEWAY, GATEWAY2 = packed("203.0.113.0"), packed("198.51.100.254"), packed("198.51.100.253")
INDEXES = {"eth0": 2, "eth1": 3}
ONLINK = 4
LITTLE = sys.byteorder == "little"


def resolve(name: str) -> int:
    if name not in INDEXES:
        raise KernelError(f"interface {name} does not exist")
    return INDEXES[name]


def route(*next_hops: NextHop, **words: Any) -> Route:
    words = {"family": 4, "destination": NET, "prefix_length": 24, **words}
    return Route(next_hops=next_hops, **words)


def read(request: bytes) -> Dict[str, Any]:
    message = rtmsg(request)
    message.decode()
    assert message["header"]["length"] == len(request)
    names = ("family", "dst_len", "table", "proto", "scope", "type", "flags")
    found = {name: message[name] for name in names}
    found.update(message["attrs"])
    return {**found, "kind": message["header"]["type"], "header_flags": message["header"]["flags"]}


def attributes(request: bytes) -> Dict[int, bytes]:
    """The attributes of a request by number, undecoded."""
    return dict(nla.read(request, 28))


def test_a_route_by_a_gateway() -> None:
    found = read(add_request(route(NextHop(GATEWAY, "eth0")), resolve))
    assert (found["kind"], found["header_flags"]) == (RTM_NEWROUTE, 0x401), "add it, before others"
    assert (found["family"], found["dst_len"], found["table"], found["type"]) == (2, 24, 254, 1)
    assert (found["RTA_DST"], found["RTA_GATEWAY"], found["RTA_OIF"]) == (
        "203.0.113.0",
        "198.51.100.254",
        2,
    )
    assert found["proto"] == 18, "keepalived's mark"
    assert found["scope"] == 0


@pytest.mark.parametrize(
    "one, scope",
    [
        (route(NextHop(None, "eth0")), 253),
        (route(NextHop(GATEWAY, "eth0")), 0),
        (route(NextHop(None, "eth0"), type="local"), 254),
        (route(type="blackhole"), 0),
        (route(NextHop(GATEWAY), scope=200), 200),
        (route(NextHop(None, "eth0"), family=6, destination=packed("2001:db8::"), prefix_length=32), 0),
    ],
)
def test_the_scope_is_the_nearest_that_fits(one: Route, scope: int) -> None:
    assert read(add_request(one, resolve))["scope"] == scope


def test_a_default_route_has_no_destination() -> None:
    found = read(add_request(route(NextHop(GATEWAY), destination=None, prefix_length=0), resolve))
    assert "RTA_DST" not in found
    assert found["dst_len"] == 0


def test_tables_above_255_go_into_an_attribute() -> None:
    assert read(add_request(route(NextHop(GATEWAY), table=100), resolve))["table"] == 100
    found = read(add_request(route(NextHop(GATEWAY), table=1000), resolve))
    assert (found["table"], found["RTA_TABLE"]) == (252, 1000)


def test_source_metric_and_metrics() -> None:
    one = route(NextHop(GATEWAY), source=packed("198.51.100.100"), metric=5, metrics=(("mtu", 1400),))
    found = read(add_request(one, resolve))
    assert (found["RTA_PREFSRC"], found["RTA_PRIORITY"]) == ("198.51.100.100", 5)
    assert dict(found["RTA_METRICS"]["attrs"]) == {"RTAX_MTU": 1400}


def test_several_ways_with_their_weights() -> None:
    one = route(NextHop(GATEWAY, "eth0", weight=3), NextHop(GATEWAY2, "eth1", onlink=True))
    first, second = read(add_request(one, resolve))["RTA_MULTIPATH"]
    assert (first["hops"], first["oif"], dict(first["attrs"])) == (2, 2, {"RTA_GATEWAY": "198.51.100.254"})
    assert (second["hops"], second["oif"], second["flags"]) == (0, 3, ONLINK)


def test_onlink_is_a_flag_of_a_single_way() -> None:
    assert read(add_request(route(NextHop(GATEWAY, "eth0", onlink=True)), resolve))["flags"] == ONLINK


def test_an_ipv4_route_may_go_by_an_ipv6_gateway() -> None:
    found = read(add_request(route(NextHop(packed("fe80::1"), "eth0")), resolve))
    assert "RTA_GATEWAY" not in found
    assert found["RTA_VIA"]["addr"] == "fe80::1"


def test_an_ipv6_route() -> None:
    one = route(
        NextHop(packed("fe80::1"), "eth0"), family=6, destination=packed("2001:db8:1::"), prefix_length=48
    )
    found = read(add_request(one, resolve))
    assert (found["family"], found["RTA_DST"], found["RTA_GATEWAY"]) == (10, "2001:db8:1::", "fe80::1")


def test_the_removal_names_the_same_route() -> None:
    found = read(remove_request(route(NextHop(GATEWAY, "eth0"), metric=5), resolve))
    assert (found["kind"], found["header_flags"]) == (RTM_DELROUTE, 0x1)
    assert (found["RTA_DST"], found["RTA_PRIORITY"]) == ("203.0.113.0", 5)


def test_an_unknown_interface_or_type_is_an_error_with_its_name() -> None:
    with pytest.raises(KernelError, match="eth9"):
        add_request(route(NextHop(None, "eth9")), resolve)
    with pytest.raises(KernelError, match="unknown route type nonsense") as caught:
        add_request(route(type="nonsense"), resolve)
    assert "blackhole" in caught.value.hint


def test_a_value_that_does_not_fit_is_an_error_and_not_the_end() -> None:
    for wrong in ({"metric": 2**40}, {"prefix_length": 999}, {"tos": -1}, {"metrics": (("nonsense", 1),)}):
        with pytest.raises(KernelError, match="no netlink request can say"):
            add_request(route(NextHop(GATEWAY), **wrong), resolve)


@pytest.mark.parametrize("mode, flags", [("", 0x401), ("prepend", 0x401), ("append", 0xC01), ("add", 0x601)])
def test_what_becomes_of_other_routes_to_the_same_destination(mode: str, flags: int) -> None:
    found = read(add_request(route(NextHop(GATEWAY), append=mode), resolve))
    assert found["header_flags"] == flags


def test_locked_metrics_are_bits() -> None:
    metrics = (("mtu", 1400), ("mtu lock", 1), ("cwnd", 10), ("cwnd lock", 1), ("quickack", 1))
    found = read(add_request(route(NextHop(GATEWAY), metrics=metrics, congestion_control="reno"), resolve))
    assert dict(found["RTA_METRICS"]["attrs"]) == {
        "RTAX_LOCK": 1 << 2 | 1 << 7,
        "RTAX_MTU": 1400,
        "RTAX_CWND": 10,
        "RTAX_QUICKACK": 1,
        "RTAX_CC_ALGO": "reno",
    }


def test_what_only_ipv6_routes_have() -> None:
    one = route(
        NextHop(None, "eth0"),
        family=6,
        destination=packed("2001:db8:1::"),
        prefix_length=48,
        origin=(packed("2001:db8:2::"), 64),
        preference=3,
        expires_s=1000,
    )
    request = add_request(one, resolve)
    found = read(request)
    assert (found["RTA_SRC"], found["RTA_PREF"]) == ("2001:db8:2::", 3)
    assert request[18] == 64, "rtm_src_len"
    assert attributes(request)[23] == (1000).to_bytes(4, "little" if LITTLE else "big")


def test_realms_of_a_route_and_of_its_legs() -> None:
    assert read(add_request(route(NextHop(GATEWAY, realms=0x30004)), resolve))["RTA_FLOW"] == 0x30004
    legs = read(add_request(route(NextHop(GATEWAY, realms=5), NextHop(GATEWAY2)), resolve))["RTA_MULTIPATH"]
    assert [dict(leg["attrs"]).get("RTA_FLOW") for leg in legs] == [5, None]


def test_mpls_labels_are_a_stack_with_a_bottom() -> None:
    one = route(NextHop(GATEWAY, "eth0", encap=Encap("mpls", (("labels", (100, 200)),))))
    found = read(add_request(one, resolve))
    assert found["RTA_ENCAP_TYPE"] == 1
    stack = dict(found["RTA_ENCAP"]["attrs"])["MPLS_IPTUNNEL_DST"]
    assert [(entry["label"], entry["bos"]) for entry in stack] == [(100, 0), (200, 1)]


@pytest.mark.parametrize(
    "encap, number, inner",
    [
        (
            Encap("ip", (("id", 5), ("dst", packed("198.51.100.9")), ("tos", 4), ("ttl", 9))),
            2,
            {1: (5).to_bytes(8, "big"), 2: packed("198.51.100.9"), 5: b"\x04", 4: b"\x09"},
        ),
        (
            Encap("ip6", (("src", packed("2001:db8::1")), ("dst", packed("2001:db8::9")), ("tc", 3))),
            4,
            {3: packed("2001:db8::1"), 2: packed("2001:db8::9"), 5: b"\x03"},
        ),
        (Encap("ila", (("locator", bytes(range(8))),)), 3, {1: bytes(range(8))}),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_tunnels_as_linux_lwtunnel_h_numbers_them(encap: Encap, number: int, inner: Dict[int, bytes]) -> None:
    found = attributes(add_request(route(NextHop(None, "eth0", encap=encap)), resolve))
    assert int.from_bytes(found[21], "little" if LITTLE else "big") == number
    assert dict(nla.read(found[22], 0)) == inner
    with pytest.raises(KernelError, match="unknown encap gre"):
        add_request(route(NextHop(encap=Encap("gre"))), resolve)


def test_metrics_and_settings_that_pyroute2_does_not_know() -> None:
    one = route(NextHop(GATEWAY), metrics=(("fastopen_no_cookie", 1),), ttl_propagate=True)
    found = attributes(add_request(one, resolve))
    assert dict(nla.read(found[8], 0)) == {17: (1).to_bytes(4, "little" if LITTLE else "big")}
    assert found[26] == b"\x01"


ROUTES = [
    route(NextHop(GATEWAY, "eth0")),
    route(NextHop(GATEWAY), table=1000, metric=7, tos=0x10),
    route(NextHop(GATEWAY, "eth0"), NextHop(GATEWAY2, "eth1")),
    route(type="blackhole"),
    route(NextHop(None, "eth0"), destination=None, prefix_length=0),
    route(NextHop(None, "eth1"), family=6, destination=packed("2001:db8::"), prefix_length=32, metric=1024),
]


@pytest.mark.parametrize("one", ROUTES, ids=lambda one: f"{one.family} {one.type} {one.table} {one.metric}")
def test_news_of_a_route_are_recognised(one: Route) -> None:
    """The kernel tells a route with the attributes that it was given."""
    for make, kind in ((add_request, RTM_NEWROUTE), (remove_request, RTM_DELROUTE)):
        event = decode_route(kind, make(one, resolve))
        assert event is not None
        assert event.key == key_of(one)
        assert event.removed == (kind == RTM_DELROUTE)
        assert set(event.devices) == {INDEXES[name] for name in devices_of(one)}


def test_an_ipv6_route_without_metric_gets_the_kernels() -> None:
    one = route(NextHop(None, "eth0"), family=6, destination=packed("2001:db8::"), prefix_length=32)
    assert key_of(one).metric == 1024


def test_routes_of_other_families_are_none_of_ours() -> None:
    message = bytearray(add_request(route(NextHop(GATEWAY)), resolve))
    message[16] = 28  # AF_MPLS
    assert decode_route(RTM_NEWROUTE, bytes(message)) is None


@given(st.binary(max_size=80))
def test_damaged_news_are_read_as_far_as_they_go(rest: bytes) -> None:
    head = add_request(route(NextHop(GATEWAY)), resolve)[:28]
    with contextlib.suppress(struct.error):
        decode_route(RTM_NEWROUTE, head + rest)
