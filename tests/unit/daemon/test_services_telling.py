# SPDX-License-Identifier: GPL-3.0-or-later
"""News of virtual and real servers on their way through the agent: to those who tell, and to SNMP."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, ClassVar, Dict, Iterable, Iterator, List, Tuple

import pytest
from vrrp_agent.balance.messages import Counts, Report, Setup
from vrrp_agent.conf.model import Command, Config, Fifo, GlobalSettings, Mail, Snmp, Telling
from vrrp_agent.conf.parts.balancing import TCP, Balancing, Member, RealServer, VirtualServer
from vrrp_agent.conf.parts.checks import Connection, TcpCheck, Timing
from vrrp_agent.daemon.sides import balancing as balancing_module
from vrrp_agent.daemon.sides import checking as checking_module
from vrrp_agent.daemon.sides import snmp as snmp_module
from vrrp_agent.daemon.sides import telling as telling_module
from vrrp_agent.loop import events
from vrrp_agent.loop.events import SERVER, SERVICE, Details, Happening
from vrrp_agent.loop.results import CheckKey, CheckResult
from vrrp_agent.notify.setup import Setup as NotifySetup
from vrrp_agent.snmp.facts import Ask, Change, ChangeDone, Checks, ServerChanged, Service

from tests.unit.daemon.stage import Stage

RS, VS = "[198.18.0.1]:tcp:80", "[198.51.100.10]:tcp:80"
RUN = Command(("/run",))
SILENT = Telling()


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


REAL = RealServer(packed("198.18.0.1"), 80, RS)
PLAIN = VirtualServer(VS, 4, TCP, (Member(4, packed("198.51.100.10"), port=80),), servers=(REAL,))
SPEAKING = replace(PLAIN, quorum_up=RUN, servers=(replace(REAL, notify_down=RUN),))


class FakeSide:
    """Stands where a process would be; ``sent`` is what it was told."""

    made: ClassVar[Dict[str, FakeSide]] = {}

    def __init__(
        self,
        name: str,
        make: Any,
        loop: Any,
        log: Any,
        hello: Callable[[], Iterable[Any]],
        on: Any,
        **more: Any,
    ) -> None:
        self.sent: List[Any] = []
        self.running = False
        self.pid, self.restarts = 4711, 0
        self.say = on
        self._hello = hello
        FakeSide.made[name] = self

    def start(self) -> None:
        self.running = True
        for value in self._hello():
            self.send(value)

    def send(self, value: Any) -> bool:
        self.sent += value if isinstance(value, list) else [value]
        return True

    def stop(self, patience_ns: int, **more: Any) -> None:
        self.running = False

    def retire(self) -> None:
        self.running = False

    def of(self, kind: Any) -> List[Any]:
        return [value for value in self.sent if isinstance(value, kind)]


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> Dict[str, FakeSide]:
    FakeSide.made = {}
    for module in (telling_module, snmp_module, balancing_module, checking_module):
        monkeypatch.setattr(module, "Side", FakeSide)
    return FakeSide.made


@pytest.fixture
def stage(tmp_path: Path, sides: Dict[str, FakeSide]) -> Iterator[Stage]:
    found = Stage(tmp_path)
    yield found
    found.close()


def use(stage: Stage, *services: VirtualServer, telling: Telling = SILENT, **words: Any) -> None:
    """A configuration with virtual servers and no instance at all."""
    stage.agent.apply(Config(settings=GlobalSettings(telling=telling, **words), services=services))
    stage.wait(0.1)


def happening(kind: str, event: str, **details: Any) -> Happening:
    name = VS if kind == SERVICE else f"{RS} {VS}"
    return Happening(kind, name, event, 0, "", "because", 1.0, Details(4, "words", **details))


def told(stage: Stage, sides: Dict[str, FakeSide], *happenings: Happening) -> List[Tuple[str, str]]:
    """Kind and event of what the process hears that tells others."""
    for one in happenings:
        sides["balance"].say(one)
    stage.wait(0.1)
    return [(one.kind, one.event) for one in sides["notify"].of(Happening)]


def test_without_a_word_about_it_no_process_tells_of_services(
    stage: Stage, sides: Dict[str, FakeSide]
) -> None:
    use(stage, PLAIN)
    sides["balance"].say(happening(SERVICE, events.UP))
    assert "notify" not in sides and "snmp" not in sides


def test_services_alone_are_reason_enough_for_the_process(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    use(stage, SPEAKING)
    assert told(stage, sides, happening(SERVICE, events.UP), happening(SERVER, events.DOWN)) == [
        (SERVICE, "UP"),
        (SERVER, "DOWN"),
    ]


@pytest.mark.parametrize("which", ["fifo", "lvs"])
def test_a_pipe_hears_of_servers_without_a_word_of_their_own(
    stage: Stage, sides: Dict[str, FakeSide], which: str
) -> None:
    pipe = Fifo("/run/p")
    telling, lvs = (Telling(fifo=pipe), None) if which == "fifo" else (Telling(), pipe)
    use(stage, PLAIN, telling=telling, balancing=Balancing(fifo=lvs))
    assert told(stage, sides, happening(SERVER, events.UP)) == [(SERVER, "UP")]


def test_the_pipe_of_the_virtual_routers_hears_nothing_of_servers(
    stage: Stage, sides: Dict[str, FakeSide]
) -> None:
    use(stage, PLAIN, telling=Telling(vrrp_fifo=Fifo("/run/p")))
    assert told(stage, sides, happening(SERVER, events.UP)) == []


def test_at_the_end_only_omega_lets_others_know(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    use(stage, SPEAKING)
    quiet = happening(SERVER, events.DOWN, stopping=True, quiet=True)
    loud = happening(SERVICE, events.DOWN, stopping=True)
    assert told(stage, sides, quiet, loud) == [(SERVICE, "DOWN")]


def test_a_check_that_changes_nothing_goes_to_mails_only(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    checked = happening(SERVER, events.CHECKED)
    pipe = Telling(fifo=Fifo("/run/p"))
    use(stage, PLAIN, telling=pipe)
    assert told(stage, sides, checked) == []
    use(stage, PLAIN, telling=replace(pipe, mail=Mail(server="192.0.2.25", recipients=("a@example.org",))))
    assert told(stage, sides, checked) == [(SERVER, "CHECKED")]


# SNMP.


def test_managers_are_told_of_services_and_servers(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    use(stage, PLAIN, balancing=Balancing(snmp=True), snmp=Snmp(traps=True))
    for one in (
        happening(SERVER, events.DOWN, servers_up=1),
        happening(SERVER, events.CHECKED),
        happening(SERVICE, events.DOWN, stopping=True, quiet=True),
    ):
        sides["balance"].say(one)
    stage.wait(0.1)
    assert sides["snmp"].of(ServerChanged) == [
        ServerChanged((VS, 4), RS, False, 1, False),
        ServerChanged((VS, 4), "", False, 0, True),
    ]


def test_with_another_mib_alone_snmp_hears_nothing_of_services(
    stage: Stage, sides: Dict[str, FakeSide]
) -> None:
    use(stage, PLAIN, snmp=Snmp(keepalived=True, traps=True))
    sides["balance"].say(happening(SERVICE, events.UP))
    stage.wait(0.1)
    assert sides["snmp"].of(ServerChanged) == []


def test_who_asks_gets_what_other_processes_have_said(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    """As it is: with a thousand servers the process that sends adverts has no time to make anything of it."""
    checks = (TcpCheck(Timing(), Connection(REAL.address, 80)),)
    use(stage, replace(PLAIN, servers=(replace(REAL, checks=checks),)), balancing=Balancing(snmp=True))
    row, own, theirs = {"name": VS, "servers": []}, {"connections": 3}, {RS: {"connections": 2}}
    sides["balance"].say(Report("ipvs", "", {}, {PLAIN.key: row}, {}))
    sides["balance"].say(Counts({PLAIN.key: (own, theirs)}))
    key = CheckKey(PLAIN.key, REAL.key, 0)
    sides["check"].say(CheckResult(key, False, 0, "refused", 1.0))
    sides["snmp"].say(Ask(7))
    stage.wait(0.1)
    assert sides["snmp"].of(Service) == [Service(7, PLAIN.key, row, own, theirs)]
    assert sides["snmp"].of(Checks) == [Checks(7, {key: False})]


def weights(sides: Dict[str, FakeSide]) -> List[int]:
    """The weight of the server in everything that the process that balances was told since its start."""
    return [one.services[0].servers[0].weight for one in sides["balance"].of(Setup)]


def test_a_manager_changes_a_weight_until_the_next_reload(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    use(stage, PLAIN, balancing=Balancing(snmp=True))
    sides["snmp"].say(Change(5, service=PLAIN.key, server=REAL.key, weight=7))
    assert weights(sides) == [7]
    use(stage, PLAIN, balancing=Balancing(snmp=True))
    assert weights(sides) == [7, 1]
    sides["snmp"].say(Change(6, service=PLAIN.key, server=(b"", 1), weight=7))
    stage.agent.stop()
    sides["snmp"].say(Change(7, service=PLAIN.key, server=REAL.key, weight=7))
    assert weights(sides) == [7, 1]
    problems = ["", "there is no such real server"]
    assert [one.problem for one in sides["snmp"].of(ChangeDone)] == problems


def test_what_a_reload_takes_away_has_its_own_words(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    """The process that balances tells of it a moment later; keepalived does it in the reload."""
    use(stage, SPEAKING)
    use(stage)
    assert told(stage, sides, happening(SERVER, events.DOWN), happening(SERVICE, events.DOWN)) == [
        (SERVER, "DOWN"),
        (SERVICE, "DOWN"),
    ]
    assert sides["notify"].of(NotifySetup)[-1].subjects[(SERVICE, VS, 4)].up == RUN
    stage.wait(31)
    assert not sides["notify"].running, "nobody wants to know any more"


def test_the_words_of_what_comes_back_are_the_new_ones(stage: Stage, sides: Dict[str, FakeSide]) -> None:
    use(stage, SPEAKING)
    use(stage)
    other = Command(("/other",))
    use(stage, replace(PLAIN, quorum_up=other))
    setup = sides["notify"].of(NotifySetup)[-1]
    assert setup.subjects[(SERVICE, VS, 4)].up == other
    assert setup.subjects[(SERVER, f"{RS} {VS}", 4)].down == RUN
    stage.wait(31)
    assert list(sides["notify"].of(NotifySetup)[-1].subjects) == [(SERVICE, VS, 4)]
    assert sides["notify"].running
