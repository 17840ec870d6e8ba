# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one line of addresses or routes may not say, beyond the types of its words."""

from __future__ import annotations

from typing import Iterator, List, Optional, Tuple

from ...wire.address import is_multicast
from ..match.addresses import pack_prefix
from ..match.fit import Fit, Option
from ..problem import ERROR, WARNING
from ..tree import Word
from ..values.names import PROTOCOL, SCOPE, TABLE, Names
from ..values.routes import DEFAULT_WORDS, KEEPALIVED, TIME_METRICS, time_metric
from ..words import Section

Finding = Tuple[str, str, str, Optional[Word]]
"""(severity, message, hint, word)"""

GATEWAY_WORDS = ("via", "gw", "or")
NO_WAY_NEEDED = ("blackhole", "unreachable", "prohibit", "throw")


def check_line(section: Section, fit: Fit, names: Names) -> Iterator[Finding]:
    """Findings about a line whose words fit."""
    if section.id in ("address_lines", "static_address_lines"):
        return _address(fit, names)
    if section.id in ("route_lines", "static_route_lines"):
        return _route(fit, names)
    return iter(())


def _first(option: Option) -> Word:
    return _first_word(option.fit)


def _first_word(fit: Fit) -> Word:
    for words in fit.values.values():
        return words[0]
    raise ValueError("a line without words has no first one")


def _address(fit: Fit, names: Names) -> Iterator[Finding]:
    word = _first_word(fit)
    parsed = pack_prefix(word)
    if parsed is None:
        return
    packed, prefix = parsed
    if is_multicast(packed) or not any(packed):
        yield ERROR, f"{word} is not an address that a host can have", "write a unicast address", word
    peer, broadcast, label = fit.option("peer"), fit.option("brd"), fit.option("label")
    scope = fit.option("scope")
    if peer is not None:
        other = pack_prefix(_first(peer))
        if other is not None and len(other[0]) != len(packed):
            yield (
                ERROR,
                f"the peer {_first(peer)} is of another family than {word}",
                "use one family",
                _first(peer),
            )
        if prefix is not None and prefix != 8 * len(packed):
            yield (
                WARNING,
                f"the prefix of {word} is ignored beside peer",
                "write the prefix at the peer",
                word,
            )
    if len(packed) == 16:
        if broadcast is not None:
            yield (
                ERROR,
                "an IPv6 address has no broadcast address",
                f"take '{broadcast.word}' out",
                broadcast.word,
            )
        if label is not None:
            yield WARNING, "an IPv6 address has no label: it is ignored", "take 'label' out", label.word
        if scope is not None:
            yield (
                WARNING,
                "the scope of an IPv6 address follows from the address: it is ignored",
                "take 'scope' out",
                scope.word,
            )
        return
    if broadcast is not None:
        length = 32 if prefix is None else prefix
        if peer is not None:
            yield (
                WARNING,
                "a broadcast address means nothing beside peer: it is ignored",
                "take one of them out",
                broadcast.word,
            )
        elif _first(broadcast) in ("+", "-") and length > 30:
            yield (
                WARNING,
                f"prefix /{length} has no broadcast address: '{broadcast.word}' is ignored",
                f"write the prefix of the network, as {word.partition('/')[0]}/24",
                broadcast.word,
            )
    if scope is not None:
        yield from _named(scope, SCOPE, names)


def _named(option: Option, kind: str, names: Names) -> Iterator[Finding]:
    word = _first(option)
    if names.number(kind, word) is None:
        yield ERROR, f"this host has no {kind} named '{word}'", "write its number", word


def _route(fit: Fit, names: Names) -> Iterator[Finding]:
    yield from _families(fit)
    kinds = {"table": TABLE, "protocol": PROTOCOL, "scope": SCOPE}
    for option in fit.options:
        name = option.keyword.name
        if name in kinds:
            yield from _named(option, kinds[name], names)
        elif (
            name in TIME_METRICS
            and time_metric(option.fit.values["TIME[s|ms]"][0], TIME_METRICS[name]) is None
        ):
            word = option.fit.values["TIME[s|ms]"][0]
            yield ERROR, f"'{word}' is not a time", "write a number, with s or ms at its end", word
    protocol = fit.option("protocol")
    if protocol is not None and not fit.flag("no_track"):
        number = names.number(PROTOCOL, _first(protocol))
        if number not in (None, KEEPALIVED):
            yield (
                WARNING,
                f"a tracked route keeps protocol keepalived: '{_first(protocol)}' is ignored",
                "add no_track, or take protocol out",
                protocol.word,
            )
    if fit.value("DEST") == "default6":
        yield WARNING, "'default6' is an old word", "write 'inet6 default'", fit.value("DEST")
    legs = [option for option in fit.options if option.keyword.name == "nexthop"]
    for leg in legs:
        if leg.fit.option("via") is None and leg.fit.option("dev") is None:
            yield (
                ERROR,
                "this nexthop leads nowhere",
                "write 'nexthop via ADDRESS' or 'nexthop dev IFNAME'",
                leg.word,
            )
    ways = [
        option
        for option in fit.options
        if option.keyword.name in (*GATEWAY_WORDS, "dev", "oif", "encap", "vrf")
    ]
    special = any(fit.flag(kind) for kind in NO_WAY_NEEDED)
    if not ways and not legs and not special:
        yield ERROR, "the route leads nowhere", "write 'via ADDRESS', 'dev IFNAME' or both", fit.value("DEST")


def _families(fit: Fit) -> Iterator[Finding]:
    """All addresses of a route are of one family, but for a gateway that says otherwise."""
    family = 6 if fit.flag("inet6") else 4 if fit.flag("inet") else 0
    destination = fit.value("DEST")
    words: List[Word] = [destination] if destination is not None and destination not in DEFAULT_WORDS else []
    for option in fit.options:
        sources = [option, *option.fit.options] if option.keyword.name == "nexthop" else [option]
        for source in sources:
            if source.keyword.name in (*GATEWAY_WORDS, "src", "from") and source.fit.value("FAMILY") is None:
                words.extend(word for name, given in source.fit.values.items() for word in given)
    for word in words:
        parsed = pack_prefix(word)
        if parsed is None:
            continue
        own = 4 if len(parsed[0]) == 4 else 6
        if not family:
            family = own
        elif own != family:
            yield (
                ERROR,
                f"{word} is IPv{own}, but the route is IPv{family}",
                f"use one family; a gateway of the other is 'via {'inet6' if own == 6 else 'inet'} {word}'",
                word,
            )
            return
