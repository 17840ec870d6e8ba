# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ``vrrp-agent status`` shows: plain values, made one instance at a time."""

from __future__ import annotations

import functools
import os
import time
from typing import Any, Dict, Optional

from ..track.messages import SCRIPT, Key
from ..wire.address import text
from .groups import LiveGroup
from .live import Live
from .prepared import placed
from .sides.trackers import Trackers, word
from .ways import describe

SECOND_NS = 1_000_000_000


def head(version: str, started_wall_s: float, config_path: str, instances: int) -> Dict[str, Any]:
    """What stands before the instances."""
    return {
        "version": version,
        "pid": os.getpid(),
        "started": stamp(started_wall_s),
        "config": config_path,
        "instance_count": instances,
    }


def instance_status(live: Live, now: int) -> Dict[str, Any]:
    """One instance. ``now`` is the monotonic clock in nanoseconds; every time here is relative or UTC."""
    instance, router, hands = live.instance, live.router, live.hands
    return {
        "name": instance.name,
        "state": str(router.state),
        "since": stamp(live.since_wall_s),
        "reason": router.reason,
        "waiting": list(live.verdict.waiting) if live.postponed else [],
        "faults": [*live.verdict.faults, *([router.group_fault] if router.group_fault else ())],
        "group": live.group.sync.name if live.group is not None else None,
        "waits_for_group": router.wants_active,
        "vrid": instance.vrid,
        "interface": instance.interface,
        "family": instance.family,
        "version": instance.version,
        "advert_int_s": instance.advert_int_ns / SECOND_NS,
        "active_advert_int_s": router.active_interval_ns / SECOND_NS,
        "base_priority": instance.priority,
        "effective_priority": router.effective_priority,
        "priority_parts": [
            {"from": "base", "change": instance.priority},
            *({"from": part.what, "change": part.change} for part in live.verdict.parts),
        ],
        "preempt": instance.preempt,
        "source": text(live.verdict.source),
        "active_router": _active_router(live),
        "next_deadline_s": _until(router.deadline, now),
        "addresses": [f"{text(a.packed)}/{a.prefix_length}" for a, _device in placed(instance)],
        "addresses_held": [f"{text(held.packed)}/{held.prefix_length}" for held in hands.held()],
        "addresses_refused": dict(hands.refused),
        "virtual_links": hands.virtual_links(),
        "accept": instance.accept or live.owner,
        "firewall_problem": hands.firewall_problem,
        "routes_and_rules": [describe(way) for way in hands.ways.wanted],
        "routes_and_rules_held": hands.ways.held,
        "routes_and_rules_refused": dict(hands.ways.refused),
        "counters": live.counters.as_dict(),
        "transitions": [
            {
                "from": transition.old,
                "to": transition.new,
                "reason": transition.reason,
                "at": stamp(transition.wall_time_s),
            }
            for transition in live.transitions
        ],
    }


def group_status(group: LiveGroup) -> Dict[str, Any]:
    """One sync group."""
    sync = group.sync
    return {
        "name": sync.name,
        "state": str(sync.state),
        "since": stamp(group.since_wall_s),
        "reason": sync.reason,
        "members": [member.name for member in sync.members],
    }


def tracker_status(trackers: Trackers, key: Key) -> Dict[str, Any]:
    """One script, file or kind of processes that is watched."""
    reading = trackers.readings[key]
    answer: Dict[str, Any] = {
        "kind": reading.kind,
        "name": reading.name,
        "state": word(reading),
        "since": stamp(trackers.since_wall_s[key]),
        "last": reading.disabled or reading.why,
    }
    if reading.kind != SCRIPT:
        answer["value"] = reading.value
    run = trackers.runs.get(reading.name) if reading.kind == SCRIPT else None
    if run is not None:
        answer.update(
            last=reading.disabled or run.result,
            last_run=stamp(run.wall_time_s),
            took_s=round(run.took_ns / SECOND_NS, 6),
            runs=run.runs,
            failures=run.failures,
            skipped=run.skipped,
        )
    return answer


def _active_router(live: Live) -> Optional[Dict[str, Any]]:
    router = live.router
    if not router.active_source:
        return None
    return {"address": text(router.active_source), "priority": router.active_priority}


def _until(deadline: Optional[int], now: int) -> Optional[float]:
    return None if deadline is None else round((deadline - now) / SECOND_NS, 6)


def stamp(wall_time_s: float) -> str:
    """A moment as ISO 8601 in UTC, to the millisecond."""
    return f"{_second(int(wall_time_s))}.{int(wall_time_s % 1 * 1000):03d}Z"


@functools.lru_cache(maxsize=1024)
def _second(whole_s: int) -> str:
    """Thousands of checks have been made in the same few seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole_s))
