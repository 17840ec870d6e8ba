# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process that speaks with the SNMP master.

It keeps a picture of the agent and answers from it. When somebody asks and the picture is older than a
second, the agent is asked for a new one first: a walk of ten thousand objects costs the agent one answer a
second, and nobody asking costs it nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

from ..conf.model import Config, GlobalSettings, Instance
from ..conf.parts.balancing import VirtualServer
from ..conf.parts.endpoint import endpoint
from ..loop.alarm import Alarm
from ..loop.channel import Channel
from ..loop.log import Log
from ..loop.loop import Loop
from ..loop.results import CheckKey
from ..loop.side import Worker
from . import agentx, facts, keepalived, keepalived_names, keepalived_services, rfc2787, rfc6527
from .agentx import Pdu
from .picture import NOTHING_TAKEN, Picture, status_of
from .session import Session, Subtree
from .sets import Sets
from .tree import Table, Tree
from .values import END_OF_VIEW, Binding

FRESH_NS = 1_000_000_000
"""As long as this a picture is served again."""
_FRESH_AFTER_CHANGE_NS = 100_000_000
_PATIENCE_NS = 500_000_000
"""How long a request waits for a new picture; then the old one must do. The master waits 5 s."""
_NEED_PICTURE = (agentx.GET, agentx.GET_NEXT, agentx.GET_BULK, agentx.TEST_SET)
_MOST_BINDINGS = 512
"""Of one answer to GetBulk."""


def subtrees_of(settings: GlobalSettings) -> Tuple[Subtree, ...]:
    """What is registered for these settings."""
    snmp = settings.snmp
    found: List[Subtree] = []
    if snmp.keepalived or settings.balancing.snmp:
        found.append(Subtree(keepalived_names.GLOBAL, keepalived.TITLE))
    if snmp.keepalived:
        found.append(Subtree(keepalived_names.VRRP, "The MIB module of keepalived's VRRP part"))
    if settings.balancing.snmp:
        found.append(Subtree(keepalived_names.CHECK, keepalived_services.TITLE))
    if snmp.rfc2787:
        found.append(Subtree(rfc2787.ROOT, rfc2787.TITLE))
    if snmp.rfc6527:
        found.append(Subtree(rfc6527.ROOT, rfc6527.TITLE))
    return tuple(found)


def tree_of(picture: Picture) -> Tree:
    """Everything that the settings in ``picture`` switch on."""
    settings = picture.config.settings
    snmp = settings.snmp
    tables: List[Table] = []
    if snmp.keepalived or settings.balancing.snmp:
        tables += keepalived.global_branch(picture)
    if snmp.keepalived:
        tables += keepalived.tables(picture)
    if settings.balancing.snmp:
        tables += keepalived_services.tables(picture)
    if snmp.rfc2787:
        tables += rfc2787.tables(picture)
    if snmp.rfc6527:
        tables += rfc6527.tables(picture)
    return Tree(tables)


class SnmpWorker(Worker):
    """See the module."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._loop = loop
        self._channel = channel
        self._log = log
        self._session: Optional[Session] = None
        self._sets = Sets(channel)
        self._coming: Optional[facts.Begin] = None
        self._lists: Dict[str, List[Any]] = {}
        self._begun = facts.Begin(Config(), "", "")
        self._instances: Dict[str, Instance] = {}
        self._routers: Dict[str, facts.Router] = {}
        self._taken = NOTHING_TAKEN
        self._rows: Dict[str, facts.Router] = {}
        self._services: Dict[Tuple[str, int], Dict[str, Any]] = {}
        self._found: Dict[Tuple[str, int], facts.Service] = {}
        self._checks: Dict[CheckKey, Optional[bool]] = {}
        self._wanted_services: Dict[Tuple[str, int], VirtualServer] = {}
        self._services_before: Dict[Tuple[str, int], VirtualServer] = {}
        """Of the configuration before: what a reload takes away is told of after it."""
        self._asked = 0
        self._asking = False
        self._changed = True
        self._waiting: List[Pdu] = []
        self._patience = Alarm(loop, self._serve_waiting)
        self._picture = Picture(Config(), "", "", {})
        self._tree = Tree(())

    def take(self, value: Any) -> None:
        """Something came from the agent."""
        if isinstance(value, facts.Begin):
            self._coming, self._lists = value, {}
        elif isinstance(value, facts.Part):
            self._lists.setdefault(value.field, []).extend(value.items)
        elif isinstance(value, facts.End):
            self._configure()
        elif isinstance(value, facts.Rows):
            self._rows.update((router.name, router) for router in value.routers)
        elif isinstance(value, facts.Service):
            self._found[value.key] = value
        elif isinstance(value, facts.Checks):
            self._checks.update(value.states)
        elif isinstance(value, facts.Taken):
            self._take_picture(value)
        elif isinstance(value, facts.Changed):
            self._changed = True
            self._tell_change(value)
        elif isinstance(value, facts.ServerChanged):
            self._changed = True
            self._tell_server(value)
        elif isinstance(value, facts.BadAdvert):
            self._tell_error(value)
        elif isinstance(value, facts.Leave):
            self._loop.stop()
        elif isinstance(value, facts.ChangeDone):
            self._taken = self._taken._replace(at_ns=0)  # the writer sees what it has written
            self._sets.done(value)

    def end(self) -> None:
        """Say goodbye to the master."""
        if self._session is not None:
            self._session.close()

    # The configuration.

    def _configure(self) -> None:
        if self._coming is None:
            return
        old = self._begun.config.settings
        lists: Dict[str, Any] = {name: tuple(items) for name, items in self._lists.items()}
        config = replace(self._coming.config, **lists)
        self._begun = self._coming._replace(config=config)
        self._instances = {instance.name: instance for instance in config.instances}
        self._services_before = self._wanted_services
        self._wanted_services = {service.key: service for service in config.services}
        self._coming, self._lists = None, {}
        self._taken = self._taken._replace(at_ns=0)
        self._paint()
        new = config.settings
        moved = old.snmp.socket != new.snmp.socket
        if self._session is None or moved or subtrees_of(old) != subtrees_of(new):
            self._open_session(new)

    def _open_session(self, settings: GlobalSettings) -> None:
        if self._session is not None:
            self._session.close()
        self._waiting = []
        self._sets.forget()
        subtrees = subtrees_of(settings)
        where = endpoint(settings.snmp.socket)

        def report(is_open: bool, problem: str) -> None:
            self._channel.send(facts.Report(str(where), is_open, problem))

        self._session = Session(self._loop, self._log, where, subtrees, self._request, report)
        self._sets.use(self._session)
        self._session.start()

    # The picture.

    def _take_picture(self, taken: facts.Taken) -> None:
        rows, self._rows = self._rows, {}
        found, self._found = self._found, {}
        checks, self._checks = self._checks, {}
        if taken.number != self._asked:
            return
        self._routers, self._taken = rows, taken
        wanted = self._wanted_services
        self._services = {
            key: status_of(wanted[key], one, checks) for key, one in found.items() if key in wanted
        }
        self._asking = self._changed = False
        self._paint()
        self._serve_waiting()

    def _paint(self) -> None:
        begun = self._begun
        up_s = self._session.up_s if self._session is not None else 0.0
        things = (self._routers, self._taken, up_s, self._services)
        self._picture = Picture(begun.config, begun.version, begun.host_name, *things)
        self._tree = tree_of(self._picture)

    @property
    def _fresh(self) -> bool:
        age_ns = self._loop.clock() - self._taken.at_ns
        return age_ns < (_FRESH_AFTER_CHANGE_NS if self._changed else FRESH_NS)

    def _ask(self) -> None:
        if not self._asking:
            self._asking = True
            self._asked += 1
            self._rows, self._found, self._checks = {}, {}, {}
            self._channel.send(facts.Ask(self._asked))

    # Requests of the master.

    def _request(self, pdu: Pdu) -> None:
        if pdu.kind in _NEED_PICTURE:
            if self._fresh and not self._waiting:
                self._serve(pdu)
                return
            self._waiting.append(pdu)
            self._ask()
            if self._patience.deadline is None:
                self._patience.set_in(_PATIENCE_NS)
        elif not self._sets.take(pdu, self._picture) and self._session is not None:
            self._session.answer(pdu, error=agentx.PARSE_ERROR)

    def _serve_waiting(self) -> None:
        self._patience.cancel()
        self._asking = False
        waiting, self._waiting = self._waiting, []
        for pdu in waiting:
            self._serve(pdu)

    def _serve(self, pdu: Pdu) -> None:
        if pdu.kind == agentx.TEST_SET:
            self._sets.take(pdu, self._picture)
        elif self._session is not None:
            self._session.answer(pdu, answer(self._tree, pdu))

    # Notifications.

    def _tell_change(self, change: facts.Changed) -> None:
        snmp, session = self._begun.config.settings.snmp, self._session
        if not snmp.traps or session is None:
            return
        if change.group:
            if snmp.keepalived:
                session.notify(keepalived.group_changed(self._picture, change))
            return
        instance = self._instances.get(change.name)
        told: List[Tuple[Binding, ...]] = []
        if snmp.keepalived:
            told.append(keepalived.instance_changed(self._picture, instance, change))
        if snmp.rfc2787 and instance is not None:
            told.append(rfc2787.new_master(instance, change))
        if snmp.rfc6527 and instance is not None:
            told.append(rfc6527.new_master(instance, change))
        for bindings in told:
            if bindings:
                session.notify(bindings)

    def _tell_server(self, change: facts.ServerChanged) -> None:
        settings, session = self._begun.config.settings, self._session
        if session is None or not (settings.snmp.traps and settings.balancing.snmp):
            return
        for known in (self._wanted_services, self._services_before):
            service = known.get(change.service)
            bindings = () if service is None else keepalived_services.changed(self._picture, service, change)
            if bindings:
                session.notify(bindings)
                return

    def _tell_error(self, bad: facts.BadAdvert) -> None:
        snmp, session = self._begun.config.settings.snmp, self._session
        if not snmp.traps or session is None:
            return
        told = [rfc2787.auth_failure(bad) if snmp.rfc2787 else ()]
        told.append(rfc6527.protocol_error(bad) if snmp.rfc6527 else ())
        for bindings in told:
            if bindings:
                session.notify(bindings)


def answer(tree: Tree, pdu: Pdu) -> Tuple[Binding, ...]:
    """The objects that a Get, GetNext or GetBulk asks for (RFC 2741 7.2.3)."""
    if pdu.kind == agentx.GET:
        return tuple([Binding(one.start, tree.get(one.start)) for one in pdu.ranges])
    if pdu.kind == agentx.GET_NEXT:
        return tuple([tree.next(one.start, one.include, one.end) for one in pdu.ranges])
    singles = pdu.ranges[: pdu.non_repeaters]
    found = [tree.next(one.start, one.include, one.end) for one in singles]
    at = [(one.start, one.include, one.end) for one in pdu.ranges[pdu.non_repeaters :]]
    for _turn in range(pdu.max_repetitions if at else 0):
        if len(found) + len(at) > _MOST_BINDINGS and len(found) > len(singles):
            break
        row = [tree.next(*one) for one in at]
        found += row
        at = [(binding.name, False, one[2]) for binding, one in zip(row, at)]
        if all(binding.value.kind == END_OF_VIEW for binding in row):
            break
    return tuple(found)
