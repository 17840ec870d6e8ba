# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command ``vrrp-agent``: finds the subcommand and hands over. Each lives in a file of its own."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any, List, Optional

from ..version import version_line

COMMANDS = {
    "run": "take part in VRRP as a configuration file says, in the foreground",
    "check": "say everything that is wrong with a configuration file",
    "status": "show what a running agent does, and why",
    "dump": "print a running agent's state as keepalived's files have it",
    "sniff": "show the VRRP adverts on a wire or in a capture",
    "keywords": "list the words of keepalived.conf that are known",
}


def main(argv: Optional[List[str]] = None) -> int:
    """Run the command line ``argv`` (default: the process's). Returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(arguments)
    options = parser.parse_args(arguments)
    try:
        status: int = options.function(options)
    except BrokenPipeError:  # the reader of our output went away
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return status


class Signum(argparse.Action):
    """``--signum=NAME``, as keepalived has it: print a number and end."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: Optional[str] = None,
    ) -> None:
        from ..daemon.process.signals import NUMBERS

        number = NUMBERS.get(values)
        if number is None:
            parser.error(f"unknown signal {values!r}; known: {', '.join(NUMBERS)}")
        sys.stdout.write(f"{number}\n")
        parser.exit()


def _parser(arguments: List[str]) -> argparse.ArgumentParser:
    """A parser that has loaded only the subcommand that is asked for: start-up time is outage time."""
    parser = argparse.ArgumentParser(
        prog="vrrp-agent", description="VRRP as keepalived speaks it, with reasons."
    )
    parser.add_argument("--version", action="version", version=version_line())
    parser.add_argument(
        "--signum", action=Signum, metavar="NAME", help="print the number of a signal by keepalived's name"
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), "")
    for name, summary in COMMANDS.items():
        sentence = summary[0].upper() + summary[1:] + "."
        subparser = subparsers.add_parser(name, help=summary, description=sentence)
        if name == wanted:
            module = importlib.import_module("." + name, __package__)
            module.add_arguments(subparser)
            subparser.set_defaults(function=module.run)
    return parser
