# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``vrrp-agent run``: the daemon, in the foreground."""

from __future__ import annotations

import argparse
import socket

from ..version import VERSION, build_id


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    from ..daemon.runtime import DEFAULT_RUNTIME_DIR

    parser.add_argument("--config", required=True, metavar="FILE", help="a keepalived.conf")
    parser.add_argument(
        "--runtime-dir",
        default=DEFAULT_RUNTIME_DIR,
        metavar="DIR",
        help="where the control socket lives; one agent a directory (%(default)s)",
    )
    parser.add_argument(
        "--config-id", default="", metavar="ID", help="for @ID lines; default: the host name to the first dot"
    )
    parser.add_argument(
        "--lenient", action="store_true", help="only warn of words that are unknown or not supported yet"
    )
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")


def run(args: argparse.Namespace) -> int:
    """Take part until SIGTERM or SIGINT; reload on SIGHUP."""
    from ..daemon.service import Options, Service
    from ..loop.log import INFO, WARNING

    options = Options(
        config=args.config,
        runtime_dir=args.runtime_dir,
        config_id=args.config_id or socket.gethostname().split(".")[0],
        lenient=args.lenient,
        version=f"{VERSION}+{build_id()}",
        log_level=WARNING if args.quiet else INFO,
    )
    return Service(options).run()
