# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""YAML data to a tree: the same words, spelled in YAML. Problems carry the key that they come from.

- a block is a mapping; a named one a mapping from name to block; one that may stand several times a list
- a word without argument is true (false leaves it out), a number is a number
- a word that may be given again is a list
- several arguments are one string, or a list of them
- lines of addresses, routes and names are a list, each a string or a mapping
"""

from __future__ import annotations

import re
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..match.judge import describe
from ..match.lookup import nearest, sections_with
from ..problem import ERROR, Problem
from ..text.lexer import Line, command_words, words
from ..text.render import can_be_written, line_can_be_written, takes_command
from ..text.source import MAX_LINE_BYTES
from ..tree import Node, Word
from ..words import Arg, Keyword, Section, Shape, Type
from .value import kind, right_type, scalar, wrong_type

ROOT_ORDER = (
    "global_defs",
    "interface_up_down_delays",
    "linkbeat_interfaces",
    "garp_group",
    "track_group",
    "vrrp_script",
    "vrrp_track_process",
    "track_file",
    "vrrp_track_file",
    "bfd_instance",
    "static_ipaddress",
    "static_routes",
    "static_rules",
    "vrrp_sync_group",
    "vrrp_instance",
    "SSL",
    "virtual_server_group",
    "virtual_server",
)
"""The order in which blocks are written: what others take from comes first, as keepalived needs it."""

MAX_LENGTH = MAX_LINE_BYTES - 100


class FromYaml(NamedTuple):
    """The tree as far as it could be made, and what is wrong with the data."""

    tree: Node
    problems: Tuple[Problem, ...]


def from_yaml(data: Any, sections: Mapping[str, Section], prefix: str = "") -> FromYaml:
    """Makes a tree. ``prefix`` stands before every path in problems, such as the name of a variable."""
    maker = _Maker(sections)
    children = maker.block(data, sections["root"], prefix)
    rank = {name: number for number, name in enumerate(ROOT_ORDER, 1)}
    ordered = sorted(children, key=lambda node: rank.get(node.keyword, 0))
    return FromYaml(Node("", children=tuple(ordered)), tuple(maker.problems))


def item_key(arg: Arg) -> str:
    """The key of a line's positional word in a mapping: ``address`` for ADDRESS[/PREFIX]."""
    if arg.type is Type.INTERFACE:
        return "interface"
    return re.split("[^a-z_]", arg.name.lower())[0]


def whole_string(section: Section) -> bool:
    """True when a line of a block is one word, blanks and all (names and mail addresses)."""
    return not section.keywords and len(section.item) == 1


class _Maker:
    def __init__(self, sections: Mapping[str, Section]) -> None:
        self.problems: List[Problem] = []
        self._sections = sections

    def _wrong(self, path: str, message: str, hint: str, keyword: str = "") -> None:
        self.problems.append(Problem(ERROR, message, hint, keyword=keyword, path=path))

    def block(self, data: Any, section: Section, path: str) -> List[Node]:
        """The children that a mapping makes."""
        if not isinstance(data, Mapping):
            self._wrong(path, f"{kind(data)} stands where a mapping belongs", "write 'KEYWORD: VALUE' pairs")
            return []
        nodes: List[Node] = []
        for key, value in data.items():
            here = f"{path}.{key}" if path else str(key)
            keyword = section.index.get(key) if isinstance(key, str) else None
            if keyword is None:
                self._unknown(str(key), section, here)
            elif value is None:
                self._wrong(
                    here, "has no value", f"write {self._expected(keyword)}, or take it out", keyword.name
                )
            elif keyword.block:
                nodes.extend(self._blocks(keyword, value, here))
            else:
                nodes.extend(self._keyword(keyword, value, here))
        return nodes

    def _unknown(self, key: str, section: Section, path: str) -> None:
        elsewhere = sections_with(key, self._sections)
        near = nearest(key, list(section.index))
        if elsewhere:
            hint = "it belongs in " + " or ".join(elsewhere[:3])
        elif near:
            hint = f"did you mean '{near}'?"
        else:
            hint = "'vrrp-agent keywords' lists all words"
        self._wrong(path, f"unknown key '{key}'", hint, key)

    def _expected(self, keyword: Keyword) -> str:
        if keyword.block:
            lines = self._sections[keyword.block].shape is Shape.LINES
            return "a list of lines" if lines and not keyword.args else "a mapping"
        if not keyword.args:
            return "true"
        return describe(keyword.args[0]) if len(keyword.args) == 1 else "a string"

    def _blocks(self, keyword: Keyword, value: Any, path: str) -> List[Node]:
        """A keyword that opens a block: named, repeated or single."""
        if keyword.args:
            if not isinstance(value, Mapping):
                self._wrong(
                    path,
                    f"{kind(value)} stands where a mapping belongs",
                    f"write the {keyword.args[0].name} of each {keyword.name} as a key, and its block below",
                    keyword.name,
                )
                return []
            nodes = []
            for label, body in value.items():
                here = f"{path}.{label}"
                args = self._label(keyword, label)
                lines = self._sections[keyword.block].shape is Shape.LINES
                several = isinstance(body, (list, tuple)) and not lines
                for number, one in enumerate(body if several else [body]):
                    place = f"{here}[{number}]" if several else here
                    nodes.append(self._made(keyword, args, self._body(keyword, one, place), place))
            return nodes
        if (
            keyword.repeatable
            and isinstance(value, (list, tuple))
            and self._sections[keyword.block].shape is not Shape.LINES
        ):
            return [
                self._made(keyword, (), self._body(keyword, body, f"{path}[{number}]"), f"{path}[{number}]")
                for number, body in enumerate(value)
            ]
        return [self._made(keyword, (), self._body(keyword, value, path), path)]

    def _label(self, keyword: Keyword, label: Any) -> Tuple[Word, ...]:
        text = str(label)
        if len(keyword.args) == 1 and not keyword.forms:
            return (Word(text),)
        return tuple(Word(part) for part in text.split())

    def _body(self, keyword: Keyword, value: Any, path: str) -> Tuple[Node, ...]:
        section = self._sections[keyword.block]
        if section.shape is not Shape.LINES:
            return tuple(self.block({} if value is True else value, section, path))
        if not isinstance(value, (list, tuple)):
            self._wrong(
                path,
                f"{kind(value)} stands where a list belongs",
                "write a list, one item per line",
                keyword.name,
            )
            return ()
        nodes = []
        for number, item in enumerate(value):
            here = f"{path}[{number}]"
            args = self._line(item, section, here)
            if args is None:
                continue
            if not line_can_be_written(args) or sum(map(len, args)) > MAX_LENGTH:
                self._unwritable(here, keyword)
                continue
            nodes.append(Node("", tuple(args), path=here))
        return tuple(nodes)

    def _line(self, item: Any, section: Section, path: str) -> Optional[List[Word]]:
        if isinstance(item, Mapping):
            return self._line_mapping(item, section, path)
        if isinstance(item, int) and not isinstance(item, bool):
            item = str(item)
        if not isinstance(item, str):
            self._wrong(
                path,
                f"{kind(item)} stands where a line belongs",
                f"write a string, such as '{' '.join(arg.name for arg in section.item)}', or a mapping",
            )
            return None
        found = [Word(item)] if whole_string(section) else words(item, Line(item, "", 0, 0))
        if not found:
            self._wrong(path, "the line is empty", "take it out")
            return None
        return [Word(word) for word in found]

    def _line_mapping(self, item: Mapping[Any, Any], section: Section, path: str) -> Optional[List[Word]]:
        known = {item_key(arg): arg for arg in section.item}
        front: List[Word] = []
        rest: List[Word] = []
        good = True
        for key, value in item.items():
            here = f"{path}.{key}"
            if key in known:
                texts = self._scalars(known[key], value, here)
                front.extend(Word(text) for text in texts or ())
                good = good and texts is not None
            elif isinstance(key, str) and key in section.index:
                given = self._option(section.index[key], value, here)
                rest.extend(given or ())
                good = good and given is not None
            else:
                near = nearest(str(key), [*known, *section.index])
                self._wrong(
                    here,
                    f"unknown key '{key}'",
                    f"did you mean '{near}'?"
                    if near
                    else "possible here: " + ", ".join((*known, *section.index)),
                )
                good = False
        missing = next((name for name, arg in known.items() if not arg.optional and name not in item), None)
        if missing is not None and not any(
            option.fills and option.name in item for option in section.keywords
        ):
            self._wrong(path, f"'{missing}' is missing", f"write '{missing}: ...'")
            return None
        return front + rest if good else None

    def _option(self, keyword: Keyword, value: Any, path: str) -> Optional[List[Word]]:
        """An option of a line: true for a flag, else its arguments; a list if it may be given again."""
        if value is False:
            return []
        if value is True:
            return [Word(keyword.name)]
        if keyword.repeatable and isinstance(value, (list, tuple)):
            parts = [self._option(keyword, one, f"{path}[{number}]") for number, one in enumerate(value)]
            return (
                [word for part in parts for word in part or ()]
                if all(part is not None for part in parts)
                else None
            )
        if not keyword.args and not keyword.options:
            self._wrong(path, f"{kind(value)} stands where true or false belongs", "write true", keyword.name)
            return None
        args = self._arguments(keyword, value, path)
        return [Word(keyword.name), *args] if args is not None else None

    def _keyword(self, keyword: Keyword, value: Any, path: str) -> List[Node]:
        if keyword.repeatable and isinstance(value, (list, tuple)):
            nodes = []
            for number, one in enumerate(value):
                nodes.extend(self._one(keyword, one, f"{path}[{number}]"))
            return nodes
        return self._one(keyword, value, path)

    def _one(self, keyword: Keyword, value: Any, path: str) -> List[Node]:
        if not keyword.args and not keyword.options and not keyword.forms:
            if not isinstance(value, bool):
                self._wrong(
                    path,
                    f"{kind(value)} stands where true or false belongs",
                    "write true, or take the key out",
                    keyword.name,
                )
                return []
            return [self._made(keyword, (), (), path)] if value else []
        if isinstance(value, bool) and not (keyword.args and keyword.args[0].type is Type.BOOL):
            if keyword.args and not keyword.args[0].optional:
                self._wrong(
                    path,
                    f"true or false stands where {describe(keyword.args[0])} belongs",
                    f"write {describe(keyword.args[0])}",
                    keyword.name,
                )
                return []
            return [self._made(keyword, (), (), path)] if value else []
        args = self._arguments(keyword, value, path)
        if args is None:
            return []
        if not can_be_written(keyword, args) or sum(map(len, args)) > MAX_LENGTH:
            self._unwritable(path, keyword)
            return []
        return [self._made(keyword, tuple(args), (), path)]

    def _unwritable(self, path: str, keyword: Keyword) -> None:
        self._wrong(
            path,
            "keepalived.conf has no way to write this",
            "leave out double quotes, line ends and a backslash at the end, and keep it below 900 characters",
            keyword.name,
        )

    def _arguments(self, keyword: Keyword, value: Any, path: str) -> Optional[List[Word]]:
        """The words of one keyword."""
        args = keyword.args
        one_only = len(args) == 1 and not (args[0].many or keyword.forms or keyword.options)
        if isinstance(value, (list, tuple)) and not one_only:
            found: List[Word] = []
            for number, one in enumerate(value):
                arg = args[min(number, len(args) - 1)] if args else Arg("VALUE")
                texts = self._scalars(
                    arg if arg.many or not keyword.forms else Arg("VALUE"),
                    one,
                    f"{path}[{number}]",
                    loose=len(args) > 1,
                )
                if texts is None:
                    return None
                found.extend(Word(text) for text in texts)
            return found
        if takes_command(keyword) and isinstance(value, str):
            if value[:1] not in ('"', "'"):
                return [Word(value)]
            parts, flaw = command_words(value, Line(value, "", 0, 0), 0)
            if flaw:
                self._wrong(
                    path,
                    flaw,
                    "quote the command as in keepalived.conf, or write it without quotes",
                    keyword.name,
                )
                return None
            return [Word(part) for part in parts]
        if isinstance(value, str) and (
            len(args) != 1 or args[0].many or args[0].type is Type.TEXT or keyword.forms or keyword.options
        ):
            return [Word(word) for word in words(value, Line(value, "", 0, 0))]
        texts = self._scalars(args[0] if args else Arg("VALUE"), value, path, loose=len(args) > 1)
        return [Word(text) for text in texts] if texts is not None else None

    def _scalars(self, arg: Arg, value: Any, path: str, loose: bool = False) -> Optional[List[str]]:
        """One value as text, if its YAML type is the right one. ``loose`` accepts numbers as text too."""
        if arg.many and isinstance(value, (list, tuple)):
            parts = [self._scalars(arg, one, f"{path}[{number}]") for number, one in enumerate(value)]
            return (
                [text for part in parts for text in part or ()]
                if all(part is not None for part in parts)
                else None
            )
        text = scalar(arg, value, loose)
        if text is None:
            self._wrong(path, wrong_type(arg, value), right_type(arg, value))
            return None
        return [text]

    def _made(self, keyword: Keyword, args: Tuple[Word, ...], children: Sequence[Node], path: str) -> Node:
        if keyword.block and not can_be_written(keyword, args):
            self._unwritable(path, keyword)
        return Node(keyword.name, args, tuple(children), keyword.alias_of or keyword.name, path=path)
