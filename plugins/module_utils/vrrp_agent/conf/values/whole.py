# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a checked tree to values: every default is applied here, as keepalived applies it."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Mapping, Tuple

from ..model import Address, Config, GlobalSettings
from ..tree import Node
from ..words import Section
from . import balancing, lines, links, routing, security, strict, tracking
from .defaults import Defaults, nanoseconds
from .groups import garp_groups, sync_groups
from .instance import InstanceBuilder
from .names import Names
from .settings import name_directories, operations, outside_words
from .snmp import snmp
from .telling import Notifies, telling


def build(tree: Node, sections: Mapping[str, Section], names: Names, ignored: Tuple[str, ...] = ()) -> Config:
    """The values that a tree without errors stands for."""
    names.look_in(*name_directories(tree))
    defaults = Defaults()
    begun: List[Tuple[Node, Defaults]] = []
    addresses: List[Address] = []
    for node in tree.children:
        if node.name == "global_defs":
            for child in node.children:
                defaults.read(child)
        elif node.name == "vrrp_instance":
            begun.append((node, Defaults(dict(defaults.words), defaults.garp)))
        elif node.name == "static_ipaddress":
            device = defaults.text("default_interface", "eth0")
            section = sections["static_address_lines"]
            addresses.extend(lines.address(line, section, sections, names, device) for line in node.children)
    notifies = Notifies(tree, defaults)
    config = Config(
        settings=_settings(defaults, tree),
        instances=tuple(
            replace(
                InstanceBuilder(node, then, defaults, sections, names).instance(),
                notify=notifies.of_instance(node),
            )
            for node, then in begun
        ),
        static_addresses=tuple(addresses),
        groups=sync_groups(tree, notifies),
        garp_groups=garp_groups(tree),
        keywords_ignored=ignored,
    )
    config = links.fill(config, tree, sections, defaults, names)
    config = tracking.fill(config, tree, sections, defaults)
    config = balancing.fill(config, tree, sections, defaults)
    return strict.fill(routing.fill(config, tree, sections, defaults, names), tree)


def _settings(defaults: Defaults, tree: Node) -> GlobalSettings:
    return GlobalSettings(
        router_id=defaults.text("router_id"),
        startup_delay_ns=nanoseconds(defaults.text("vrrp_startup_delay", "0")),
        delay_after_boot_ns=nanoseconds(defaults.text("vrrp_delay_after_boot", "0")),
        dynamic_interfaces="dynamic_interfaces" in defaults.words,
        log_unknown_vrids="log_unknown_vrids" in defaults.words,
        process_priority=defaults.number("vrrp_priority"),
        realtime_priority=defaults.number("vrrp_rt_priority"),
        no_swap="vrrp_no_swap" in defaults.words,
        cpu_affinity=tuple(int(word) for word in defaults.words.get("vrrp_cpu_affinity", ())),
        **security.netlink_buffers(defaults),
        operations=operations(defaults, outside_words(tree)),
        telling=telling(tree, defaults),
        snmp=snmp(tree, defaults),
    )
