# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does a word fit an argument? One small judge per type."""

from __future__ import annotations

import re
from typing import Callable, Dict, Optional, Tuple

from ..words import Arg, Number, Type
from .addresses import pack, pack_prefix

Misfit = Optional[Tuple[str, str]]
"""None, or what is wrong and what to write."""

TRUE_WORDS = ("true", "on", "yes")
FALSE_WORDS = ("false", "off", "no")
MAX_NUMBER_DIGITS = 30

_INTEGER = re.compile(r"[+-]?[0-9]+$")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$")
_HEX = re.compile(r"(?:0[xX])?[0-9A-Fa-f]+$")
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?$")
_MAC = re.compile(r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){4,5}$")
_INTERFACE_BAD = re.compile(r"[\s/:]")


def judge(arg: Arg, text: str) -> Misfit:
    """None when the word fits; else (message, hint)."""
    if arg.literal:
        return (
            None
            if text == arg.name
            else (f"'{text}' stands where '{arg.name}' belongs", f"write '{arg.name}'")
        )
    if text in arg.choices or (arg.any_case and text.upper() in [word.upper() for word in arg.choices]):
        return None
    special = _JUDGES.get(arg.type)
    misfit = special(arg, text) if special is not None else None
    if (
        misfit is None
        and arg.max_length is not None
        and len(text.encode("utf-8", "replace")) > arg.max_length
    ):
        return (f"'{text}' is longer than {arg.max_length} bytes", f"write at most {arg.max_length} bytes")
    return misfit


def describe(arg: Arg) -> str:
    """What may be written for an argument, in a few words."""
    if arg.literal:
        return arg.name
    if arg.type is Type.CHOICE:
        return " or ".join(arg.choices) if len(arg.choices) < 3 else "one of " + ", ".join(arg.choices)
    if arg.type is Type.BOOL:
        return "on or off"
    if arg.type in (Type.INTEGER, Type.DECIMAL):
        text = "a whole number" if arg.type is Type.INTEGER else "a number"
        if arg.unit:
            text += f" of {_UNITS.get(arg.unit, arg.unit)}"
        text += _limits(arg)
    elif arg.type in (Type.WORD, Type.TEXT):
        text = arg.name
    else:
        text = _KINDS.get(arg.type) or f"a {arg.type.value}"
    if arg.choices and arg.type is not Type.DESTINATION:
        text += ", or " + ", ".join(arg.choices)
    return text


_KINDS = {
    Type.ADDRESS: "an IP address",
    Type.ADDRESS4: "an IPv4 address",
    Type.ADDRESS6: "an IPv6 address",
    Type.PREFIX: "an IP address, with /PREFIX or without",
    Type.DESTINATION: "the destination: an IP address with /PREFIX, or default",
    Type.ADDRESS_RANGE: "an IP address, a range or a prefix",
    Type.INTERFACE: "an interface name",
    Type.INTEGER_RANGE: "N or N-N",
    Type.HEX: "hexadecimal digits",
    Type.NAME: "the name of another block",
}
_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "cs": "hundredths of a second"}


def _limits(arg: Arg) -> str:
    if arg.minimum is not None and arg.maximum is not None:
        return f" from {_plain(arg.minimum)} to {_plain(arg.maximum)}"
    if arg.minimum is not None:
        return f" from {_plain(arg.minimum)}"
    return f" up to {_plain(arg.maximum)}" if arg.maximum is not None else ""


def _plain(number: Number) -> str:
    return f"{number:f}".rstrip("0").rstrip(".") if isinstance(number, float) else str(number)


def _write(arg: Arg) -> str:
    return f"write {describe(arg)}"


def _number(arg: Arg, text: str, pattern: re.Pattern[str], kind: str) -> Misfit:
    if not pattern.match(text) or len(text) > MAX_NUMBER_DIGITS:
        return f"'{_short(text)}' is not {kind}", _write(arg)
    value: Number = float(text) if "." in text else int(text)
    if (arg.minimum is not None and value < arg.minimum) or (arg.maximum is not None and value > arg.maximum):
        return f"{text} is out of range", _write(arg)
    return None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _integer(arg: Arg, text: str) -> Misfit:
    return _number(arg, text, _INTEGER, "a whole number")


def _decimal(arg: Arg, text: str) -> Misfit:
    return _number(arg, text, _DECIMAL, "a number")


def _port(arg: Arg, text: str) -> Misfit:
    least = 0 if arg.minimum is None else arg.minimum
    if text.isascii() and text.isdigit() and len(text) < 7 and least <= int(text) <= 65535:
        return None
    return f"'{_short(text)}' is not a port", "write a number from 1 to 65535"


def _bool(arg: Arg, text: str) -> Misfit:
    if text in TRUE_WORDS or text in FALSE_WORDS:
        return None
    return f"'{_short(text)}' is neither on nor off", "write on, yes or true; or off, no or false"


def _choice(arg: Arg, text: str) -> Misfit:
    return f"'{_short(text)}' is not possible here", _write(arg)


def _address(arg: Arg, text: str) -> Misfit:
    packed = pack(text)
    wanted = {Type.ADDRESS4: 4, Type.ADDRESS6: 16}.get(arg.type)
    if packed is None:
        if "/" in text and pack_prefix(text) is not None:
            return f"'{text}': no prefix may stand here", f"write {text.partition('/')[0]}"
        return f"'{_short(text)}' is not an IP address", _write(arg)
    if wanted is not None and len(packed) != wanted:
        return f"'{text}' is of the wrong family", _write(arg)
    return None


def _prefix(arg: Arg, text: str) -> Misfit:
    if pack_prefix(text) is not None:
        return None
    address, slash, prefix = text.partition("/")
    packed = pack(address)
    if slash and packed is not None:
        return (
            f"'/{_short(prefix)}' is not a prefix length",
            f"write a number from 0 to {8 * len(packed)} after the /",
        )
    return f"'{_short(text)}' is not an IP address", "write an address, as 192.0.2.1/24 or 2001:db8::1/64"


def _range(arg: Arg, text: str) -> Misfit:
    if pack_prefix(text) is not None:
        return None
    first, dash, last = text.partition("-")
    if dash and pack(first) is not None and (pack(last) is not None or re.match(r"[0-9A-Fa-f]+$", last)):
        return None
    return (
        f"'{_short(text)}' is not an address, a range or a prefix",
        "write an address, as 192.0.2.1-10 for ten of them",
    )


def _interface(arg: Arg, text: str) -> Misfit:
    if not text or text in (".", "..") or _INTERFACE_BAD.search(text):
        return f"'{_short(text)}' is not an interface name", "write the name as 'ip link' shows it"
    if len(text.encode("utf-8", "replace")) > 15:
        return (
            f"'{_short(text)}' is longer than 15 bytes, the limit of an interface name",
            "write the name as 'ip link' shows it",
        )
    return None


def _integer_range(arg: Arg, text: str) -> Misfit:
    match = _RANGE.match(text)
    if match is None or len(text) > MAX_NUMBER_DIGITS:
        return f"'{_short(text)}' is neither a number nor a range", "write N or N-N"
    low, high = int(match.group(1)), int(match.group(2) or match.group(1))
    if low > high:
        return f"'{text}' counts downwards", f"write {high}-{low}"
    if (arg.minimum is not None and low < arg.minimum) or (arg.maximum is not None and high > arg.maximum):
        return f"{text} is out of range", _write(arg)
    return None


def _hex(arg: Arg, text: str) -> Misfit:
    return None if _HEX.match(text) else (f"'{_short(text)}' is not hexadecimal", "write digits 0-9 and a-f")


def _mac(arg: Arg, text: str) -> Misfit:
    return (
        None
        if _MAC.match(text)
        else (f"'{_short(text)}' is not a MAC address", "write it as 02:00:5e:00:00:01")
    )


def _number_or_name(arg: Arg, text: str) -> Misfit:
    if not text.isascii() or not text.isdigit() or len(text) > MAX_NUMBER_DIGITS:
        return None
    return _number(arg, text, _INTEGER, "a number")


def _filled(arg: Arg, text: str) -> Misfit:
    return None if text else (f"{arg.name} is empty", _write(arg))


_JUDGES: Dict[Type, Callable[[Arg, str], Misfit]] = {
    Type.INTEGER: _integer,
    Type.DECIMAL: _decimal,
    Type.BOOL: _bool,
    Type.CHOICE: _choice,
    Type.ADDRESS: _address,
    Type.ADDRESS4: _address,
    Type.ADDRESS6: _address,
    Type.PREFIX: _prefix,
    Type.DESTINATION: _prefix,
    Type.ADDRESS_RANGE: _range,
    Type.PORT: _port,
    Type.INTERFACE: _interface,
    Type.INTEGER_RANGE: _integer_range,
    Type.HEX: _hex,
    Type.MAC: _mac,
    Type.NUMBER_OR_NAME: _number_or_name,
    Type.PATH: _filled,
    Type.COMMAND: _filled,
    Type.NAME: _filled,
}
