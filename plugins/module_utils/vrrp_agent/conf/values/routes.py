# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of routes as values."""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from ..match.addresses import pack, pack_prefix
from ..match.fit import Fit, Option, fit_line
from ..model import NextHop, Route
from ..tree import Node
from ..words import Section
from .names import PROTOCOL, SCOPE, TABLE, Names

MAIN_TABLE = 254
KEEPALIVED = 18
"""RTPROT_KEEPALIVED."""
DEFAULT_WORDS = ("default", "any", "all", "default6")
TYPES = (
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
)
NUMBER_METRICS = (
    "mtu",
    "hoplimit",
    "advmss",
    "reordering",
    "window",
    "cwnd",
    "ssthresh",
    "initcwnd",
    "initrwnd",
    "quickack",
)
TIME_METRICS = {"rtt": 8, "rttvar": 4, "rto_min": 1}
"""Parts of a millisecond that the kernel counts in."""


def family_of(fit: Fit) -> Optional[int]:
    """4 or 6 as far as the line says; None when nothing in it has a family."""
    if fit.flag("inet6"):
        return 6
    if fit.flag("inet"):
        return 4
    destination = fit.value("DEST")
    if destination == "default6":
        return 6
    texts = [destination] if destination is not None and destination not in DEFAULT_WORDS else []
    for option in _with_legs(fit):
        if option.keyword.name in ("src", "via", "gw", "or"):
            if option.fit.value("FAMILY") is not None:
                continue  # a gateway of the other family says so
            texts.extend(option.fit.values.get("ADDRESS", ()))
    for text in texts:
        parsed = pack_prefix(text)
        if parsed is not None:
            return 4 if len(parsed[0]) == 4 else 6
    return None


def _with_legs(fit: Fit) -> List[Option]:
    options = list(fit.options)
    for option in fit.options:
        if option.keyword.name == "nexthop":
            options.extend(option.fit.options)
    return options


def route(node: Node, section: Section, sections: Mapping[str, Section], names: Names) -> Route:
    """One route line."""
    fit = fit_line(section, node.args, sections)
    family = family_of(fit) or 4
    word = fit.value("DEST")
    parsed = pack_prefix(word) if word is not None and word not in DEFAULT_WORDS else None
    destination = parsed[0] if parsed is not None else None
    length = 0
    if parsed is not None:
        length = 8 * len(parsed[0]) if parsed[1] is None else parsed[1]
    scope = fit.option("scope")
    table = fit.option("table")
    metric = fit.option("metric")
    source = fit.option("src")
    no_track = fit.flag("no_track")
    return Route(
        family=family,
        destination=destination,
        prefix_length=length,
        type=next((option.keyword.name for option in fit.options if option.keyword.name in TYPES), "unicast"),
        next_hops=_next_hops(fit),
        source=pack(source.fit.values["ADDRESS"][0]) if source is not None else None,
        table=_number(table, TABLE, names, MAIN_TABLE),
        # a tracked route carries keepalived's own tag, whatever the line says
        protocol=_number(fit.option("protocol"), PROTOCOL, names, KEEPALIVED) if no_track else KEEPALIVED,
        scope=_number(scope, SCOPE, names, 0) if scope is not None else None,
        metric=int(metric.fit.values["METRIC"][0]) if metric is not None else None,
        metrics=_metrics(fit),
        no_track=no_track,
    )


def _number(option: Optional[Option], kind: str, names: Names, default: int) -> int:
    if option is None:
        return default
    number = names.number(kind, next(iter(option.fit.values.values()))[0])
    return default if number is None else number


def _next_hops(fit: Fit) -> Tuple[NextHop, ...]:
    legs = [option.fit for option in fit.options if option.keyword.name == "nexthop"]
    if legs:
        return tuple(_next_hop(leg) for leg in legs)
    hop = _next_hop(fit)
    return (hop,) if hop.gateway is not None or hop.device is not None else ()


def _next_hop(fit: Fit) -> NextHop:
    via, device, weight = fit.option("via"), fit.option("dev"), fit.option("weight")
    return NextHop(
        gateway=pack(via.fit.values["ADDRESS"][0]) if via is not None else None,
        device=str(device.fit.values["IFNAME"][0]) if device is not None else None,
        weight=int(weight.fit.values["N"][0]) if weight is not None else 1,
        onlink=fit.flag("onlink"),
    )


def _metrics(fit: Fit) -> Tuple[Tuple[str, int], ...]:
    """RTAX metrics; a locked one is followed by an entry "NAME lock" with the value 1."""
    found: List[Tuple[str, int]] = []
    for option in fit.options:
        name = option.keyword.name
        if name in NUMBER_METRICS:
            found.append((name, int(next(reversed(list(option.fit.values.values())))[0])))
        elif name in TIME_METRICS:
            value = time_metric(option.fit.values["TIME[s|ms]"][0], TIME_METRICS[name])
            found.append((name, value if value is not None else 0))
        elif name == "features":
            found.append((name, 1))  # RTAX_FEATURE_ECN
        else:
            continue
        if "LOCK" in option.fit.values:
            found.append((name + " lock", 1))
    return tuple(found)


def time_metric(text: str, parts: int) -> Optional[int]:
    """``Ns`` or ``Nms`` in the kernel's unit, in which a bare number already is; None for other text."""
    for suffix, factor in (("ms", 1), ("s", 1000)):
        if text.endswith(suffix):
            try:
                return int(float(text[: -len(suffix)]) * factor * parts + 0.5)
            except (ValueError, OverflowError):
                return None
    return int(text) if text.isascii() and text.isdigit() else None
