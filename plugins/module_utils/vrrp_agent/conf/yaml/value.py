# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single values of YAML data: their types, in words, and as text; and the merge of two pieces of data."""

from __future__ import annotations

import math
import re
from typing import Any, Dict, Mapping, Optional

from ..match.judge import describe
from ..words import Arg, Type


def scalar(arg: Arg, value: Any, loose: bool) -> Optional[str]:
    """A YAML value as the text of an argument; None when it is of the wrong type."""
    if isinstance(value, bool):
        return ("true" if value else "false") if arg.type is Type.BOOL else None
    if arg.type is Type.BOOL:
        return None
    if isinstance(value, str):
        number = arg.type in (Type.INTEGER, Type.DECIMAL, Type.PORT)
        return None if number and not loose and value not in arg.choices else value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and arg.type is Type.DECIMAL and math.isfinite(value):
        return plain_number(value)
    return None


def plain_number(value: float) -> str:
    """A number without an exponent."""
    text = repr(value)
    return text if "e" not in text else f"{value:.9f}".rstrip("0").rstrip(".")


def kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "nothing" if value is None else f"a {type(value).__name__}"


def wrong_type(arg: Arg, value: Any) -> str:
    """Says what is wrong with a value that ``scalar`` refuses."""
    return f"{kind(value)} stands where {describe(arg)} belongs"


def right_type(arg: Arg, value: Any) -> str:
    """Says what to write instead."""
    if isinstance(value, str) and arg.type in (Type.INTEGER, Type.DECIMAL, Type.PORT):
        stripped = value.strip()
        if re.match(r"[+-]?[0-9]+(\.[0-9]+)?$", stripped):
            return f"write {stripped} without quotes"
    if isinstance(value, str) and arg.type is Type.BOOL:
        return "write true or false without quotes"
    if isinstance(value, (bool, float)) and arg.type is not Type.BOOL:
        return (
            "put it in quotes" if arg.type not in (Type.INTEGER, Type.DECIMAL) else f"write {describe(arg)}"
        )
    return f"write {describe(arg)}"


def merge(base: Any, over: Any) -> Any:
    """Two pieces of YAML data as one: mappings are merged at every depth, all else is taken from ``over``."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    merged: Dict[Any, Any] = dict(base)
    for key, value in over.items():
        merged[key] = merge(base[key], value) if key in base else value
    return merged
