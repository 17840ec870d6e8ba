# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of routes as values."""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from ..match.addresses import clear_host_bits, pack, pack_prefix
from ..match.fit import Fit, Option, fit_line
from ..model import NextHop, Route
from ..tree import Node
from ..words import Section
from .encaps import encap
from .names import DSFIELD, PROTOCOL, REALM, SCOPE, TABLE, Names

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
    "fastopen_no_cookie",
)
TIME_METRICS = {"rtt": 8, "rttvar": 4, "rto_min": 1}
"""Parts of a millisecond that the kernel counts in."""
SHORTEST_MS, LONGEST_MS = 200, 120_000
"""keepalived: what the kernel makes of other times is not useful, so they are brought into this range."""
ROUTER_PREFERENCES = {"low": 3, "medium": 0, "high": 1}  # RFC 4191 2.1
MODES = ("add", "append", "prepend")
MAX_REALM = 255


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
        if option.keyword.name in ("expires", "pref"):
            return 6
        if option.keyword.name == "realms":
            return 4
        if option.keyword.name == "from":
            texts.extend(option.fit.values.get("PREFIX", ()))
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
    destination: Optional[bytes] = None
    length = 0
    if word is not None and word not in DEFAULT_WORDS:
        destination, length = _prefix(word)
    metric, source, origin = fit.option("metric"), fit.option("src"), fit.option("from")
    scope, congestion, expires = fit.option("scope"), fit.option("congctl"), fit.option("expires")
    ttl, group = fit.option("ttl-propagate"), fit.option("track_group")
    tos = fit.option("tos")
    no_track = fit.flag("no_track")
    return Route(
        family=family,
        destination=destination,
        prefix_length=length,
        type=next((option.keyword.name for option in fit.options if option.keyword.name in TYPES), "unicast"),
        next_hops=_next_hops(fit, names),
        source=pack(source.fit.values["ADDRESS"][0]) if source is not None else None,
        origin=_prefix(origin.fit.values["PREFIX"][0]) if origin is not None else None,
        table=_number(fit.option("table"), TABLE, names, MAIN_TABLE),
        vrf=_vrf(fit),
        # a tracked route carries keepalived's own tag, whatever the line says
        protocol=_number(fit.option("protocol"), PROTOCOL, names, KEEPALIVED) if no_track else KEEPALIVED,
        scope=_number(scope, SCOPE, names, 0) if scope is not None else None,
        metric=int(metric.fit.values["METRIC"][0]) if metric is not None else None,
        metrics=_metrics(fit),
        congestion_control=str(congestion.fit.values["NAME"][0]) if congestion is not None else "",
        tos=_number(tos, DSFIELD, names, 0),
        realms=_realms(fit.option("realms"), names) if len(_legs(fit)) else None,
        preference=_preference(fit.option("pref")),
        expires_s=int(expires.fit.values["SECS"][0]) if expires is not None else None,
        ttl_propagate=ttl.fit.values["STATE"][0] == "enabled" if ttl is not None else None,
        append=next((option.word for option in reversed(fit.options) if option.word in MODES), ""),
        no_track=no_track,
        track_group=str(group.fit.values["NAME"][0]) if group is not None and not no_track else None,
    )


def _vrf(fit: Fit) -> str:
    """keepalived lets the later one of ``table`` and ``vrf`` count."""
    found = ""
    for option in fit.options:
        if option.keyword.name in ("table", "vrf"):
            found = str(option.fit.values["IFNAME"][0]) if option.keyword.name == "vrf" else ""
    return found


def _prefix(word: str) -> Tuple[bytes, int]:
    parsed = pack_prefix(word)
    if parsed is None:
        raise ValueError(f"{word!r} is not an address: build needs a checked tree")
    packed, length = parsed
    length = 8 * len(packed) if length is None else length
    return clear_host_bits(packed, length), length


def _preference(option: Optional[Option]) -> Optional[int]:
    if option is None:
        return None
    word = option.fit.values["PREF"][0]
    return ROUTER_PREFERENCES[word] if word in ROUTER_PREFERENCES else int(word)


def _realms(option: Optional[Option], names: Names) -> Optional[int]:
    return realms(option.fit.values["[FROM/]TO"][0], names) if option is not None else None


def realms(text: str, names: Names) -> Optional[int]:
    """``[FROM/]TO`` as the kernel has it: FROM in the upper half. None when a part is no realm."""
    first, slash, second = text.partition("/")
    number = 0
    for part in (first, second) if slash else (first,):
        found = names.number(REALM, part)
        if found is None or found > MAX_REALM:
            return None
        number = number << 16 | found
    return number


def _number(option: Optional[Option], kind: str, names: Names, default: int) -> int:
    if option is None:
        return default
    number = names.number(kind, next(iter(option.fit.values.values()))[0])
    return default if number is None else number


def _legs(fit: Fit) -> List[Fit]:
    return [option.fit for option in fit.options if option.keyword.name == "nexthop"]


def _next_hops(fit: Fit, names: Names) -> Tuple[NextHop, ...]:
    legs = _legs(fit)
    if legs:
        return tuple(_next_hop(leg, names) for leg in legs)
    hop = _next_hop(fit, names)
    other = fit.option("or")
    if other is not None:
        return hop, NextHop(gateway=pack(other.fit.values["ADDRESS"][0]), device=hop.device)
    leads = hop.gateway is not None or hop.device is not None or hop.encap is not None
    return (hop,) if leads or hop.realms is not None else ()


def _next_hop(fit: Fit, names: Names) -> NextHop:
    via, device, weight = fit.option("via"), fit.option("dev"), fit.option("weight")
    return NextHop(
        gateway=pack(via.fit.values["ADDRESS"][0]) if via is not None else None,
        device=str(device.fit.values["IFNAME"][0]) if device is not None else None,
        weight=int(weight.fit.values["N"][0]) if weight is not None else 1,
        onlink=fit.flag("onlink"),
        encap=encap(fit.option("encap"), names),
        realms=_realms(fit.option("realms"), names),
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
        elif name != "congctl":  # its value is a name
            continue
        if "LOCK" in option.fit.values:
            found.append((name + " lock", 1))
    return tuple(found)


def time_metric(text: str, parts: int) -> Optional[int]:
    """``Ns`` or ``Nms`` in the kernel's unit, in which a bare number already is; None for other text."""
    value: Optional[int] = None
    lower = text.lower()
    for suffix, factor in (("msecs", 1), ("msec", 1), ("ms", 1), ("secs", 1000), ("sec", 1000), ("s", 1000)):
        if lower.endswith(suffix):
            number = lower[: -len(suffix)]
            if not number or "e" in number or number[0] in "+-":
                return None
            try:
                value = int(float(number) * factor * parts + 0.5)
            except (ValueError, OverflowError):
                return None
            break
    else:
        if not (text.isascii() and text.isdigit()):
            return None
        value = int(text)
    return min(max(value, SHORTEST_MS * parts), LONGEST_MS * parts)
