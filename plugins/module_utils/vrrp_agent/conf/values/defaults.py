# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What global_defs says to the blocks after it, and the small conversions that all values share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Optional, Sequence, Tuple

from ..match.judge import TRUE_WORDS
from ..model import SECOND_NS, GarpPolicy
from ..tree import Node


@dataclass
class Defaults:
    """What global_defs has said so far.

    keepalived copies some of it into an instance where the instance begins (``garp``, ``down_timer_adverts``,
    ``checksum_as_v2``, ``skip_check_adv_addr``), so for these it matters that global_defs comes first.
    The rest holds for all instances.
    """

    words: Dict[str, Tuple[str, ...]] = field(default_factory=dict)
    garp: GarpPolicy = field(default_factory=GarpPolicy)

    def read(self, node: Node) -> None:
        """Takes one word of global_defs."""
        if node.name == "vrrp_min_garp":
            if not node.args or node.args[0] in TRUE_WORDS:
                self._one_announcement()
            return
        self.words[node.name] = tuple(str(word) for word in node.args)
        if node.name == "vrrp_garp_extra_if":
            self.garp = extra_interface(self.garp, [str(word) for word in node.args])
        change = GARP_WORDS.get(node.name.replace("vrrp_", "", 1))
        if change is not None:
            self.garp = change_garp(self.garp, change, node.args[0])

    def _one_announcement(self) -> None:
        """vrrp_min_garp does not touch what differs from the default."""
        plain = GarpPolicy()
        if self.garp.master_repeat == plain.master_repeat:
            self.garp = replace(self.garp, master_repeat=1)
        if self.garp.master_refresh_repeat == plain.master_refresh_repeat:
            self.garp = replace(self.garp, master_refresh_repeat=0)
        if self.garp.master_delay_ns == plain.master_delay_ns:
            self.garp = replace(self.garp, master_delay_ns=0)

    def flag(self, name: str) -> bool:
        """A BOOL word: without an argument it is true."""
        words = self.words.get(name)
        return words is not None and (not words or words[0] in TRUE_WORDS)

    def text(self, name: str, default: str = "") -> str:
        """The first argument of a word."""
        words = self.words.get(name)
        return words[0] if words else default

    def number(self, name: str) -> Optional[int]:
        """The first argument as a number."""
        text = self.text(name)
        return int(text) if text else None


GARP_WORDS = {
    "garp_master_delay": "master_delay_ns",
    "garp_master_repeat": "master_repeat",
    "garp_master_refresh": "master_refresh_ns",
    "garp_master_refresh_repeat": "master_refresh_repeat",
    "garp_lower_prio_delay": "lower_prio_delay_ns",
    "garp_lower_prio_repeat": "lower_prio_repeat",
    "garp_interval": "arp_interval_ns",
    "gna_interval": "na_interval_ns",
}


def change_garp(garp: GarpPolicy, name: str, text: str) -> GarpPolicy:
    """The policy with one value changed. master_repeat 0 counts as 1; lower_prio_repeat 0 means none."""
    value = nanoseconds(text) if name.endswith("_ns") else int(text)
    if name == "master_repeat":
        value = max(1, value)
    changes: Dict[str, Any] = {name: value}
    return replace(garp, **changes)


def extra_interface(garp: GarpPolicy, words: Sequence[str]) -> GarpPolicy:
    """garp_extra_if: seconds, and ``all`` before or after them; ``all`` once said stays, as in keepalived."""
    numbers = [int(word) for word in words if word != "all"]
    return replace(
        garp,
        extra_interval_ns=numbers[-1] * SECOND_NS if numbers else garp.extra_interval_ns,
        extra_all=garp.extra_all or "all" in words,
    )


def nanoseconds(text: str) -> int:
    """Decimal seconds, to the microsecond as keepalived keeps them."""
    whole, _dot, fraction = text.lstrip("+").partition(".")
    return int(whole or "0") * SECOND_NS + int((fraction + "000000")[:6]) * 1000
