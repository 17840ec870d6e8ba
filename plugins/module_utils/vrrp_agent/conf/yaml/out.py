# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tree as YAML data: the way back from ``yamlform``."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Sequence

from ..text.render import quote, takes_command
from ..tree import Node, Word
from ..words import Arg, Keyword, Section, Shape, Type
from .form import whole_string

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)$")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+$")


def to_yaml(tree: Node, sections: Mapping[str, Section]) -> Dict[str, Any]:
    """The data that ``from_yaml`` makes the same configuration from.

    Where the file gives a word again that counts once, only the one that counts is kept.
    """
    return _block(tree.children, sections["root"], sections)


def _block(children: Sequence[Node], section: Section, sections: Mapping[str, Section]) -> Dict[str, Any]:
    data: Dict[str, Any] = {}
    for node in children:
        keyword = section.index[node.keyword]
        if not keyword.block:
            value = _value(keyword, node)
            if keyword.repeatable and isinstance(value, list) and keyword.args[-1].many:
                data.setdefault(node.keyword, []).extend(value)
            elif keyword.repeatable:
                data.setdefault(node.keyword, []).append(value)
            elif not keyword.first_counts or node.keyword not in data:
                data.pop(node.keyword, None)  # the place of the last one counts too
                data[node.keyword] = value
            continue
        inner = sections[keyword.block]
        if inner.shape is Shape.LINES:
            _add_lines(data, node, keyword, inner)
            continue
        body = _block(node.children, inner, sections)
        if keyword.args:
            _add_named(data.setdefault(node.keyword, {}), node, keyword, body)
        elif node.keyword == "global_defs":
            data.setdefault(node.keyword, {}).update(body)
        elif keyword.repeatable:
            data.setdefault(node.keyword, []).append(body)
        else:
            data[node.keyword] = body
    return data


def _add_named(blocks: Dict[str, Any], node: Node, keyword: Keyword, body: Any) -> None:
    label = node.label
    if label not in blocks:
        blocks[label] = body
    elif isinstance(blocks[label], list):
        blocks[label].append(body)
    else:
        blocks[label] = [blocks[label], body]


def _add_lines(data: Dict[str, Any], node: Node, keyword: Keyword, section: Section) -> None:
    lines: List[Any] = []
    for line in node.children:
        if whole_string(section):
            lines.extend(str(word) for word in line.args)
        else:
            lines.append(" ".join(quote(word) for word in line.args))
    if keyword.args:
        data.setdefault(node.keyword, {}).setdefault(node.label, []).extend(lines)
    else:
        data.setdefault(node.keyword, []).extend(lines)


def _value(keyword: Keyword, node: Node) -> Any:
    args = node.args
    if not args:
        return True
    if takes_command(keyword):
        return (
            str(args[0]) if len(args) == 1 and args[0][:1] not in ('"', "'") else [str(word) for word in args]
        )
    if len(keyword.args) == 1 and not keyword.forms and not keyword.options:
        arg = keyword.args[0]
        if arg.many:
            return [_scalar(arg, word) for word in args]
        if arg.type is not Type.TEXT and len(args) == 1:
            return _scalar(arg, args[0])
    return " ".join(quote(word) for word in args)


def _scalar(arg: Arg, word: Word) -> Any:
    if arg.type is Type.BOOL:
        return word in ("true", "on", "yes")
    if arg.type in (Type.INTEGER, Type.DECIMAL, Type.PORT):
        if _INTEGER.match(word):
            return int(word)
        if arg.type is Type.DECIMAL and _DECIMAL.match(word):
            return float(word)
    return str(word)
