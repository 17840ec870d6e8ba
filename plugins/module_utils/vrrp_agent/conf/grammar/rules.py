# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines of static_rules and virtual_rules: the words of ``ip rule``."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import IFNAME, INT32_MAX, NUMBER_OR_NAME, NUMBER_OR_NAME_8, UINT32_MAX, integer, name_of

_SELECTOR = (Arg("ADDRESS[/PREFIX]", Type.DESTINATION, choices=("default", "any", "all")),)
_PREFERENCE = (integer("N"),)
_PORTS = (Arg("A-B", Type.INTEGER_RANGE, minimum=1, maximum=65535),)

_SELECT = (
    Keyword("inet", "Makes the rule an IPv4 one.", supported=True, since="2.0.1"),
    Keyword("inet6", "Makes the rule an IPv6 one.", supported=True, since="2.0.1"),
    Keyword("from", "Selects by source.", args=_SELECTOR, supported=True, since="1.2.20"),
    Keyword("to", "Selects by destination.", args=_SELECTOR, supported=True, since="1.2.20"),
    Keyword("not", "Inverts the selection.", supported=True, since="1.2.24"),
    Keyword("tos", "Selects by type of service.", args=(NUMBER_OR_NAME_8,), supported=True, since="1.2.24"),
    Keyword(
        "dsfield", "Same as tos.", args=(NUMBER_OR_NAME_8,), alias_of="tos", supported=True, since="1.2.24"
    ),
    Keyword("fwmark", "Selects by firewall mark.", args=(Arg("N[/MASK]"),), supported=True, since="1.2.24"),
    Keyword("iif", "Selects by incoming interface.", args=(IFNAME,), supported=True, since="1.2.24"),
    Keyword("dev", "Same as iif.", args=(IFNAME,), alias_of="iif", supported=True, since="1.2.24"),
    Keyword("oif", "Selects by outgoing interface.", args=(IFNAME,), supported=True, since="1.2.24"),
    Keyword(
        "tunnel-id",
        "Selects by tunnel id.",
        args=(integer("N", 0, 2**64 - 1),),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "uidrange",
        "Selects by user id.",
        args=(Arg("A-B", Type.INTEGER_RANGE, minimum=0, maximum=UINT32_MAX),),
        supported=True,
        since="1.3.5",
    ),
    Keyword(
        "ipproto",
        "Selects by protocol of the packet.",
        args=(NUMBER_OR_NAME_8,),
        supported=True,
        since="2.0.1",
    ),
    Keyword(
        "sport",
        "Selects by source port, one or a range (keepalived takes ranges only).",
        args=_PORTS,
        supported=True,
        since="2.0.1",
    ),
    Keyword(
        "dport",
        "Selects by destination port, one or a range (keepalived takes ranges only).",
        args=_PORTS,
        supported=True,
        since="2.0.1",
    ),
)

_ACT = (
    Keyword(
        "table", "Looks the route up in this table.", args=(NUMBER_OR_NAME,), supported=True, since="1.2.20"
    ),
    Keyword(
        "lookup", "Same as table.", args=(NUMBER_OR_NAME,), alias_of="table", supported=True, since="1.2.24"
    ),
    Keyword("l3mdev", "Uses the table of the interface's VRF.", supported=True, since="1.4.3"),
    Keyword(
        "preference",
        "Priority of the rule; given out downwards from 16384 when absent.",
        args=_PREFERENCE,
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "order",
        "Same as preference.",
        args=_PREFERENCE,
        alias_of="preference",
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "priority",
        "Same as preference.",
        args=_PREFERENCE,
        alias_of="preference",
        supported=True,
        since="1.2.24",
    ),
    Keyword("realms", "Sets the realms.", args=(Arg("[FROM/]TO"),), supported=True, since="1.2.24"),
    Keyword(
        "suppress_prefixlength",
        "Ignores routes whose prefix is not longer than this.",
        args=(integer("N", 0, INT32_MAX),),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "sup_pl",
        "Short form of suppress_prefixlength.",
        args=(integer("N", 0, INT32_MAX),),
        alias_of="suppress_prefixlength",
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "suppress_ifgroup",
        "Ignores routes that use this interface group.",
        args=(NUMBER_OR_NAME,),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "sup_group",
        "Short form of suppress_ifgroup.",
        args=(NUMBER_OR_NAME,),
        alias_of="suppress_ifgroup",
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "protocol",
        "Tags the rule with the protocol that made it.",
        args=(NUMBER_OR_NAME_8,),
        default="keepalived",
        supported=True,
        since="2.0.1",
    ),
    Keyword("no_track", "Tracks neither the interface nor the rule.", supported=True, since="2.0.3"),
    Keyword("type", "May stand before an action.", supported=True, since="1.2.24"),
    Keyword(
        "goto", "Jumps to the rule of this preference.", args=_PREFERENCE, supported=True, since="1.2.24"
    ),
    Keyword("nop", "Does nothing.", supported=True, since="1.2.24"),
    Keyword("blackhole", "Drops the packet in silence.", supported=True, since="1.3.0"),
    Keyword("unreachable", "Answers that the destination is unreachable.", supported=True, since="1.3.0"),
    Keyword("prohibit", "Answers that the way is prohibited.", supported=True, since="1.3.0"),
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "rule_lines",
        "One policy rule per line, present while the instance is active.",
        shape=Shape.LINES,
        keywords=(*_SELECT, *_ACT),
    ),
    Section(
        "static_rule_lines",
        "One policy rule per line that stays whatever the state.",
        shape=Shape.LINES,
        keywords=(
            *_SELECT,
            *_ACT,
            Keyword(
                "track_group",
                "Names the instances that leave the active state when this rule is removed.",
                args=(name_of("track_group"),),
                supported=True,
                since="2.0.3",
            ),
        ),
    ),
)
