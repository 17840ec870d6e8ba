# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""KEEPALIVED-MIB: what is tracked, and by whom. Pure."""

from __future__ import annotations

from typing import Callable, Iterable, List, Tuple, Union

from ..conf.model import Script, Tracked, WatchedFile, WatchedProcess
from .keepalived_names import VRRP, nested, numbered
from .picture import Picture
from .tree import Column, Table
from .values import Value, gauge, integer, text, truth

_SECOND_NS, _MICROSECOND_NS = 1_000_000_000, 1000
Named = Union[Script, WatchedFile, WatchedProcess]
_MATCHES = ("", "exact", "partial", "initial")
"""vrrpProcessParamMatch."""


def tables(picture: Picture) -> List[Table]:
    """The tables of trackers, and of those who use them."""
    config = picture.config
    instances = [pair.instance for pair in picture.pairs]
    return [
        _users(4, [one.track_interfaces for one in instances], first_column=1),
        _users(5, [one.track_scripts for one in instances]),
        _users(12, [one.track_files for one in instances]),
        _users(20, [one.track_processes for one in instances]),
        _users(14, [one.track_interfaces for one in config.groups], first_column=1),
        _users(15, [one.track_scripts for one in config.groups]),
        _users(16, [one.track_files for one in config.groups]),
        _users(22, [one.track_processes for one in config.groups]),
        Table((*VRRP, 9, 1), _scripts(picture), numbered(config.scripts)),
        Table((*VRRP, 13, 1), _files(picture), numbered(config.files)),
        Table((*VRRP, 21, 1), _processes(picture), numbered(config.processes)),
    ]


def _users(number: int, rows: Iterable[Iterable[Tracked]], first_column: int = 2) -> Table:
    columns = [
        Column(first_column, lambda tracked: text(tracked.name)),
        Column(first_column + 1, lambda tracked: integer(tracked.weight)),
        Column(first_column + 2, lambda tracked: truth(tracked.reverse)),
    ]
    return Table((*VRRP, number, 1), columns, nested(rows))


def _scripts(picture: Picture) -> List[Column]:
    results = picture.taken.scripts

    def result(script: Script) -> Value:
        return integer(results.get(script.name, 1))

    def command(script: Script) -> Value:
        return text(" ".join([f"'{word}'" for word in script.command.argv]))

    return [
        Column(2, lambda script: text(script.name)),
        Column(3, command),
        Column(4, lambda script: integer(script.interval_ns // _SECOND_NS)),
        *_own_weight(picture, "track_script", 5, 9),
        Column(6, result),
        Column(7, lambda script: gauge(script.rise)),
        Column(8, lambda script: gauge(script.fall)),
        Column(10, lambda script: text(script.command.argv[0])),
        Column(11, lambda script: gauge(script.interval_ns // _MICROSECOND_NS)),
        Column(12, lambda script: gauge(script.timeout_ns // _MICROSECOND_NS)),
    ]


def _own_weight(picture: Picture, kind: str, weight: int, reverse: int) -> List[Column]:
    """What the block itself says, in two columns; those who use it may say something else."""
    found = {
        name: (number, turned)
        for of, name, number, turned in picture.config.settings.snmp.weights
        if of == kind
    }

    def cell(at: int) -> Callable[[Named], int]:
        return lambda one: found.get(one.name, (0, False))[at]

    return [
        Column(weight, lambda one: integer(cell(0)(one))),
        Column(reverse, lambda one: truth(cell(1)(one))),
    ]


def _files(picture: Picture) -> List[Column]:
    numbers = picture.taken.files

    def number(file: WatchedFile) -> Value:
        return integer(numbers.get(file.name, 0))

    return [
        Column(2, lambda file: text(file.name)),
        Column(3, lambda file: text(file.path)),
        Column(4, number),
        *_own_weight(picture, "track_file", 5, 6),
    ]


def _processes(picture: Picture) -> List[Column]:
    def now(process: WatchedProcess) -> Tuple[int, bool]:
        return picture.taken.processes.get(process.name, (0, False))

    def most(process: WatchedProcess) -> Value:
        return integer(-1 if process.quorum_max is None else process.quorum_max)

    return [
        Column(2, lambda process: text(process.name)),
        Column(3, lambda process: text(process.process)),
        Column(4, lambda process: text(" ".join(process.parameters))),
        Column(5, lambda process: integer(_MATCHES.index(process.match))),
        *_own_weight(picture, "track_process", 6, 7),
        Column(8, lambda process: gauge(process.quorum)),
        Column(9, most),
        Column(10, lambda process: gauge(process.start_delay_ns // _MICROSECOND_NS)),
        Column(11, lambda process: gauge(process.end_delay_ns // _MICROSECOND_NS)),
        Column(12, lambda process: truth(process.full_command)),
        Column(13, lambda process: integer(now(process)[0])),
        Column(14, lambda process: truth(now(process)[1])),
    ]
