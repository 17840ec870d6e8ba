# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is watched: vrrp_script, vrrp_track_process and track_file."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Type
from .args import ACCOUNT, INT32_MAX, PATH, REVERSE, TIMER_MAX_S, choice, integer, timer, weight

_DELAY = (timer(0.000001, 3600),)
_TRACK_PROCESS = "track-process"

_FILE = (
    Keyword(
        "file",
        "The file that holds one whole number; it must be on a local, writable file system.",
        args=(PATH,),
        required=True,
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "weight",
        "Multiplies the number; with 0 any number but 0 means FAULT.",
        args=(weight(254), REVERSE),
        default="1",
        supported=True,
        since="2.0.0",
    ),
    Keyword(
        "init_file",
        "Creates the file at the start with this value, or overwrites it.",
        args=(
            integer("VALUE", -INT32_MAX - 1, INT32_MAX, optional=True),
            choice("overwrite", "overwrite", optional=True),
        ),
        supported=True,
        since="2.0.0",
    ),
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "vrrp_script",
        "A health script that runs periodically.",
        keywords=(
            Keyword(
                "script",
                "The command, in double quotes when it has arguments; no shell runs it.",
                args=(Arg("CMD", Type.COMMAND),),
                required=True,
                supported=True,
                since="1.1.13",
            ),
            Keyword(
                "interval",
                "Time between two runs.",
                args=(timer(0, TIMER_MAX_S),),
                default="1",
                supported=True,
                since="1.1.13",
            ),
            Keyword(
                "timeout",
                "Time after which a run counts as failed and is stopped; interval when absent.",
                args=(timer(0, TIMER_MAX_S),),
                supported=True,
                since="1.2.6",
            ),
            Keyword(
                "weight",
                "Default weight; 0 means FAULT on failure.",
                args=(weight(253), REVERSE),
                default="0",
                supported=True,
                since="1.1.13",
            ),
            Keyword(
                "rise",
                "Good runs needed to become good.",
                args=(integer("N", 1, INT32_MAX),),
                default="1",
                supported=True,
                since="1.1.18",
            ),
            Keyword(
                "fall",
                "Bad runs needed to become bad.",
                args=(integer("N", 1, INT32_MAX),),
                default="1",
                supported=True,
                since="1.1.18",
            ),
            Keyword(
                "user",
                "Account that runs the script; script_user when absent.",
                args=ACCOUNT,
                supported=True,
                since="1.3.0",
            ),
            Keyword("init_fail", "Begins as bad until the first good runs.", supported=True, since="1.3.2"),
        ),
    ),
    Section(
        "vrrp_track_process",
        "Processes to watch for.",
        keywords=(
            Keyword(
                "process",
                "Name or command line to look for, with the arguments that it must have.",
                args=(Arg("CMD", Type.COMMAND), Arg("ARG", optional=True, many=True)),
                required=True,
                supported=True,
                since="2.0.11",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "param_match",
                "How the arguments are compared; exactly when the word stands alone.",
                args=(choice("MATCH", "initial", "partial", optional=True),),
                supported=True,
                since="2.0.16",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "weight",
                "Default weight; 0 means FAULT on failure.",
                args=(weight(254), REVERSE),
                default="0",
                supported=True,
                since="2.0.11",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "quorum",
                "Least number of processes.",
                args=(integer("N", 1, 65535),),
                default="1",
                supported=True,
                since="2.0.11",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "quorum_max",
                "Largest number of processes; there is no limit when absent.",
                args=(integer("N", 0, 65535),),
                supported=True,
                since="2.0.16",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "delay",
                "Sets both delays below.",
                args=_DELAY,
                supported=True,
                since="2.0.11",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "fork_delay",
                "Time before a new process counts.",
                args=_DELAY,
                supported=True,
                since="2.0.16",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "terminate_delay",
                "Time before an ended process no longer counts.",
                args=_DELAY,
                supported=True,
                since="2.0.16",
                build_option=_TRACK_PROCESS,
            ),
            Keyword(
                "full_command",
                "Compares the whole command line instead of the name.",
                supported=True,
                since="2.0.11",
                build_option=_TRACK_PROCESS,
            ),
        ),
    ),
    Section("track_file", "A file that holds a number.", keywords=_FILE),
    Section("vrrp_track_file", "A file that holds a number (old name of track_file).", keywords=_FILE),
)
