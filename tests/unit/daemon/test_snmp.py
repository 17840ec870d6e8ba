# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent hands to the process that speaks SNMP, and what it does for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, ClassVar, Dict, Iterator, List, Tuple

import pytest
from vrrp_agent.conf.model import Config, GlobalSettings, Snmp
from vrrp_agent.daemon.sides import snmp
from vrrp_agent.snmp import facts
from vrrp_agent.snmp.facts import BadAdvert, Begin, Change, Changed, ChangeDone, End, Part, Rows, Taken

from tests.unit.daemon.host import packed, settle
from tests.unit.daemon.make import OURS, PEER, VIP, config, datagram, instance
from tests.unit.daemon.stage import Stage

ON = GlobalSettings(snmp=Snmp(keepalived=True, rfc2787=True, rfc6527=True, traps=True))
SILENT = GlobalSettings(snmp=Snmp(keepalived=True))


class FakeSide:
    """Stands where the process would be; ``sent`` is what it was told."""

    made: ClassVar[List[FakeSide]] = []

    def __init__(
        self,
        name: str,
        make: Any,
        loop: Any,
        log: Any,
        hello: Callable[[], Any],
        on_value: Callable[[Any], None],
    ) -> None:
        self.sent: List[Any] = []
        self.gone = ""
        self.pid, self.restarts = 77, 0
        self.say = on_value
        self._hello = hello
        FakeSide.made.append(self)

    def start(self) -> None:
        self.sent.extend(self._hello())

    def send(self, value: Any) -> bool:
        self.sent.append(value)
        return True

    def retire(self) -> None:
        self.gone = "retired"

    def stop(self, patience_ns: int) -> None:
        self.gone = "stopped"

    def of(self, kind: Any) -> List[Any]:
        return [value for value in self.sent if isinstance(value, kind)]


@pytest.fixture(autouse=True)
def sides(monkeypatch: pytest.MonkeyPatch) -> Iterator[List[FakeSide]]:
    monkeypatch.setattr(snmp, "Side", FakeSide)
    FakeSide.made = []
    yield FakeSide.made


def put_together(values: List[Any]) -> Config:
    """The configuration that the process makes of its pieces."""
    (begin,) = [value for value in values if isinstance(value, Begin)]
    lists: Dict[str, Tuple[Any, ...]] = {}
    for part in values:
        if isinstance(part, Part):
            lists[part.field] = (*lists.get(part.field, ()), *part.items)
    words: Dict[str, Any] = dict(lists)
    return replace(begin.config, **words)


def answer(stage: Stage) -> Tuple[Dict[str, facts.Router], Taken]:
    """Ask the agent, as the process does."""
    (side,) = FakeSide.made
    side.sent.clear()
    side.say(facts.Ask(7))
    settle(stage.loop)
    (taken,) = side.of(Taken)
    routers = {router.name: router for rows in side.of(Rows) for router in rows.routers}
    assert {value.number for value in side.sent} == {7}
    return routers, taken


def changes() -> List[Changed]:
    return FakeSide.made[0].of(Changed)


def test_without_a_word_there_is_no_process(stage: Stage) -> None:
    stage.apply(instance())
    stage.agent.stop()
    assert FakeSide.made == []


def test_the_configuration_comes_in_pieces_and_whole(stage: Stage) -> None:
    many = [instance(f"VI_{vrid}", f"198.51.100.{vrid}/24", vrid=vrid) for vrid in range(20, 45)]
    stage.apply(*many, settings=ON)
    (side,) = FakeSide.made
    assert put_together(side.sent) == config(*many, settings=ON)
    assert max(len(part.items) for part in side.of(Part)) <= 8, "a turn of the loop must be short"
    assert len(side.of(End)) == 1


def test_a_reload_that_changes_nothing_says_nothing(stage: Stage) -> None:
    stage.apply(instance(), settings=ON)
    (side,) = FakeSide.made
    side.sent.clear()
    stage.apply(instance(), settings=ON)
    assert side.sent == []
    stage.apply(instance(advert_int_ns=2_000_000_000), settings=ON)
    assert put_together(side.sent).instances[0].advert_int_ns == 2_000_000_000


def test_a_reload_switches_it_off_and_on(stage: Stage) -> None:
    stage.apply(instance(), settings=ON)
    stage.apply(instance())
    assert (FakeSide.made[0].gone, type(FakeSide.made[0].sent[-1])) == ("retired", facts.Leave)
    stage.hear(datagram(ttl=254))
    stage.apply(instance(), settings=ON)
    (side,) = FakeSide.made  # which begins the next process when the last one has ended
    assert len(side.of(End)) == 2
    stage.apply(instance())
    stage.agent.stop()
    assert side.gone == "stopped", "the agent does not end before it"


def test_news_of_a_router_come_after_its_settings(stage: Stage) -> None:
    stage.agent.apply(config(instance(), settings=ON))  # no turn of the loop yet
    settle(stage.loop)
    kinds = [type(value) for value in FakeSide.made[0].sent]
    assert kinds.index(End) < kinds.index(Changed)
    assert changes()[0] == Changed(False, "VI_1", facts.BACKUP)


def test_the_last_news_are_sent_before_the_end(stage: Stage) -> None:
    stage.apply(instance(), settings=ON)
    stage.agent.stop()
    (side,) = FakeSide.made
    assert side.sent[-1] == Changed(False, "VI_1", facts.STOPPED)
    assert side.gone == "stopped"


def test_an_answer_has_every_router_as_it_is(stage: Stage) -> None:
    stage.start_active(instance(), settings=ON)
    routers, taken = answer(stage)
    one = routers["VI_1"]
    assert (one.state, one.priority, one.base_priority, one.reason) == (
        facts.ACTIVE,
        100,
        100,
        facts.NO_RESPONSE,
    )
    assert (one.source, one.active_source) == (packed(OURS), packed(OURS))
    assert (one.has_addresses, one.held, one.devices) == (True, (packed(VIP),), ("eth0",))
    assert one.counters["became_active"] == 1
    assert 0 < one.began_ns < stage.clock.now
    assert taken.links["eth0"].number == 2
    assert taken.links["eth0"].ipv4 == packed(OURS)
    assert taken.at_ns == stage.clock.now


def test_a_router_in_fault_has_not_begun(stage: Stage) -> None:
    stage.start_active(instance(), settings=ON)
    stage.host.add_link(2, "eth0", flags=0)
    settle(stage.loop)
    routers, _taken = answer(stage)
    assert (routers["VI_1"].state, routers["VI_1"].began_ns) == (facts.FAULT, 0)


def became_active(stage: Stage) -> Changed:
    """The one and only news of an active router (R-N01)."""
    (found,) = [change for change in changes() if change.state == facts.ACTIVE]
    assert (found.interface, found.source) == (2, packed(OURS))
    return found


def test_silence_is_no_response(stage: Stage) -> None:
    """R-N02."""
    stage.start_active(instance(), settings=ON)
    assert became_active(stage).reason == facts.NO_RESPONSE


def test_taking_over_from_a_lower_priority_is_preemption(stage: Stage) -> None:
    """R-N02."""
    stage.apply(instance(), settings=ON)
    for _second in range(4):
        stage.hear(datagram(priority=50))
        stage.wait(1)
    assert became_active(stage).reason == facts.PREEMPTED


def test_an_owner_is_active_by_its_priority(stage: Stage) -> None:
    """R-N02."""
    stage.apply(instance(priority=255), settings=ON)
    assert became_active(stage).reason == facts.BY_PRIORITY


def test_after_a_resignation_the_priority_decides(stage: Stage) -> None:
    """keepalived: an advert of priority 0 makes the next reason priority."""
    stage.apply(instance(), settings=ON)
    stage.hear(datagram(priority=200))
    stage.hear(datagram(priority=0))
    stage.wait(2)
    assert became_active(stage).reason == facts.BY_PRIORITY
    stage.wait(5)
    routers, _taken = answer(stage)
    assert routers["VI_1"].reason == facts.BY_PRIORITY


BAD = [
    (datagram(ttl=254), facts.TTL_ERROR, 10),
    (datagram(version=2), facts.VERSION_ERROR, 10),
    (datagram()[:-1] + b"\x01", facts.CHECKSUM_ERROR, 10),
    (datagram(vrid=99), facts.VRID_ERROR, 99),
]


@pytest.mark.parametrize("data, error, vrid", BAD)
def test_each_error_of_the_protocol_is_told_once_in_a_while(
    stage: Stage, data: bytes, error: int, vrid: int
) -> None:
    """R-N03, R-N06: a flood is one notification in ten seconds."""
    stage.apply(instance(), settings=ON)
    (side,) = FakeSide.made
    for _packet in range(20):
        stage.hear(data)
    (told,) = side.of(BadAdvert)
    assert (told.interface, told.vrid, told.family, told.error) == (2, vrid, 4, error)
    assert told.source == packed(PEER)
    stage.wait(11)
    stage.hear(data)
    assert len(side.of(BadAdvert)) == 2


def test_the_last_error_of_a_router_is_remembered(stage: Stage) -> None:
    stage.apply(instance(), settings=SILENT)
    stage.hear(datagram(ttl=254))
    stage.hear(datagram()[:-1] + b"\x01")
    routers, _taken = answer(stage)
    assert routers["VI_1"].last_error == facts.CHECKSUM_ERROR
    assert FakeSide.made[0].of(BadAdvert) == [], "enable_traps is not written"


@pytest.mark.parametrize(
    "ours, auth_type, auth_data, error",
    [
        (b"secret\0\0", 1, b"other\0\0\0", facts.AUTH_FAILURE),
        (b"secret\0\0", 0, b"", facts.AUTH_TYPE_MISMATCH),
        (b"", 1, b"secret\0\0", facts.AUTH_TYPE_MISMATCH),
        (b"", 254, b"", facts.INVALID_AUTH_TYPE),
    ],
)
def test_each_failure_of_authentication_is_told(
    stage: Stage, ours: bytes, auth_type: int, auth_data: bytes, error: int
) -> None:
    """R-N05."""
    stage.apply(instance(version=2, auth_password=ours), settings=ON)
    stage.hear(datagram(version=2, auth_type=auth_type, auth_data=auth_data))
    (told,) = FakeSide.made[0].of(BadAdvert)
    assert (told.version, told.vrid, told.auth_error, told.source) == (2, 10, error, packed(PEER))


def test_packets_for_nobody_here_are_counted_for_the_host(stage: Stage) -> None:
    stage.apply(instance(), settings=ON)
    stage.hear(datagram(vrid=99))
    _routers, taken = answer(stage)
    assert taken.discards == {"unknown_vrid": 1}


def test_a_manager_changes_the_base_priority_until_the_next_reload(stage: Stage) -> None:
    stage.start_active(instance(), settings=ON)
    (side,) = FakeSide.made
    side.say(Change(3, "VI_1", priority=150))
    settle(stage.loop)
    assert side.of(ChangeDone) == [ChangeDone(3, "")]
    assert stage.one()["effective_priority"] == 150
    assert stage.one()["state"] == "active"
    stage.wait(2)
    assert stage.socket().priorities()[-1] == 150
    stage.apply(instance(), settings=ON)
    assert stage.one()["base_priority"] == 100, "the file says so"


def test_a_manager_switches_preemption_off(stage: Stage) -> None:
    stage.apply(instance(), settings=ON)
    FakeSide.made[0].say(Change(1, "VI_1", preempt=False))
    for _second in range(6):
        stage.hear(datagram(priority=50))
        stage.wait(1)
    assert stage.one()["state"] == "backup"


def test_status_says_how_it_stands_with_the_master(stage: Stage) -> None:
    stage.apply(instance())
    assert not [line for line in stage.lines_of_status() if "snmp" in line]
    stage.apply(instance(), settings=ON)
    FakeSide.made[0].say(facts.Report("unix:/run/master", False, "it has hung up"))
    (line,) = [line["snmp"] for line in stage.lines_of_status() if "snmp" in line]
    assert line == {
        "pid": 77,
        "restarts": 0,
        "master": "unix:/run/master",
        "session": False,
        "problem": "it has hung up",
    }


def test_an_instance_that_has_gone_cannot_be_changed(stage: Stage) -> None:
    stage.apply(instance(), settings=ON)
    (side,) = FakeSide.made
    side.say(Change(4, "VI_9", priority=150))
    assert side.of(ChangeDone) == [ChangeDone(4, "there is no instance VI_9")]
