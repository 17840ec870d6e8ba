# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of what is watched: scripts, files and processes, and what they can do to a priority."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from ..problem import ERROR, WARNING, Problem
from ..tree import Node, Word
from ..values.commands import BadCommand, arguments
from ..values.groups import WEIGHT_WORDS
from ..values.tracking import KINDS, OWNER, SOURCES

_FILE_WEIGHT = 1
_NAME_LENGTH = 15
_FILE_SENSE = 254
_HIGHEST, _LOWEST = 254, 1


class _Line(NamedTuple):
    """One line of an instance or a group."""

    node: Node
    kind: str
    name: str
    weight: int
    reverse: bool


def check_tracking(tree: Node) -> Iterator[Problem]:
    """All findings about definitions, and about the lines of instances and groups."""
    weights = _weights(tree)
    tracked: Set[Tuple[str, str]] = set()
    lines: Dict[str, List[_Line]] = {}
    for node in tree.children:
        if node.name in ("vrrp_instance", "vrrp_sync_group"):
            found = list(_lines(node, weights))
            lines[f"{node.name} {node.label}"] = found
            tracked.update((line.kind, line.name) for line in found)
            yield from _twice(found)
    tracked.update(_checked_files(tree))
    groups = {name: node for node in tree.all("vrrp_sync_group") for name in _members(node)}
    owners = {node.label for node in tree.all("vrrp_instance") if _is_owner(node)}
    for node in tree.all("vrrp_instance"):
        yield from _instance(node, groups.get(node.label), lines)
    for node in tree.all("vrrp_sync_group"):
        if owners & set(_members(node)):
            yield from _owned_group(lines[f"vrrp_sync_group {node.label}"])
    for kind, source in SOURCES.items():
        for node in tree.all(source):
            yield from _DEFINITIONS[source](node)
            if (kind, node.label) not in tracked:
                message = f"nobody tracks {node.keyword} {node.label}: it is not watched"
                yield node.problem(WARNING, message, f"name it in {kind} of an instance, or take it out")
    yield from _security(tree)


def _checked_files(tree: Node) -> Iterator[Tuple[str, str]]:
    """The files that FILE_CHECK of real servers follows."""
    for service in tree.all("virtual_server"):
        for server in service.all("real_server"):
            for check in server.all("FILE_CHECK"):
                yield from (("track_file", word) for line in check.all("track_file") for word in line.args)


# Definitions.


def _script(node: Node) -> Iterator[Problem]:
    command = node.last("script")
    if command is not None and command.args:
        try:
            arguments(command.args[0])
        except BadCommand as error:
            hint = "write the program and its arguments in double quotes"
            yield command.problem(ERROR, f"script: {error}", hint, command.args[0])
    for name in ("interval", "timeout"):
        line = node.last(name)
        if line is not None and line.args and _number(line.args[0]) == 0:
            yield line.problem(WARNING, f"{name} 0 counts as 1 s", f"write {name} 1", line.args[0])


def _file(node: Node) -> Iterator[Problem]:
    line = node.last("init_file")
    for word in line.args if line is not None else ():
        number = _number(word)
        if line is not None and number is not None and abs(number) > _FILE_SENSE:
            message = f"init_file {word}: no priority can change by so much"
            yield line.problem(WARNING, message, "write a number from -254 to 254", word)


def _process(node: Node) -> Iterator[Problem]:
    words = node.last("process")
    whole = len(words.args) > 1 if words is not None else False
    whole = whole or any(node.last(name) is not None for name in ("full_command", "param_match"))
    if words is not None and words.args and not whole and len(words.args[0]) > _NAME_LENGTH:
        message = f"'{words.args[0]}' is longer than the name of any process: it is never found"
        short = words.args[0][:_NAME_LENGTH]
        hint = f"the kernel keeps {_NAME_LENGTH} characters: write '{short}', or full_command"
        yield words.problem(WARNING, message, hint, words.args[0])
    most, least = node.last("quorum_max"), node.last("quorum")
    if most is None or least is None or not most.args or not least.args:
        return
    limit, needed = _number(most.args[0]), _number(least.args[0])
    if limit is not None and needed is not None and limit < needed:
        message = f"quorum_max {limit} is less than quorum {needed}: there are never enough processes"
        yield most.problem(ERROR, message, f"write quorum_max {needed} or more", most.args[0])


_DEFINITIONS = {"vrrp_script": _script, "track_file": _file, "vrrp_track_process": _process}


# The lines of instances and groups.


def _instance(node: Node, group: Optional[Node], lines: Mapping[str, List[_Line]]) -> Iterator[Problem]:
    own = lines[f"vrrp_instance {node.label}"]
    synced = group is not None and not any(group.last(word) for word in WEIGHT_WORDS)
    owner = _is_owner(node)
    counting = [line for line in own if line.weight]
    if synced or owner:
        why = "it is a member of a sync group" if synced else "it owns its addresses"
        for line in counting:
            if line.kind != "track_process":
                yield _ignored(node, line, why, synced)
        counting = [line for line in counting if line.kind == "track_process"] if not owner else []
    if group is not None:
        yield from _both(node, own, lines[f"vrrp_sync_group {group.label}"])
    if not owner:
        yield from _sums(node, counting)
    source = node.last("track_src_ip")
    if source is not None and node.last("unicast_src_ip") is None and node.last("mcast_src_ip") is None:
        message = "track_src_ip has no effect without a source address"
        yield source.problem(WARNING, message, "write unicast_src_ip or mcast_src_ip too, or take it out")


def _ignored(node: Node, line: _Line, why: str, synced: bool) -> Problem:
    what = f"{line.kind} {line.name}"
    keeps = (line.kind == "track_interface" and synced) or (
        line.kind == "track_file" and line.weight == _FILE_WEIGHT
    )
    text = "its weight does not count" if keeps else "it does not count at all"
    hint = "write weight 0, or sync_group_tracking_weight in the group" if synced else "write weight 0"
    return line.node.problem(
        WARNING, f"{node.label}: {what} has a weight, and {why}: {text}", f"{hint}, or take it out"
    )


def _owned_group(found: List[_Line]) -> Iterator[Problem]:
    for line in found:
        if line.weight:
            message = f"{line.kind} {line.name} has a weight, and a member of the group owns its addresses"
            yield line.node.problem(WARNING, f"{message}: it counts as weight 0", "write weight 0")


def _both(node: Node, own: List[_Line], shared: List[_Line]) -> Iterator[Problem]:
    theirs = {(line.kind, line.name) for line in shared}
    for line in own:
        if (line.kind, line.name) in theirs:
            message = f"{node.label}: its sync group tracks {line.name} too"
            hint = "take this line out; the group's weight counts, unless this one is 0"
            yield line.node.problem(WARNING, message, hint)


def _sums(node: Node, counting: List[_Line]) -> Iterator[Problem]:
    """Weights that lead out of 1..254 have less effect than they say."""
    line = node.last("priority")
    base = _number(line.args[0]) if line is not None and line.args else 100
    if base is None or not counting:
        return
    changes = [-one.weight if one.reverse else one.weight for one in counting if one.kind != "track_file"]
    most = base + sum(change for change in changes if change > 0)
    least = base + sum(change for change in changes if change < 0)
    place = line if line is not None else node
    if most > _HIGHEST:
        message = f"{node.label}: priority and weights add up to {most}, but {_HIGHEST} is the most"
        yield place.problem(WARNING, message, "lower them, or some weights will have no effect")
    if least < _LOWEST:
        message = f"{node.label}: priority and weights may add up to {least}, but {_LOWEST} is the least"
        yield place.problem(WARNING, message, "change them, or some weights will have no effect")


def _twice(found: List[_Line]) -> Iterator[Problem]:
    seen: Set[Tuple[str, str]] = set()
    for line in found:
        if (line.kind, line.name) in seen:
            message = f"{line.name} is tracked already: this line is ignored"
            yield line.node.problem(WARNING, message, "take one of them out")
        seen.add((line.kind, line.name))


def _security(tree: Node) -> Iterator[Problem]:
    words = {child.name for block in tree.all("global_defs") for child in block.children}
    script = tree.last("vrrp_script")
    if script is not None and "enable_script_security" not in words:
        yield script.problem(
            WARNING,
            "scripts are run without enable_script_security",
            "write it in global_defs: then no script runs as root that others than root can change",
        )


# Reading what may be wrong elsewhere.


def _lines(node: Node, weights: Mapping[Tuple[str, str], Tuple[int, bool]]) -> Iterator[_Line]:
    for kind in KINDS:
        for line in node.lines(kind):
            if not line.args:
                continue
            name = str(line.args[0])
            weight, reverse = weights.get((kind, name), (0, False))
            words = list(line.args[1:])
            if len(words) > 1 and words[0] == "weight":
                weight = _number(words[1]) or 0
                weight = weight if abs(weight) <= KINDS[kind] else 0  # an error of its own
                reverse = "reverse" in words[2:] or (reverse and "noreverse" not in words[2:])
            yield _Line(line, kind, name, weight, reverse)


def _weights(tree: Node) -> Dict[Tuple[str, str], Tuple[int, bool]]:
    found: Dict[Tuple[str, str], Tuple[int, bool]] = {}
    for kind, source in SOURCES.items():
        for node in tree.all(source):
            line = node.last("weight")
            weight = _FILE_WEIGHT if kind == "track_file" else 0
            if line is not None and line.args:
                weight = _number(line.args[0]) or 0
            found[(kind, node.label)] = (weight, line is not None and "reverse" in line.args)
    return found


def _members(group: Node) -> Iterator[str]:
    for line in group.lines("group"):
        yield from (str(word) for word in line.args)


def _is_owner(node: Node) -> bool:
    priority, state = node.last("priority"), node.last("state")
    if priority is not None and priority.args:
        return _number(priority.args[0]) == OWNER
    return state is not None and state.args[:1] == ("MASTER",)


def _number(word: Word) -> Optional[int]:
    """A whole number; None for anything else, which is another check's business."""
    try:
        return int(word)
    except ValueError:
        return None
