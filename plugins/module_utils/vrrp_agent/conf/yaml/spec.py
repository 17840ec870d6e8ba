# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What type each keyword has in the YAML form: the same table, seen from Ansible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Tuple, Union

from ..words import Arg, Keyword, Section, Shape, Type

YamlValue = Union[bool, int, float, str]

_TRUE = ("true", "on", "yes")


@dataclass(frozen=True)
class YamlKey:
    """One key of a YAML mapping; the names are those of Ansible's argument specs."""

    type: str
    """``bool``, ``int``, ``float``, ``str``, ``list`` or ``dict``."""
    description: str
    elements: str = ""
    """For ``list``: the type of its items."""
    section: str = ""
    """For ``dict`` and lists of lines: the section of what is inside."""
    named: bool = False
    """For ``dict``: its keys are the names (or addresses) of blocks, each a dict of ``section``."""
    choices: Tuple[str, ...] = ()
    default: Optional[YamlValue] = None
    required: bool = False
    secret: bool = False
    supported: bool = False


def yaml_keys(section: Section, sections: Mapping[str, Section]) -> Dict[str, YamlKey]:
    """The keys that a YAML mapping for this section may have. Words that were removed are not among them."""
    return {keyword.name: _yaml_key(keyword, sections) for keyword in section.keywords if not keyword.removed}


def _yaml_key(keyword: Keyword, sections: Mapping[str, Section]) -> YamlKey:
    kind, elements, named = _kind(keyword, sections)
    choices: Tuple[str, ...] = ()
    if len(keyword.args) == 1 and keyword.args[0].type is Type.CHOICE and kind != "bool":
        choices = keyword.args[0].choices
    return YamlKey(
        type=kind,
        description=keyword.meaning,
        elements=elements,
        section=keyword.block,
        named=named,
        choices=choices,
        default=_default(keyword, kind),
        required=keyword.required,
        secret=keyword.secret,
        supported=keyword.supported,
    )


def _kind(keyword: Keyword, sections: Mapping[str, Section]) -> Tuple[str, str, bool]:
    """The type, the type of its elements, and whether it is a dict of named blocks."""
    if keyword.block:
        if sections[keyword.block].shape is Shape.LINES:
            return (
                ("dict", "", True)
                if keyword.args
                else ("list", _line_elements(sections[keyword.block]), False)
            )
        if keyword.args:
            return "dict", "", True
        return (
            ("list", "dict", False)
            if keyword.repeatable and keyword.name != "global_defs"
            else ("dict", "", False)
        )
    single = _single(keyword)
    if keyword.repeatable or (len(keyword.args) == 1 and keyword.args[0].many):
        return "list", single, False
    return single, "", False


def _line_elements(section: Section) -> str:
    """Lines with options may be written as text or as a mapping, which Ansible calls raw."""
    return "raw" if section.keywords or len(section.item) > 1 else "str"


def _single(keyword: Keyword) -> str:
    if keyword.options or keyword.forms or len(keyword.args) > 1:
        return "str"
    if not keyword.args:
        return "bool"
    return _arg_type(keyword.args[0])


def _arg_type(arg: Arg) -> str:
    if arg.type is Type.CHOICE and arg.optional and len(arg.choices) == 1:
        return "raw"  # true for the word alone, or the one choice
    if arg.choices and arg.type is not Type.CHOICE:
        return "str"
    if arg.optional and arg.type is not Type.BOOL:
        return "raw"  # true for the word alone, or a value
    return {Type.BOOL: "bool", Type.INTEGER: "int", Type.PORT: "int", Type.DECIMAL: "float"}.get(
        arg.type, "str"
    )


def _default(keyword: Keyword, kind: str) -> Optional[YamlValue]:
    text = keyword.default
    if text is None:
        return None
    if kind == "bool":
        return text in _TRUE
    if kind == "int":
        return int(text)
    return float(text) if kind == "float" else text
