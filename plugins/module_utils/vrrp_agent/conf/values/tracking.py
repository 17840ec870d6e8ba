# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is watched, and by whom: definitions, and the lines of instances and sync groups."""

from __future__ import annotations

from dataclasses import replace
from typing import AbstractSet, Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..match.fit import fit_line
from ..model import (
    SECOND_NS,
    Account,
    Config,
    Instance,
    Linkbeat,
    LinkDelay,
    ProcessEvents,
    Script,
    ScriptPolicy,
    SyncGroup,
    Tracked,
    WatchedFile,
    WatchedProcess,
)
from ..tree import Node
from ..words import Section
from .commands import command
from .defaults import Defaults, nanoseconds
from .settings import umask_of

OWNER = 255
MAX_WEIGHT = 253
_FILE_WEIGHT = 1
"""The weight of a track_file that gives none."""
KINDS = {
    "track_interface": 253,
    "track_script": 253,
    "track_file": 254,
    "track_process": 254,
}
"""The blocks of an instance or a group, with the largest weight of each."""
SOURCES = {"track_script": "vrrp_script", "track_file": "track_file", "track_process": "vrrp_track_process"}
"""Where the things are defined that a block tracks."""


class Lists(NamedTuple):
    """What one instance or one group tracks."""

    interfaces: Tuple[Tracked, ...] = ()
    scripts: Tuple[Tracked, ...] = ()
    files: Tuple[Tracked, ...] = ()
    processes: Tuple[Tracked, ...] = ()


class Definitions(NamedTuple):
    """The blocks that define what can be tracked."""

    scripts: Tuple[Script, ...]
    files: Tuple[WatchedFile, ...]
    processes: Tuple[WatchedProcess, ...]


def policy(defaults: Defaults) -> ScriptPolicy:
    """How scripts are run: the words of global_defs."""
    words = (*defaults.words.get("script_user", ()), "", "")
    return ScriptPolicy(
        account=Account(words[0], words[1]),
        security="enable_script_security" in defaults.words,
        follow_links=not defaults.flag("use_symlink_paths"),
        supplementary_groups=defaults.flag("set_supplementary_groups"),
        umask=umask_of(defaults),
    )


def definitions(tree: Node) -> Definitions:
    """Every vrrp_script, track_file and vrrp_track_process of a checked tree."""
    return Definitions(
        tuple(_script(node) for node in tree.all("vrrp_script")),
        tuple(_file(node) for node in tree.all("track_file")),
        tuple(_process(node) for node in tree.all("vrrp_track_process")),
    )


def _text(node: Node, name: str, default: str = "") -> str:
    child = node.last(name)
    return str(child.args[0]) if child is not None and child.args else default


def _script(node: Node) -> Script:
    script, user = node.last("script"), node.last("user")
    if script is None:
        raise ValueError(f"{node.label} has no script: build needs a checked tree")
    account = user.args if user is not None else ()
    return Script(
        name=node.label,
        command=command((script.args[0], *account)),
        interval_ns=_milliseconds(_text(node, "interval", "1")),
        timeout_ns=_milliseconds(_text(node, "timeout")) if node.last("timeout") is not None else 0,
        rise=int(_text(node, "rise", "1")),
        fall=int(_text(node, "fall", "1")),
        init_fail=node.last("init_fail") is not None,
    )


def _milliseconds(text: str) -> int:
    """keepalived keeps whole milliseconds of these, and takes 0 for 1 s."""
    return nanoseconds(text) // 1_000_000 * 1_000_000 or SECOND_NS


def _file(node: Node) -> WatchedFile:
    begin = node.last("init_file")
    words = begin.args if begin is not None else ()
    numbers = [word for word in words if word != "overwrite"]
    return WatchedFile(
        name=node.label,
        path=_text(node, "file"),
        initial=None if begin is None else int(numbers[0]) if numbers else 0,
        overwrite="overwrite" in words,
    )


def _process(node: Node) -> WatchedProcess:
    words = node.last("process")
    if words is None:
        raise ValueError(f"{node.label} has no process: build needs a checked tree")
    parameters = tuple(str(word) for word in words.args[1:])
    most = node.last("quorum_max")
    limit = int(most.args[0]) if most is not None else None
    quorum = int(_text(node, "quorum", "1")) if limit != 0 else 0  # keepalived: none at all
    start_ns, end_ns = _delays(node)
    match = node.last("param_match")
    kind = "" if match is None and not parameters else "exact"
    if match is not None and match.args:
        kind = str(match.args[0])
    return WatchedProcess(
        name=node.label,
        process=str(words.args[0]),
        parameters=parameters,
        match=kind,
        quorum=quorum,
        quorum_max=limit,
        start_delay_ns=start_ns,
        end_delay_ns=end_ns,
        full_command=bool(parameters) or match is not None or node.last("full_command") is not None,
    )


def _delays(node: Node) -> Tuple[int, int]:
    start_ns = end_ns = 0
    for child in node.children:
        if child.name in ("delay", "fork_delay"):
            start_ns = nanoseconds(child.args[0])
        if child.name in ("delay", "terminate_delay"):
            end_ns = nanoseconds(child.args[0])
    return start_ns, end_ns


def link_delays(tree: Node, sections: Mapping[str, Section]) -> Tuple[LinkDelay, ...]:
    """The lines of interface_up_down_delays; the last one for an interface counts."""
    found: Dict[str, LinkDelay] = {}
    for line in tree.lines("interface_up_down_delays"):
        fit = fit_line(sections["up_down_delay_lines"], line.args, sections)
        name = str(fit.values["IFNAME"][0])
        up = fit.value("UP")
        found[name] = LinkDelay(
            name, nanoseconds(fit.values["DOWN"][0]), nanoseconds(up) if up is not None else 0
        )
    return tuple(found.values())


def linkbeats(
    tree: Node, sections: Mapping[str, Section], instances: Sequence[Instance]
) -> Tuple[Linkbeat, ...]:
    """Interfaces that are polled: the lines of linkbeat_interfaces, and those of linkbeat_use_polling."""
    found: Dict[str, Linkbeat] = {}
    everyone = tree.last("linkbeat_use_polling") is not None
    asking = {
        node.label for node in tree.all("vrrp_instance") if node.last("linkbeat_use_polling") is not None
    }
    for one in instances:
        if everyone or one.name in asking:
            found[one.interface] = Linkbeat(one.interface)
    for line in tree.lines("linkbeat_interfaces"):
        fit = fit_line(sections["linkbeat_lines"], line.args, sections)
        name = str(fit.values["IFNAME"][0])
        found[name] = Linkbeat(name, str(fit.value("METHOD") or ""))
    return tuple(found.values())


def limited(delays: Sequence[LinkDelay], instances: Sequence[Instance]) -> Tuple[LinkDelay, ...]:
    """Delays that leave an active router time to say that it is gone.

    keepalived: none with down_timer_adverts 1, and otherwise down is less than one interval short of what a
    backup waits; an equal delay up is cut with it.
    """
    found = {delay.interface: delay for delay in delays}
    for one in instances:
        delay = found.get(one.interface)
        if delay is None:
            continue
        most_ns = (one.down_timer_adverts - 1) * one.advert_int_ns - one.advert_int_ns // 256
        if one.down_timer_adverts == 1:
            found[one.interface] = replace(delay, down_ns=0, up_ns=0)
        elif delay.down_ns > most_ns:
            up_ns = most_ns if delay.up_ns == delay.down_ns else delay.up_ns
            found[one.interface] = replace(delay, down_ns=most_ns, up_ns=up_ns)
    return tuple(found.values())


# The lines of instances and groups.


def weights_of(tree: Node) -> Dict[Tuple[str, str], Tuple[int, bool]]:
    """The weight that each definition gives, by kind of block that tracks it, and name."""
    found: Dict[Tuple[str, str], Tuple[int, bool]] = {}
    for kind, source in SOURCES.items():
        usual = _FILE_WEIGHT if kind == "track_file" else 0
        for node in tree.all(source):
            line = node.last("weight")
            weight = int(line.args[0]) if line is not None else usual
            found[(kind, node.label)] = (weight, line is not None and "reverse" in line.args[1:])
    return found


def tracked(
    node: Node,
    kind: str,
    sections: Mapping[str, Section],
    weights: Mapping[Tuple[str, str], Tuple[int, bool]],
) -> Tuple[Tracked, ...]:
    """The lines of one kind of an instance or a group; of two lines for one thing the first counts."""
    limit = KINDS[kind]
    section = sections[f"{kind}_lines"]
    found: Dict[str, Tracked] = {}
    for line in node.lines(kind):
        fit = fit_line(section, line.args, sections)
        name = str(next(iter(fit.values.values()))[0])
        weight, reverse = weights.get((kind, name), (0, False))
        option = fit.option("weight")
        if option is not None:
            weight = int(option.fit.values["WEIGHT"][0])
            sense = option.fit.value("SENSE")
            reverse = reverse if sense is None else sense == "reverse"
        found.setdefault(name, Tracked(name, max(-limit, min(limit, weight)), reverse))
    return tuple(found.values())


def lists(
    node: Node, sections: Mapping[str, Section], weights: Mapping[Tuple[str, str], Tuple[int, bool]]
) -> Lists:
    """All that an instance or a group tracks, as its lines say it."""
    return Lists(*(tracked(node, kind, sections, weights) for kind in KINDS))


# What counts in the end.


def fill(config: Config, tree: Node, sections: Mapping[str, Section], defaults: Defaults) -> Config:
    """``config`` with everything that is watched, for its instances and its groups."""
    weights = weights_of(tree)
    own = {node.label: lists(node, sections, weights) for node in tree.all("vrrp_instance")}
    shared = {node.label: lists(node, sections, weights) for node in tree.all("vrrp_sync_group")}
    groups = tuple(
        replace(group, **_fields(shared[group.name])) if group.name in shared else group
        for group in config.groups
    )
    found = definitions(tree)
    return replace(
        config,
        settings=replace(config.settings, scripts=policy(defaults)),
        instances=settle([replace(one, **_fields(own[one.name])) for one in config.instances], groups),
        groups=groups,
        scripts=found.scripts,
        files=found.files,
        processes=found.processes,
        link_delays=limited(link_delays(tree, sections), config.instances),
        linkbeats=linkbeats(tree, sections, config.instances),
        process_events=ProcessEvents(
            defaults.number("process_monitor_rcv_bufs") or 0,
            defaults.flag("process_monitor_rcv_bufs_force"),
        ),
    )


def _fields(tracks: Lists) -> Dict[str, Any]:
    return {
        "track_interfaces": tracks.interfaces,
        "track_scripts": tracks.scripts,
        "track_files": tracks.files,
        "track_processes": tracks.processes,
    }


def settle(instances: Sequence[Instance], groups: Sequence[SyncGroup]) -> Tuple[Instance, ...]:
    """Instances with the trackers that hold for them: their own, and those of their sync group.

    keepalived: in a group without sync_group_tracking_weight, and for an address owner, weights of the
    instance's own trackers do not count; what has a weight is dropped, an interface of a group counts
    without it, and so does a file with the usual weight.
    """
    of = {name: group for group in groups for name in group.members}
    owned = {
        group.name
        for group in groups
        if any(one.priority == OWNER for one in instances if one.name in group.members)
    }
    return tuple(_settled(one, of.get(one.name), owned) for one in instances)


def _settled(one: Instance, group: Optional[SyncGroup], owned: AbstractSet[str]) -> Instance:
    synced = group is not None and not group.tracking_weight
    mine = Lists(one.track_interfaces, one.track_scripts, one.track_files, one.track_processes)
    if synced or one.priority == OWNER:
        mine = mine._replace(
            interfaces=tuple(
                replace(item, weight=0) for item in mine.interfaces if not item.weight or synced
            ),
            scripts=tuple(item for item in mine.scripts if not item.weight),
            files=tuple(replace(item, weight=0) for item in mine.files if item.weight in (0, _FILE_WEIGHT)),
        )
    if group is not None:
        theirs = Lists(group.track_interfaces, group.track_scripts, group.track_files, group.track_processes)
        unweighted = group.name in owned
        mine = Lists(*(_joined(own, shared, group.name, unweighted) for own, shared in zip(mine, theirs)))
    interfaces = tuple(item for item in mine.interfaces if item.name != one.interface)
    return replace(one, **_fields(mine._replace(interfaces=interfaces)))


def _joined(
    own: Tuple[Tracked, ...], shared: Tuple[Tracked, ...], group: str, unweighted: bool
) -> Tuple[Tracked, ...]:
    """keepalived: the group's weight replaces the instance's, unless that one is 0."""
    found: Dict[str, Tracked] = {item.name: item for item in own}
    for item in shared:
        item = replace(item, weight=0) if unweighted else item
        before = found.get(item.name)
        if before is None:
            found[item.name] = replace(item, group=group)
        elif before.weight:
            found[item.name] = replace(before, weight=item.weight, reverse=item.reverse)
    return tuple(found.values())
