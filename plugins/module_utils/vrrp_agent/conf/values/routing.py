# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes and rules, who watches the static ones, and what becomes of things that others remove."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Optional, Set, Tuple

from ..match.judge import TRUE_WORDS
from ..model import Config, Instance, Route, Rule, Tracked
from ..tree import Node
from ..words import Section
from . import routes, rules
from .defaults import Defaults
from .names import Names


def fill(
    config: Config, tree: Node, sections: Mapping[str, Section], defaults: Defaults, names: Names
) -> Config:
    """``config`` with all that concerns routing, in the order of the file."""
    preferences = rules.Preferences()
    static_routes: List[Route] = []
    static_rules: List[Rule] = []
    groups: List[Tuple[str, Tuple[str, ...]]] = []
    instances: List[Instance] = []
    remaining = iter(config.instances)
    for node in tree.children:
        if node.name == "static_routes":
            section = sections["static_route_lines"]
            static_routes.extend(routes.route(line, section, sections, names) for line in node.children)
        elif node.name == "static_rules":
            section = sections["static_rule_lines"]
            static_rules.extend(
                rules.rule(line, section, sections, names, preferences) for line in node.children
            )
        elif node.name == "track_group":
            groups.append((str(node.args[0]), _members(node)))
        elif node.name == "vrrp_instance":
            for instance in remaining:
                instances.append(_instance(instance, node, sections, defaults, names, preferences))
                break
    filled = replace(
        config,
        instances=tuple(instances),
        static_routes=tuple(static_routes),
        static_rules=tuple(static_rules),
        track_groups=tuple(groups),
    )
    return _watch_statics(filled)


def _members(node: Node) -> Tuple[str, ...]:
    return tuple(dict.fromkeys(str(word) for line in node.lines("group") for word in line.args))


def _instance(
    instance: Instance,
    node: Node,
    sections: Mapping[str, Section],
    defaults: Defaults,
    names: Names,
    preferences: rules.Preferences,
) -> Instance:
    of_routes, of_rules = sections["route_lines"], sections["rule_lines"]
    restore: Optional[bool] = None
    promote = False
    for child in node.children:
        if child.name == "agent_restore":
            restore = not child.args or child.args[0] in TRUE_WORDS
        elif child.name == "promote_secondaries":
            promote = True
    return replace(
        instance,
        routes=tuple(routes.route(line, of_routes, sections, names) for line in node.lines("virtual_routes")),
        rules=tuple(
            rules.rule(line, of_rules, sections, names, preferences) for line in node.lines("virtual_rules")
        ),
        restore=defaults.flag("agent_restore") if restore is None else restore,
        # a virtual link has the flag anyway
        promote_secondaries=promote and instance.virtual_link is None,
    )


def _watch_statics(config: Config) -> Config:
    """The instances of a track_group track the interfaces of its static items, as in keepalived."""
    devices: Dict[str, List[str]] = {}
    for name, members in config.track_groups:
        tagged: List[str] = [one.device or "" for one in config.static_addresses if one.track_group == name]
        for route in config.static_routes:
            if route.track_group == name and len(route.next_hops) == 1:
                tagged.append(route.next_hops[0].device or "")
        tagged += [rule.input_interface for rule in config.static_rules if rule.track_group == name]
        for member in members:
            devices.setdefault(member, []).extend(filter(None, tagged))
    instances: List[Instance] = []
    for instance in config.instances:
        known: Set[str] = {tracked.name for tracked in instance.track_interfaces if not tracked.weight}
        known.add(instance.interface)
        more = [name for name in dict.fromkeys(devices.get(instance.name, ())) if name not in known]
        if more:
            tracked = instance.track_interfaces + tuple(Tracked(name) for name in more)
            instance = replace(instance, track_interfaces=tracked)
        instances.append(instance)
    return replace(config, instances=tuple(instances))
