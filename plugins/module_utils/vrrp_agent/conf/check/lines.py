# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one line of addresses may not say, beyond the types of its words; ``routing`` has routes and rules."""

from __future__ import annotations

from typing import Iterator

from ...wire.address import is_multicast
from ..match.addresses import pack_prefix
from ..match.fit import Fit, Option
from ..problem import ERROR, WARNING
from ..tree import Word
from ..values.names import SCOPE, Names
from ..words import Section
from .routing import Finding, check_route, check_rule, named


def check_line(section: Section, fit: Fit, names: Names) -> Iterator[Finding]:
    """Findings about a line whose words fit."""
    if section.id in ("address_lines", "static_address_lines"):
        return _address(fit, names)
    if section.id in ("route_lines", "static_route_lines"):
        return check_route(fit, names)
    if section.id in ("rule_lines", "static_rule_lines"):
        return check_rule(fit, names)
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
        yield from named(scope, SCOPE, names)
