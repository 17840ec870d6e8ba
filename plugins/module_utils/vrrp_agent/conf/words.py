# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The types of the grammar table: what a keyword is, where it may stand, and what may follow it.

The table itself is data in ``grammar/``.  Parser, checks, renderer, YAML form, reference page and
Ansible argument specs all come from it; a keyword is added there and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Dict, Optional, Tuple, Union

Number = Union[int, float]


class Type(Enum):
    """How one argument is read. The names are those of the reference page."""

    WORD = "word"
    """Any word; a double-quoted one keeps its blanks."""
    TEXT = "text"
    """All the words to the end of the line, joined by one blank."""
    INTEGER = "integer"
    DECIMAL = "decimal"
    """A number with an optional fraction; Arg.unit says of what."""
    BOOL = "bool"
    """true|on|yes|false|off|no; a missing word is true."""
    CHOICE = "choice"
    """One of Arg.choices."""
    ADDRESS = "address"
    """An IPv4 or IPv6 address without a prefix."""
    ADDRESS4 = "IPv4 address"
    ADDRESS6 = "IPv6 address"
    PREFIX = "address[/prefix]"
    DESTINATION = "address[/prefix] or default"
    ADDRESS_RANGE = "address, range or prefix"
    PORT = "port"
    INTERFACE = "interface"
    """An interface name, 1 to 15 bytes. It need not exist where the file is checked."""
    PATH = "path"
    COMMAND = "command"
    """A command line, split as a shell splits quotes; may be one double-quoted word."""
    USER = "user"
    GROUP = "group"
    NUMBER_OR_NAME = "number or name"
    """Routing tables, scopes, protocols, TOS: a number or a name of /etc/iproute2."""
    INTEGER_RANGE = "N or N-N"
    HEX = "hexadecimal"
    MAC = "MAC address"
    NAME = "name of another block"
    """Arg.refers_to says of which section."""


@dataclass(frozen=True)
class Arg:
    """One argument of a keyword."""

    name: str
    """As the reference page shows it, such as SECS or IFNAME."""
    type: Type = Type.WORD
    optional: bool = False
    """May be absent. An optional argument before others is passed over when the word does not fit its type
    (``via [inet|inet6] ADDRESS``, ``mtu [lock] N``). Where options may follow, an option's word is an
    optional argument only when it is one of ``choices``; a required one takes any word (``table local``)."""
    many: bool = False
    """True for the last argument when it may be repeated."""
    minimum: Optional[Number] = None
    maximum: Optional[Number] = None
    unit: str = ""
    """s, ms, us, cs, bytes, ..."""
    choices: Tuple[str, ...] = ()
    """CHOICE: the words. Other types: words accepted in place of a value (``forever``, ``+``, ``all``)."""
    any_case: bool = False
    """``choices`` are compared without regard to case."""
    not_yet: Tuple[str, ...] = ()
    """Those of ``choices`` that the agent does not do yet, though the keyword itself is supported."""
    max_length: Optional[int] = None
    refers_to: str = ""
    literal: bool = False
    """True when the name itself is the word to write, as ``fwmark`` in ``virtual_server fwmark N``."""


@dataclass(frozen=True)
class Keyword:
    """One keyword of one section."""

    name: str
    meaning: str
    """One sentence, our own words."""
    args: Tuple[Arg, ...] = ()
    forms: Tuple[Tuple[Arg, ...], ...] = ()
    """Other ways to write the arguments, tried in turn when ``args`` does not fit."""
    options: str = ""
    """Section id (shape OPTIONS) of the ``word value`` pairs that may follow the arguments, in any order.
    They end at the first word that is none of them (``nexthop via A dev IF nexthop ...``)."""
    fills: str = ""
    """LINES only: the item argument that this option stands for (``to DEST`` is DEST)."""
    block: str = ""
    """Section id of the block that the keyword opens, or empty."""
    default: Optional[str] = None
    """As one would write it in the file; None when there is none."""
    supported: bool = False
    """The agent does what the word says. Everything else is named by ``check`` as not yet supported."""
    repeatable: bool = False
    """May stand several times in one block."""
    first_counts: bool = False
    """When it is given again, keepalived keeps the first one; otherwise the last one counts."""
    required: bool = False
    """The block is an error without it, or without one of its aliases."""
    alias_of: str = ""
    """The keyword that it means, when it is another spelling (deprecated ones too)."""
    deprecated: str = ""
    """What to write instead, when keepalived calls it deprecated."""
    removed: bool = False
    """Met in old files only; an error that says what became of it. A block after it is skipped whole."""
    secret: bool = False
    """The argument must be masked in diffs, logs and dumps."""
    since: str = ""
    """keepalived release that brought it."""
    own: bool = False
    """A word of the agent, which keepalived does not know. Such words begin with ``agent_``."""
    build_option: str = ""
    """keepalived has it only when built with this option."""


class Shape(Enum):
    """What the body of a block is made of."""

    KEYWORDS = "keywords"
    LINES = "lines"
    """Each line is an item: positional words, then options (addresses, routes, tracked items, names)."""
    OPTIONS = "options"
    """No block: the ``word value`` pairs that may follow another keyword (Keyword.options)."""


@dataclass(frozen=True)
class Section:
    """The inside of a block, or of the file itself (id ``root``)."""

    id: str
    """The path that names it, such as ``vrrp_instance`` or ``virtual_server/real_server/HTTP_GET/url``."""
    meaning: str
    keywords: Tuple[Keyword, ...] = ()
    """For LINES: the options that may follow the positional words."""
    shape: Shape = Shape.KEYWORDS
    item: Tuple[Arg, ...] = ()
    """LINES only: the positional words of a line."""
    unordered_item: bool = False
    """LINES only: options may stand before the positional words too (routes, rules)."""
    index: Dict[str, Keyword] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {keyword.name: keyword for keyword in self.keywords})
