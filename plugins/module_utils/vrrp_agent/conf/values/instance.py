# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the block of a vrrp_instance to its values."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Optional, Set, Tuple

from ..match.addresses import pack
from ..match.judge import TRUE_WORDS
from ..model import SECOND_NS, Address, GarpPolicy, Instance, UnicastPeer
from ..tree import Node
from ..words import Section
from . import lines, security
from .defaults import GARP_WORDS, Defaults, change_garp, extra_interface, nanoseconds
from .names import Names

GROUP4 = bytes((224, 0, 0, 18))  # RFC 9568 5.1.1.2
GROUP6 = b"\xff\x02" + bytes(13) + b"\x12"  # RFC 9568 5.1.2.2
OWNER = 255
MAX_ADVERTISED = 255
"""The count of addresses in an advert is one byte (RFC 9568 5.2.5)."""
TICK_NS = 10_000_000
"""Version 3 counts in hundredths of a second (RFC 9568 5.2.7)."""


class InstanceBuilder:
    """Builds one instance."""

    def __init__(
        self, node: Node, then: Defaults, final: Defaults, sections: Mapping[str, Section], names: Names
    ) -> None:
        self._node = node
        self._then = then
        """global_defs as it was where the instance began."""
        self._final = final
        self._sections = sections
        self._names = names
        self._last: Dict[str, Node] = {child.name: child for child in node.children}

    def _text(self, name: str, default: str = "") -> str:
        node = self._last.get(name)
        return str(node.args[0]) if node is not None and node.args else default

    def _flag(self, name: str) -> Optional[bool]:
        node = self._last.get(name)
        if node is None:
            return None
        return not node.args or node.args[0] in TRUE_WORDS

    def instance(self) -> Instance:
        """The instance with all defaults."""
        addresses, excluded = self._addresses()
        excluded.extend(addresses[MAX_ADVERTISED:])
        peers = tuple(
            lines.peer(line, self._sections["unicast_peer_lines"], self._sections)
            for line in self._node.lines("unicast_peer")
        )
        family = family_of(self._node)
        version = 3 if family == 6 else int(self._text("version") or self._final.text("vrrp_version", "2"))
        wished = self._text("state")
        priority = int(self._text("priority", "0")) or (OWNER if wished == "MASTER" else 100)
        strict = self._strict()
        if strict:
            wished = "MASTER" if priority == OWNER else "BACKUP"  # keepalived: they must match
        start_active = wished == "MASTER" or (not wished and priority == OWNER)
        preempt = self._preempt() or start_active or priority == OWNER
        source = pack(self._text("unicast_src_ip")) or pack(self._text("mcast_src_ip"))
        interface = self._text("interface")
        no_advert = self._flag("lower_prio_no_advert")
        send_advert = self._flag("higher_prio_send_advert")
        ignore = self._flag("owner_ignore_adverts")
        hmac = security.auth_hmac(self._last.get("auth_hmac"), strict)
        old = self._last.get("authentication")
        protection = security.password_words(old, version, strict, hmac is not None)
        header = bool(protection.get("auth_header"))
        if header and priority != OWNER:
            start_active = False  # it must hear the sequence number of the others first, as in keepalived
        buffer_bytes, buffer_mtus = security.receive_buffer(
            self._text("kernel_rx_buf_size"),
            self._final,
            family,
            version,
            min(len(addresses), MAX_ADVERTISED),
            security.protection_bytes(header, hmac),
        )
        return Instance(
            name=str(self._node.args[0]),
            interface=interface,
            vrid=int(self._text("virtual_router_id")),
            family=family,
            version=version,
            priority=priority,
            advert_int_ns=advert_interval_ns(self._text("advert_int", "1"), version),
            start_active=start_active,
            preempt=preempt,
            preempt_delay_ns=nanoseconds(self._text("preempt_delay", "0"))
            if preempt and not start_active
            else 0,
            down_timer_adverts=int(
                self._text("down_timer_adverts") or self._then.text("vrrp_down_timer_adverts", "3")
            ),
            addresses=tuple(addresses[:MAX_ADVERTISED]),
            excluded_addresses=tuple(excluded),
            unicast_source=source if peers else None,
            unicast_peers=peers,
            unicast_ttl=int(self._text("unicast_ttl", "255")),
            check_unicast_src=self._check_source(peers),
            multicast_source=None if peers else source,
            multicast_group=self._group(family),
            track_primary="dont_track_primary" not in self._last,
            track_source="track_src_ip" in self._last and source is not None,
            **protection,
            auth_hmac=hmac,
            garp=self._garp(),
            checksum_as_v2=self._checksum_as_v2(),
            skip_check_adv_addr="skip_check_adv_addr" in self._last
            or self._then.flag("vrrp_skip_check_adv_addr"),
            lower_prio_no_advert=self._final.flag("vrrp_lower_prio_no_advert")
            if no_advert is None
            else no_advert,
            higher_prio_send_advert=(
                self._final.flag("vrrp_higher_prio_send_advert") if send_advert is None else send_advert
            ),
            owner_ignore_adverts=priority == OWNER
            and (self._final.flag("vrrp_owner_ignore_adverts") if ignore is None else ignore),
            strict=strict,
            timer_expired_backup=self._timer_expired_backup(preempt),
            unicast_fault_no_peer=self._peerless(peers),
            old_unicast_checksum=self._old_checksum(),
            receive_buffer_bytes=buffer_bytes,
            receive_buffer_mtus=buffer_mtus,
        )

    def _addresses(self) -> Tuple[List[Address], List[Address]]:
        """virtual_ipaddress and virtual_ipaddress_excluded; of two that are the same the first one counts."""
        section = self._sections["address_lines"]
        interface = self._text("interface")
        seen: Set[Tuple[bytes, str]] = set()
        found: List[List[Address]] = []
        for block in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
            some: List[Address] = []
            for line in self._node.lines(block):
                one = lines.address(line, section, self._sections, self._names)
                advertised = block == "virtual_ipaddress"  # an advert names it once, wherever it lives
                place = (one.packed, "" if advertised else one.device or interface)
                if place not in seen:
                    some.append(one)
                seen.update((place, (one.packed, one.device or interface)))
            found.append(some)
        return found[0], found[1]

    def _preempt(self) -> bool:
        """The later one of preempt and nopreempt counts."""
        preempt = True
        for child in self._node.children:
            if child.name in ("preempt", "nopreempt"):
                preempt = child.name == "preempt"
        return preempt

    def _strict(self) -> bool:
        """strict_mode of the instance, or else vrrp_strict."""
        own = self._flag("strict_mode")
        return self._final.flag("vrrp_strict") if own is None else own

    def _timer_expired_backup(self, preempt: bool) -> int:
        """The highest priority of the peers; 254 is the one that waits for the shortest time."""
        if preempt or "timer_expired_backup" not in self._last:
            return 0
        return int(self._text("timer_expired_backup", "254"))

    def _check_source(self, peers: Tuple[UnicastPeer, ...]) -> bool:
        """A TTL limit on a peer makes sense only if others are refused, so it turns the check on."""
        return (
            "check_unicast_src" in self._last
            or "vrrp_check_unicast_src" in self._final.words
            or any(peer.min_ttl is not None or peer.max_ttl is not None for peer in peers)
        )

    def _group(self, family: int) -> bytes:
        own = pack(self._text("mcast_dst_ip"))
        if own is not None:
            return own
        if family == 4:
            return pack(self._final.text("vrrp_mcast_group4")) or GROUP4
        return pack(self._final.text("vrrp_mcast_group6")) or GROUP6

    def _checksum_as_v2(self) -> bool:
        own = self._flag("v3_checksum_as_v2")
        # the global word is true whatever its argument says, as in keepalived
        return own if own is not None else "v3_checksum_as_v2" in self._then.words

    def _peerless(self, peers: Tuple[UnicastPeer, ...]) -> bool:
        """unicast_fault_no_peer, where the list of peers is empty."""
        return "unicast_fault_no_peer" in self._last and not peers

    def _old_checksum(self) -> str:
        node = self._last.get("old_unicast_checksum")
        if node is None:
            return ""
        return "never" if node.args else "always"

    def _garp(self) -> GarpPolicy:
        """lower_prio values that nobody set follow the global master words, not the instance's own."""
        garp = self._then.garp
        last = self._final.garp
        words = self._final.words
        garp = replace(
            garp,
            lower_prio_delay_ns=(
                last.lower_prio_delay_ns if "vrrp_garp_lower_prio_delay" in words else last.master_delay_ns
            ),
            lower_prio_repeat=last.lower_prio_repeat
            if "vrrp_garp_lower_prio_repeat" in words
            else last.master_repeat,
            extra_interval_ns=last.extra_interval_ns,
            extra_all=last.extra_all,
            arp_interval_ns=last.arp_interval_ns,
            na_interval_ns=last.na_interval_ns,
        )
        for name, change in GARP_WORDS.items():
            text = self._text(name)
            if text:
                garp = change_garp(garp, change, text)
        extra = self._last.get("garp_extra_if")
        if extra is None:
            return garp
        return extra_interface(replace(garp, extra_all=False), [str(word) for word in extra.args])


def family_of(node: Node) -> int:
    """4 or 6: the first virtual address decides; without one, the first peer or source address."""
    for words in (
        [[line.args[0]] for line in node.lines("virtual_ipaddress") if line.args]
        + [[line.args[0]] for line in node.lines("unicast_peer") if line.args]
        + [
            list(child.args[:1])
            for child in node.children
            if child.name in ("unicast_src_ip", "mcast_src_ip")
        ]
    ):
        if words:
            return 6 if ":" in words[0] else 4
    return 4


def advert_interval_ns(text: str, version: int) -> int:
    """The interval that goes on the wire: whole seconds in version 2, hundredths in version 3, half up."""
    interval = nanoseconds(text)
    step, most = (SECOND_NS, 255) if version == 2 else (TICK_NS, 4095)
    return min(max((interval + step // 2) // step, 1), most) * step
