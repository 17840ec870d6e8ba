# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""use_vmac, use_ipvlan, accept and the words of nftables as values."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Mapping, Optional, Tuple

from ...wire.ethernet import virtual_mac
from ..match.addresses import pack_prefix
from ..match.fit import Fit, fit_keyword
from ..model import Address, Config, Firewall, Instance, VirtualLink
from ..parts.link_names import name_links
from ..parts.links import IPVLAN, MACVLAN
from ..tree import Node
from ..words import Section
from .defaults import Defaults
from .names import GROUP, Names

DEFAULT_PREFIX = "vrrp"
_OWNER = 255


def accepts(node: Node, priority: int, strict: bool, version: int) -> bool:
    """The later one of accept and no_accept; without them only strict mode refuses.

    The owner always accepts (RFC 9568 6.1). keepalived takes accept back from a strict router of version 2:
    RFC 3768 has no such mode.
    """
    if priority == _OWNER:
        return True
    words = [child.name for child in node.children if child.name in ("accept", "no_accept")]
    if not words:
        return not strict
    return words[-1] == "accept" and not (strict and version == 2)


def firewall(defaults: Defaults) -> Firewall:
    """The words of global_defs about nftables."""
    priority = defaults.number("nftables_priority")
    return Firewall(
        table=defaults.text("nftables", Firewall.table),
        priority=Firewall.priority if priority is None else priority,
        by_index="nftables_ifindex" in defaults.words,
        counters="nftables_counters" in defaults.words,
        local_igmp="disable_local_igmp" not in defaults.words,
    )


def fill(
    config: Config, tree: Node, sections: Mapping[str, Section], final: Defaults, names: Names
) -> Config:
    """``config`` with everything that this module is about."""
    nodes = [node for node in tree.children if node.name == "vrrp_instance"]
    instances = [
        with_links(instance, node, final, sections, names) for instance, node in zip(config.instances, nodes)
    ]
    settings = replace(config.settings, firewall=firewall(final))
    return replace(config, settings=settings, instances=name_links(instances))


def with_links(
    instance: Instance, node: Node, final: Defaults, sections: Mapping[str, Section], names: Names
) -> Instance:
    """The instance with its virtual links and its accept mode. ``name_links`` gives the links their names."""
    prefix = final.text("vmac_prefix", DEFAULT_PREFIX)
    instance = replace(
        instance,
        accept=accepts(node, instance.priority, instance.strict, instance.version),
        virtual_link=_own_link(instance, node, prefix, sections, names),
    )
    if instance.virtual_link is not None and instance.virtual_link.address is not None:
        instance = _from_the_link(instance, instance.virtual_link.address)
    each = node.last("use_vmac_addr") is not None
    addresses = [_placed(instance, address, each) for address in instance.addresses]
    excluded = [_placed(instance, address, each) for address in instance.excluded_addresses]
    own = instance.virtual_link
    links: Dict[Tuple[str, int], VirtualLink] = {}
    for address in addresses + excluded:
        if address.use_vmac:
            base = address.device or instance.interface
            link = VirtualLink(
                name="",
                prefix=final.text("vmac_addr_prefix", prefix),
                base=base,
                family=address.family,
                vrid=instance.vrid,
                mac=_mac_for(own, instance.vrid, address.family),
            )
            links.setdefault((base, address.family), link)
    return replace(
        instance,
        addresses=tuple(addresses),
        excluded_addresses=tuple(excluded),
        address_links=tuple(links.values()),
    )


def _from_the_link(instance: Instance, source: bytes) -> Instance:
    """use_ipvlan with an address: adverts come from it, unless a source is named."""
    if instance.unicast:
        return replace(instance, unicast_source=instance.unicast_source or source)
    return replace(instance, multicast_source=instance.multicast_source or source)


def _placed(instance: Instance, address: Address, each: bool) -> Address:
    """``use_vmac`` where the address is to have a link of its own.

    keepalived: addresses of the instance's family on its interface go to its virtual link; every other one
    that says use_vmac, and with use_vmac_addr every other one, gets a virtual MAC on its own interface.
    """
    own = instance.virtual_link
    on_interface = address.device in (None, instance.interface)
    same_family = address.family == instance.family
    if own is not None and on_interface and same_family:
        return replace(address, use_vmac=False)
    elsewhere = not on_interface or not same_family
    return replace(address, use_vmac=address.use_vmac or (each and elsewhere))


def _own_link(
    instance: Instance, node: Node, prefix: str, sections: Mapping[str, Section], names: Names
) -> Optional[VirtualLink]:
    kind, fit = _link_words(node, sections)
    if fit is None:
        return None
    other_family = any(one.family != instance.family for one in instance.excluded_addresses)
    name = fit.value("IFNAME")
    group = fit.option("group")
    link = VirtualLink(
        name=str(name or ""),
        prefix="" if name else prefix,
        base=instance.interface,
        family=instance.family,
        vrid=instance.vrid,
        kind=kind,
        group=names.number(GROUP, str(group.fit.values["ID"][0])) if group is not None else None,
        report_to_base=fit.flag("netlink_notify_msg"),
        # unicast adverts are answered to, so they need an address of the base interface (keepalived too)
        transmit_on_base=instance.unicast
        or (node.last("vmac_xmit_base") is not None and kind == MACVLAN and not instance.strict),
        both_families=other_family,
    )
    if kind == MACVLAN:
        given = fit.value("MAC")
        mac = mac_of(given, instance.vrid) if given and not instance.strict else None
        return replace(link, mac=mac or virtual_mac(instance.vrid, 4 if instance.family == 4 else 16))
    parsed = pack_prefix(fit.value("ADDRESS[/PREFIX]") or "")
    packed, length = parsed if parsed is not None else (None, None)
    full = 32 if instance.family == 4 else 128
    return replace(
        link,
        mode=str(fit.value("MODE") or "bridge"),
        address=packed,
        address_prefix_length=full if length is None else length,
    )


def _link_words(node: Node, sections: Mapping[str, Section]) -> Tuple[str, Optional[Fit]]:
    index = sections["vrrp_instance"].index
    for name, kind in (("use_vmac", MACVLAN), ("use_ipvlan", IPVLAN)):
        child = node.last(name)
        if child is not None:
            return kind, fit_keyword(index[name], child.args, sections)
    return MACVLAN, None


def mac_of(text: str, vrid: int) -> Optional[bytes]:
    """Six octets, or five and the VRID; None when it is neither, or a group address."""
    octets = [int(part, 16) for part in text.split(":")]
    if len(octets) == 5:
        octets.append(vrid)
    mac = bytes(octets) if len(octets) == 6 else b"\x01"
    return None if mac[0] & 1 else mac


def _mac_for(own: Optional[VirtualLink], vrid: int, family: int) -> bytes:
    """The MAC of the line serves the links of addresses as well (keepalived)."""
    if own is not None and own.kind == MACVLAN and own.mac != virtual_mac(vrid, 4 if own.family == 4 else 16):
        return own.mac
    return virtual_mac(vrid, 4 if family == 4 else 16)
