# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What virtual links and the accept mode may not say."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from ..match.addresses import pack_prefix
from ..match.fit import Fit, fit_keyword
from ..match.judge import TRUE_WORDS
from ..problem import ERROR, WARNING, Problem
from ..tree import Node, Word
from ..values.instance import family_of
from ..values.links import mac_of
from ..values.names import GROUP, Names
from ..words import Section

_RFC_PREFIX = bytes.fromhex("00005e0001"), bytes.fromhex("00005e0002")
_OWNER = "255"


def check_links(tree: Node, sections: Mapping[str, Section], names: Names) -> List[Problem]:
    """Findings about the virtual links of all instances."""
    problems: List[Problem] = []
    strict = any(_true(word) for block in tree.all("global_defs") for word in block.all("vrrp_strict"))
    taken: Dict[str, str] = {}
    for node in tree.children:
        if node.name == "vrrp_instance":
            view = _View(node, sections, names, strict)
            problems.extend(view.findings())
            problems.extend(view.same_name(taken))
    problems.extend(_firewall(tree))
    return problems


def _firewall(tree: Node) -> Iterator[Problem]:
    for block in tree.all("global_defs"):
        for child in block.children:
            if child.name in ("vrrp_iptables", "vrrp_ipsets"):
                hint = "write 'nftables' (or nothing) in its place"
                yield child.problem(WARNING, f"{child.name}: the rules are made with nftables", hint)
            if child.name == "nftables" and child.args and len(child.args[0].encode()) > 31:
                yield child.problem(
                    ERROR,
                    f"the name of the table '{child.args[0]}' is longer than 31 bytes",
                    "write a shorter name",
                    child.args[0],
                )


class _View:
    """One instance."""

    def __init__(self, node: Node, sections: Mapping[str, Section], names: Names, strict: bool) -> None:
        self.node = node
        self.name = node.label
        self._names = names
        own = node.last("strict_mode")
        self._strict = strict if own is None else _true(own)
        self._section = sections["vrrp_instance"]
        self._sections = sections

    def _fit(self, name: str) -> Tuple[Optional[Node], Optional[Fit]]:
        child = self.node.last(name)
        if child is None:
            return None, None
        fit = fit_keyword(self._section.index[name], child.args, self._sections)
        return child, None if fit.flaw is not None else fit

    def findings(self) -> Iterator[Problem]:
        vmac, vmac_fit = self._fit("use_vmac")
        ipvlan, ipvlan_fit = self._fit("use_ipvlan")
        base = self.node.last("interface") is not None
        for child in (vmac, ipvlan):
            if child is not None and not base:
                hint = "write 'interface IFNAME'"
                yield self._problem(child, ERROR, f"{child.name} needs an interface", hint)
        if vmac is not None and ipvlan is not None:
            hint = "a virtual link is a macvlan or an ipvlan: take one of them out"
            yield self._problem(ipvlan, ERROR, "use_vmac and use_ipvlan exclude each other", hint)
        for child, fit in ((vmac, vmac_fit), (ipvlan, ipvlan_fit)):
            if child is not None and fit is not None:
                yield from self._group(child, fit)
        if vmac is not None and vmac_fit is not None:
            yield from self._mac(vmac, vmac_fit)
        if ipvlan is not None and ipvlan_fit is not None:
            yield from self._ipvlan(ipvlan, ipvlan_fit)
        yield from self._transmission(vmac, ipvlan)
        yield from self._accept()

    def _mac(self, node: Node, fit: Fit) -> Iterator[Problem]:
        word = fit.value("MAC")
        if word is None:
            return
        mac = mac_of(word, 1)
        if mac is None:
            hint = "the first octet of an interface's own address is even"
            yield self._problem(node, ERROR, f"{word} is the address of a group", hint, word)
        elif mac[:5] in _RFC_PREFIX:
            hint = "leave it out: the virtual MAC of RFC 9568 is made from virtual_router_id"
            yield self._problem(node, ERROR, f"{word} is a virtual MAC of VRRP", hint, word)
        elif self._strict:
            hint = "take it out: strict mode uses the virtual MAC of RFC 9568"
            yield self._problem(node, WARNING, "strict mode ignores the MAC of use_vmac", hint, word)

    def _group(self, node: Node, fit: Fit) -> Iterator[Problem]:
        option = fit.option("group")
        if option is None:
            return
        word = option.fit.value("ID")
        if word is not None and self._names.number(GROUP, word) is None:
            hint = "write its number, or name it in /etc/iproute2/group"
            yield self._problem(node, ERROR, f"unknown link group '{word}'", hint, word)

    def _ipvlan(self, node: Node, fit: Fit) -> Iterator[Problem]:
        word = fit.value("ADDRESS[/PREFIX]")
        family = family_of(self.node)
        parsed = pack_prefix(word) if word is not None else None
        if parsed is None:
            if family == 4:
                hint = "write 'use_ipvlan NAME ADDRESS/PREFIX': adverts come from that address"
                yield self._problem(node, ERROR, "an IPv4 ipvlan needs an address of its own", hint)
        elif (4 if len(parsed[0]) == 4 else 6) != family:
            hint = f"write an IPv{family} address"
            yield self._problem(node, ERROR, f"{word} is not of the instance's family", hint, word)

    def _transmission(self, vmac: Optional[Node], ipvlan: Optional[Node]) -> Iterator[Problem]:
        base = self.node.last("vmac_xmit_base")
        unicast = any(self.node.lines("unicast_peer"))
        link = vmac or ipvlan
        if base is not None and vmac is None:
            yield self._problem(base, WARNING, "vmac_xmit_base does nothing without use_vmac", "take it out")
        elif base is not None and self._strict:
            hint = "take it out: strict mode sends adverts from the virtual MAC"
            yield self._problem(base, WARNING, "strict mode ignores vmac_xmit_base", hint)
        if unicast and link is not None and base is None:
            hint = "write vmac_xmit_base, so that it can be seen" if link is vmac else "nothing need be done"
            message = "unicast adverts leave by the base interface"
            yield self._problem(link, WARNING, message, hint)
        if link is not None and self.node.last("promote_secondaries") is not None:
            hint = "take it out: a virtual link always has it"
            yield self._problem(link, WARNING, "promote_secondaries is not needed here", hint)

    def _accept(self) -> Iterator[Problem]:
        priority = self.node.last("priority")
        refusal = self.node.last("no_accept")
        if refusal is not None and priority is not None and priority.args[:1] == (_OWNER,):
            hint = "take it out: an owner answers for its own addresses (RFC 9568 6.1)"
            yield self._problem(refusal, WARNING, "no_accept does nothing with priority 255", hint)

    def same_name(self, taken: Dict[str, str]) -> Iterator[Problem]:
        """Two instances cannot share a link."""
        for name in ("use_vmac", "use_ipvlan"):
            child, fit = self._fit(name)
            word = fit.value("IFNAME") if fit is not None else None
            if child is None or word is None:
                continue
            first = taken.setdefault(str(word), self.name)
            if first != self.name:
                hint = "give each instance's link a name of its own, or none"
                yield self._problem(child, ERROR, f"the link {word} is the one of {first}", hint, word)

    def _problem(
        self, node: Node, severity: str, message: str, hint: str, word: Optional[Word] = None
    ) -> Problem:
        return node.problem(severity, f"{self.name}: {message}", hint, word)


def _true(node: Node) -> bool:
    return not node.args or node.args[0] in TRUE_WORDS
