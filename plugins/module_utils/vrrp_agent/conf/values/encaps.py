# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``encap`` of a route line: light-weight tunnels as values."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from ..match.addresses import pack
from ..match.fit import Fit, Option
from ..model import Encap
from .names import DSFIELD, Names

MAX_LABEL = (1 << 20) - 1  # RFC 3032 2.1
MOST_LABELS = 2
"""As many as keepalived takes."""
_LOCATOR = re.compile(r"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){3}\Z")


def encap(option: Optional[Option], names: Names) -> Optional[Encap]:
    """The value of the option ``encap``, or None when the line has none."""
    if option is None or not option.fit.options:
        return None
    kind = option.fit.options[-1]
    name = kind.keyword.name
    if name == "mpls":
        found = labels(kind.fit.values["LABEL[/LABEL...]"][0])
        return Encap(name, (("labels", found),)) if found else None
    if name == "ila":
        bits = locator(kind.fit.values["LOCATOR"][0])
        return Encap(name, (("locator", bits),)) if bits is not None else None
    return Encap(name, _tunnel(kind.fit, names))


def _tunnel(fit: Fit, names: Names) -> Tuple[Tuple[str, object], ...]:
    settings: List[Tuple[str, object]] = []
    for option in fit.options:
        name = option.keyword.name
        word = next(iter(option.fit.values.values()))[0]
        if name in ("dst", "src"):
            settings.append((name, pack(word)))
        elif name in ("tos", "tc"):
            settings.append((name, names.number(DSFIELD, word) or 0))
        else:
            settings.append((name, int(word)))
    return tuple(dict(settings).items())


def labels(text: str) -> Tuple[int, ...]:
    """``LABEL[/LABEL]``, the outer one first; empty when a part is no label, or when there are too many."""
    found: List[int] = []
    for part in text.split("/"):
        try:
            label = int(part, 0)
        except ValueError:
            return ()
        if not 0 <= label <= MAX_LABEL or part[0] in "+-":
            return ()
        found.append(label)
    return tuple(found) if len(found) <= MOST_LABELS else ()


def locator(text: str) -> Optional[bytes]:
    """Four groups of hexadecimal digits with colons, as the upper half of an IPv6 address."""
    if not _LOCATOR.match(text):
        return None
    return b"".join(int(part, 16).to_bytes(2, "big") for part in text.split(":"))
