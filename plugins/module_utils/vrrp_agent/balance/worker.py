# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process beside the agent that decides which real servers are used, and tells the kernel."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Tuple

from ..conf.parts.balancing import Balancing, SyncDaemon, Timeouts, VirtualServer
from ..kernel.errors import KernelError
from ..loop.alarm import Alarm
from ..loop.channel import Channel
from ..loop.events import CHECKED, DOWN, SERVER, Details, Happening
from ..loop.log import DEBUG, ERROR, INFO, NOTICE, WARNING, Log
from ..loop.loop import Loop
from ..loop.results import CheckResult
from ..loop.side import Worker
from .actions import Tell
from .backend import Backend, ServiceKey
from .choose import IPVS, choose
from .expand import keys_of, words_of
from .fwmark_table import FwmarkKeeper
from .keeper import TableKeeper, refused_of
from .messages import Goodbye, Report, Roles, Setup
from .notebook import NOTHING, Left, Notebook, Place
from .report import Counting, Reporter, counting_pause_ns
from .rows import row_of
from .services import Key, Said, Services
from .sync import SyncKeeper

_SECOND_NS = 1_000_000_000
_LOOK_NS = 30 * _SECOND_NS
"""How often the table is read: somebody may have changed it, and what was refused may be taken now."""
_SOON_NS = 5 * _SECOND_NS
"""The same while the back end cannot be used."""
_PARTING_NS = 5_000_000
Step = Callable[[], None]


def _place(balancing: Balancing) -> Tuple[Any, ...]:
    """What decides which table of which kernel carries the services."""
    return (
        balancing.backend,
        balancing.namespace,
        balancing.command_buffer_bytes,
        balancing.command_buffer_force,
    )


def _timeouts(setup: Optional[Setup]) -> Timeouts:
    """lvs_timeouts, as long as there is something to be carried."""
    return setup.balancing.timeouts if setup is not None and setup.services else Timeouts()


def _sync_daemon(setup: Setup) -> Optional[SyncDaemon]:
    """lvs_sync_daemon, in the same way."""
    return setup.balancing.sync_daemon if setup.services else None


class BalanceWorker(Worker):
    """Keeps the kernel's table as Setup and CheckResult want it; sends Happening, Report and Counts."""

    def __init__(self, loop: Loop, channel: Channel, log: Log, notes: Tuple[str, str] = ("", "")) -> None:
        """``notes``: where is written what of the table is ours, and which boot of the host this is."""
        self._loop, self._channel, self._log = loop, channel, log
        self._setup: Optional[Setup] = None
        self._services = Services()
        self._keeper: Optional[TableKeeper] = None
        self._carrier = Balancing()
        """What the back end was chosen by."""
        self._problem = ""
        self._active: FrozenSet[str] = frozenset()
        self._notebook = Notebook(*notes, log)
        self._left: FrozenSet[ServiceKey] = frozenset()
        """What a predecessor has left, until the table has been taken over."""
        self._elsewhere = NOTHING
        """The same in another table, until that is clean."""
        self._sync = SyncKeeper(log)
        self._marks = FwmarkKeeper(log)
        self._said: List[Said] = []
        self._settle_alarm = Alarm(loop, self._settle)
        self._look_alarm = Alarm(loop, self._look)
        self._count_alarm = Alarm(loop, self._count)
        self._parting = Alarm(loop, self._part)
        self._reporter = Reporter(loop, channel, self._services, self._report)
        self._counting = Counting(loop, channel, self._services)

    def take(self, value: object) -> None:
        """Setup, CheckResult, Roles or Goodbye."""
        if isinstance(value, CheckResult):
            self._say(self._services.take(value, time.time()))
        elif isinstance(value, Setup):
            self._use(value if self._setup is None else value.after(self._setup))
        elif isinstance(value, Roles):
            self._active = value.active
            if self._setup is not None:
                self._guarded(self._reach_sync)
                self._reporter.news()
        elif isinstance(value, Goodbye):
            self._settle()
            self._leave()

    def end(self) -> None:
        """The agent is gone: all stays as it is, for a successor to take over."""
        if self._keeper is not None:
            self._keeper.backend.close()

    # Setups.

    def _use(self, setup: Setup) -> None:
        before, self._setup = self._setup, setup
        self._look_alarm.set_in(_LOOK_NS)  # a step that fails makes it sooner
        if self._keeper is None:
            self._begin(setup)
        elif _place(self._carrier) != _place(setup.balancing):
            self._move(setup)
        self._use_services(setup)
        if before is not None:
            self._guarded(self._reach_all)  # what was refused before is tried again
        replaced = None if self._keeper is None else self._keeper.backend.replaced
        if _timeouts(before) != _timeouts(setup) or (before is None and replaced is not None):
            self._guarded(self._reach_timeouts)
        self._guarded(self._reach_sync)
        self._note(self._services.owned())
        self._reporter.news()
        if self._keeper is None:
            self._look_alarm.set_in(_SOON_NS)
        self._count_alarm.set_in(_SECOND_NS)

    def _use_services(self, setup: Setup) -> None:
        given = (setup.services, setup.results, time.time(), setup.balancing.init_notifies, setup.known)
        self._say(self._services.use(*given, carried=self._carried(setup)))
        self._sync.expect(_sync_daemon(setup))
        self._note(self._services.owned())
        self._settle()
        self._marks.settle()

    def _begin(self, setup: Setup) -> None:
        backend = self._choose(setup.balancing)
        if backend is not None:
            self._install(backend, setup)
            self._recall(backend, setup)
            self._adopt(setup)

    def _recall(self, backend: Backend, setup: Setup) -> None:
        """What a killed predecessor had placed; its file may have been another one."""
        left = self._notebook.read()
        if left.place == Place(backend.name, setup.balancing.namespace):
            self._left, backend.replaced = left.keys, left.replaced
            self._sync.recall(left.sync)
            if left.marks not in ("", setup.balancing.fwmark_table):
                self._marks.recall(replace(setup.balancing, fwmark_table=left.marks))
        elif left != NOTHING:
            self._clear_away(left, setup.balancing)

    def _clear_away(self, left: Left, balancing: Balancing) -> None:
        """Another table carries the services now."""
        name, namespace = left.place
        where = f"the {name} table" + (f" of {namespace}" if namespace else "")
        choice = choose(replace(balancing, backend=name, namespace=namespace))
        self._elsewhere = NOTHING if choice.backend is None else left
        if choice.backend is None:
            self._log.warning(f"services that were left in {where} stay there: {choice.problem}")
            return
        keeper = TableKeeper(choice.backend, self._log)
        sync = SyncKeeper(self._log)
        sync.recall(left.sync)
        if left.marks:
            self._marks.recall(replace(balancing, fwmark_table=left.marks, namespace=namespace))

        def clear() -> None:
            sync.reach(keeper.backend, None, frozenset())
            keeper.backend.replaced = left.replaced
            count = keeper.adopt(left.keys)
            keeper.clear()
            keeper.backend.set_timeouts(Timeouts())
            self._log.info(f"{count} services that were left in {where} are taken away")
            self._elsewhere = NOTHING

        self._guarded(clear)
        keeper.backend.close()

    def _note(self, keys: Iterable[ServiceKey]) -> None:
        """Before ``keys`` are placed, and when others have gone: what a successor may find of ours."""
        keeper = self._keeper
        if keeper is not None:
            ours = frozenset((*keys, *keeper.believed, *self._left))
            place = Place(keeper.name, self._carrier.namespace)
            left = Left(place, ours, keeper.backend.replaced, self._marks.table, self._sync.noted)
            self._notebook.keep(left)

    def _adopt(self, setup: Setup) -> None:
        """Take over what is there already, and take away what is there and not wanted."""
        keeper = self._keeper
        if keeper is None:
            return
        own = {key for service in self._carried(setup) for key in keys_of(service)}
        before = {key for service in setup.before for key in keys_of(service)}
        gone = before.union(self._marks.found, self._left) - own

        def adopt() -> None:
            if setup.first and setup.balancing.flush:
                keeper.backend.flush()
            count = keeper.adopt(own | gone)
            if count:
                self._log.info(f"{count} services are in the {keeper.name} table already")
            keeper.reach({}, [key for key in keeper.believed if key not in own])
            self._left = frozenset()

        self._guarded(adopt)

    def _carried(self, setup: Setup) -> Tuple[VirtualServer, ...]:
        """The services as the kernel is to see them (nftables_ipvs is for IPVS)."""
        if self._keeper is None or self._keeper.name != IPVS:
            return setup.services
        return self._marks.plan(setup.balancing, setup.services)

    def _choose(self, balancing: Balancing) -> Optional[Backend]:
        choice = choose(balancing)
        if choice.problem and choice.problem != self._problem:
            self._log.error(choice.problem)
        self._problem = choice.problem
        self._reporter.news()
        return choice.backend

    def _install(self, backend: Backend, setup: Setup) -> None:
        self._keeper, self._carrier = TableKeeper(backend, self._log), setup.balancing
        self._log.info(f"virtual servers are carried by {backend.name}")
        self._services.changed.update(self._services.decisions)
        self._reporter.news()

    def _move(self, setup: Setup) -> None:
        """Another back end or namespace is to carry the services. Until it can, the old one goes on."""
        backend, old = self._choose(setup.balancing), self._keeper
        if backend is None or old is None:
            return
        self._guarded(self._restore_timeouts)
        same = old.name == backend.name and self._carrier.namespace == setup.balancing.namespace
        if not same:
            self._marks.remove()
            self._guarded(old.clear)
            self._guarded(self._stop_sync)
        old.backend.close()
        self._install(backend, setup)
        if same:
            self._adopt(setup)
        self._guarded(self._reach_timeouts)

    # The table.

    def _say(self, said: List[Said]) -> None:
        self._said += said
        if self._settle_alarm.deadline is None:
            self._settle_alarm.set_in(0)

    def _settle(self) -> None:
        """Change the table, then tell: whoever hears of a server may use it."""
        self._settle_alarm.cancel()
        for text in self._services.notes:
            self._log.info(text)
        self._services.notes.clear()
        self._guarded(self._reach_part)
        said, self._said = self._said, []
        for service, tell in said:
            self._tell(service.family, tell)
        if self._services.changed:
            self._reporter.news()

    def _reach_part(self) -> None:
        keeper = self._keeper
        if keeper is not None:
            part, keys = self._services.part(keeper.fitted)
            keeper.reach(part, keys)

    def _reach_all(self) -> None:
        keeper = self._keeper
        if keeper is not None:
            whole = self._services.whole(keeper.fitted)
            keeper.reach(whole, {**whole, **keeper.believed}.keys())

    def _reach_timeouts(self) -> None:
        if self._keeper is not None and self._setup is not None:
            self._keeper.backend.set_timeouts(_timeouts(self._setup))

    def _restore_timeouts(self) -> None:
        if self._keeper is not None:
            self._keeper.backend.set_timeouts(Timeouts())

    def _reach_sync(self) -> None:
        if self._keeper is not None and self._setup is not None:
            self._sync.reach(self._keeper.backend, _sync_daemon(self._setup), self._active)

    def _stop_sync(self) -> None:
        if self._keeper is not None:
            self._sync.reach(self._keeper.backend, None, frozenset())

    def _guarded(self, step: Step) -> None:
        """Do a step; a back end that fails is said in the log and in ``status``, and looked at again soon."""
        try:
            step()
        except KernelError as error:
            hint = f" ({error.hint})" if error.hint else ""
            text = f"{error}{hint}"
            now = self._loop.clock()
            self._log.limited(ERROR, "balance", text, text, now, 60 * _SECOND_NS)
            self._problem = text
            self._look_alarm.set_in(_SOON_NS)
            self._reporter.news()

    def _look(self) -> None:
        """Is the table still what it should be? Without a back end: is there one now?"""
        setup = self._setup
        self._look_alarm.set_in(_LOOK_NS)
        if setup is not None and (self._keeper is None or _place(self._carrier) != _place(setup.balancing)):
            if self._keeper is None:
                self._begin(setup)
            else:
                self._move(setup)
            self._use_services(setup)
            self._guarded(self._reach_timeouts)
        keeper = self._keeper
        if keeper is None:
            self._look_alarm.set_in(_SOON_NS)
        else:
            if self._left and setup is not None:
                self._adopt(setup)
            if self._elsewhere != NOTHING and setup is not None:
                self._clear_away(self._elsewhere, setup.balancing)
            self._look_at(keeper)
            self._note(self._services.owned())

    def _look_at(self, keeper: TableKeeper) -> None:
        refused, problem = dict(keeper.refused), (self._problem, keeper.problem)

        def look() -> None:
            keeper.look(self._services.whole(keeper.fitted))
            if self._setup is not None and _place(self._carrier) == _place(self._setup.balancing):
                self._problem = ""

        self._guarded(look)
        self._guarded(self._reach_sync)
        self._marks.settle(look=True)
        if keeper.refused != refused or (self._problem, keeper.problem) != problem:
            spots = {spot[0] for spot in {**refused, **keeper.refused}}
            touched = [key for key, keys in self._services.keys.items() if spots.intersection(keys)]
            self._services.changed.update(touched)
            self._reporter.news()

    # Telling.

    def _tell(self, family: int, tell: Tell) -> None:
        setup = self._setup
        if tell.event == CHECKED and setup is not None and not setup.balancing.check_mails:
            return
        level = DEBUG if tell.quiet else INFO if tell.event == CHECKED or tell.stopping else NOTICE
        if tell.event == DOWN and not tell.stopping:
            level = WARNING
        what = "real server" if tell.kind == SERVER else "virtual server"
        because = f" ({tell.reason})" if tell.reason else ""
        word = "a check has changed" if tell.event == CHECKED else tell.event
        self._log.write(level, f"{what} {tell.name}: {word}{because}")
        details = Details(family, tell.text, tell.servers_up, tell.stopping, tell.quiet)
        now_s = time.time()
        self._channel.send(
            Happening(tell.kind, tell.name, tell.event, 0, tell.previous, tell.reason, now_s, details)
        )

    def _report(self, keys: List[Key]) -> Report:
        services = self._services
        keeper = self._keeper
        rows: Dict[Key, Dict[str, Any]] = {}
        known = {}
        for key in keys:
            decision = services.decisions.get(key)
            if decision is None:
                continue
            words = words_of(decision.service, decision.service.family)
            fitted = words if keeper is None else keeper.fitted(words)
            table = {} if keeper is None else keeper.believed
            refused = refused_of(keeper, services.keys[key])
            rows[key] = row_of(decision, services.keys[key], table, fitted, refused)
            known[key] = decision.known
        name = "" if keeper is None else keeper.name
        problems = (self._problem, self._marks.problem, "" if keeper is None else keeper.problem)
        problem = "; ".join(filter(None, problems))
        ours = keeper is not None and (keeper.believed or self._left or self._sync.noted)
        empty = not services.decisions and not ours and self._elsewhere == NOTHING
        return Report(name, problem, self._sync.status(), rows, known, empty)

    def _count(self) -> None:
        setup = self._setup
        age_ns = 5 * _SECOND_NS
        if setup is not None and setup.balancing.snmp:
            balancing = setup.balancing
            age_ns = min(balancing.snmp_service_age_ns, balancing.snmp_server_age_ns)
        took_ns = 0
        if self._keeper is not None and self._services.decisions:
            try:
                took_ns = self._counting.count(self._keeper)
            except KernelError as error:
                now = self._loop.clock()
                self._log.limited(WARNING, "counters", "error", str(error), now, 600 * _SECOND_NS)
        self._count_alarm.set_in(counting_pause_ns(age_ns, took_ns))

    # The end.

    def _leave(self) -> None:
        """Tell what is to be told, take our services away, and go when all words are out."""
        setup = Setup() if self._setup is None else self._setup
        for alarm in (self._look_alarm, self._count_alarm):
            alarm.cancel()
        flush = setup.balancing.flush_on_stop
        for service, tell in self._services.stop(with_servers=not flush):
            self._tell(service.family, tell)
        keeper = self._keeper
        if keeper is not None:
            self._guarded(keeper.flush if flush == "all" else keeper.clear)
            self._guarded(self._stop_sync)
            self._guarded(self._restore_timeouts)
        self._marks.remove()
        self._note(())
        self._part()

    def _part(self) -> None:
        if self._channel.waiting:
            self._parting.set_in(_PARTING_NS)
        else:
            self._loop.stop()
