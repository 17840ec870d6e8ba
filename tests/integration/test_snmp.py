# SPDX-License-Identifier: GPL-3.0-or-later
"""SNMP with Debian's snmpd, its tools and snmptrapd: walks, writes, news, and a master that fails."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any, Callable, Dict, List

import pytest

from tests.lab import config, frames
from tests.lab import snmp as net_snmp
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.engines import family_of
from tests.lab.plugin import MakeBench
from tests.lab.shell import run, wait_until
from tests.lab.snmp import KEEPALIVED, RFC2787, RFC6527, NetSnmp

INSTANCE = f"{KEEPALIVED}.2.3.1"
STATE_CHANGE, GROUP_CHANGE = f"{KEEPALIVED}.2.10.0.2", f"{KEEPALIVED}.2.10.0.1"
ALL = ("enable_snmp_vrrp", "enable_snmp_rfc", "enable_traps")
MakeSnmp = Callable[..., "Story"]


class Story:
    """The bench of the requirements, with net-snmp on D."""

    def __init__(self, bench: Bench, snmp: NetSnmp) -> None:
        self.bench, self.snmp, self.agent = bench, snmp, bench.agent
        self.index = run(
            "ip", "netns", "exec", bench.d.namespace, "cat", "/sys/class/net/eth0/ifindex"
        ).strip()

    def start_active(self) -> None:
        """The agent is active, and its MIBs are served."""
        self.bench.start_active()
        self.wait_until_served()

    def wait_until_served(self) -> None:
        self.snmp.wait_for(f"{INSTANCE}.3.1", "51")

    def with_words(self, *words: str) -> None:
        """Reload with other words in global_defs."""
        self.bench.global_lines = [*words, self.snmp.words]
        self.agent.reload(self.bench.config())


@pytest.fixture
def tell(make_bench: MakeBench) -> MakeSnmp:
    """Call it with the words of an instance; net-snmp runs, the agent does not yet."""
    lacking = net_snmp.missing()
    if lacking:
        pytest.skip(f"SNMP stories need the programs {lacking}")

    def make(words: Any = ALL, running: bool = True, **others: Any) -> Story:
        others.setdefault("lines", NO_BURST_LATER)
        bench = make_bench(**others)
        snmp = NetSnmp(bench.d)
        bench.global_lines = [*words, snmp.words]
        bench.agent.write(bench.config())
        if running:
            snmp.start()
        return Story(bench, snmp)

    return make


def as_bytes(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal)


# Walks.


def test_a_walk_shows_an_active_router_in_every_mib(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    ours = story.snmp.walk(KEEPALIVED)
    assert as_bytes(ours["2.3.1.2.1"][1]) == b"VI_1"
    assert (ours["2.3.1.4.1"], ours["2.3.1.9.1"]) == (("INTEGER", "2"), ("INTEGER", "1"))
    assert as_bytes(ours["2.6.1.3.1.1"][1]) == bytes([198, 51, 100, 100])
    assert as_bytes(ours["1.2.0"][1]) == b"d"
    row = f"{story.index}.51.1"
    new = story.snmp.walk(RFC6527)
    assert new[f"1.1.1.1.6.{row}"] == ("INTEGER", "3")
    assert as_bytes(new[f"1.1.1.1.4.{row}"][1]) == bytes([198, 51, 100, story.bench.d.number])
    assert new[f"1.2.5.1.1.{row}"] == ("Counter32", "1")
    assert new[f"1.1.2.1.2.{row}.4.198.51.100.100"] == ("INTEGER", "1")
    assert story.snmp.walk(RFC2787)["1.1.0"] == ("INTEGER", "2"), "vrrpNodeVersion"


def test_a_bulk_walk_sees_what_a_walk_sees(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    one, many = story.snmp.walk(INSTANCE), story.snmp.walk(INSTANCE, "snmpbulkwalk")
    assert one == many and len(one) > 25


def test_a_router_of_version_2_is_in_the_old_mib(tell: MakeSnmp) -> None:
    story = tell(version=2, advert_int=1)
    story.start_active()
    old, row = story.snmp.walk(RFC2787), f"{story.index}.51"
    assert old[f"1.3.1.3.{row}"] == ("INTEGER", "3")
    assert old[f"1.3.1.7.{row}"] == ("IpAddress", story.bench.d.ipv4)
    assert old[f"1.3.1.11.{row}"] == ("INTEGER", "1")
    assert old[f"1.4.1.2.{row}.198.51.100.100"] == ("INTEGER", "1")


def test_nothing_is_started_and_nothing_is_served_without_a_word(tell: MakeSnmp) -> None:
    story = tell(words=())
    story.bench.start_active()
    assert len(family_of(story.agent.pid)) == 1, "no process beside the agent"
    assert story.snmp.walk(KEEPALIVED) == {}


def test_a_reload_switches_mibs_on_and_off(tell: MakeSnmp) -> None:
    story = tell(words=("enable_snmp_vrrp",))
    story.start_active()
    assert story.snmp.walk(RFC6527) == {}
    story.with_words("enable_snmp_vrrp", "enable_snmp_rfcv3")
    wait_until("RFC 6527 to be served", lambda: story.snmp.walk(RFC6527), 15, 0.1)
    story.with_words()
    wait_until("nothing to be served", lambda: not story.snmp.walk(KEEPALIVED), 15, 0.1)
    wait_until("the process to end", lambda: len(family_of(story.agent.pid)) == 1, 15, 0.1)
    assert story.agent.state() == "active"


# News.


def test_each_change_of_state_is_told_once(tell: MakeSnmp) -> None:
    """R-N01: one new-master notification for a transition to active, none for another."""
    story = tell()
    story.start_active()
    snmp, row = story.snmp, f"{story.index}.51.1"
    (told,) = snmp.wait_for_traps(f"{RFC6527}.0.1")
    assert as_bytes(told[f"{RFC6527}.1.1.1.1.3.{row}"][1]) == bytes([198, 51, 100, story.bench.d.number])
    assert told[f"{RFC6527}.1.2.5.1.2.{row}"] == ("INTEGER", "3"), "masterNoResponse"
    first, second = snmp.wait_for_traps(STATE_CHANGE, 2)
    assert [one[f"{INSTANCE}.4"][1] for one in (first, second)] == ["1", "2"]
    assert second[f"{INSTANCE}.2"][1] == "VI_1"
    assert second[f"{KEEPALIVED}.1.2.0"][1] == "d"
    story.bench.tester.send(priority=200)
    story.agent.wait_for_state("backup")
    story.agent.stop()
    told_states = [one[f"{INSTANCE}.4"][1] for one in snmp.wait_for_traps(STATE_CHANGE, 4)]
    assert told_states == ["1", "2", "1", "5"], "the last one is shutdown"
    assert len(snmp.traps(f"{RFC6527}.0.1")) == 1


def test_the_old_mib_tells_of_a_new_master_too(tell: MakeSnmp) -> None:
    story = tell(version=2, advert_int=1)
    story.start_active()
    (told,) = story.snmp.wait_for_traps(f"{RFC2787}.0.1")
    assert told[f"{RFC2787}.1.3.1.7.{story.index}.51"] == ("IpAddress", story.bench.d.ipv4)


def test_a_sync_group_is_told_of(tell: MakeSnmp) -> None:
    story = tell()
    group = config.block("vrrp_sync_group G1", [config.block("group", ["VI_1"])])
    story.agent.write(story.bench.config(group))
    story.start_active()
    told = story.snmp.wait_for_traps(GROUP_CHANGE, 2)
    assert [(one[f"{KEEPALIVED}.2.1.1.2"][1], one[f"{KEEPALIVED}.2.1.1.3"][1]) for one in told] == [
        ("G1", "1"),
        ("G1", "2"),
    ]
    assert story.snmp.get(f"{KEEPALIVED}.2.1.1.3.1") == "2"


def test_an_owner_is_active_by_its_priority(tell: MakeSnmp) -> None:
    """R-N02."""
    story = tell(priority=255)
    story.start_active()
    (told,) = story.snmp.wait_for_traps(f"{RFC6527}.0.1")
    assert told[f"{RFC6527}.1.2.5.1.2.{story.index}.51.1"] == ("INTEGER", "1")


def test_preemption_is_the_reason_while_a_lower_router_speaks(tell: MakeSnmp) -> None:
    """R-N02."""
    story = tell()
    with story.bench.tester.speaking(priority=50):
        story.start_active()
    (told,) = story.snmp.wait_for_traps(f"{RFC6527}.0.1")
    assert told[f"{RFC6527}.1.2.5.1.2.{story.index}.51.1"] == ("INTEGER", "2")


def bad_checksum(story: Story) -> None:
    tester = story.bench.tester
    message = bytearray(
        frames.vrrp_message(story.bench.t.ipv4, frames.GROUP4, **{**tester.fields, "priority": 50})
    )
    message[6] ^= 0xFF
    tester.send(message=bytes(message))


BAD: Dict[str, Callable[[Story], Any]] = {
    "1": lambda story: story.bench.tester.send(priority=50, packet_options={"ttl": 254}),
    "2": lambda story: story.bench.tester.send(priority=50, version=2, interval=1),
    "3": bad_checksum,
    "4": lambda story: story.bench.tester.send(priority=50, vrid=99),
}


@pytest.mark.parametrize("error", sorted(BAD))
def test_each_error_of_the_protocol_is_counted_and_told(tell: MakeSnmp, error: str) -> None:
    """R-N03, R-N06: a flood of them is counted packet by packet and told once in a while."""
    story = tell()
    story.start_active()
    vrid = "99" if error == "4" else "51"
    before = story.snmp.walk(f"{RFC6527}.1.2")
    for _packet in range(50):
        BAD[error](story)
    (told,) = story.snmp.wait_for_traps(f"{RFC6527}.0.2")
    assert told[f"{RFC6527}.1.2.5.1.6.{story.index}.{vrid}.1"] == ("INTEGER", error)
    place = {"1": f"5.1.5.{story.index}.51.1", "2": "2.0", "3": "1.0", "4": "3.0"}[error]

    def counted() -> bool:
        now = story.snmp.walk(f"{RFC6527}.1.2")
        return int(now[place][1]) == int(before[place][1]) + 50

    wait_until("50 packets to be counted", counted, 15, 0.1)
    assert len(story.snmp.traps(f"{RFC6527}.0.2")) == 1
    assert story.agent.state() == "active"


def test_a_wrong_password_is_told_with_its_sender(tell: MakeSnmp) -> None:
    """R-N05."""
    lines = [*NO_BURST_LATER, config.block("authentication", ["auth_type PASS", "auth_pass right"])]
    story = tell(version=2, advert_int=1, lines=lines)
    story.start_active()
    story.bench.tester.send(priority=50, auth_type=1, auth_data=b"wrong")
    (told,) = story.snmp.wait_for_traps(f"{RFC2787}.0.2")
    where = f"{story.index}.51"
    assert told[f"{RFC2787}.1.5.{where}"] == ("IpAddress", story.bench.t.ipv4)
    assert told[f"{RFC2787}.1.6.{where}"] == ("INTEGER", "3")


# Writes.


def test_a_manager_sets_priority_and_preempt_until_the_next_reload(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    assert story.snmp.set(f"{INSTANCE}.7.1", "i", "150") == ""
    assert story.snmp.get(f"{INSTANCE}.7.1") == "150"
    since_ns = time.time_ns()
    seen = story.bench.wire.wait_for_adverts("d", 2, since_ns=since_ns)
    assert seen[-1].advert.priority == 150
    assert story.snmp.set(f"{INSTANCE}.13.1", "i", "2") == ""
    assert story.snmp.get(f"{INSTANCE}.13.1") == "2"
    story.agent.reload()
    story.snmp.wait_for(f"{INSTANCE}.7.1", "100")
    assert story.snmp.get(f"{INSTANCE}.13.1") == "1"


@pytest.mark.parametrize(
    "column, kind, value, why",
    [
        ("7.1", "i", "0", "wrongValue"),
        ("7.1", "i", "255", "wrongValue"),
        ("7.1", "s", "x", "wrongType"),
        ("13.1", "i", "7", "wrongValue"),
        ("7.5", "i", "100", "noCreation"),
        ("8.1", "i", "100", "notWritable"),
    ],
)
def test_what_must_not_be_set_is_refused(
    tell: MakeSnmp, column: str, kind: str, value: str, why: str
) -> None:
    story = tell()
    story.start_active()
    assert why in story.snmp.set(f"{INSTANCE}.{column}", kind, value)
    assert story.snmp.get(f"{INSTANCE}.7.1") == "100"


# A master that fails.


def test_without_a_master_the_agent_works_and_it_is_found_when_it_comes(tell: MakeSnmp) -> None:
    story = tell(running=False)
    story.bench.start_active()
    story.bench.stays_active(1.0)
    story.snmp.start()
    story.wait_until_served()
    (told,) = story.snmp.wait_for_traps(f"{RFC6527}.0.1")
    assert told, "what happened a moment ago is still told"
    assert story.agent.log().count("no session with the master") == 1
    shown = story.agent.status()["snmp"]
    assert (shown["session"], shown["problem"]) == (True, "")
    assert (
        "SNMP: session with unix:"
        in story.agent.ask("status", "--runtime-dir", str(story.agent.runtime)).stdout
    )


def test_a_master_that_is_killed_and_started_again_disturbs_nothing(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    begun_ns = time.time_ns()
    story.snmp.kill_master()
    story.bench.stays_active(1.0, begun_ns)
    story.snmp.start_master()
    story.wait_until_served()
    story.bench.tester.send(priority=200)
    story.agent.wait_for_state("backup")
    states = [one[f"{INSTANCE}.4"][1] for one in story.snmp.wait_for_traps(STATE_CHANGE, 3)]
    assert states[:3] == ["1", "2", "1"]


def test_a_master_that_stands_still_disturbs_nothing(tell: MakeSnmp) -> None:
    """Its news are heard when it goes on."""
    story = tell()
    story.start_active()
    story.snmp.wait_for_traps(STATE_CHANGE, 2)
    begun_ns = time.time_ns()
    story.snmp.pause_master()
    story.bench.stays_active(4.0, begun_ns)
    story.bench.tester.send(priority=200)
    story.agent.wait_for_state("backup")
    story.snmp.resume_master()
    assert [one[f"{INSTANCE}.4"][1] for one in story.snmp.wait_for_traps(STATE_CHANGE, 3)][2] == "1"
    story.wait_until_served()


def test_walk_after_walk_disturbs_no_advert(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    stop = threading.Event()
    walks: List[int] = []

    def ask() -> None:
        while not stop.is_set():
            walks.append(len(story.snmp.walk(KEEPALIVED, "snmpbulkwalk")))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        story.bench.stays_active(3.0)
    finally:
        stop.set()
        asking.join(30)
    assert len(walks) > 3 and min(walks) == max(walks) > 40


def test_the_process_that_speaks_snmp_is_started_again_when_it_dies(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    (side,) = [pid for pid in family_of(story.agent.pid) if pid != story.agent.pid]
    begun_ns = time.time_ns()
    run("kill", f"-{signal.SIGKILL.value}", str(side))
    story.bench.stays_active(1.0, begun_ns)
    story.wait_until_served()
    assert "the process snmp" in story.agent.log()


def test_the_master_is_reached_over_tcp(tell: MakeSnmp) -> None:
    story = tell()
    story.bench.global_lines = ["enable_snmp_vrrp", story.snmp.words_by_tcp]
    story.agent.write(story.bench.config())
    story.start_active()
    assert f"at tcp:{story.bench.d.ipv4}:705 is open" in story.agent.log()


def test_the_agent_ends_while_its_master_stands_still(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    story.snmp.pause_master()
    begun_s = time.monotonic()
    story.agent.stop()
    assert time.monotonic() - begun_s < 5
    story.snmp.resume_master()
    assert story.snmp.wait_for_traps(STATE_CHANGE, 3)[2][f"{INSTANCE}.4"][1] == "5"


def test_nothing_is_left_behind(tell: MakeSnmp) -> None:
    story = tell()
    story.start_active()
    sides = family_of(story.agent.pid)
    assert len(sides) == 2
    story.agent.stop()
    assert run("ps", "-o", "pid=", "-p", ",".join(map(str, sides)), check=False).strip() == ""
