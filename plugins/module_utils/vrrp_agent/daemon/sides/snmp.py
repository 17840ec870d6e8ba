# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's side of SNMP: a process of its own speaks with the host's SNMP master.

It is told of changes as they happen, and of everything else when it asks, a few virtual routers at a time
between adverts. Without a word about SNMP in the configuration there is no such process.
"""

from __future__ import annotations

import dataclasses
import socket
from collections import deque
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ...conf.model import Config, GlobalSettings
from ...election.memory import Heard
from ...election.settings import OWNER, State
from ...loop import events
from ...loop.events import GROUP, SERVER, SERVICE, Happening
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.side import Side
from ...snmp import facts
from ...track.messages import FILE, PROCESS, SCRIPT, Reading
from ...wire.discard import Discard
from ..groups import LiveGroup
from ..hearing.receiver import Receiver
from ..hearing.receivers import Receivers
from ..host.interfaces import Interfaces
from ..live import Live
from ..prepared import placed
from .services import VirtualServers
from .trackers import Trackers

NAME = "snmp"
_A_TURN = 8
"""Virtual routers or other items in one turn of the loop."""
_CHECKS_A_TURN = 200
_WINDOW_NS = 10_000_000_000
"""Of the notifications about bad adverts one of a kind: as often as the log has a line."""
_MOST_WINDOWS = 8192
_PATIENCE_NS = 3_000_000_000

_STATES = {
    State.INITIALIZE: facts.INIT,
    State.BACKUP: facts.BACKUP,
    State.ACTIVE: facts.ACTIVE,
    State.FAULT: facts.FAULT,
}
_EVENTS = {
    events.MASTER: facts.ACTIVE,
    events.BACKUP: facts.BACKUP,
    events.FAULT: facts.FAULT,
    events.STOP: facts.STOPPED,
    events.DELETED: facts.DELETED,
}
_REASONS = {Heard.LOWER: facts.PREEMPTED, Heard.GONE: facts.BY_PRIORITY}
_ERRORS = {
    Discard.TTL: facts.TTL_ERROR,
    Discard.VERSION: facts.VERSION_ERROR,
    Discard.VERSION_MISMATCH: facts.VERSION_ERROR,
    Discard.CHECKSUM: facts.CHECKSUM_ERROR,
    Discard.VRID_ZERO: facts.VRID_ERROR,
    Discard.UNKNOWN_VRID: facts.VRID_ERROR,
}
_AUTH_ERRORS = {
    Discard.AUTH_TYPE_UNKNOWN: facts.INVALID_AUTH_TYPE,
    Discard.AUTH_TYPE_MISMATCH: facts.AUTH_TYPE_MISMATCH,
    Discard.AUTH_FAILURE: facts.AUTH_FAILURE,
}
_COUNTERS = (
    "became_active",
    "adverts_received",
    "priority_zero_received",
    "priority_zero_sent",
    "interval_mismatches",
    "addr_list_mismatches",
)


class Sources(NamedTuple):
    """Where the agent has what SNMP shows."""

    lives: Mapping[Tuple[str, int, int], Live]
    groups: Iterable[LiveGroup]
    interfaces: Interfaces
    receivers: Receivers
    trackers: Trackers
    adjust: Callable[[str, Dict[str, Any]], str]
    """Change an instance until the next reload; the problem, or an empty text."""
    virtual_servers: VirtualServers


class SnmpAgent:
    """Starts the process when a MIB is to be served, and feeds it."""

    def __init__(self, loop: Loop, log: Log, version: str, sources: Sources) -> None:
        self._loop = loop
        self._log = log
        self._version = version
        self._sources = sources
        self._config = Config()
        self._side: Optional[Side] = None
        self._retired: Optional[Side] = None
        """One that a reload has sent home; the next one begins when it has ended."""
        self._work: Deque[Iterator[Any]] = deque()
        """What is being sent, value by value."""
        self._last_errors: Dict[Tuple[str, int, int], int] = {}
        self._windows: Dict[Tuple[int, int, Discard], int] = {}
        self._report: Optional[facts.Report] = None

    def apply(self, config: Config) -> None:
        """A start or a reload; nothing happens for what is the same."""
        before, self._config = self._config, config
        if not served(config.settings):
            self._dismiss()
        elif self._side is None:
            side = self._retired or Side(NAME, _make, self._loop, self._log, self._hello, self._take)
            self._side, self._retired = side, None
            self._sources.receivers.watch(self.refused)
            self._side.start()
        elif config != before:
            self._send_config()

    def tell(self, happening: Happening) -> None:
        """Something has happened to a virtual router, a sync group, a virtual or a real server."""
        if happening.kind in (SERVICE, SERVER):
            self._tell_server(happening)
            return
        state = _EVENTS.get(happening.event)
        if self._side is None or state is None:
            return
        if happening.kind == GROUP:
            self._send(facts.Changed(True, happening.name, state))
            return
        change = facts.Changed(False, happening.name, state)
        if state == facts.ACTIVE:
            live = self._find(happening.name)
            if live is not None:
                link = self._sources.interfaces.get(live.instance.interface)
                index = link.index if link is not None else 0
                change = change._replace(interface=index, source=live.router.source, reason=_reason(live))
        self._send(change)

    def _tell_server(self, told: Happening) -> None:
        details, settings = told.details, self._config.settings
        if self._side is None or details is None or not settings.balancing.snmp:
            return
        if told.event not in (events.UP, events.DOWN):
            return
        server, _blank, service = told.name.partition(" ") if told.kind == SERVER else ("", "", told.name)
        key = (service, details.family)
        up = told.event == events.UP
        self._send(facts.ServerChanged(key, server, up, details.servers_up, details.stopping))

    def refused(self, receiver: Receiver, live: Optional[Live], reason: Discard, now: int) -> None:
        """A packet was discarded: note what error it was, and tell managers now and then."""
        error, auth_error = _ERRORS.get(reason, facts.NO_ERROR), _AUTH_ERRORS.get(reason, 0)
        datagram = receiver.datagram
        if self._side is None or datagram is None or not (error or auth_error):
            return
        if error and live is not None:
            self._last_errors[live.instance.key] = error
        payload = datagram.payload
        vrid = payload[1] if len(payload) > 1 else 0
        key = (receiver.socket.index, vrid, reason)
        told_ns = self._windows.get(key)
        if told_ns is not None and now - told_ns < _WINDOW_NS:
            return
        if len(self._windows) >= _MOST_WINDOWS:
            self._windows.clear()
        self._windows[key] = now
        if not self._config.settings.snmp.traps:
            return
        version, link = 0, None
        if live is not None:  # its rows have the index of its interface, also when a virtual link heard it
            version, link = live.instance.version, self._sources.interfaces.get(live.instance.interface)
        index = link.index if link is not None else receiver.socket.index
        where = (index, vrid, receiver.socket.family, version)
        self._send(facts.BadAdvert(*where, datagram.source, error, auth_error))

    def status(self) -> Optional[Dict[str, Any]]:
        """For ``status``; None without a process."""
        side, report = self._side, self._report
        if side is None:
            return None
        return {
            "pid": side.pid,
            "restarts": side.restarts,
            "master": report.master if report is not None else "",
            "session": report is not None and report.open,
            "problem": report.problem if report is not None else "",
        }

    def stop(self, patience_ns: int = _PATIENCE_NS) -> None:
        """The agent ends, and has told its last: the process says goodbye to its master."""
        if self._side is not None:
            while self._work:
                self._send_some()
            self._side.stop(min(patience_ns, _PATIENCE_NS))
        elif self._retired is not None:
            self._retired.stop(min(patience_ns, _PATIENCE_NS))
        self._side = self._retired = None

    def _dismiss(self) -> None:
        side, self._side = self._side, None
        if side is not None:
            self._sources.receivers.watch(None)
            self._work.clear()
            self._last_errors = {}
            self._report = None
            side.send(facts.Leave())
            side.retire()
            self._retired = side

    # What the process says.

    def _take(self, value: Any) -> None:
        if isinstance(value, facts.Ask):
            self._add_work(self._answer(value.number))
        elif isinstance(value, facts.Report):
            self._report = value
        elif isinstance(value, facts.Change) and self._side is not None:
            self._send(facts.ChangeDone(value.number, self._do(value)))

    def _do(self, change: facts.Change) -> str:
        """Do what a manager wants; what is in the way, or nothing."""
        if change.weight is not None:
            servers = self._sources.virtual_servers
            return servers.set_weight(change.service, change.server, change.weight)
        changes: Dict[str, Any] = {}
        if change.priority is not None:
            changes["priority"] = change.priority
        if change.preempt is not None:
            changes["preempt"] = change.preempt
        return self._sources.adjust(change.name, changes)

    # What it is sent, in pieces.

    def _hello(self) -> Iterable[Any]:
        self._work.clear()
        self._send_config()
        return ()

    def _send_config(self) -> None:
        self._add_work(self._whole(self._config))

    def _send(self, value: Any) -> None:
        """Now, or after what is under way: news of a virtual router come after its settings."""
        if self._work:
            self._add_work(iter((value,)))
        elif self._side is not None:
            self._side.send(value)

    def _add_work(self, values: Iterator[Any]) -> None:
        self._work.append(values)
        if len(self._work) == 1:
            self._loop.add_job(self._send_some)

    def _send_some(self) -> bool:
        """A turn of the loop: one value."""
        if not self._work or self._side is None:
            self._work.clear()
            return False
        value = next(self._work[0], None)
        if value is None:
            self._work.popleft()
        else:
            self._side.send(value)
        return bool(self._work)

    def _whole(self, config: Config) -> Iterator[Any]:
        """The configuration: its long lists a few items at a time."""
        lists = {
            field.name: getattr(config, field.name)
            for field in dataclasses.fields(Config)
            if isinstance(getattr(config, field.name), tuple)
        }
        empty: Dict[str, Any] = dict.fromkeys(lists, ())
        yield facts.Begin(dataclasses.replace(config, **empty), self._version, socket.gethostname())
        for name, items in lists.items():
            for at in range(0, len(items), _A_TURN):
                yield facts.Part(name, items[at : at + _A_TURN])
        yield facts.End()

    def _answer(self, number: int) -> Iterator[Any]:
        """How everything is."""
        lives = list(self._sources.lives.values())
        for at in range(0, len(lives), _A_TURN):
            yield facts.Rows(number, tuple([self._router(live) for live in lives[at : at + _A_TURN]]))
        if self._config.settings.balancing.snmp:
            yield from self._services(number)
        discards: Dict[str, int] = {}
        for _place, receiver in list(self._sources.receivers):
            for reason, count in receiver.discards.items():
                discards[reason] = discards.get(reason, 0) + count
        yield facts.Taken(
            number,
            self._loop.clock(),
            self._links(),
            discards,
            {group.sync.name: _STATES[group.sync.state] for group in self._sources.groups},
            scripts={one.name: self._result(one) for one in self._readings(SCRIPT)},
            files={one.name: one.value for one in self._readings(FILE)},
            processes={one.name: (one.value, bool(one.good)) for one in self._readings(PROCESS)},
        )

    def _services(self, number: int) -> Iterator[Any]:
        """Virtual servers: what other processes have said of them, passed on as it is."""
        servers = self._sources.virtual_servers
        rows, counts = servers.balancer.rows, servers.balancer.counts
        for key, row in list(rows.items()):
            yield facts.Service(number, key, row, *counts.get(key, ({}, {})))
        results = list(servers.checkers.results.values())
        for at in range(0, len(results), _CHECKS_A_TURN):
            some = results[at : at + _CHECKS_A_TURN]
            yield facts.Checks(number, {one.key: one.good for one in some})

    def _readings(self, kind: str) -> List[Reading]:
        return [reading for key, reading in self._sources.trackers.readings.items() if key[0] == kind]

    def _result(self, script: Reading) -> int:
        """vrrpScriptResult."""
        if script.good is None:
            return facts.SCRIPT_NEW
        if script.good:
            return facts.SCRIPT_GOOD
        return facts.SCRIPT_BAD if script.name in self._sources.trackers.runs else facts.SCRIPT_BEGAN_BAD

    def _router(self, live: Live) -> facts.Router:
        router, hands, counters = live.router, live.hands, live.counters
        active = router.state is State.ACTIVE
        return facts.Router(
            name=live.instance.name,
            state=_STATES[router.state],
            wanted=facts.ACTIVE if active else facts.BACKUP,
            priority=router.effective_priority,
            base_priority=live.instance.priority,
            preempt=live.instance.preempt,
            source=live.verdict.source,
            active_source=router.active_source or b"",
            has_addresses=hands.holds_addresses,
            held=tuple([held.packed for held in hands.held()]),
            devices=tuple([device for _address, device in placed(live.instance)]),
            began_ns=live.began_ns,
            reason=_reason(live) if active else facts.NOT_ACTIVE,
            last_error=self._last_errors.get(live.instance.key, facts.NO_ERROR),
            counters={name: getattr(counters, name) for name in _COUNTERS},
            discards=dict(counters.discards),
        )

    def _links(self) -> Dict[str, facts.Link]:
        interfaces, config = self._sources.interfaces, self._config
        names = {instance.interface for instance in config.instances}
        virtual = {one.packed for instance in config.instances for one, _device in placed(instance)}
        for instance in config.instances:
            names.update(device for _address, device in placed(instance))
            names.update(hop.device for route in instance.routes for hop in route.next_hops if hop.device)
        names.update(one.device for one in config.static_addresses if one.device)
        names.update(hop.device for route in config.static_routes for hop in route.next_hops if hop.device)
        found: Dict[str, facts.Link] = {}
        for name in names:
            link = interfaces.get(name)
            if link is not None:
                own = [interfaces.primary(name, family, virtual) or b"" for family in (4, 6)]
                found[name] = facts.Link(link.index, link.mac, *own)
        return found

    def _find(self, name: str) -> Optional[Live]:
        for live in self._sources.lives.values():
            if live.instance.name == name:
                return live
        return None


def served(settings: GlobalSettings) -> bool:
    """True when there is a MIB to serve."""
    snmp = settings.snmp
    return snmp.keepalived or snmp.rfc2787 or snmp.rfc6527 or settings.balancing.snmp


def _reason(live: Live) -> int:
    """Why it became active (RFC 6527 vrrpv3StatisticsNewMasterReason)."""
    if live.instance.priority == OWNER and live.router.took_over_from is Heard.NOBODY:
        return facts.BY_PRIORITY
    return _REASONS.get(live.router.took_over_from, facts.NO_RESPONSE)


def _make(loop: Loop, channel: Any, log: Log) -> Any:
    """In the process itself: only there is the worker's code needed."""
    from ...snmp.worker import SnmpWorker

    return SnmpWorker(loop, channel, log)
