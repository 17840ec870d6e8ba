# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``vrrp-agent sniff``: the VRRP adverts on a wire or in a capture, one per line."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import sys
from typing import Any, BinaryIO, Dict, Iterator, Optional, Tuple

from ..wire.examine import ACCEPT, Sighting, examine
from ..wire.pcap import read_capture

_NS = 1_000_000_000
_AUTH_NAMES = {None: "-", 0: "none", 1: "pass", 2: "ah"}
_CHECKSUM_WORDS = {None: "unread", True: "ok", False: "bad"}

# When (ns since 1970), on which interface, what.
_Seen = Tuple[Optional[int], Optional[str], Sighting]


class _Trouble(Exception):
    """Why the command cannot go on, in words for the user."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("-i", "--interface", metavar="IF", help="watch this interface (default: all of them)")
    source.add_argument("-r", "--pcap", metavar="FILE", help="read a pcap or pcapng capture (-: stdin)")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("-c", "--count", type=_positive, metavar="N", help="stop after N adverts")


def run(args: argparse.Namespace) -> int:
    """Print adverts until the capture, the count or the user ends it. Exit status 2 after an error."""
    before = _stop_on_signals()
    try:
        return _print_all(args)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # The reader has gone (| head). Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _Trouble as problem:
        sys.stderr.write(f"vrrp-agent sniff: {problem}\n")
        return 2
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_all(args: argparse.Namespace) -> int:
    write = _as_json if args.json else _as_text
    source = _from_file(args.pcap) if args.pcap is not None else _from_wire(args.interface)
    for number, (time_ns, interface, sighting) in enumerate(source, 1):
        # In one piece, so that a signal does not cut a line; flushed, so that a reader sees it at once.
        sys.stdout.write(write(time_ns, interface, sighting) + "\n")
        sys.stdout.flush()
        if number == args.count:
            break
    return 0


def _from_file(path: str) -> Iterator[_Seen]:
    if path == "-":
        yield from _from_stream(sys.stdin.buffer, "standard input")
        return
    try:
        with open(path, "rb") as stream:
            yield from _from_stream(stream, path)
    except OSError as error:
        raise _Trouble(f"{path}: {error.strerror}") from error


def _from_stream(stream: BinaryIO, name: str) -> Iterator[_Seen]:
    packets = found = 0
    try:
        for record in read_capture(stream):
            packets += 1
            sighting = examine(record.data, record.link_type)
            if sighting is not None:
                found += 1
                yield record.time_ns, None, sighting
    except ValueError as error:  # CaptureError, or a link type that examine() does not know
        raise _Trouble(f"{name}: {error}") from error
    if not found:
        sys.stderr.write(f"vrrp-agent sniff: no VRRP among the {packets} packets of {name}\n")


def _from_wire(interface: Optional[str]) -> Iterator[_Seen]:
    from ..kernel.capture import Capture  # Linux only; reading files works anywhere
    from ..kernel.errors import KernelError

    try:
        with Capture(interface) as capture:
            while True:
                captured = capture.receive()
                sighting = captured and examine(captured.data, captured.link_type)
                if captured and sighting:
                    yield captured.time_ns, captured.interface, sighting
    except KernelError as problem:
        raise _Trouble(f"{problem}; {problem.hint}" if problem.hint else str(problem)) from problem


def _as_json(time_ns: Optional[int], interface: Optional[str], seen: Sighting) -> str:
    values: Dict[str, Any] = {
        "time": None if time_ns is None else time_ns / _NS,
        "interface": interface,
        "src": seen.src,
        "dst": seen.dst,
        "ttl": seen.ttl,
        "version": seen.version,
        "vrid": seen.vrid,
        "priority": seen.priority,
        "advert_interval_s": seen.interval_s,
        "addresses": seen.addresses,
        "auth_type": seen.auth_type,
        "protection": seen.protection,
        "checksum_ok": seen.checksum_ok,
        "checksum_form": seen.checksum_form,
        "verdict": seen.verdict,
        "detail": seen.detail,
        "src_mac": seen.source_mac,
        "vlans": seen.vlans,
    }
    return json.dumps(values)


def _as_text(time_ns: Optional[int], interface: Optional[str], seen: Sighting) -> str:
    parts = [_clock(time_ns)]
    if interface is not None:
        parts.append(interface)
    if seen.vlans:
        parts.append("vlan " + ".".join(map(str, seen.vlans)))
    parts += [
        f"{seen.src} > {seen.dst}",
        f"ttl {seen.ttl}",
        f"v{_or_dash(seen.version)}",
        f"vrid {_or_dash(seen.vrid)}",
        f"prio {_or_dash(seen.priority)}",
        "int -" if seen.interval_s is None else f"int {seen.interval_s:g}s",
        "addrs " + (",".join(seen.addresses) or "-"),
        "auth " + (seen.protection or _AUTH_NAMES.get(seen.auth_type, str(seen.auth_type))),
        "checksum " + _CHECKSUM_WORDS[seen.checksum_ok],
        seen.verdict if seen.verdict == ACCEPT else f"discard {seen.verdict} ({seen.detail})",
    ]
    return " ".join(parts)


def _clock(time_ns: Optional[int]) -> str:
    """UTC, to the microsecond; "-" where there is no time, the bare seconds where there is no such date."""
    if time_ns is None:
        return "-"
    try:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=time_ns // 1000)
    except OverflowError:
        return f"{time_ns // _NS}s"
    return moment.isoformat(timespec="microseconds") + "Z"


def _or_dash(value: Optional[int]) -> str:
    return "-" if value is None else str(value)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _stop_on_signals() -> Dict[int, Any]:
    """Make SIGTERM end the command as SIGINT does; the handlers that were there before."""
    signals = (signal.SIGINT, signal.SIGTERM)
    return {number: signal.signal(number, signal.default_int_handler) for number in signals}
