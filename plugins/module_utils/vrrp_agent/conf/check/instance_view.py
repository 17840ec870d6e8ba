# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A vrrp_instance block as the checks look at it: the words that fit, addresses as bytes."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Tuple

from ..match.addresses import pack_prefix
from ..match.fit import fit_line
from ..match.judge import TRUE_WORDS, judge
from ..tree import Node, Word
from ..values.defaults import Defaults
from ..values.instance import family_of
from ..words import Section


class InstanceView:
    """One instance, as far as it can be read."""

    def __init__(self, node: Node, sections: Mapping[str, Section], final: Defaults) -> None:
        self.node = node
        self.name = node.label
        self.family = family_of(node)
        self._final = final
        self._last: Dict[str, Node] = {child.name: child for child in node.children}
        self._section = sections["vrrp_instance"]
        self._sections = sections
        self.addresses = self._read_addresses("virtual_ipaddress")
        self.excluded = self._read_addresses("virtual_ipaddress_excluded")

    def _read_addresses(self, name: str) -> List[Tuple[Node, bytes, str]]:
        found = []
        for line in self.node.lines(name):
            parsed = pack_prefix(line.args[0]) if line.args else None
            if parsed is not None:
                device: str = self.word("interface") or ""
                if "dev" in line.args:
                    option = fit_line(self._sections["address_lines"], line.args, self._sections).option(
                        "dev"
                    )
                    if option is not None and option.fit.value("IFNAME") is not None:
                        device = str(option.fit.value("IFNAME"))
                found.append((line, parsed[0], str(device)))
        return found

    def at(self, name: str) -> Node:
        """Where a word stands; the instance itself when it does not."""
        return self._last.get(name, self.node)

    def word(self, name: str) -> Optional[Word]:
        """The first argument of a word, if it fits."""
        node = self._last.get(name)
        if node is None or not node.args:
            return None
        keyword = self._section.index.get(node.keyword)
        if keyword is None or not keyword.args or judge(keyword.args[0], node.args[0]) is not None:
            return None
        return node.args[0]

    @property
    def version(self) -> int:
        """2 or 3, by its own word or the global one; IPv6 is always 3."""
        if self.family == 6:
            return 3
        text = self.word("version") or (self._final.words.get("vrrp_version") or ("2",))[0]
        return 3 if text == "3" else 2

    @property
    def strict(self) -> bool:
        """strict_mode of its own, or vrrp_strict for all."""
        own = self._last.get("strict_mode")
        return (own is not None and (not own.args or own.args[0] in TRUE_WORDS)) or self._final.flag(
            "vrrp_strict"
        )
