# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``vrrp-agent status``: ask a running agent what it does, and why."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from typing import Any, Dict, Iterable, Iterator, List, Optional

from ..daemon.control import SOCKET_NAME
from ..daemon.process.runtime import DEFAULT_RUNTIME_DIR, directory_of
from . import status_services

_TIMEOUT_S = 10.0
_LISTS = {
    "instance": "instances",
    "interface": "interfaces",
    "group": "groups",
    "tracker": "trackers",
    "service": "services",
}
"""Kinds of lines, each about one thing, and the list that they are collected in."""


class NoAnswer(Exception):
    """No agent answers there. ``hint`` says what to look at."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    parser.add_argument("--json", action="store_true", help="everything, for programs")
    add_place(parser)


def add_place(parser: argparse.ArgumentParser) -> None:
    """The options that say which agent is asked."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--runtime-dir", default="", metavar="DIR", help=f"of the agent (default: {DEFAULT_RUNTIME_DIR})"
    )
    which.add_argument(
        "--instance", default="", metavar="NAME", help="the agent whose file says 'instance NAME'"
    )


def place(args: argparse.Namespace) -> str:
    """The socket of the agent that is asked."""
    return os.path.join(args.runtime_dir or directory_of(args.instance), SOCKET_NAME)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 when no agent answers."""
    path = place(args)
    try:
        answer = collect(ask(path, {"command": "status"}))
    except NoAnswer as error:
        sys.stderr.write(f"vrrp-agent: {error}\n  {error.hint}\n")
        return 1
    if args.json:
        json.dump(answer, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write("\n".join(as_text(answer)) + "\n")
    return 0


def ask(path: str, request: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    """The lines of the agent's answer. Raises NoAnswer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(_TIMEOUT_S)
        try:
            sock.connect(path)
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile("rb") as lines:
                for line in lines:
                    yield json.loads(line)
        except PermissionError as error:
            hint = "run as root or as a member of its group"
            raise NoAnswer(f"not allowed to ask at {path}", hint) from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoAnswer(f"no agent answers at {path}", "is it running? is --runtime-dir right?") from error
        except (OSError, ValueError) as error:
            raise NoAnswer(f"the agent at {path} gave no whole answer: {error}", "look at its log") from error


def collect(lines: Iterator[Dict[str, Any]]) -> Dict[str, Any]:
    """One object: the head, and a list of each kind of thing. Raises NoAnswer."""
    answer: Dict[str, Any] = {}
    lists: Dict[str, List[Any]] = {name: [] for name in _LISTS.values()}
    for line in lines:
        if "error" in line:
            hint = "is it of another version than this command?"
            raise NoAnswer(f"the agent refused: {line['error']}", hint)
        kind = next((name for name in _LISTS if name in line), None)
        if kind is None:
            answer.update(line)
        else:
            lists[_LISTS[kind]].append(line[kind])
    if len(lists["instances"]) != answer.get("instance_count"):
        raise NoAnswer("the answer broke off", "look at the log of the agent")
    return {**answer, **lists}


def as_text(answer: Dict[str, Any]) -> Iterator[str]:
    """For people: a paragraph for each instance, sync group, tracker and virtual server."""
    yield f"vrrp-agent {answer['version']}, process {answer['pid']}, since {answer['started']}"
    yield f"configuration {answer['config']}"
    for one in answer["instances"]:
        yield ""
        yield f"{one['name']}: {one['state']} since {one['since']}"
        yield f"  why       {', '.join(one.get('waiting', ())) or one['reason']}"
        yield (
            f"  router    VRID {one['vrid']} on {one['interface']}, VRRPv{one['version']} over "
            f"IPv{one['family']}, advert every {one['advert_int_s']:g} s"
        )
        yield f"  priority  {one['effective_priority']}{_parts(one)}"
        active = one["active_router"]
        if one.get("group"):
            waits = ": ready, waits for the others" if one["waits_for_group"] else ""
            yield f"  group     {one['group']}{waits}"
        if one["state"] != "active" and active:
            yield f"  active    {active['address']} with priority {active['priority']}"
        if one["next_deadline_s"] is not None:
            yield f"  next      in {one['next_deadline_s']:.3f} s"
        yield f"  holds     {', '.join(one['addresses_held']) or 'no address'}"
        yield from (f"            {way}" for way in one["routes_and_rules_held"])
        for link in one["virtual_links"]:
            state = "" if link["up"] else ", down" if link["exists"] else ", missing"
            yield f"  link      {link['name']}: {link['kind']} {link['mac']} on {link['on']}{state}"
        if not one["accept"]:
            yield "  accept    no: packets to the addresses are dropped"
        if one["firewall_problem"]:
            yield f"  nftables  {one['firewall_problem']}"
        for what, reason in {**one["addresses_refused"], **one["routes_and_rules_refused"]}.items():
            yield f"  refused   {what}: {reason}"
        counters = one["counters"]
        yield f"  adverts   {counters['adverts_sent']} sent, {counters['adverts_received']} received"
        if counters["discards"]:
            discards = ", ".join(f"{number} {reason}" for reason, number in counters["discards"].items())
            yield f"  discarded {discards}"
    yield from _trackers(answer.get("trackers", ()))
    for group in answer["groups"]:
        yield ""
        yield f"sync group {group['name']}: {group['state']} since {group['since']}"
        yield f"  why       {group['reason']}"
        yield f"  members   {', '.join(group['members'])}"
    yield from status_services.as_text(answer.get("balancing"), answer.get("services", ()))
    yield from _telling(answer.get("telling"))
    yield from _snmp(answer.get("snmp"))


def _trackers(trackers: Iterable[Dict[str, Any]]) -> Iterator[str]:
    for one in trackers:
        took = f", took {one['took_s']:.3f} s" if "took_s" in one else ""
        yield ""
        yield f"{one['kind']} {one['name']}: {one['state']} since {one['since']}"
        yield f"  last      {one['last'] or 'nothing yet'}{took}"


def _telling(telling: Optional[Dict[str, Any]]) -> Iterator[str]:
    if telling is None:
        return
    yield ""
    yield f"telling others: {telling['events']} events by process {telling['pid']}"
    if telling["scripts"]:
        yield "  scripts   " + ", ".join(f"{n} {word}" for word, n in telling["scripts"].items() if n)
    for pipe in telling["pipes"]:
        lines = f"{pipe['written']} lines written, {pipe['dropped']} lost"
        yield f"  pipe      {pipe['path']}: {pipe['problem'] or lines}"
    mail = telling["mail"]
    if mail is not None:
        error = f"; last error: {mail['last_error']}" if mail["last_error"] else ""
        yield f"  mail      {mail['sent']} sent, {mail['waiting']} waiting, {mail['lost']} lost{error}"


def _snmp(snmp: Optional[Dict[str, Any]]) -> Iterator[str]:
    if snmp is None:
        return
    yield ""
    yield f"SNMP: {'session' if snmp['session'] else 'no session'} with {snmp['master'] or 'the master'}"
    if snmp["problem"]:
        yield f"  problem   {snmp['problem']}"


def _parts(one: Dict[str, Any]) -> str:
    parts = one["priority_parts"]
    if len(parts) < 2:
        return ""
    return " = " + " ".join(f"{part['change']:+d} ({part['from']})" for part in parts)
