# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of what a file says about the agent as a process."""

from __future__ import annotations

from typing import Dict, Iterator

from ...wire.address import is_multicast
from ..match.addresses import pack
from ..problem import ERROR, WARNING, Problem
from ..tree import Node
from ..values.defaults import nanoseconds
from ..values.settings import mask

_FOLLOWERS = {
    "startup_script_timeout": "startup_script",
    "shutdown_script_timeout": "shutdown_script",
    "min_auto_priority_delay": "max_auto_priority",
    "reload_repeat": "reload_time_file",
}
"""Words that mean nothing without another one."""
_PAUSES = ("vrrp_garp_interval", "vrrp_gna_interval")
"""keepalived says that 0 is out of range here, and has no pause then. Its own first file has both."""
_GROUPS = {"vrrp_mcast_group4": "224.0.0.18", "vrrp_mcast_group6": "ff02::12"}
_NAMES = ("net_namespace", "net_namespace_ipvs", "instance")
"""Words whose argument becomes part of a path."""


def check_settings(tree: Node) -> Iterator[Problem]:
    """All findings about the process, its names, scripts and files."""
    given: Dict[str, Node] = {}
    for block in tree.children:
        if block.name in _NAMES and block.args:
            yield from _plain_name(block)
        if block.name == "global_defs":
            yield from _pauses(block)
            yield from _groups(block)
            given.update((node.name, node) for node in block.children)
    for name, leader in _FOLLOWERS.items():
        if name in given and leader not in given:
            yield given[name].problem(
                WARNING, f"'{name}' has no effect without '{leader}'", f"write {leader} too, or take it out"
            )
    if "process_name" in given and "vrrp_process_name" in given:
        yield given["process_name"].problem(
            WARNING,
            "the agent is one process: vrrp_process_name names it, and process_name has no effect",
            "write one of the two",
        )
    if "umask" in given:
        yield from _mask(given["umask"])


def _groups(block: Node) -> Iterator[Problem]:
    """keepalived passes over such a group and takes the default one, where nobody else may be."""
    for node in block.children:
        if node.name not in _GROUPS or not node.args:
            continue
        packed = pack(str(node.args[0]))
        if packed is not None and not is_multicast(packed):
            message = f"{node.name} {node.args[0]} is not a multicast address"
            yield node.problem(ERROR, message, f"{_GROUPS[node.name]} is the group of VRRP", node.args[0])


def _pauses(block: Node) -> Iterator[Problem]:
    for node in block.children:
        if node.name in _PAUSES and node.args and _is_nothing(str(node.args[0])):
            yield node.problem(
                WARNING,
                f"{node.name}: 0 is no pause, which is the default",
                "leave the line out",
                node.args[0],
            )


def _is_nothing(text: str) -> bool:
    try:
        return nanoseconds(text) == 0
    except ValueError:
        return False  # no number: the table says so


def _plain_name(node: Node) -> Iterator[Problem]:
    name = node.args[0]
    if "/" in name or name in (".", ".."):
        yield node.problem(ERROR, f"{node.keyword}: '{name}' is no name", "write it without a path", name)


def _mask(node: Node) -> Iterator[Problem]:
    try:
        mask(" ".join(node.args))
    except ValueError as error:
        yield node.problem(
            ERROR, f"umask: {error}", "write an octal number such as 027, or names such as IWGRP|IRWXO"
        )
