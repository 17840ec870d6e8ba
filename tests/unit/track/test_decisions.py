# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of the process that watches: results of scripts, numbers in files, quorums of processes."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.model import WatchedProcess
from vrrp_agent.conf.number import number_in
from vrrp_agent.track.processes import Look, ProcessTable, look_of, matches
from vrrp_agent.track.quorum import Cause, Quorum
from vrrp_agent.track.rise_fall import RiseFall

# Scripts.

RUNS = [
    # rise, fall, init_fail, runs (1 good, 0 bad), results after each
    (1, 1, False, "1", "1"),
    (1, 1, False, "0", "0"),
    (3, 1, False, "1", "1"),  # nothing is known: one good run is enough
    (3, 2, False, "0", "0"),  # and one bad run too
    (3, 1, False, "0111", "0001"),
    (3, 1, False, "011011", "000000"),
    (1, 3, False, "10000", "11100"),
    (1, 3, False, "100100", "111111"),
    (2, 2, False, "1001001", "1100000"),
    (2, 1, True, "11", "01"),
    (2, 1, True, "0", "0"),
    (1, 2, True, "1001", "1101"),
]


@pytest.mark.parametrize(("rise", "fall", "init_fail", "runs", "expected"), RUNS)
def test_rise_and_fall(rise: int, fall: int, init_fail: bool, runs: str, expected: str) -> None:
    counter = RiseFall(rise, fall, init_fail)
    assert counter.good is (False if init_fail else None)
    seen = ""
    for run in runs:
        before = counter.good
        changed = counter.take(run == "1")
        assert changed == (before != counter.good)
        seen += str(int(bool(counter.good)))
    assert seen == expected


@given(st.integers(1, 5), st.integers(1, 5), st.booleans(), st.lists(st.booleans(), max_size=40))
def test_enough_runs_in_a_row_always_decide(rise: int, fall: int, init_fail: bool, runs: List[bool]) -> None:
    counter = RiseFall(rise, fall, init_fail)
    for run in runs:
        counter.take(run)
        assert 0 <= counter.count < rise + fall
    if len(runs) >= rise and all(runs[-rise:]):
        assert counter.good
    if len(runs) >= fall and not any(runs[-fall:]):
        assert counter.good is False


@given(st.integers(1, 5), st.integers(1, 5), st.lists(st.booleans()), st.integers(1, 5), st.integers(1, 5))
def test_other_settings_change_no_result(
    rise: int, fall: int, runs: List[bool], new_rise: int, new_fall: int
) -> None:
    counter = RiseFall(rise, fall)
    for run in runs:
        counter.take(run)
    before = counter.good
    counter.change(new_rise, new_fall)
    assert counter.good is before
    assert 0 <= counter.count < new_rise + new_fall


@given(st.integers(1, 5), st.integers(1, 5), st.lists(st.booleans(), min_size=1))
def test_another_process_goes_on_where_the_last_one_ended(rise: int, fall: int, runs: List[bool]) -> None:
    counter, other = RiseFall(rise, fall), RiseFall(rise, fall)
    for run in runs:
        counter.take(run)
    other.resume(counter.count)
    assert (other.count, other.good) == (counter.count, counter.good)


# Numbers.

NUMBERS = [
    (b"", 0),
    (b"5", 5),
    (b"5\n", 5),
    (b"  -12 apples", -12),
    (b"+7", 7),
    (b"0x1F", 31),
    (b"-0x10", -16),
    (b"010", 8),
    (b"09", 0),
    (b"0x", 0),
    (b"0xg", 0),
    (b"apples", 0),
    (b"- 5", 0),
    (b"1.9", 1),
    (b"5\x006", 5),
    (b"2147483648", 1 << 31),
    (b"2147483649", None),
    (b"-2147483648", -(1 << 31)),
    (b"-2147483649", None),
    (b"9" * 400, None),
    (b" " * 200 + b"5", 0),
]


@pytest.mark.parametrize(("data", "expected"), NUMBERS)
def test_a_number_is_read_as_keepalived_reads_it(data: bytes, expected: Optional[int]) -> None:
    assert number_in(data) == expected


@given(st.binary(max_size=300))
def test_no_bytes_upset_the_reader(data: bytes) -> None:
    number = number_in(data)
    assert number is None or -(1 << 31) <= number <= 1 << 31


@given(st.integers(-(1 << 31), 1 << 31))
def test_every_number_comes_back(number: int) -> None:
    assert number_in(f"{number}\n".encode()) == number


# Which process it is.


def wanted(process: str = "srv", *parameters: str, **words: object) -> WatchedProcess:
    words.setdefault("full_command", bool(parameters) or "match" in words)
    words.setdefault("match", "exact" if parameters else "")
    return WatchedProcess("p", process, parameters, **words)  # type: ignore[arg-type]


MATCHES = [
    (wanted(), Look("srv", ("/bin/srv", "-x")), True),
    (wanted(), Look("srv2"), False),
    (wanted("/bin/srv", full_command=True), Look("srv", ("/bin/srv", "-x")), True),
    (wanted("/bin/srv", full_command=True), Look("srv"), False),
    (wanted("s", "a", "b"), Look("s", ("s", "a", "b")), True),
    (wanted("s", "a", "b"), Look("s", ("s", "a", "b", "c")), False),
    (wanted("s", "a", "b"), Look("s", ("s", "a")), False),
    (wanted("s", match="exact"), Look("s", ("s",)), True),
    (wanted("s", match="exact"), Look("s", ("s", "a")), False),
    (wanted("s", "a", match="partial"), Look("s", ("s", "a", "b")), True),
    (wanted("s", "a", match="partial"), Look("s", ("s", "ab")), False),
    (wanted("s", "a", match="initial"), Look("s", ("s", "abc", "d")), True),
    (wanted("s", "x", "a", match="initial"), Look("s", ("s", "x", "ab")), True),
    (wanted("s", "x", "a", match="initial"), Look("s", ("s", "xx", "ab")), False),
    (wanted("s", match="initial"), Look("s", ("s", "a")), True),
]


@pytest.mark.parametrize(("one", "look", "expected"), MATCHES)
def test_which_process_is_meant(one: WatchedProcess, look: Look, expected: bool) -> None:
    assert matches(one, look) is expected


def test_what_proc_says() -> None:
    assert look_of(b"7 (a) b) S 1 ", b"/bin/a\0-x\0") == Look("a) b", ("/bin/a", "-x"))
    assert look_of(b"7 (a) Z 1 ", b"") is None, "a zombie has ended"
    assert look_of(b"", b"") is None
    assert look_of(b"7 (k) S", None) == Look("k")


Change = Tuple[str, int, Cause]


def table(*kinds: WatchedProcess) -> Tuple[ProcessTable, List[Change]]:
    seen: List[Change] = []
    return ProcessTable(kinds, lambda name, count, cause: seen.append((name, count, cause))), seen


def test_the_life_of_processes() -> None:
    processes, seen = table(wanted())
    processes.fill([(1, Look("init")), (7, Look("srv"))])
    assert processes.count("p") == 1 and not seen
    processes.forked(7, 8)
    processes.forked(1, 9)
    processes.executed(9, Look("srv"))
    processes.executed(9, Look("srv"))
    processes.executed(8, Look("helper"))
    processes.renamed(7, "other")
    processes.renamed(7, "other")
    processes.renamed(7, "srv")
    processes.ended(9)
    processes.ended(9)
    processes.ended(1)
    assert seen == [
        ("p", 2, Cause.FORK),
        ("p", 3, Cause.EXEC),
        ("p", 2, Cause.EXEC),
        ("p", 1, Cause.RENAME),
        ("p", 2, Cause.RENAME),
        ("p", 1, Cause.EXIT),
    ]


def test_a_new_name_does_not_change_a_command_line() -> None:
    processes, seen = table(wanted("/bin/srv", full_command=True))
    processes.fill([(7, Look("srv", ("/bin/srv",)))])
    processes.renamed(7, "worker")
    processes.renamed(8, "srv")
    assert not seen and processes.needs_command


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["fork", "exec", "other", "rename", "exit"]), st.integers(1, 6), st.integers(1, 6)
    )
)


@given(EVENTS)
def test_counts_are_right_whatever_happens(events: List[Tuple[str, int, int]]) -> None:
    """Against a model: every process has a name, a child has that of its parent."""
    processes, seen = table(wanted())
    names: Dict[int, str] = {1: "srv", 2: "init"}
    processes.fill([(pid, Look(name)) for pid, name in names.items()])
    for kind, pid, child in events:
        if kind == "fork" and pid in names and child not in names:
            names[child] = names[pid]
            processes.forked(pid, child)
        elif kind in ("exec", "other") and pid in names:
            names[pid] = "srv" if kind == "exec" else "helper"
            processes.executed(pid, Look(names[pid]))
        elif kind == "rename" and pid in names:
            names[pid] = "srv"
            processes.renamed(pid, "srv")
        elif kind == "exit":
            names.pop(pid, None)
            processes.ended(pid)
        count = sum(name == "srv" for name in names.values())
        assert processes.count("p") == count
        assert not seen or seen[-1][1] == count


# Quorums.

S = 1_000_000_000


def test_without_delays_the_count_decides_at_once() -> None:
    quorum = Quorum(wanted(quorum=2, quorum_max=3), 1)
    assert not quorum.good
    assert quorum.change(2, Cause.FORK, 0) and quorum.good
    assert not quorum.change(3, Cause.EXEC, 0) and quorum.good
    assert quorum.change(4, Cause.FORK, 0) and not quorum.good
    assert quorum.change(3, Cause.EXIT, 0) and quorum.good
    assert quorum.deadline is None


def test_an_exit_is_forgiven_for_a_while() -> None:
    quorum = Quorum(wanted(end_delay_ns=S), 1)
    assert not quorum.change(0, Cause.EXIT, 5)
    assert quorum.good and quorum.deadline == 5 + S
    assert not quorum.change(1, Cause.FORK, 6)
    assert quorum.good and quorum.deadline is None
    quorum.change(0, Cause.EXIT, 7)
    assert quorum.expire() and not quorum.good and quorum.deadline is None


def test_a_fork_must_last_but_another_program_counts_at_once() -> None:
    quorum = Quorum(wanted(quorum=2, start_delay_ns=S, end_delay_ns=S), 1)
    assert not quorum.change(2, Cause.FORK, 0) and quorum.deadline == S
    assert not quorum.change(1, Cause.EXIT, 1) and quorum.deadline is None and not quorum.good
    assert quorum.change(2, Cause.EXEC, 2) and quorum.good
    assert quorum.change(1, Cause.RENAME, 3) and not quorum.good
    quorum.change(2, Cause.FORK, 4)
    assert quorum.expire() and quorum.good


def test_after_lost_news_a_change_waits_for_its_delay() -> None:
    quorum = Quorum(wanted(end_delay_ns=S), 3)
    assert not quorum.recount(1, 0) and quorum.deadline is None
    assert not quorum.recount(0, 1) and quorum.good and quorum.deadline == 1 + S
    assert quorum.expire() and not quorum.good
    assert quorum.recount(1, 2) and quorum.good


def test_what_was_known_before_stays_until_it_is_over() -> None:
    quorum = Quorum(wanted(end_delay_ns=S), 0, True)
    assert quorum.good
    quorum.recount(0, 0)
    assert quorum.good and quorum.deadline == S


CHANGES = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(Cause)), st.integers(1, 3 * S)))


@given(CHANGES, st.sampled_from([0, S]), st.sampled_from([0, S]))
def test_in_the_end_the_count_decides(
    changes: List[Tuple[int, Cause, int]], start_delay_ns: int, end_delay_ns: int
) -> None:
    quorum = Quorum(
        wanted(quorum=2, quorum_max=3, start_delay_ns=start_delay_ns, end_delay_ns=end_delay_ns), 2
    )
    now = 0
    for count, cause, later_ns in changes:
        before = quorum.good
        assert quorum.change(count, cause, now) == (quorum.good != before)
        now += later_ns
        if quorum.deadline is not None and quorum.deadline <= now:
            quorum.expire()
    if quorum.deadline is not None:
        quorum.expire()
    assert quorum.good == (2 <= quorum.count <= 3)
