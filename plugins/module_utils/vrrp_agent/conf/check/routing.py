# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one line of routes or policy rules may not say, beyond the types of its words."""

from __future__ import annotations

from typing import Iterator, List, Mapping, Optional, Tuple

from ..match.addresses import clear_host_bits, pack, pack_prefix
from ..match.fit import Fit, Option
from ..problem import ERROR, WARNING
from ..tree import Word
from ..values import rules as rule_values
from ..values.encaps import MAX_LABEL, MOST_LABELS, labels, locator
from ..values.names import DSFIELD, GROUP, IP_PROTOCOL, PROTOCOL, SCOPE, TABLE, Names
from ..values.routes import DEFAULT_WORDS, KEEPALIVED, MAX_REALM, TIME_METRICS, realms, time_metric

Finding = Tuple[str, str, str, Optional[Word]]
"""(severity, message, hint, word)"""

GATEWAY_WORDS = ("via", "gw", "or")
NO_WAY_NEEDED = ("blackhole", "unreachable", "prohibit", "throw")
NO_KERNEL_HAS = ("nat", "xresolve")
_ROUTE_NAMES = {"table": TABLE, "protocol": PROTOCOL, "scope": SCOPE, "tos": DSFIELD, "dsfield": DSFIELD}
_RULE_NAMES = {
    "table": TABLE,
    "lookup": TABLE,
    "protocol": PROTOCOL,
    "tos": DSFIELD,
    "dsfield": DSFIELD,
    "ipproto": IP_PROTOCOL,
    "suppress_ifgroup": GROUP,
    "sup_group": GROUP,
}
_FAMILY_OF_WORD = {"expires": 6, "pref": 6, "from": 6, "realms": 4}
"""Words of a route that mean something in one family only."""
_LARGEST = {TABLE: 0xFFFFFFFF, GROUP: 0x7FFFFFFF}
_TABLE_OPTIONS = ("realms", "suppress_prefixlength", "sup_pl", "suppress_ifgroup", "sup_group")


def _first(option: Option) -> Word:
    for words in option.fit.values.values():
        return words[0]
    return option.word


def named(option: Option, kind: str, names: Names) -> Iterator[Finding]:
    """The name of a table and the like must be known here."""
    word = _first(option)
    number = names.number(kind, word)
    if number is None:
        yield ERROR, f"this host has no {kind} named '{word}'", "write its number", word
    elif number > _LARGEST.get(kind, 255):
        hint = f"write a number up to {_LARGEST.get(kind, 255)}"
        yield ERROR, f"there is no {kind} {word}", hint, word


def _names_and_realms(fit: Fit, kinds: Mapping[str, str], names: Names) -> Iterator[Finding]:
    for option in fit.options:
        name = option.keyword.name
        if name in kinds:
            yield from named(option, kinds[name], names)
        elif name == "realms" and realms(_first(option), names) is None:
            word = _first(option)
            hint = f"write [FROM/]TO as numbers up to {MAX_REALM}, or names of rt_realms"
            yield ERROR, f"'{word}' is not a realm", hint, word


def _protocol(fit: Fit, names: Names, what: str) -> Iterator[Finding]:
    protocol = fit.option("protocol")
    if protocol is None or fit.flag("no_track"):
        return
    if names.number(PROTOCOL, _first(protocol)) not in (None, KEEPALIVED):
        message = f"a tracked {what} keeps protocol keepalived: '{_first(protocol)}' is ignored"
        yield WARNING, message, "add no_track, or take protocol out", protocol.word


def _group(fit: Fit, what: str, device: str, words: str) -> Iterator[Finding]:
    group = fit.option("track_group")
    if group is None:
        return
    if fit.flag("no_track"):
        yield WARNING, "track_group means nothing beside no_track", "take one of them out", group.word
    elif fit.option(device) is None:
        yield ERROR, f"a static {what} with track_group needs an interface", f"write '{words}'", group.word


def _host_bits(word: Word) -> Iterator[Finding]:
    parsed = pack_prefix(word)
    if parsed is None or parsed[1] is None:
        return
    packed, length = parsed
    if length and clear_host_bits(packed, length) != packed:
        yield WARNING, f"{word} has bits set behind its prefix: they are ignored", "clear them", word


def check_route(fit: Fit, names: Names) -> Iterator[Finding]:
    """Findings about a route line whose words fit."""
    yield from _families(fit)
    yield from _names_and_realms(fit, _ROUTE_NAMES, names)
    yield from _protocol(fit, names, "route")
    yield from _group(fit, "route", "dev", "dev IFNAME")
    destination = fit.value("DEST")
    if destination is not None and destination not in DEFAULT_WORDS:
        yield from _host_bits(destination)
    if destination == "default6":
        yield WARNING, "'default6' is an old word", "write 'inet6 default'", destination
    for option in fit.options:
        name = option.keyword.name
        if name in TIME_METRICS and time_metric(_time(option), TIME_METRICS[name]) is None:
            word = _time(option)
            yield ERROR, f"'{word}' is not a time", "write a number, with s or ms at its end", word
        elif name == "encap":
            yield from _encap(option, names)
        elif name == "as":
            hint = "take it out"
            yield WARNING, "'as' rewrites labels of MPLS routes only: it is ignored", hint, option.word
        elif name in NO_KERNEL_HAS:
            hint = "use another type"
            yield ERROR, f"Linux has no routes of type {name} any more", hint, option.word
    yield from _ways(fit, names)


def _time(option: Option) -> Word:
    return option.fit.values["TIME[s|ms]"][0]


def _ways(fit: Fit, names: Names) -> Iterator[Finding]:
    legs = [option for option in fit.options if option.keyword.name == "nexthop"]
    other = fit.option("or")
    for leg in legs:
        if leg.fit.option("via") is None and leg.fit.option("dev") is None:
            hint = "write 'nexthop via ADDRESS' or 'nexthop dev IFNAME'"
            yield ERROR, "this nexthop leads nowhere", hint, leg.word
        for option in leg.fit.options:
            if option.keyword.name == "encap":
                yield from _encap(option, names)
            elif option.keyword.name == "as":
                yield ERROR, "'as' cannot stand in a nexthop", "take it out", option.word
        yield from _names_and_realms(leg.fit, {}, names)
    if other is not None and (legs or fit.option("via") is None):
        message = "'or' stands beside one 'via'"
        yield ERROR, message, "write 'nexthop via ADDRESS' for each way", other.word
    ways = ("dev", "oif", "encap", *GATEWAY_WORDS)
    leads = any(option.keyword.name in ways for option in fit.options)
    special = any(fit.flag(kind) for kind in NO_WAY_NEEDED)
    if not leads and not legs and not special:
        hint = "write 'via ADDRESS', 'dev IFNAME' or both"
        yield ERROR, "the route leads nowhere", hint, fit.value("DEST")


def _encap(option: Option, names: Names) -> Iterator[Finding]:
    if not option.fit.options:
        yield ERROR, "encap of what kind?", "write 'encap ip', 'encap ip6', 'encap mpls' or 'encap ila'", None
        return
    kind = option.fit.options[-1]
    name = kind.keyword.name
    if name == "mpls" and not labels(_first(kind)):
        hint = f"write at most {MOST_LABELS} numbers up to {MAX_LABEL} with a / between them"
        yield ERROR, f"'{_first(kind)}' are no MPLS labels", hint, _first(kind)
    elif name == "ila" and locator(_first(kind)) is None:
        hint = "write four groups of hexadecimal digits, as 2001:db8:1:2"
        yield ERROR, f"'{_first(kind)}' is no locator", hint, _first(kind)
    elif name in ("ip", "ip6"):
        yield from _tunnel(kind, names)


def _tunnel(kind: Option, names: Names) -> Iterator[Finding]:
    width = 4 if kind.keyword.name == "ip" else 16
    for option in kind.fit.options:
        if option.keyword.name in ("dst", "src"):
            packed = pack(_first(option))
            if packed is not None and len(packed) != width:
                message = f"{_first(option)} is of the wrong family for encap {kind.keyword.name}"
                yield ERROR, message, "use ip for IPv4 and ip6 for IPv6", _first(option)
        elif option.keyword.name in ("tos", "tc"):
            yield from named(option, DSFIELD, names)
    if kind.fit.option("dst") is None and kind.fit.option("id") is None:
        message = f"encap {kind.keyword.name} needs an address or an id"
        yield ERROR, message, f"write 'encap {kind.keyword.name} dst ADDRESS'", kind.word


def _families(fit: Fit) -> Iterator[Finding]:
    """All of a route is of one family, but for a gateway that says otherwise."""
    family = 6 if fit.flag("inet6") or fit.value("DEST") == "default6" else 4 if fit.flag("inet") else 0
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
    for option in fit.options:
        wanted = _FAMILY_OF_WORD.get(option.keyword.name)
        if wanted and family and wanted != family:
            message = f"'{option.word}' is for IPv{wanted} routes only"
            yield ERROR, message, f"take '{option.word}' out", option.word


def check_rule(fit: Fit, names: Names) -> Iterator[Finding]:
    """Findings about a rule line whose words fit."""
    yield from _rule_families(fit)
    yield from _names_and_realms(fit, _RULE_NAMES, names)
    yield from _protocol(fit, names, "rule")
    yield from _group(fit, "rule", "iif", "iif IFNAME")
    mark = fit.option("fwmark")
    if mark is not None and rule_values.fwmark(_first(mark)) is None:
        hint = "write MARK or MARK/MASK, decimal or as 0x..."
        yield ERROR, f"'{_first(mark)}' is no firewall mark", hint, _first(mark)
    for name in ("from", "to"):
        option = fit.option(name)
        if option is not None:
            yield from _host_bits(_first(option))
    yield from _rule_action(fit, names)


def _rule_families(fit: Fit) -> Iterator[Finding]:
    family = 6 if fit.flag("inet6") else 4 if fit.flag("inet") else 0
    for option in fit.options:
        if option.keyword.name not in ("from", "to"):
            continue
        word = _first(option)
        parsed = pack_prefix(word)
        own = 0 if parsed is None else 4 if len(parsed[0]) == 4 else 6
        family = family or own
        if own and own != family:
            hint = "write one rule for each family"
            yield ERROR, f"{word} is IPv{own}, but the rule is IPv{family}", hint, word
    realm = fit.option("realms")
    if realm is not None and family == 6:
        yield ERROR, "'realms' is for IPv4 rules only", "take 'realms' out", realm.word


def _rule_action(fit: Fit, names: Names) -> Iterator[Finding]:
    actions = [option for option in fit.options if option.keyword.name in rule_values.ACTIONS]
    if not actions:
        hint = "write 'table NAME', or one of goto, nop, blackhole, unreachable, prohibit"
        yield ERROR, "the rule does nothing", hint, None
        return
    action = actions[0]
    if len(actions) > 1:
        message = f"'{actions[1].word}' cannot stand beside '{action.word}'"
        yield ERROR, message, "a rule has one action", actions[1].word
    by_table = action.keyword.name in ("table", "lookup", "l3mdev")
    for option in fit.options:
        if option.keyword.name in _TABLE_OPTIONS and not by_table:
            message = f"'{option.word}' means something for a rule with a table only"
            yield ERROR, message, f"take '{option.word}' out", option.word
    if action.keyword.name in ("table", "lookup") and names.number(TABLE, _first(action)) == 0:
        yield ERROR, "there is no table 0", "write another table", _first(action)
    preference = fit.option("preference")
    if action.keyword.name == "goto":
        if preference is None:
            hint = "write 'preference N' with a lower number"
            yield ERROR, "a rule with goto needs a preference", hint, action.word
        elif int(_first(preference)) >= int(_first(action)):
            message = f"goto {_first(action)} does not lead forward from preference {_first(preference)}"
            yield ERROR, message, "goto leads to a higher preference", _first(action)
    elif preference is None:
        message = f"a rule without preference gets one from {rule_values.FIRST_PREFERENCE} downwards"
        yield WARNING, message, "write 'preference N'", action.word
