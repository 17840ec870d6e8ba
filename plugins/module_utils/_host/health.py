# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting until a host is well again after a change. Private to the collection."""

from __future__ import annotations

import ipaddress
import os
from typing import Any, Collection, Dict, Iterator, List, Optional, Sequence

from ..vrrp_agent.conf.model import SECOND_NS, Config, Instance
from ..vrrp_agent.conf.parts.balancing import VirtualServer
from . import files, status, systemd
from .engines import AGENT, UNITS
from .host import Host, HostError

POLL_S = 0.2
STEADY_POLLS = 3
"""keepalived has no answer to give: its main process must be the same this many times in a row."""
NEWS_S = 1.0
"""What the agent learns of check scripts and pipes comes from other processes, within half a second."""


def wait(
    host: Host,
    engine: str,
    config: Config,
    faults_before: Collection[str],
    timeout_s: float,
) -> Optional[status.Status]:
    """Wait until the engine is well, and return its last answer (None for keepalived).

    The agent is well when it answers, does what the file says for every instance and virtual server, and has
    no instance in FAULT that was not in FAULT before. When it watches something, balances or writes to pipes
    it is asked once more, NEWS_S later: by then it knows what of that it cannot use (see ``doubts``).
    keepalived is well when it goes on running.
    Raises HostError, with the journal, at the deadline.
    """
    deadline_s = host.monotonic_s() + timeout_s
    steady = 0
    last_pid = -1
    news_due = engine == AGENT and depends_on_others(config)
    while True:
        said = systemd.show(host, [UNITS[engine]])[UNITS[engine]]
        answer = status.agent_status(host) if engine == AGENT else None
        if engine == AGENT:
            complaint = agent_complaint(said, answer, config, faults_before)
            well = not complaint
        else:
            complaint = keepalived_complaint(host, said, config)
            steady = steady + 1 if not complaint and said.main_pid == last_pid else 0
            last_pid = said.main_pid
            well = steady >= STEADY_POLLS
            complaint = complaint or "it does not keep running"
        if well and not news_due:
            return answer
        if well:
            news_due = False
            host.sleep_s(NEWS_S)
            continue
        if host.monotonic_s() >= deadline_s:
            raise HostError(
                f"{UNITS[engine]} is not well {timeout_s:g} s after the change: {complaint}",
                status=answer,
                journal=systemd.journal_tail(host, UNITS[engine]),
            )
        host.sleep_s(POLL_S)


def agent_complaint(
    said: systemd.Unit,
    answer: Optional[status.Status],
    expected: Config,
    faults_before: Collection[str],
) -> str:
    """What is still wrong with the agent; empty when nothing is."""
    if said.active not in ("active", "reloading"):
        return f"systemd calls it {said.active} ({said.sub})"
    if answer is None:
        return "it does not answer 'vrrp-agent status'"
    if said.main_pid and answer.get("pid") not in (None, said.main_pid):
        return f"process {answer.get('pid')} answers, and systemd's is {said.main_pid}"
    complaints = stale(status.instances(answer), expected.instances)
    complaints.extend(_stale_services(answer, expected))
    complaints.extend(
        "instance {} has not started".format(entry.get("name"))
        for entry in status.instances(answer)
        if entry.get("state") == "init"
    )
    complaints.extend(
        f"instance {name} is in FAULT: {reason}"
        for name, reason in sorted(status.faults(answer).items())
        if name not in faults_before
    )
    return "; ".join(complaints)


def stale(told: Sequence[status.Status], expected: Sequence[Instance]) -> List[str]:
    """Where the agent does not do what the new file says, as when it refused to load it."""
    by_name = {entry.get("name"): entry for entry in told}
    complaints = [
        f"instance {name} still runs" for name in by_name if name not in {one.name for one in expected}
    ]
    for one in expected:
        entry = by_name.get(one.name)
        if entry is None:
            complaints.append(f"instance {one.name} does not run")
            continue
        for key, wanted in _visible(one).items():
            now = sorted(entry[key]) if isinstance(entry.get(key), list) else entry.get(key)
            if key in entry and now != wanted:
                complaints.append(f"instance {one.name} has {key} {now} and not {wanted}")
    return complaints


def _stale_services(answer: status.Status, expected: Config) -> List[str]:
    """Virtual servers that the agent lacks, still has, or has otherwise. A back end that fails is a doubt."""
    balancing = answer.get("balancing") or {}
    if balancing.get("problem"):
        return []
    here = {
        (str(entry.get("name")), entry.get("family")): entry for entry in status.entries(answer, "services")
    }
    wanted = {(service.name, service.family): service for service in expected.services}
    complaints = [f"virtual server {key[0]} still runs" for key in here if key not in wanted]
    for key, service in wanted.items():
        if key in here:
            complaints.extend(f"virtual server {key[0]} {what}" for what in _stale_parts(here[key], service))
        else:
            complaints.append(f"virtual server {key[0]} does not run")
    return sorted(complaints)


def _stale_parts(entry: status.Status, service: VirtualServer) -> Iterator[str]:
    """What of a virtual server is not as the file says, as far as the answer shows it."""
    if entry.get("scheduler_wanted", service.scheduler) != service.scheduler:
        yield "has the scheduler {} and not {}".format(entry["scheduler_wanted"], service.scheduler)
    if "servers" not in entry:
        return
    told = {str(one.get("name")): one for one in status.entries(entry, "servers")}
    wanted = {server.name: server for server in service.servers}
    yield from (f"still has {name}" for name in told if name not in wanted)
    for name, server in wanted.items():
        if name not in told:
            yield f"does not have {name}"
            continue
        shown = {
            "configured_weight": server.weight,
            "method": server.forwarding.method,
            "checks": [check.kind for check in server.checks],
        }
        for key, value in shown.items():
            now = told[name].get(key, value)
            if key == "method":
                now = str(now).split(" ", 1)[0]  # TUN gue port 6080
            elif key == "checks" and key in told[name]:
                now = [check.get("kind") for check in status.entries(told[name], key)]
            if now != value:
                yield f"has {name} with {key} {now} and not {value}"


def _visible(one: Instance) -> Dict[str, Any]:
    """What the agent's answer shows of an instance's settings."""
    return {
        "vrid": one.vrid,
        "interface": one.interface,
        "base_priority": one.priority,
        "advert_int_s": one.advert_int_ns / SECOND_NS,
        "addresses": sorted(
            f"{ipaddress.ip_address(address.packed)}/{address.prefix_length}"
            for address in (*one.addresses, *one.excluded_addresses)
        ),
    }


def depends_on_others(config: Config) -> bool:
    """Whether the agent needs scripts, files, pipes or other hosts for what the file says."""
    telling = config.settings.telling
    return (
        bool(config.services)
        or telling.fifo is not None
        or telling.vrrp_fifo is not None
        or any(one.track_scripts or one.track_files or one.track_processes for one in config.instances)
    )


def doubts(answer: Optional[status.Status]) -> List[str]:
    """What a well agent does without: check scripts that it does not run, pipes that it cannot use.

    Nothing depends on a script that is missing or refused, as in keepalived, so that no state shows it.
    """
    told = [
        "{} {}: {}".format(entry.get("kind"), entry.get("name"), entry.get("last") or "disabled")
        for entry in status.entries(answer, "trackers")
        if entry.get("state") == "disabled"
    ]
    told.extend(
        "pipe {}: {}".format(entry.get("path"), entry["problem"])
        for entry in status.entries((answer or {}).get("telling"), "pipes")
        if entry.get("problem")
    )
    told.extend(_services(answer))
    return told


def _services(answer: Optional[status.Status]) -> Iterator[str]:
    """Virtual servers that serve nobody, or not as the file says. Their servers may well be at fault."""
    problem = ((answer or {}).get("balancing") or {}).get("problem")
    if problem:
        yield f"virtual servers: {problem}"
    for entry in status.entries(answer, "services"):
        name = entry.get("name")
        if entry.get("state") == "down" and not entry.get("suspended") and not _just_begun(entry):
            yield "virtual server {} is down: {}".format(name, entry.get("reason") or "no reason given")
        for refused in entry.get("refused") or ():
            yield f"virtual server {name}: {refused}"


def _just_begun(service: status.Status) -> bool:
    """True while no check of it has a result: with ``alpha`` its servers are down until then."""
    states = {
        check.get("state")
        for server in status.entries(service, "servers")
        for check in status.entries(server, "checks")
    }
    return states == {"unknown"}


def keepalived_complaint(host: Host, said: systemd.Unit, config: Config) -> str:
    """What is still wrong with keepalived; empty when nothing is.

    It has a process for VRRP, and one for virtual servers. Options in a file of the host (/etc/default or
    /etc/sysconfig) may keep it from starting one of them.
    """
    if said.active != "active":
        return f"systemd calls it {said.active} ({said.sub})"
    if not said.main_pid:
        return "it has no process"
    children = files.read_text(host, f"/proc/{said.main_pid}/task/{said.main_pid}/children")
    if children is not None and not children.split():
        return "its VRRP process does not run"
    if config.services and children is not None:
        options = (files.read_text(host, f"/proc/{said.main_pid}/cmdline") or "").split("\0")
        vrrp_only = {"-P", "--vrrp"} & set(options) and not {"-C", "--check"} & set(options)
        if vrrp_only or len(children.split()) < (2 if config.instances else 1):
            return (
                "its checker does not run, so that no virtual server is served: take -P or --vrrp out of the "
                "options of keepalived"
            )
    if not os.path.isdir(host.path(f"/proc/{said.main_pid}")):
        return "its process is gone"
    return ""
