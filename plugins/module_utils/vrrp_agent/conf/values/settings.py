# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What global_defs and the words outside all blocks say about the agent as a process."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence, Tuple

from ..model import SECOND_NS
from ..parts.operations import Dumps, OnceCommand, Operations, Promptness, ReloadFiles
from ..tree import Node
from .commands import command
from .defaults import Defaults

HIGHEST_REALTIME = 99
_BITS = {
    "IRUSR": 0o400,
    "IWUSR": 0o200,
    "IXUSR": 0o100,
    "IRWXU": 0o700,
    "IRGRP": 0o040,
    "IWGRP": 0o020,
    "IXGRP": 0o010,
    "IRWXG": 0o070,
    "IROTH": 0o004,
    "IWOTH": 0o002,
    "IXOTH": 0o001,
    "IRWXO": 0o007,
}


def operations(defaults: Defaults, outside: Mapping[str, Sequence[str]]) -> Operations:
    """``outside`` holds the words that stand outside all blocks, with their arguments."""
    plain = Operations()
    limit = defaults.number("vrrp_rlimit_rttime")
    wait = outside.get("child_wait_time")
    return Operations(
        process_name=defaults.text("vrrp_process_name") or defaults.text("process_name"),
        umask=umask_of(defaults),
        net_namespace=_first(outside, "net_namespace"),
        instance=_first(outside, "instance"),
        realtime_limit_us=limit,
        promptness=_promptness(defaults),
        startup=_once(defaults, "startup_script"),
        shutdown=_once(defaults, "shutdown_script"),
        child_wait_ns=int(wait[0]) * SECOND_NS if wait else plain.child_wait_ns,
        dumps=Dumps(
            json_version=defaults.number("json_version") or 1,
            use_instance=defaults.flag("data_use_instance"),
            state_file=defaults.text("state_dump_file"),
            stats_file=defaults.text("stats_dump_file"),
            json_file=defaults.text("json_dump_file"),
            config_save_dir=defaults.text("config_save_dir"),
        ),
        reload=ReloadFiles(
            time_file=defaults.text("reload_time_file"),
            repeat="reload_repeat" in defaults.words,
            marker=defaults.text("reload_file") if "reload_file" in defaults.words else None,
        ),
    )


def outside_words(root: Node) -> Dict[str, Tuple[str, ...]]:
    """The words of a tree that stand outside all blocks; the last one of a name counts."""
    return {node.name: tuple(str(word) for word in node.args) for node in root.children if not node.children}


def name_directories(root: Node) -> Tuple[str, ...]:
    """iproute_usr_dir and iproute_etc_dir: where names of tables are looked up; empty where not said."""
    found = {"iproute_usr_dir": "", "iproute_etc_dir": ""}
    for block in root.children:
        if block.name == "global_defs":
            found.update(
                (node.name, str(node.args[0])) for node in block.children if node.name in found and node.args
            )
    return found["iproute_usr_dir"], found["iproute_etc_dir"]


def umask_of(defaults: Defaults) -> Optional[int]:
    """The umask that the file asks for; None where it says nothing."""
    words = defaults.words.get("umask")
    return None if words is None else mask(" ".join(words))


def mask(text: str) -> int:
    """A umask as a number in C's spelling (``022``, ``0x12``, ``18``), or names joined by ``|``.

    Raises ValueError with what is wrong.
    """
    if text[:1].isdigit():
        try:
            number = int(text, 8 if text.startswith("0") and text.isdigit() else 0)
        except ValueError:
            raise ValueError(f"'{text}' is not a number") from None
        if number > 0o777:
            raise ValueError(f"'{text}' is more than 0777")
        return number
    bits = 0
    for word in text.split("|"):
        name = word.strip()
        if name not in _BITS:
            raise ValueError(f"'{name}' is none of {', '.join(_BITS)}")
        bits |= _BITS[name]
    return bits


def _first(words: Mapping[str, Sequence[str]], name: str) -> str:
    found = words.get(name)
    return found[0] if found else ""


def _promptness(defaults: Defaults) -> Promptness:
    plain = Promptness()
    most = 0
    if "max_auto_priority" in defaults.words:
        given = defaults.number("max_auto_priority")
        most = HIGHEST_REALTIME if given is None else max(given, 0)
    late_us = defaults.number("min_auto_priority_delay")
    return Promptness(most, late_us * 1000 if late_us else plain.late_ns)


def _once(defaults: Defaults, name: str) -> Optional[OnceCommand]:
    words = defaults.words.get(name)
    if not words:
        return None
    seconds = defaults.number(f"{name}_timeout")
    return OnceCommand(command(words), (seconds or 10) * SECOND_NS)
