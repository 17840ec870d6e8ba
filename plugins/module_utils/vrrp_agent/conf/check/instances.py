# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What virtual routers may not say, each alone and all together."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from ...wire.address import is_link_local, is_multicast
from ..match.addresses import pack
from ..model import SECOND_NS
from ..problem import ERROR, WARNING, Problem
from ..tree import Node, Word
from ..values.defaults import Defaults, nanoseconds
from ..values.instance import MAX_ADVERTISED, OWNER, TICK_NS
from ..words import Section
from .instance_view import InstanceView
from .security import check_security

COPIED_WORDS = frozenset(
    (
        "vrrp_garp_master_delay",
        "vrrp_garp_master_repeat",
        "vrrp_garp_master_refresh",
        "vrrp_garp_master_refresh_repeat",
        "vrrp_min_garp",
        "vrrp_down_timer_adverts",
        "v3_checksum_as_v2",
        "vrrp_skip_check_adv_addr",
    )
)
"""Words of global_defs that an instance copies where it begins: later ones do not reach it."""

MAX_V3_NS = 4095 * TICK_NS


def check_instances(tree: Node, sections: Mapping[str, Section]) -> List[Problem]:
    """Findings about all virtual routers of a configuration."""
    problems: List[Problem] = []
    final = Defaults()
    begun: Optional[Node] = None
    for node in tree.children:
        if node.name == "vrrp_instance" and begun is None:
            begun = node
        if node.name == "global_defs":
            for child in node.children:
                final.words[child.name] = tuple(str(word) for word in child.args)
                if begun is not None and child.name in COPIED_WORDS:
                    problems.append(
                        child.problem(
                            WARNING,
                            f"{child.name} comes too late for {begun.keyword} {begun.label}",
                            "write global_defs before the instances",
                        )
                    )
    views = [_Instance(node, sections, final) for node in tree.children if node.name == "vrrp_instance"]
    for view in views:
        problems.extend(view.findings())
    problems.extend(_same_router(views))
    problems.extend(_same_address(views))
    return problems


def check_places(tree: Node) -> Iterator[Problem]:
    """keepalived runs a unicast instance that names no interface; the agent does not yet."""
    for node in tree.children:
        words = {child.name: child for child in node.children}
        if node.name == "vrrp_instance" and "interface" not in words and "unicast_src_ip" in words:
            source = words["unicast_src_ip"].args[:1]
            yield node.missing(
                "interface",
                f"{node.label}: an instance without interface is not supported yet",
                f"write 'interface IFNAME' in it, with the interface that has {' '.join(source)}",
            )


def _same_router(views: List[_Instance]) -> Iterator[Problem]:
    """One VRID names one virtual router on an interface and family (RFC 9568 1.2)."""
    seen: Dict[Tuple[str, int, str], _Instance] = {}
    for view in views:
        vrid = view.word("virtual_router_id")
        if vrid is None or not vrid.isdigit():
            continue
        interface = view.word("interface") or view.word("unicast_src_ip") or ""
        key = (str(interface), view.family, str(int(vrid)))
        first = seen.setdefault(key, view)
        if first is not view:
            place = f"on {interface}" if interface else "without an interface"
            yield view.at("virtual_router_id").problem(
                ERROR,
                f"VRID {vrid} {place} is the one of {first.name} already (IPv{view.family})",
                "give each virtual router of an interface its own virtual_router_id",
                vrid,
            )


def _same_address(views: List[_Instance]) -> Iterator[Problem]:
    seen: Dict[Tuple[bytes, str], _Instance] = {}
    for view in views:
        for line, packed, device in view.addresses + view.excluded:
            first = seen.setdefault((packed, device), view)
            if first is not view:
                yield line.problem(
                    WARNING,
                    f"{line.args[0]} belongs to {first.name} too",
                    "an address moves with one instance only",
                    line.args[0],
                )


class _Instance(InstanceView):
    """One instance and its findings."""

    def _problem(
        self, name: str, severity: str, message: str, hint: str, word: Optional[Word] = None
    ) -> Problem:
        return self.at(name).problem(severity, f"{self.name}: {message}", hint, word)

    def findings(self) -> Iterator[Problem]:
        yield from self._place()
        yield from self._families()
        yield from self._interval()
        yield from self._election()
        yield from check_security(self, self.strict)
        yield from self._unicast()
        yield from self._virtual_addresses()
        own = self.word("interface")
        for line in self.node.lines("track_interface"):
            if own is not None and line.args[:1] == (own,):
                yield line.problem(
                    WARNING,
                    f"{self.name}: its own interface is tracked anyway: this line is ignored",
                    "take it out; dont_track_primary turns that off",
                )

    def _place(self) -> Iterator[Problem]:
        if "interface" in self._last:
            return
        if not any(self.node.lines("unicast_peer")):
            yield self.node.missing(
                "interface", f"{self.name}: interface is missing", "write 'interface IFNAME' in it"
            )
        elif "unicast_src_ip" not in self._last:
            yield self.node.missing(
                "interface",
                f"{self.name}: a unicast instance without interface needs unicast_src_ip",
                "write 'interface IFNAME' or 'unicast_src_ip ADDRESS' in it",
            )
        elif self.family == 6:
            source = pack(self.word("unicast_src_ip") or "")
            if source is not None and is_link_local(source):
                yield self._problem(
                    "unicast_src_ip",
                    ERROR,
                    "a link-local source needs an interface",
                    "write 'interface IFNAME' too",
                )

    def _families(self) -> Iterator[Problem]:
        """The first virtual address decides; all that goes into adverts is of its family."""
        size = 4 if self.family == 4 else 16
        decider, other = f"the instance is IPv{self.family}", f"IPv{10 - self.family}"
        for line, packed, _device in self.addresses:
            if len(packed) != size:
                yield line.problem(
                    ERROR,
                    f"{self.name}: {line.args[0]} is {other}, but {decider} by its first address",
                    "put it into virtual_ipaddress_excluded, or into an instance of its own",
                    line.args[0],
                )
        for line in self.node.lines("unicast_peer"):
            peer = pack(line.args[0]) if line.args else None
            if peer is not None and len(peer) != size:
                yield line.problem(
                    ERROR,
                    f"{self.name}: the peer {line.args[0]} is {other}, but {decider}",
                    f"write the peer's IPv{self.family} address",
                    line.args[0],
                )
        for name in ("unicast_src_ip", "mcast_src_ip", "mcast_dst_ip"):
            word = self.word(name)
            packed_word = pack(word) if word is not None else None
            if packed_word is None:
                continue
            if len(packed_word) != size:
                yield self._problem(
                    name,
                    ERROR,
                    f"{name} {word} is {other}, but {decider}",
                    f"write an IPv{self.family} address",
                    word,
                )
            elif (name == "mcast_dst_ip") != is_multicast(packed_word):
                yield self._problem(
                    name,
                    ERROR,
                    f"{name} {word} is {'not ' if name == 'mcast_dst_ip' else ''}a multicast address",
                    "224.0.0.18 and ff02::12 are the groups of VRRP",
                    word,
                )
        if self.family == 6 and self.word("version") == "2":
            yield self._problem(
                "version",
                ERROR,
                "version 2 knows no IPv6",
                "write 'version 3', or leave it out",
                self.word("version"),
            )

    def _interval(self) -> Iterator[Problem]:
        word = self.word("advert_int")
        if word is None:
            return
        interval = nanoseconds(word)
        if self.version == 2:
            if interval % SECOND_NS:
                yield self._problem(
                    "advert_int",
                    ERROR,
                    f"version 2 has whole seconds only, and {word} is not",
                    "write 'version 3' too, on all routers of the group; or whole seconds",
                    word,
                )
        elif interval > MAX_V3_NS:
            yield self._problem(
                "advert_int", ERROR, f"version 3 cannot say {word} seconds", "write at most 40.95", word
            )
        elif interval % TICK_NS:
            yield self._problem(
                "advert_int",
                WARNING,
                f"version 3 has hundredths of a second: {word} is rounded",
                "write two digits after the point",
                word,
            )

    def _election(self) -> Iterator[Problem]:
        active = self.word("state") == "MASTER"
        priority = self.word("priority")
        owner = (priority is not None and int(priority) == OWNER) or (active and "priority" not in self._last)
        if active and "priority" not in self._last:
            yield self._problem(
                "state",
                WARNING,
                "state MASTER without priority makes the priority 255, that of the owner of the addresses",
                "write 'priority N'",
            )
        if owner and self.word("state") == "BACKUP":
            yield self._problem(
                "state",
                WARNING,
                "with priority 255 it takes over at once: state BACKUP means little",
                "write a priority from 1 to 254, unless this host owns the addresses",
            )
        nopreempt = self._later("preempt", "nopreempt") == "nopreempt"
        active = active and (owner or not self.strict)  # check/strict.py tells what strict mode ignores
        if nopreempt and (active or owner):
            why = "state MASTER" if active else "priority 255"
            yield self._problem(
                "nopreempt",
                WARNING,
                f"nopreempt has no effect with {why}",
                "write 'state BACKUP'" if active else "write a priority below 255",
            )
            nopreempt = False
        delay = self.word("preempt_delay")
        if delay is not None and nanoseconds(delay):
            if active:
                yield self._problem(
                    "preempt_delay",
                    WARNING,
                    "preempt_delay has no effect with state MASTER",
                    "write 'state BACKUP'",
                )
            elif nopreempt:
                yield self._problem(
                    "preempt_delay",
                    WARNING,
                    "preempt_delay has no effect with nopreempt",
                    "take one of them out",
                )
        if (
            self.word("owner_ignore_adverts") not in ("off", "no", "false")
            and "owner_ignore_adverts" in self._last
            and not owner
        ):
            yield self._problem(
                "owner_ignore_adverts",
                WARNING,
                "owner_ignore_adverts means nothing below priority 255",
                "take it out",
            )

    def _later(self, one: str, other: str) -> str:
        found = ""
        for child in self.node.children:
            if child.name in (one, other):
                found = child.name
        return found

    def _unicast(self) -> Iterator[Problem]:
        lines = list(self.node.lines("unicast_peer"))
        source = pack(self.word("unicast_src_ip") or "")
        seen = set()
        for line in lines:
            peer = pack(line.args[0]) if line.args else None
            if peer is None:
                continue
            if peer == source:
                yield line.problem(
                    ERROR,
                    f"{self.name}: {line.args[0]} is its own unicast_src_ip: a router is not its own peer",
                    "list the other routers only; '@^ID ADDRESS' leaves a line out on host ID",
                    line.args[0],
                )
            if peer in seen:
                yield line.problem(
                    WARNING,
                    f"{self.name}: the peer {line.args[0]} is given twice",
                    "take one out",
                    line.args[0],
                )
            if is_multicast(peer) or not any(peer):
                yield line.problem(
                    ERROR,
                    f"{self.name}: {line.args[0]} is not an address of a router",
                    "write the peer's own address",
                    line.args[0],
                )
            seen.add(peer)
        if lines:
            if "mcast_dst_ip" in self._last:
                yield self._problem(
                    "mcast_dst_ip", WARNING, "mcast_dst_ip means nothing beside unicast_peer", "take it out"
                )
            return
        for name in ("unicast_src_ip", "unicast_ttl", "unicast_peer"):
            if name in self._last:
                yield self._problem(
                    name,
                    WARNING,
                    f"{name} without peers: the adverts go to the multicast group",
                    "list the other routers in unicast_peer, or take it out",
                )

    def _virtual_addresses(self) -> Iterator[Problem]:
        if not any(self.node.lines("virtual_ipaddress")) and "no_virtual_ipaddress" not in self._last:
            yield self.node.problem(
                WARNING,
                f"{self.name} has no virtual address",
                "write a block virtual_ipaddress; or 'no_virtual_ipaddress' if that is meant",
            )
        if self.addresses and self.family == 6 and not any(self.node.lines("unicast_peer")):
            line, packed, _device = self.addresses[0]
            if len(packed) == 16 and not is_link_local(packed):
                yield line.problem(
                    WARNING,
                    f"{self.name}: the first IPv6 address should be a link-local one",
                    "put one of fe80::/10 first (RFC 9568 5.2.9)",
                    line.args[0],
                )
        if len(self.addresses) > MAX_ADVERTISED:
            line = self.addresses[MAX_ADVERTISED][0]
            yield line.problem(
                WARNING,
                f"{self.name}: an advert holds {MAX_ADVERTISED} addresses: from here on they are "
                "treated as virtual_ipaddress_excluded",
                "write them there",
            )
        listed: Dict[bytes, List[str]] = {}
        for line, packed, device in self.addresses:
            if packed in listed:
                yield self._twice(line)
            listed.setdefault(packed, []).append(device)
        for line, packed, device in self.excluded:
            if device in listed.get(packed, ()):
                yield self._twice(line)
            listed.setdefault(packed, []).append(device)

    def _twice(self, line: Node) -> Problem:
        """keepalived goes on with the first one, and so does the agent."""
        message = f"{self.name}: {line.args[0]} is given twice: the first one counts"
        return line.problem(WARNING, message, "take one out", line.args[0])
