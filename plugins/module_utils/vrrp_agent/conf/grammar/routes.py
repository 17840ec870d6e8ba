# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines of static_routes and virtual_routes: the words of ``ip route``."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import (
    FAMILY,
    IFNAME,
    LOCK,
    NUMBER_OR_NAME,
    NUMBER_OR_NAME_8,
    UINT32_MAX,
    choice,
    integer,
    name_of,
)

ROUTE_TYPES = (
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
)

_DEST = Arg("DEST", Type.DESTINATION, choices=("default", "default6", "any", "all"))
_GATEWAY = (FAMILY, Arg("ADDRESS", Type.ADDRESS))
_METRIC = (integer("METRIC"),)
_FLAG01 = (integer("N", 0, 1),)
_LOCK_NUMBER = (LOCK, integer())
_LOCK_TIME = (LOCK, Arg("TIME[s|ms]"))
_REALMS = (Arg("[FROM/]TO"),)


def _type_words() -> Tuple[Keyword, ...]:
    return tuple(
        Keyword(
            word,
            f"Makes the route one of type {word}.",
            supported=True,
            since="1.2.24",
        )
        for word in ROUTE_TYPES
    )


_NEXTHOP = (
    Keyword(
        "via", "Sends through this gateway, which may be of the other family.", args=_GATEWAY, supported=True
    ),
    Keyword("dev", "Sends out of this interface.", args=(IFNAME,), supported=True),
    Keyword(
        "weight",
        "Sets the share of this leg.",
        args=(integer("N", 1, 256),),
        default="1",
        supported=True,
        since="1.2.24",
    ),
    Keyword("onlink", "Treats the gateway as reachable on the interface.", supported=True, since="1.2.24"),
    Keyword(
        "encap",
        "Encapsulates what goes through this leg.",
        options="route_lines/encap",
        supported=True,
        since="1.2.24",
    ),
    Keyword("realms", "Sets the realms of this leg.", args=_REALMS, supported=True, since="1.2.24"),
    Keyword(
        "as",
        "Rewrites the destination on this leg.",
        args=(choice("to", "to", optional=True), Arg("ADDRESS", Type.ADDRESS)),
        supported=True,
        since="1.2.24",
    ),
)

_WAY = (
    Keyword(
        "to",
        "Names the destination; the word may be left out.",
        args=(_DEST,),
        fills="DEST",
        supported=True,
        since="1.1.0",
    ),
    *_type_words(),
    Keyword("inet", "Makes the route an IPv4 one.", supported=True, since="1.2.24"),
    Keyword("inet6", "Makes the route an IPv6 one.", supported=True, since="1.2.24"),
    Keyword(
        "src",
        "Prefers this source address.",
        args=(Arg("ADDRESS", Type.ADDRESS),),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "as",
        "Rewrites the destination.",
        args=(choice("to", "to", optional=True), Arg("ADDRESS", Type.ADDRESS)),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "via",
        "Sends through this gateway, which may be of the other family.",
        args=_GATEWAY,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "gw",
        "Old form of via.",
        args=_GATEWAY,
        alias_of="via",
        deprecated="via",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "or",
        "Old form of a second gateway.",
        args=(Arg("ADDRESS", Type.ADDRESS),),
        deprecated="nexthop via ADDRESS",
        supported=True,
        since="1.1.16",
    ),
    Keyword(
        "from",
        "Limits an IPv6 route to packets from this source.",
        args=(Arg("PREFIX", Type.PREFIX),),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "tos",
        "Limits the route to this type of service.",
        args=(NUMBER_OR_NAME_8,),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "dsfield", "Same as tos.", args=(NUMBER_OR_NAME_8,), alias_of="tos", supported=True, since="1.2.24"
    ),
    Keyword(
        "table",
        "Puts the route into this routing table.",
        args=(NUMBER_OR_NAME,),
        default="main",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "protocol",
        "Tags the route with the protocol that made it.",
        args=(NUMBER_OR_NAME_8,),
        default="keepalived",
        supported=True,
        since="1.2.24",
    ),
    Keyword("scope", "Sets the scope of the route.", args=(NUMBER_OR_NAME_8,), supported=True, since="1.1.0"),
    Keyword("metric", "Sets the metric; lower is preferred.", args=_METRIC, supported=True, since="1.1.15"),
    Keyword("priority", "Same as metric.", args=_METRIC, alias_of="metric", supported=True, since="1.2.24"),
    Keyword("preference", "Same as metric.", args=_METRIC, alias_of="metric", supported=True, since="1.2.24"),
    Keyword(
        "dev",
        "Sends out of this interface, which is tracked unless no_track is given.",
        args=(IFNAME,),
        supported=True,
        since="1.1.0",
    ),
    Keyword("oif", "Same as dev.", args=(IFNAME,), alias_of="dev", supported=True, since="1.1.0"),
    Keyword("onlink", "Treats the gateway as reachable on the interface.", supported=True, since="1.2.24"),
    Keyword(
        "encap",
        "Encapsulates what the route carries.",
        options="route_lines/encap",
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "expires",
        "Lets an IPv6 route expire.",
        args=(integer("SECS", 0, UINT32_MAX, unit="s"),),
        supported=True,
        since="1.2.24",
    ),
)

_METRICS = (
    Keyword("mtu", "Sets the path MTU.", args=_LOCK_NUMBER, supported=True, since="1.2.24"),
    Keyword("hoplimit", "Sets the hop limit.", args=(integer("N", 0, 255),), supported=True, since="1.2.24"),
    Keyword("advmss", "Sets the advertised MSS.", args=_LOCK_NUMBER, supported=True, since="1.2.24"),
    Keyword("rtt", "Sets the round trip time.", args=_LOCK_TIME, supported=True, since="1.2.24"),
    Keyword(
        "rttvar", "Sets the variance of the round trip time.", args=_LOCK_TIME, supported=True, since="1.2.24"
    ),
    Keyword(
        "reordering", "Sets the TCP reordering metric.", args=_LOCK_NUMBER, supported=True, since="1.2.24"
    ),
    Keyword("window", "Sets the TCP window.", args=(integer(),), supported=True, since="1.2.24"),
    Keyword("cwnd", "Sets the congestion window.", args=_LOCK_NUMBER, supported=True, since="1.2.24"),
    Keyword("ssthresh", "Sets the slow-start threshold.", args=_LOCK_NUMBER, supported=True, since="1.2.24"),
    Keyword("realms", "Sets the realms of the route.", args=_REALMS, supported=True, since="1.2.24"),
    Keyword(
        "rto_min", "Sets the least retransmission time.", args=_LOCK_TIME, supported=True, since="1.2.24"
    ),
    Keyword(
        "initcwnd", "Sets the initial congestion window.", args=(integer(),), supported=True, since="1.2.24"
    ),
    Keyword(
        "initrwnd", "Sets the initial receive window.", args=(integer(),), supported=True, since="1.2.24"
    ),
    Keyword(
        "features",
        "Turns features on for the route.",
        args=(choice("FEATURE", "ecn"),),
        supported=True,
        since="1.2.24",
    ),
    Keyword("quickack", "Turns quick acknowledgement on.", args=_FLAG01, supported=True, since="1.2.24"),
    Keyword(
        "congctl",
        "Names the congestion control algorithm.",
        args=(LOCK, Arg("NAME")),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "pref",
        "Sets the preference of an IPv6 route.",
        args=(integer("PREF", 0, 255, choices=("low", "medium", "high")),),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "ttl-propagate",
        "Says whether the TTL is carried into MPLS.",
        args=(choice("STATE", "enabled", "disabled"),),
        supported=True,
        since="2.0.8",
    ),
    Keyword(
        "fastopen_no_cookie",
        "Lets TCP fast open work without a cookie.",
        args=_FLAG01,
        supported=True,
        since="1.4.3",
    ),
    Keyword("add", "Adds the route only when there is no such one.", supported=True, since="2.2.5"),
    Keyword(
        "prepend", "Adds the route before others of the same destination.", supported=True, since="2.2.5"
    ),
    Keyword("append", "Adds the route after others of the same destination.", supported=True, since="2.2.5"),
    Keyword(
        "nexthop",
        "Begins one leg of a multipath route; only further legs may follow.",
        options="route_lines/nexthop",
        repeatable=True,
        supported=True,
        since="1.2.24",
    ),
    Keyword("no_track", "Tracks neither the interface nor the route.", supported=True, since="2.0.3"),
    Keyword("vrf", "Takes the routing table of this VRF.", args=(IFNAME,), supported=True, since="2.2.5"),
)

_ENCAP_IP = (
    Keyword(
        "id",
        "Sets the tunnel id.",
        args=(Arg("N", Type.INTEGER, minimum=0, maximum=2**64 - 1),),
        supported=True,
    ),
    Keyword("dst", "Sets the outer destination.", args=(Arg("ADDRESS", Type.ADDRESS),), supported=True),
    Keyword("src", "Sets the outer source.", args=(Arg("ADDRESS", Type.ADDRESS),), supported=True),
    Keyword("tos", "Sets the outer type of service.", args=(NUMBER_OR_NAME_8,), supported=True),
    Keyword("ttl", "Sets the outer TTL.", args=(integer("N", 0, 255),), supported=True),
    Keyword("flags", "Sets the tunnel flags.", args=(integer("N", 0, 65535),), supported=True),
)
_ENCAP_IP6 = (
    *_ENCAP_IP[:3],
    Keyword("tc", "Sets the outer traffic class.", args=(NUMBER_OR_NAME_8,), supported=True),
    Keyword("hoplimit", "Sets the outer hop limit.", args=(integer("N", 0, 255),), supported=True),
    _ENCAP_IP[5],
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "route_lines",
        "One route per line, present while the instance is active.",
        shape=Shape.LINES,
        item=(_DEST,),
        unordered_item=True,
        keywords=(*_WAY, *_METRICS),
    ),
    Section(
        "static_route_lines",
        "One route per line that stays whatever the state.",
        shape=Shape.LINES,
        item=(_DEST,),
        unordered_item=True,
        keywords=(
            *_WAY,
            *_METRICS,
            Keyword(
                "track_group",
                "Names the instances that leave the active state when this route is removed.",
                args=(name_of("track_group"),),
                supported=True,
                since="2.0.3",
            ),
        ),
    ),
    Section(
        "route_lines/nexthop",
        "One leg of a multipath route.",
        shape=Shape.OPTIONS,
        keywords=_NEXTHOP,
    ),
    Section(
        "route_lines/encap",
        "The kind of encapsulation.",
        shape=Shape.OPTIONS,
        keywords=(
            Keyword(
                "ip",
                "Encapsulates in an IPv4 tunnel.",
                options="route_lines/encap/ip",
                supported=True,
                since="1.2.24",
            ),
            Keyword(
                "ip6",
                "Encapsulates in an IPv6 tunnel.",
                options="route_lines/encap/ip6",
                supported=True,
                since="1.2.24",
            ),
            Keyword(
                "mpls", "Pushes MPLS labels.", args=(Arg("LABEL[/LABEL...]"),), supported=True, since="1.2.24"
            ),
            Keyword(
                "ila",
                "Uses identifier-locator addressing.",
                args=(Arg("LOCATOR"),),
                supported=True,
                since="1.2.24",
            ),
        ),
    ),
    Section("route_lines/encap/ip", "An IPv4 tunnel.", shape=Shape.OPTIONS, keywords=_ENCAP_IP),
    Section("route_lines/encap/ip6", "An IPv6 tunnel.", shape=Shape.OPTIONS, keywords=_ENCAP_IP6),
)
