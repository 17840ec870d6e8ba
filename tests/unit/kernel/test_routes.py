# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for routes, read back by another program's decoder."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from pyroute2.netlink.rtnl.rtmsg import rtmsg
from vrrp_agent.conf.model import NextHop, Route
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.messages import RTM_DELROUTE, RTM_NEWROUTE
from vrrp_agent.kernel.routes import add_request, remove_request

from tests.unit.daemon.host import packed

NET, GATEWAY, GATEWAY2 = packed("203.0.113.0"), packed("198.51.100.254"), packed("198.51.100.253")
INDEXES = {"eth0": 2, "eth1": 3}
ONLINK = 4


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


def test_a_route_by_a_gateway() -> None:
    found = read(add_request(route(NextHop(GATEWAY, "eth0")), resolve))
    assert (found["kind"], found["header_flags"]) == (RTM_NEWROUTE, 0x501), "add it, or replace the same one"
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
    with pytest.raises(KernelError, match="rtmsg"):
        add_request(route(NextHop(GATEWAY), metric=2**40), resolve)
    with pytest.raises(KernelError, match="rtmsg"):
        add_request(route(NextHop(GATEWAY), prefix_length=999), resolve)
