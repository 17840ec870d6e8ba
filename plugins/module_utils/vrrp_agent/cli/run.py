# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``vrrp-agent run``: the daemon, in the foreground. It takes the options of keepalived that it has."""

from __future__ import annotations

import argparse
import socket

from ..version import VERSION, build_id

DEFAULT_CONFIG = "/etc/keepalived/keepalived.conf"
_ALWAYS = (
    ("-n", "--dont-fork"),
    ("-l", "--log-console"),
    ("-D", "--log-detail"),
    ("-P", "--vrrp"),
    ("-R", "--dont-respawn"),
    ("-G", "--no-syslog"),
)
"""Options of keepalived that say what the agent does anyway."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand. Short ones, and those after them, are keepalived's."""
    parser.add_argument(
        "-f",
        "--config",
        "--use-file",
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="a keepalived.conf (%(default)s)",
    )
    parser.add_argument(
        "--runtime-dir",
        default="",
        metavar="DIR",
        help="where the control socket lives; one agent a directory (default: /run/vrrp-agent, or "
        "/run/vrrp-agent-NAME where the file says 'instance NAME')",
    )
    parser.add_argument(
        "-i",
        "--config-id",
        default="",
        metavar="ID",
        help="for @ID lines; default: the host name to the first dot",
    )
    parser.add_argument(
        "-s",
        "--namespace",
        default="",
        metavar="NAME",
        help="run in this network namespace; goes before net_namespace of the file",
    )
    parser.add_argument(
        "-p", "--pid", "--pid-file", default="", metavar="FILE", help="write the process number there"
    )
    parser.add_argument(
        "-r", "--vrrp_pid", "--vrrp-pid", default="", metavar="FILE", help="there too: it is one process"
    )
    parser.add_argument(
        "-u",
        "--umask",
        type=_mask,
        default=None,
        metavar="MASK",
        help="umask of files made, octal with a leading 0; goes before umask of the file",
    )
    parser.add_argument(
        "--lenient", action="store_true", help="only warn of words that are unknown or not supported yet"
    )
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")
    for names in _ALWAYS:
        parser.add_argument(*names, action="store_true", help="taken for keepalived's sake: always so here")


def _mask(text: str) -> int:
    from ..conf.values.settings import mask

    try:
        return mask(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
        namespace=args.namespace,
        umask=args.umask,
        pid_files=tuple(path for path in (args.pid, args.vrrp_pid) if path),
    )
    return Service(options).run()
