# SPDX-License-Identifier: GPL-3.0-or-later
"""Which check is which after a reload."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List

from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.check.matching import same_question, successors
from vrrp_agent.check.messages import Order
from vrrp_agent.conf.parts.checks import Check, Connection, FileCheck, PingCheck, TcpCheck, Timing
from vrrp_agent.loop.results import CheckKey

SERVICE, SERVER = ("[198.51.100.10]:tcp:80", 4), (b"\xc6\x12\0\1", 80)
TIMING = Timing()


def tcp(port: int, **timing: int) -> TcpCheck:
    return TcpCheck(replace(TIMING, **timing), Connection(SERVER[0], port))


PING = PingCheck(TIMING, Connection(SERVER[0], 0))
FILE = FileCheck(TIMING, "load", "/run/load")


def orders(*checks: Check) -> List[Order]:
    return [Order(CheckKey(SERVICE, SERVER, number), check, "") for number, check in enumerate(checks)]


def numbers(before: List[Order], after: List[Order]) -> Dict[int, int]:
    return {new.number: old.number for new, old in successors(before, after).items()}


def test_timing_is_no_part_of_the_question() -> None:
    assert same_question(tcp(80), tcp(80, retry=5))
    assert not same_question(tcp(80), tcp(81))
    assert not same_question(tcp(0), PING)


def test_a_check_that_has_moved_is_the_same_one() -> None:
    assert numbers(orders(tcp(80), PING), orders(PING, tcp(80))) == {0: 1, 1: 0}


def test_a_check_in_front_of_others_pushes_them_back() -> None:
    assert numbers(orders(tcp(80), tcp(81)), orders(PING, tcp(80), tcp(81))) == {1: 0, 2: 1}


def test_a_check_that_goes_takes_nobody_with_it() -> None:
    assert numbers(orders(tcp(80), tcp(81)), orders(tcp(81))) == {0: 1}


def test_a_check_with_other_words_takes_the_place_of_the_one_that_is_gone() -> None:
    assert numbers(orders(PING, tcp(80)), orders(PING, tcp(8080))) == {0: 0, 1: 1}
    assert numbers(orders(tcp(80)), orders(PING)) == {0: 0}


def test_a_file_does_not_answer_for_a_server() -> None:
    assert numbers(orders(FILE), orders(PING)) == {}
    assert numbers(orders(FILE), orders(replace(FILE, path="/run/other"))) == {}


def test_another_server_is_another_check() -> None:
    other = (b"\xc6\x12\0\2", 80)
    moved = [replace(order, key=order.key._replace(server=other)) for order in orders(tcp(80))]
    assert successors(orders(tcp(80)), moved) == {}


def test_a_service_of_a_group_keeps_its_checks_when_another_protocol_comes_above_it() -> None:
    tcp_service, udp_service = ("[web]", 6, 4), ("[web]", 17, 4)
    first, second = CheckKey(("[web]:0", 4), SERVER, 0), CheckKey(("[web]:1", 4), SERVER, 0)
    before = [Order(first, tcp(80), "", service=tcp_service)]
    after = [Order(first, PING, "", service=udp_service), Order(second, tcp(80), "", service=tcp_service)]
    assert successors(before, after) == {second: first}
    assert successors(after, before) == {first: second}
    assert successors(before, after[:1]) == {}, "another protocol is another service"


CHECKS = st.lists(st.sampled_from([tcp(80), tcp(81), tcp(80, retry=3), PING, FILE]), max_size=6)


@given(CHECKS, CHECKS)
def test_nobody_has_two_successors_and_the_same_question_comes_first(
    before: List[Check], after: List[Check]
) -> None:
    found = numbers(orders(*before), orders(*after))
    assert len(set(found.values())) == len(found)
    for number, check in enumerate(after):
        if number not in found:
            free = [one for place, one in enumerate(before) if place not in found.values()]
            assert not any(same_question(one, check) for one in free)


@given(CHECKS)
def test_orders_that_are_the_same_follow_themselves(checks: List[Check]) -> None:
    found = numbers(orders(*checks), orders(*checks))
    assert found == {number: number for number in range(len(checks))}
