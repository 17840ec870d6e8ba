# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``vrrp-agent dump``: keepalived's data, stats or JSON file, asked for and answered at once.

Who reads the files after a signal never knows whether they are written yet; this has no such moment.
"""

from __future__ import annotations

import argparse
import sys

from .status import NoAnswer, add_place, ask, place

FORMATS = {
    "keepalived-json": "keepalived.json",
    "keepalived-data": "keepalived.data",
    "keepalived-stats": "keepalived.stats",
}
"""The names of the command line, and of the files that keepalived writes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    parser.add_argument("--format", choices=tuple(FORMATS), default="keepalived-json", help="(%(default)s)")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 when no agent answers."""
    try:
        text = collect(place(args), FORMATS[args.format])
    except NoAnswer as error:
        sys.stderr.write(f"vrrp-agent: {error}\n  {error.hint}\n")
        return 1
    sys.stdout.write(text)
    return 0


def collect(path: str, kind: str) -> str:
    """The whole dump. Raises NoAnswer."""
    parts = []
    whole = False
    for line in ask(path, {"command": "dump", "format": kind}):
        if "error" in line:
            hint = "is it of another version than this command?"
            raise NoAnswer(f"the agent refused: {line['error']}", hint)
        parts.append(line.get("text", ""))
        whole = whole or bool(line.get("whole"))
    if not whole:
        raise NoAnswer("the answer broke off", "look at the log of the agent")
    return "".join(parts)
