# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of addresses, peers and tracked interfaces as values."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Tuple

from ..match.addresses import pack, pack_prefix
from ..match.fit import Fit, Option, fit_line
from ..model import Address, UnicastPeer
from ..tree import Node
from ..words import Section
from .names import SCOPE, Names

FOREVER = "forever"


def address(
    node: Node, section: Section, sections: Mapping[str, Section], names: Names, device: Optional[str] = None
) -> Address:
    """One address line. ``device`` is the interface of a line that names none."""
    fit = fit_line(section, node.args, sections)
    packed, prefix = _prefix(fit)
    peer, peer_prefix = _peer(fit)
    if peer is not None and prefix is None:
        prefix = peer_prefix
    full = 8 * len(packed)
    length = full if prefix is None else prefix
    ipv4 = len(packed) == 4
    dev = fit.option("dev")
    label, group = fit.option("label"), fit.option("track_group")
    return Address(
        packed=packed,
        prefix_length=length,
        device=str(dev.fit.values["IFNAME"][0]) if dev is not None else device,
        label=str(label.fit.values["LABEL"][0]) if label is not None and ipv4 else None,
        scope=_scope(fit, names) if ipv4 else 0,
        broadcast=_broadcast(fit, packed, length) if ipv4 and peer is None else None,
        peer=peer,
        peer_prefix_length=peer_prefix,
        preferred_lft_s=_preferred(fit, ipv4, length),
        home=fit.flag("home"),
        nodad=fit.flag("-nodad"),
        mngtmpaddr=fit.flag("mngtmpaddr"),
        noprefixroute=fit.flag("noprefixroute"),
        autojoin=fit.flag("autojoin"),
        no_track=fit.flag("no_track"),
        track_group=_word(group) if group is not None and not fit.flag("no_track") else None,
        use_vmac=fit.flag("use_vmac"),
    )


def _word(option: Option) -> str:
    return str(next(iter(option.fit.values.values()))[0])


def _prefix(fit: Fit) -> Tuple[bytes, Optional[int]]:
    word = next(iter(fit.values.values()))[0]
    parsed = pack_prefix(word)
    if parsed is None:
        raise ValueError(f"{word!r} is not an address: build needs a checked tree")
    return parsed


def _peer(fit: Fit) -> Tuple[Optional[bytes], Optional[int]]:
    option = fit.option("peer")
    if option is None:
        return None, None
    packed, prefix = _prefix(option.fit)
    return packed, 8 * len(packed) if prefix is None else prefix


def _scope(fit: Fit, names: Names) -> int:
    option = fit.option("scope")
    if option is None:
        return 0
    return names.number(SCOPE, option.fit.values["SCOPE"][0]) or 0


def _broadcast(fit: Fit, packed: bytes, prefix_length: int) -> Optional[bytes]:
    """``brd +`` sets all host bits, ``brd -`` clears them; neither means anything for a prefix above 30."""
    option = fit.option("brd")
    if option is None:
        return None
    word = next(iter(option.fit.values.values()))[0]
    if word not in ("+", "-"):
        return pack(word)
    if prefix_length > 30:
        return None
    host_bits = (1 << (32 - prefix_length)) - 1
    number = int.from_bytes(packed, "big")
    number = number | host_bits if word == "+" else number & ~host_bits
    return number.to_bytes(4, "big")


def _preferred(fit: Fit, ipv4: bool, prefix_length: int) -> Optional[int]:
    """An IPv6 /128 is deprecated unless told otherwise, so that nobody picks it as a source (RFC 6724 5)."""
    option = fit.option("preferred_lft")
    if option is None:
        return 0 if not ipv4 and prefix_length == 128 else None
    word = option.fit.values["SECS"][0]
    return None if word == FOREVER else int(word)


def peer(node: Node, section: Section, sections: Mapping[str, Section]) -> UnicastPeer:
    """One line of unicast_peer."""
    fit = fit_line(section, node.args, sections)
    packed = pack(fit.values["ADDRESS"][0])
    if packed is None:
        raise ValueError(f"{fit.values['ADDRESS'][0]!r} is not an address: build needs a checked tree")
    ttl: Dict[str, Optional[int]] = {}
    for name in ("min_ttl", "max_ttl"):
        option = fit.option(name)
        ttl[name] = int(option.fit.values["TTL"][0]) if option is not None else None
    return UnicastPeer(packed, **ttl)
