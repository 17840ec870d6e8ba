# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that balances, on a back end in memory and with a clock that the test moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from vrrp_agent.balance import report, worker
from vrrp_agent.balance.actions import Known
from vrrp_agent.balance.backend import ServiceKey
from vrrp_agent.balance.choose import Choice
from vrrp_agent.balance.messages import Counts, Goodbye, Report, Roles, Setup
from vrrp_agent.balance.worker import BalanceWorker
from vrrp_agent.conf.parts.balancing import (
    TCP,
    UDP,
    Balancing,
    Member,
    SyncDaemon,
    Timeouts,
    VirtualServer,
)
from vrrp_agent.loop.events import Happening
from vrrp_agent.loop.log import Log
from vrrp_agent.loop.loop import Loop
from vrrp_agent.loop.results import CheckKey, CheckResult

from tests.unit.balance.farm import (
    NAME,
    MemoryBackend,
    check,
    packed,
    result,
    results,
    server,
    service,
    short,
    sorry,
)

SECOND = 1_000_000_000
KEY = (NAME, 4)


class Lines(Log):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: List[str] = []

    def write(self, level: int, text: str) -> None:
        self.lines.append(text)


class Channel:
    """Keeps what is sent. ``stuck`` values wait for a reader."""

    def __init__(self) -> None:
        self.sent: List[Any] = []
        self.waiting = False

    def send(self, value: Any) -> bool:
        self.sent.append(value)
        return True


class Stage:
    """The worker, and what there is of the kernel."""

    def __init__(self) -> None:
        self.now = 1000 * SECOND
        self.loop = Loop(lambda: self.now)
        self.channel, self.log = Channel(), Lines()
        self.backend: Optional[MemoryBackend] = MemoryBackend()
        self.chosen: List[Balancing] = []
        self.worker = BalanceWorker(self.loop, self.channel, self.log)  # type: ignore[arg-type]

    def choose(self, balancing: Balancing) -> Choice:
        self.chosen.append(balancing)
        return Choice(self.backend, "" if self.backend else "no back end")

    def setup(self, *services: VirtualServer, first: bool = True, **words: Any) -> None:
        given = {name: words.pop(name) for name in ("results", "known", "before") if name in words}
        self.worker.take(Setup(services, Balancing(**words), first=first, **given))
        self.settle()

    def settle(self) -> None:
        self.loop.schedule.run_due(self.now)

    def wait(self, seconds: float) -> None:
        end = self.now + int(seconds * SECOND)
        while True:
            due = self.loop.schedule.next_deadline()
            if due is None or due > end:
                break
            self.now = max(due, self.now)
            self.loop.schedule.run_due(self.now)
        self.now = end

    def find(self, *found: Any) -> None:
        for one in found:
            self.worker.take(one)
        self.settle()

    def told(self) -> List[str]:
        """What others were told since the last time."""
        happenings = [one for one in self.channel.sent if isinstance(one, Happening)]
        self.channel.sent = [one for one in self.channel.sent if not isinstance(one, Happening)]
        return [
            f"VS {one.event}" if one.kind == "VS" else f"RS {short(one.name)} {one.event}"
            for one in happenings
        ]

    def reports(self) -> List[Report]:
        return [one for one in self.channel.sent if isinstance(one, Report)]

    def table(self) -> Dict[str, Dict[str, int]]:
        assert self.backend is not None
        return self.backend.text()


@pytest.fixture(name="stage")
def make_stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage()
    monkeypatch.setattr(worker, "choose", stage.choose)
    yield stage
    stage.loop.close()


ONE = service(server(1, [check()]), server(2, [check()]))


def test_services_are_there_at_once_and_results_change_them(stage: Stage) -> None:
    stage.setup(ONE, results=results(result(2, False)))
    assert stage.table() == {"80": {"1": 1}}
    assert stage.told() == ["VS UP"]
    stage.find(result(2, True), result(1, False))
    assert stage.table() == {"80": {"2": 1}}
    assert stage.told() == ["RS 2 UP", "RS 1 DOWN"]


def test_the_table_is_changed_before_anybody_is_told(stage: Stage) -> None:
    stage.setup(ONE)
    seen: List[Dict[str, Dict[str, int]]] = []
    send: Callable[[Any], bool] = stage.channel.send

    def see(value: Any) -> bool:
        if isinstance(value, Happening):
            seen.append(stage.table())
        return send(value)

    stage.channel.send = see  # type: ignore[method-assign]
    stage.find(result(1, False))
    assert seen == [{"80": {"2": 1}}]


def test_many_results_together_cost_one_change_of_the_table(stage: Stage) -> None:
    servers = [server(number, [check()]) for number in range(1, 51)]
    stage.setup(service(*servers))
    assert stage.backend is not None
    calls: List[int] = []
    apply = stage.backend.apply
    stage.backend.apply = lambda changes: calls.append(len(changes)) or apply(changes)  # type: ignore
    stage.find(*(result(number, False) for number in range(1, 51)))
    assert calls == [50]


def test_what_others_are_told_says_all_they_need(stage: Stage) -> None:
    stage.setup(ONE)
    stage.channel.sent.clear()
    stage.find(result(1, False, why="connection refused"))
    (one,) = [one for one in stage.channel.sent if isinstance(one, Happening)]
    assert one.name == f"{server(1).name} {NAME}"
    assert (one.reason, one.previous) == ("TCP_CHECK: connection refused", "UP")
    assert one.details is not None
    assert (one.details.family, one.details.servers_up) == (4, 1)
    assert "real server [198.18.0.1]:tcp:80 [198.51.100.10]:tcp:80: DOWN" in stage.log.lines[-1]


def test_no_checker_emails_keeps_checks_that_change_nothing_to_itself(stage: Stage) -> None:
    both = service(server(1, [check(), check(port=81)]), server(2))
    stage.setup(both, check_mails=False)
    stage.find(result(1, False, 0))
    stage.told()
    stage.find(result(1, False, 1))
    assert stage.told() == []
    stage.setup(both, first=False, results=results(result(1, False, 0), result(1, False, 1)))
    stage.find(result(1, True, 1))
    assert stage.told() == ["RS 1 CHECKED"]


# Reloads.


def test_an_equal_setup_touches_nothing(stage: Stage) -> None:
    stage.setup(ONE)
    assert stage.backend is not None
    before = list(stage.backend.changes)
    stage.told()
    stage.setup(ONE, first=False)
    assert stage.backend.changes == before
    assert stage.told() == []


def test_a_reload_touches_only_what_differs(stage: Stage) -> None:
    other = service(
        server(3), name="[198.51.100.10]:tcp:443", members=(Member(4, packed("198.51.100.10"), 1, 443),)
    )
    stage.setup(ONE, other)
    assert stage.backend is not None
    before = len(stage.backend.changes)
    new = service(server(1, [check()], weight=5), server(2, [check()]))
    stage.setup(new, other, first=False)
    assert [(one.what, one.service.port) for one in stage.backend.changes[before:]] == [("set", 80)]
    stage.setup(new, first=False)
    assert stage.table() == {"80": {"1": 5, "2": 1}}
    assert "RS 3 DOWN" in stage.told()


def test_other_members_keep_states(stage: Stage) -> None:
    stage.setup(ONE)
    stage.find(result(1, False))
    moved = replace(ONE, members=(Member(4, packed("198.51.100.10"), 1, 8080),))
    stage.setup(moved, first=False, results=results(result(1, False)))
    assert stage.table() == {"8080": {"2": 1}}


def test_a_service_of_a_group_keeps_its_states_when_another_protocol_comes_above_it(stage: Stage) -> None:
    def of_group(number: int, protocol: int) -> VirtualServer:
        servers = [server(1, [check()]), server(2, [check()])]
        return service(*servers, name=f"[web]:{number}", group="web", protocol=protocol)

    dead = CheckKey(("[web]:0", 4), server(1).key, 0)
    stage.setup(of_group(0, TCP), results=results(CheckResult(dead, False)))
    assert stage.table() == {"80": {"2": 1}}
    stage.told()
    moved = dead._replace(service=("[web]:1", 4))
    both = (of_group(0, UDP), of_group(1, TCP))
    stage.setup(*both, first=False, results=results(CheckResult(moved, False)))
    assert stage.told() == ["VS UP"], "of the new service alone"
    assert stage.backend is not None
    found = {key.protocol: len(entry.destinations) for key, entry in stage.backend.table.items()}
    assert found == {TCP: 1, UDP: 2}
    stage.setup(of_group(0, TCP), first=False, results=results(CheckResult(dead, False)))
    assert stage.told() == ["RS 1 DOWN", "RS 2 DOWN", "VS DOWN"], "of the service that goes alone"
    assert stage.table() == {"80": {"2": 1}}
    stage.setup(of_group(0, UDP), first=False)
    assert stage.told() == ["RS 2 DOWN", "VS DOWN", "VS UP"], "another protocol is another service"


def test_a_service_that_is_carried_another_way_keeps_its_states(stage: Stage) -> None:
    def plan(balancing: Balancing, services: Tuple[VirtualServer, ...]) -> Tuple[VirtualServer, ...]:
        mark = (Member(4, fwmark=7),)
        return tuple(replace(one, members=mark) for one in services) if balancing.fwmark_table else services

    stage.worker._marks.plan = plan  # type: ignore[assignment]
    stage.setup(ONE)
    stage.find(result(1, False))
    stage.told()
    stage.worker.take(Setup((), Balancing(fwmark_table="marks"), order=(KEY,)))
    stage.settle()
    assert stage.table() == {"7": {"2": 1}}
    assert stage.told() == []


def test_the_last_service_that_goes_lets_the_process_go(stage: Stage) -> None:
    stage.setup(ONE)
    stage.wait(1)
    assert not stage.reports()[-1].empty
    stage.told()
    stage.setup(first=False)
    stage.wait(1)
    assert stage.table() == {}
    assert stage.told() == ["RS 1 DOWN", "RS 2 DOWN", "VS DOWN"]
    assert stage.reports()[-1].empty


def test_the_process_stays_while_the_last_service_cannot_be_removed(stage: Stage) -> None:
    stage.setup(ONE)
    assert stage.backend is not None
    stage.backend.broken = "no answer"
    stage.setup(first=False)
    stage.wait(4)
    assert not stage.reports()[-1].empty
    assert stage.reports()[-1].problem == "no answer"
    stage.backend.broken = ""
    stage.wait(5)
    assert stage.table() == {}
    assert stage.reports()[-1].empty


def test_another_back_end_takes_over_all_services(stage: Stage) -> None:
    stage.setup(ONE)
    old, stage.backend = stage.backend, MemoryBackend("nftables")
    assert old is not None
    stage.setup(ONE, first=False, backend="nftables")
    assert old.table == {}
    assert old.closed
    assert stage.table() == {"80": {"1": 1, "2": 1}}


def test_a_back_end_goes_on_until_the_other_one_can_be_used(stage: Stage) -> None:
    stage.setup(ONE)
    old, stage.backend = stage.backend, None
    assert old is not None
    stage.setup(ONE, first=False, backend="nftables")
    assert old.text() == {"80": {"1": 1, "2": 1}}
    stage.find(result(1, False))
    assert old.text() == {"80": {"2": 1}}
    stage.wait(1)
    assert (stage.reports()[-1].backend, stage.reports()[-1].problem) == ("ipvs", "no back end")
    stage.backend = MemoryBackend("nftables")
    stage.wait(40)
    assert old.table == {}
    assert stage.table() == {"80": {"2": 1}}
    assert (stage.reports()[-1].backend, stage.reports()[-1].problem) == ("nftables", "")


def test_another_word_for_the_same_table_leaves_it_untouched(stage: Stage) -> None:
    stage.setup(ONE, timeouts=Timeouts(900, 0, 0))
    old, stage.backend = stage.backend, MemoryBackend()
    assert old is not None
    before = list(old.changes)
    stage.backend.table = old.table
    stage.setup(ONE, first=False, backend="ipvs", timeouts=Timeouts(900, 0, 0))
    assert old.closed
    assert old.changes == before
    assert stage.backend.changes == []
    assert stage.table() == {"80": {"1": 1, "2": 1}}
    assert stage.backend.timeouts[-1] == Timeouts(900, 0, 0)


# Starts.


def test_a_start_adopts_what_is_there_and_leaves_strangers_alone(stage: Stage) -> None:
    stage.setup(ONE)
    assert stage.backend is not None
    stranger = ServiceKey(4, 6, packed("198.51.100.99"), 22, 0)
    stage.backend.table[stranger] = next(iter(stage.backend.table.values()))
    before = len(stage.backend.changes)
    second = Stage()
    second.backend = stage.backend
    worker_choose, worker.choose = worker.choose, second.choose
    try:
        second.setup(ONE, results=results(result(1, False)))
    finally:
        worker.choose = worker_choose
    assert [one.what for one in stage.backend.changes[before:]] == ["remove"]
    assert stranger in stage.backend.table
    second.loop.close()


def test_lvs_flush_empties_the_table_at_the_start_only(stage: Stage) -> None:
    stage.setup(ONE, flush=True)
    assert stage.backend is not None
    assert stage.backend.flushed == 1
    stage.setup(replace(ONE, quorum=2), first=False, flush=True)
    assert stage.backend.flushed == 1


def test_a_process_after_one_that_died_does_not_flush_nor_tell_again(stage: Stage) -> None:
    known = {KEY: Known(True, {server(1).key: True, server(2).key: False})}
    stage.setup(ONE, first=False, flush=True, known=known, results=results(result(2, False)))
    assert stage.backend is not None
    assert stage.backend.flushed == 0
    assert stage.told() == []


def test_what_a_dead_process_placed_and_nobody_wants_any_more_goes(stage: Stage) -> None:
    gone = replace(ONE, name="[198.51.100.10]:tcp:81", members=(Member(4, packed("198.51.100.10"), 1, 81),))
    stage.setup(ONE, gone)
    stage.worker = BalanceWorker(stage.loop, stage.channel, stage.log)  # type: ignore[arg-type]
    stage.setup(ONE, first=False, before=(gone,))
    assert stage.table() == {"80": {"1": 1, "2": 1}}


# Trouble.


def test_without_a_back_end_decisions_go_on_and_it_is_looked_for(stage: Stage) -> None:
    stage.backend = None
    stage.setup(ONE)
    stage.find(result(1, False))
    assert stage.told() == ["VS UP", "RS 1 DOWN"]
    stage.wait(1)
    assert stage.reports()[-1].problem == "no back end"
    stage.backend = MemoryBackend()
    stage.wait(6)
    assert stage.table() == {"80": {"2": 1}}
    stage.wait(3)
    assert (stage.reports()[-1].problem, stage.reports()[-1].backend) == ("", "ipvs")
    assert stage.log.lines.count("no back end") == 1


def test_a_back_end_that_fails_for_a_while_is_brought_up_to_date(stage: Stage) -> None:
    stage.setup(ONE)
    assert stage.backend is not None
    stage.backend.broken = "the socket is gone"
    stage.find(result(1, False))
    assert stage.told() == ["VS UP", "RS 1 DOWN"]
    stage.wait(1)
    assert stage.reports()[-1].problem == "the socket is gone"
    stage.backend.broken = ""
    stage.wait(6)
    assert stage.table() == {"80": {"2": 1}}
    stage.wait(3)
    assert stage.reports()[-1].problem == ""


def test_what_somebody_else_removes_is_put_back_within_half_a_minute(stage: Stage) -> None:
    stage.setup(ONE)
    assert stage.backend is not None
    stage.backend.table.clear()
    stage.wait(31)
    assert stage.table() == {"80": {"1": 1, "2": 1}}
    assert any("somebody else" in line for line in stage.log.lines)


def test_a_refusal_shows_in_status_and_is_tried_again(stage: Stage) -> None:
    assert stage.backend is not None
    spot = (ServiceKey(4, 6, packed("198.51.100.10"), 80, 0), None)
    stage.backend.refused[spot] = "no such scheduler"
    stage.setup(ONE)
    stage.wait(1)
    refused = stage.reports()[-1].services[KEY]["refused"]
    assert refused[0] == "add [198.51.100.10]:tcp:80: no such scheduler"
    stage.backend.refused.clear()
    stage.wait(33)
    assert stage.table() == {"80": {"1": 1, "2": 1}}
    assert stage.reports()[-1].services[KEY]["refused"] == []


# Timeouts and the sync daemon.


def test_timeouts_are_set_and_given_back(stage: Stage) -> None:
    stage.setup(ONE, timeouts=Timeouts(900, 0, 60))
    stage.setup(ONE, first=False, timeouts=Timeouts(900, 0, 60))
    assert stage.backend is not None
    assert stage.backend.timeouts == [Timeouts(900, 0, 60)]
    stage.setup(ONE, first=False)
    assert stage.backend.timeouts[-1] == Timeouts()


SYNC = SyncDaemon("eth1", "VI_1", 51)


def running(stage: Stage) -> List[bool]:
    assert stage.backend is not None
    return sorted(stage.backend.daemons)


def test_the_sync_daemon_follows_its_instance(stage: Stage) -> None:
    stage.worker.take(Roles(frozenset()))
    stage.setup(ONE, sync_daemon=SYNC)
    assert running(stage) == [False]
    stage.worker.take(Roles(frozenset({"VI_1"})))
    assert running(stage) == [True]
    stage.worker.take(Roles(frozenset({"VI_2"})))
    assert running(stage) == [False]
    stage.wait(1)
    assert stage.reports()[-1].sync_daemon["state"] == ["receives"]
    stage.setup(ONE, first=False)
    assert running(stage) == []


def test_without_an_instance_both_sync_daemons_run(stage: Stage) -> None:
    stage.setup(ONE, sync_daemon=replace(SYNC, instance=""))
    assert running(stage) == [False, True]


def test_other_settings_start_the_sync_daemon_anew(stage: Stage) -> None:
    stage.setup(ONE, sync_daemon=SYNC)
    stage.setup(ONE, first=False, sync_daemon=replace(SYNC, sync_id=7))
    assert stage.backend is not None
    assert stage.backend.daemons[False].sync_id == 7


def test_a_sync_daemon_that_a_predecessor_left_goes_on(stage: Stage) -> None:
    assert stage.backend is not None
    left = replace(SYNC, instance="", max_length=1400)
    stage.backend.daemons[False] = left
    stage.backend.daemons[True] = replace(left, sync_id=9)
    stage.setup(ONE, sync_daemon=SYNC)
    assert stage.backend.daemons == {False: left}


@pytest.mark.parametrize("found", [{"port": 8849}, {"ttl": 3}, {"group": bytes((224, 0, 0, 82))}])
def test_a_sync_daemon_that_was_left_with_other_settings_is_started_anew(
    stage: Stage, found: Dict[str, Any]
) -> None:
    assert stage.backend is not None
    wanted = replace(SYNC, instance="", port=8848, ttl=1, group=bytes((224, 0, 0, 81)))
    stage.backend.daemons = {sends: replace(wanted, **found) for sends in (False, True)}
    stage.setup(ONE, sync_daemon=wanted)
    assert stage.backend.daemons == {False: wanted, True: wanted}


def test_a_sync_daemon_that_does_not_start_is_said_and_tried_again(stage: Stage) -> None:
    assert stage.backend is not None
    stage.backend.sync_problem = "no such device"
    stage.setup(ONE, sync_daemon=SYNC)
    stage.wait(1)
    assert "no such device" in stage.reports()[-1].sync_daemon["problem"]
    stage.backend.sync_problem = ""
    stage.wait(31)
    assert running(stage) == [False]


# The end.


def goodbye(stage: Stage) -> None:
    stage.worker.take(Goodbye())


def test_an_orderly_end_takes_our_services_away_and_gives_all_back(stage: Stage) -> None:
    stranger = ServiceKey(4, 6, packed("198.51.100.99"), 22, 0)
    stage.setup(replace(ONE, omega=True), sync_daemon=SYNC, timeouts=Timeouts(900, 0, 0))
    assert stage.backend is not None
    stage.backend.table[stranger] = next(iter(stage.backend.table.values()))
    stage.told()
    goodbye(stage)
    assert list(stage.backend.table) == [stranger]
    assert running(stage) == []
    assert stage.backend.timeouts[-1] == Timeouts()
    quiet = [one.details.quiet for one in stage.channel.sent if isinstance(one, Happening) and one.details]
    assert quiet == [False] * 3
    assert stage.told() == ["RS 1 DOWN", "RS 2 DOWN", "VS DOWN"]


@pytest.mark.parametrize(
    ("flush", "strangers", "words"),
    [
        ("", 1, ["RS 1 DOWN", "RS 2 DOWN", "VS DOWN"]),
        ("VS", 1, ["VS DOWN"]),
        ("all", 0, ["VS DOWN"]),
    ],
)
def test_lvs_flush_on_stop(stage: Stage, flush: str, strangers: int, words: List[str]) -> None:
    stranger = ServiceKey(4, 6, packed("198.51.100.99"), 22, 0)
    stage.setup(ONE, flush_on_stop=flush)
    assert stage.backend is not None
    stage.backend.table[stranger] = next(iter(stage.backend.table.values()))
    stage.told()
    goodbye(stage)
    assert len(stage.backend.table) == strangers
    assert stage.told() == words


def test_an_agent_that_vanishes_leaves_all_as_it_is(stage: Stage) -> None:
    stage.setup(ONE)
    stage.worker.end()
    assert stage.backend is not None
    assert stage.table() == {"80": {"1": 1, "2": 1}}
    assert stage.backend.closed


def test_the_end_waits_until_all_words_are_out(stage: Stage) -> None:
    stage.setup(ONE)
    stopped: List[int] = []
    stage.loop.stop = lambda: stopped.append(stage.now)  # type: ignore[method-assign]
    stage.channel.waiting = True
    goodbye(stage)
    stage.wait(0.1)
    assert stopped == []
    stage.channel.waiting = False
    stage.wait(0.1)
    assert len(stopped) == 1


# Reports.


def test_a_report_has_only_what_is_new(stage: Stage) -> None:
    other = replace(ONE, name="[198.51.100.10]:tcp:81", members=(Member(4, packed("198.51.100.10"), 1, 81),))
    stage.setup(ONE, other)
    stage.wait(1)
    assert {key for one in stage.reports() for key in one.services} == {KEY, other.key}
    stage.channel.sent.clear()
    stage.find(result(1, False))
    stage.wait(1)
    assert [set(one.services) for one in stage.reports()] == [{KEY}]
    row = stage.reports()[0].services[KEY]
    assert [(one["state"], one["in_table"]) for one in row["servers"]] == [("down", False), ("up", True)]
    assert stage.reports()[0].known[KEY].servers[server(1).key] is False
    stage.channel.sent.clear()
    stage.wait(20)
    assert stage.reports() == []


def test_many_services_are_reported_in_small_pieces_and_not_all_the_time(stage: Stage) -> None:
    services = [
        service(
            *(server(number, [check()]) for number in range(1, 11)),
            name=f"[198.51.100.10]:tcp:{port}",
            members=(Member(4, packed("198.51.100.10"), 1, port),),
        )
        for port in range(1000, 1200)
    ]
    stage.setup(*services)
    stage.wait(2)
    sizes = [len(one.services) for one in stage.reports()]
    assert sum(sizes) == 200
    assert max(sizes) * 11 <= report._MOST_SERVERS + 11
    stage.channel.sent.clear()
    found = [
        result(1, bool(turn % 2))._replace(key=result(1, True).key._replace(service=one.key))
        for turn in range(20)
        for one in services[:50]
    ]
    for one in found:
        stage.find(one)
        stage.wait(0.01)
    assert len(stage.reports()) < 40


def test_counters_come_when_they_change_and_only_then(stage: Stage) -> None:
    stage.setup(service(server(1), sorry_server=sorry(inhibit=True)))
    stage.wait(30)
    counts = [one for one in stage.channel.sent if isinstance(one, Counts)]
    assert len(counts) == 1
    total, servers = counts[0].services[KEY]
    assert total == {"connections": 10}
    assert {short(name): one for name, one in servers.items()} == {
        "1": {"connections": 5},
        "sorry": {"connections": 5},
    }


# nftables_ipvs.


def test_a_group_goes_by_a_mark_and_status_speaks_of_its_addresses(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = service(
        server(1), name="[web]:tcp", group="web", members=(Member(4, packed("198.51.100.10"), 3, 80),)
    )
    marked = replace(group, members=(Member(4, fwmark=1000),))
    plans: List[int] = []

    def plan(_balancing: Balancing, services: Any) -> Any:
        plans.append(len(services))
        return (marked,)

    monkeypatch.setattr(stage.worker._marks, "plan", plan)
    stage.setup(group, fwmark_table="keepalived")
    assert plans
    assert stage.table() == {"1000": {"1": 1}}
    stage.wait(1)
    assert stage.reports()[-1].services[group.key]["members"] == ["198.51.100.10-198.51.100.12 tcp port 80"]
