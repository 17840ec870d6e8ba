# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of policy rules as values."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Tuple

from ..match.addresses import clear_host_bits, pack_prefix
from ..match.fit import Fit, Option, fit_line
from ..model import Rule
from ..tree import Node
from ..words import Section
from .names import DSFIELD, GROUP, IP_PROTOCOL, PROTOCOL, TABLE, Names
from .routes import KEEPALIVED, MAIN_TABLE, realms

ACTIONS = ("table", "lookup", "l3mdev", "goto", "nop", "blackhole", "unreachable", "prohibit")
ANY_WORDS = ("default", "any", "all")
FIRST_PREFERENCE = 16384
"""keepalived gives rules without a preference this one and those below it, each family by itself."""
UINT32_MAX = 0xFFFFFFFF


class Preferences:
    """Hands out preferences downwards, in the order of the file."""

    def __init__(self) -> None:
        self._next: Dict[int, int] = {4: FIRST_PREFERENCE, 6: FIRST_PREFERENCE}

    def take(self, family: int) -> int:
        """The next one of this family."""
        preference = self._next[family]
        self._next[family] -= 1
        return preference


def family_of(fit: Fit) -> Optional[int]:
    """4 or 6 as far as the line says."""
    if fit.flag("inet6"):
        return 6
    if fit.flag("inet"):
        return 4
    for option in fit.options:
        if option.keyword.name in ("from", "to"):
            parsed = pack_prefix(_word(option))
            if parsed is not None:
                return 4 if len(parsed[0]) == 4 else 6
    return None


def rule(
    node: Node, section: Section, sections: Mapping[str, Section], names: Names, preferences: Preferences
) -> Rule:
    """One rule line."""
    fit = fit_line(section, node.args, sections)
    family = family_of(fit) or 4
    preference, goto, group = fit.option("preference"), fit.option("goto"), fit.option("track_group")
    realm, prefix = fit.option("realms"), fit.option("suppress_prefixlength")
    mark, tunnel = fit.option("fwmark"), fit.option("tunnel-id")
    no_track = fit.flag("no_track")
    return Rule(
        family=family,
        action=_action(fit),
        table=_number(fit.option("table"), TABLE, names, MAIN_TABLE) or MAIN_TABLE,
        goto=int(_word(goto)) if goto is not None else None,
        priority=int(_word(preference)) if preference is not None else preferences.take(family),
        invert=fit.flag("not"),
        source=_selector(fit.option("from")),
        destination=_selector(fit.option("to")),
        tos=_number(fit.option("tos"), DSFIELD, names, 0) or 0,
        fwmark=fwmark(_word(mark)) if mark is not None else None,
        input_interface=_text(fit.option("iif")),
        output_interface=_text(fit.option("oif")),
        tunnel_id=int(_word(tunnel)) if tunnel is not None else None,
        uid_range=_range(fit.option("uidrange")),
        ip_protocol=_number(fit.option("ipproto"), IP_PROTOCOL, names, None),
        source_ports=_range(fit.option("sport")),
        destination_ports=_range(fit.option("dport")),
        l3mdev=fit.flag("l3mdev"),
        realms=realms(_word(realm), names) if realm is not None else None,
        suppress_prefix_length=int(_word(prefix)) if prefix is not None else None,
        suppress_group=_number(fit.option("suppress_ifgroup"), GROUP, names, None),
        # a tracked rule carries keepalived's own tag, whatever the line says
        protocol=(_number(fit.option("protocol"), PROTOCOL, names, KEEPALIVED) or 0)
        if no_track
        else KEEPALIVED,
        no_track=no_track,
        track_group=_text(group) if group is not None and not no_track else None,
    )


def _word(option: Option) -> str:
    return str(next(iter(option.fit.values.values()))[0])


def _text(option: Optional[Option]) -> str:
    return _word(option) if option is not None else ""


def _number(option: Optional[Option], kind: str, names: Names, default: Optional[int]) -> Optional[int]:
    if option is None:
        return default
    number = names.number(kind, _word(option))
    return default if number is None else number


def _action(fit: Fit) -> str:
    for option in fit.options:
        if option.keyword.name in ACTIONS:
            return "table" if option.keyword.name in ("lookup", "l3mdev") else option.keyword.name
    return "table"


def _selector(option: Optional[Option]) -> Optional[Tuple[bytes, int]]:
    if option is None:
        return None
    parsed = pack_prefix(_word(option))
    if parsed is None:
        return None  # any
    packed, length = parsed
    length = 8 * len(packed) if length is None else length
    return clear_host_bits(packed, length), length


def _range(option: Optional[Option]) -> Optional[Tuple[int, int]]:
    if option is None:
        return None
    first, dash, last = _word(option).partition("-")
    return int(first), int(last if dash else first)


def fwmark(text: str) -> Optional[Tuple[int, int]]:
    """``MARK[/MASK]``, decimal or 0x..., as numbers; None for other text."""
    mark, slash, mask = text.partition("/")
    found = []
    for part in (mark, mask) if slash else (mark,):
        try:
            number = int(part, 0)
        except ValueError:
            return None
        if not 0 <= number <= UINT32_MAX or part[0] in "+-":
            return None
        found.append(number)
    return found[0], found[1] if slash else UINT32_MAX
