# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual server: each rule of keepalived as a short story."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List

import pytest
from vrrp_agent.balance.actions import Known
from vrrp_agent.balance.quorum import HIGHEST_WEIGHT, Quorum, is_up, quorum_of

from tests.unit.balance.farm import (
    began,
    check,
    file_check,
    misc,
    pool,
    result,
    results,
    server,
    service,
    set_pools,
    sorry,
    tells,
    told,
    weights,
)

ALPHA = check(alpha=True)
PLAIN = check()

# How a service begins.


@pytest.mark.parametrize(
    ("servers", "words", "expected_pool", "expected_words"),
    [
        pytest.param([server(1)], {}, {"1": 1}, ["VS UP"], id="no-check-is-up"),
        pytest.param([server(1, [PLAIN])], {}, {"1": 1}, ["VS UP"], id="unknown-is-up"),
        pytest.param([server(1, [ALPHA])], {}, {}, [], id="alpha-waits-and-nobody-is-told"),
        pytest.param([server(1, [PLAIN, ALPHA])], {}, {}, [], id="one-alpha-check-is-enough"),
        pytest.param([server(1, [ALPHA], inhibit=True)], {}, {"1": 0}, [], id="alpha-inhibited-has-weight-0"),
        pytest.param(
            [server(1, [ALPHA])],
            {"sorry_server": sorry()},
            {"sorry": 1},
            ["VS DOWN"],
            id="sorry-server-begins",
        ),
        pytest.param(
            [server(1)],
            {"sorry_server": sorry(inhibit=True)},
            {"1": 1, "sorry": 0},
            ["VS UP"],
            id="inhibited-sorry-server-waits-with-weight-0",
        ),
        pytest.param(
            [], {"sorry_server": sorry()}, {"sorry": 1}, ["VS DOWN"], id="no-servers-but-a-sorry-one"
        ),
        pytest.param([server(1, weight=0)], {}, {"1": 0}, [], id="weight-0-is-no-quorum"),
        pytest.param(
            [server(1), server(2)], {"quorum": 5}, {"1": 1, "2": 1}, ["VS UP"], id="quorum-is-reduced"
        ),
        pytest.param(
            [server(1), server(2)],
            {"quorum": 2, "hysteresis": 1},
            {"1": 1, "2": 1},
            [],
            id="a-quorum-that-can-never-be-gained",
        ),
    ],
)
def test_a_service_begins(
    servers: List[Any], words: Dict[str, Any], expected_pool: Dict[str, int], expected_words: List[str]
) -> None:
    decision, actions = began(service(*servers, **words))
    assert weights(decision) == expected_pool
    assert told(actions) == expected_words
    assert set_pools(actions) == bool(expected_pool)


def test_rs_init_notifies_tells_of_servers_that_begin_as_up() -> None:
    _decision, actions = began(service(server(1), server(2, [ALPHA])), init=True)
    assert told(actions) == ["RS 1 UP", "VS UP"]
    assert tells(actions)[0].previous == ""


def test_known_results_count_at_once() -> None:
    decision, actions = began(
        service(server(1, [PLAIN]), server(2, [PLAIN]), server(3, [ALPHA])),
        result(1, False),
        result(3, True),
    )
    assert weights(decision) == {"2": 1, "3": 1}
    assert told(actions) == ["VS UP"]


def test_a_successor_tells_only_what_is_new() -> None:
    one = service(server(1, [PLAIN]), server(2, [PLAIN]))
    decision, _actions = began(one)
    quiet = began(one)[0]
    assert told(quiet.begin(1.0, decision.known)) == []
    changed, _first = began(one, result(2, False))
    fresh = type(changed)(one, results(result(2, False)), 1.0, False)
    known = Known(True, {server(1).key: True, server(2).key: True})
    assert told(fresh.begin(1.0, known)) == ["RS 2 DOWN"]


def test_a_successor_keeps_a_quorum_that_only_hysteresis_holds() -> None:
    one = service(server(1), server(2), server(3, [PLAIN]), quorum=2, hysteresis=1, sorry_server=sorry())
    decision, _actions = began(one)
    decision.take(result(3, False), 1.0)
    assert decision.up
    fresh = type(decision)(one, results(result(3, False)), 2.0, False)
    fresh.begin(2.0, decision.known)
    assert fresh.up
    assert weights(fresh) == {"1": 1, "2": 1}


# Servers that come and go.


def test_a_failed_check_takes_the_server_out_and_tells() -> None:
    decision, _actions = began(service(server(1, [PLAIN]), server(2)))
    actions = decision.take(result(1, False, why="connection refused"), 5.0)
    assert weights(decision) == {"2": 1}
    assert told(actions) == ["RS 1 DOWN"]
    (tell,) = tells(actions)
    assert tell.reason == "TCP_CHECK: connection refused"
    assert (tell.previous, tell.servers_up) == ("UP", 1)
    assert "failed" in tell.text
    assert decision.servers[server(1).key].since_s == 5.0
    assert told(decision.take(result(1, True), 6.0)) == ["RS 1 UP"]
    assert weights(decision) == {"1": 1, "2": 1}


def test_a_server_is_down_while_any_check_is_bad() -> None:
    decision, _actions = began(service(server(1, [PLAIN, check(port=81)]), server(2)))
    assert told(decision.take(result(1, False, 0), 1.0)) == ["RS 1 DOWN"]
    assert told(decision.take(result(1, False, 1), 2.0)) == ["RS 1 CHECKED"]
    assert told(decision.take(result(1, True, 0), 3.0)) == ["RS 1 CHECKED"]
    assert "1" not in weights(decision)
    assert decision.servers[server(1).key].reason == "TCP_CHECK: said False"
    assert told(decision.take(result(1, True, 1), 4.0)) == ["RS 1 UP"]


def test_inhibit_on_failure_keeps_the_server_with_weight_0() -> None:
    decision, _actions = began(service(server(1, [PLAIN], inhibit=True, weight=7), server(2)))
    decision.take(result(1, False), 1.0)
    assert weights(decision) == {"1": 0, "2": 1}
    decision.take(result(1, True), 2.0)
    assert weights(decision) == {"1": 7, "2": 1}


def test_alpha_comes_up_with_its_first_good_check_and_tells_of_a_first_bad_one_once() -> None:
    decision, _actions = began(service(server(1, [ALPHA, check(True, 81)])))
    assert told(decision.take(result(1, False, 0), 1.0)) == ["RS 1 DOWN"]
    assert told(decision.take(result(1, False, 1), 1.0)) == []
    assert told(decision.take(result(1, True, 0), 2.0)) == ["RS 1 CHECKED"]
    assert told(decision.take(result(1, True, 1), 2.0)) == ["RS 1 UP", "VS UP"]


def test_a_first_good_result_of_an_ordinary_check_changes_nothing() -> None:
    decision, _actions = began(service(server(1, [PLAIN])))
    assert decision.take(result(1, True), 1.0) == ()


def test_a_result_of_a_stranger_changes_nothing() -> None:
    decision, _actions = began(service(server(1, [PLAIN])))
    assert decision.take(result(7, False), 1.0) == ()
    assert decision.take(result(1, False, at=3), 1.0) == ()


# Weights.


def test_checks_add_to_the_weight_and_a_bad_one_adds_nothing() -> None:
    decision, _actions = began(service(server(1, [misc(), file_check()], weight=10), server(2)))
    decision.take(result(1, True, 0, added=5), 1.0)
    decision.take(result(1, True, 1, added=-3), 1.0)
    assert weights(decision) == {"1": 12, "2": 1}
    decision.take(result(1, False, 0, added=5), 2.0)
    decision.take(result(1, True, 0, added=0), 3.0)
    assert weights(decision) == {"1": 7, "2": 1}


@pytest.mark.parametrize(
    ("added", "expected"), [(-11, 0), (-10, 0), (-9, 1), (2**31, HIGHEST_WEIGHT), (2**40, HIGHEST_WEIGHT)]
)
def test_the_kernel_gets_a_weight_that_it_can_take(added: int, expected: int) -> None:
    decision, _actions = began(service(server(1, [file_check()], weight=10)))
    decision.take(result(1, True, added=added), 1.0)
    assert weights(decision) == {"1": expected}


def test_a_weight_changes_the_quorum_too() -> None:
    one = service(server(1, [file_check()], weight=10), quorum=5, sorry_server=sorry())
    decision, _actions = began(one)
    actions = decision.take(result(1, True, added=-6), 1.0)
    assert told(actions) == ["VS DOWN"]
    assert weights(decision) == {"sorry": 1}
    assert told(decision.take(result(1, True, added=0), 2.0)) == ["VS UP"]
    assert weights(decision) == {"1": 10}


# The quorum.


@pytest.mark.parametrize(
    ("was_up", "weight", "quorum", "expected"),
    [
        (True, 3, Quorum(4, 1), True),
        (True, 2, Quorum(4, 1), False),
        (False, 4, Quorum(4, 1), False),
        (False, 5, Quorum(4, 1), True),
        (True, 0, Quorum(1, 0), False),
        (True, 0, Quorum(0, 0), False),
        (False, 0, Quorum(0, 0), False),
        (False, 1, Quorum(0, 0), True),
    ],
)
def test_quorum_with_hysteresis(was_up: bool, weight: int, quorum: Quorum, expected: bool) -> None:
    assert is_up(was_up, weight, quorum) is expected


@pytest.mark.parametrize(
    ("weights_of", "quorum", "hysteresis", "expected"),
    [
        ([1, 1], 1, 0, Quorum(1, 0)),
        ([1, 1], 3, 0, Quorum(2, 0)),
        ([1, 1], 2, 2, Quorum(2, 1)),
        ([0], 1, 1, Quorum(0, 0)),
        ([], 1, 0, Quorum(0, 0)),
    ],
)
def test_a_quorum_is_one_that_can_be_reached(
    weights_of: List[int], quorum: int, hysteresis: int, expected: Quorum
) -> None:
    servers = [server(number, weight=weight) for number, weight in enumerate(weights_of, 1)]
    assert quorum_of(service(*servers, quorum=quorum, hysteresis=hysteresis)) == expected


def test_the_sorry_server_takes_the_place_of_all_others_and_gives_it_back() -> None:
    one = service(server(1, [PLAIN]), server(2, [PLAIN], inhibit=True), quorum=2, sorry_server=sorry())
    decision, _actions = began(one)
    actions = decision.take(result(1, False), 1.0)
    assert told(actions) == ["RS 1 DOWN", "VS DOWN"]
    assert weights(decision) == {"2": 0, "sorry": 1}
    assert tells(actions)[1].text == "Lost quorum 2+0=2 <= 1"
    actions = decision.take(result(1, True), 2.0)
    assert told(actions) == ["RS 1 UP", "VS UP"]
    assert weights(decision) == {"1": 1, "2": 1}


def test_a_sorry_server_that_is_a_real_server_too_keeps_its_place() -> None:
    twin = replace(server(1, [PLAIN]), checks=(PLAIN,))
    one = service(twin, server(2, [PLAIN]), quorum=2, sorry_server=replace(server(1), inhibit=True))
    decision, _actions = began(one)
    assert weights(decision) == {"1": 1, "2": 1}
    decision.take(result(2, False), 1.0)
    assert weights(decision) == {"1": 1}


# Reload.


def test_a_reload_without_a_difference_does_nothing() -> None:
    one = service(server(1, [PLAIN]), server(2, [PLAIN]))
    decision, _actions = began(one)
    decision.take(result(1, False), 1.0)
    assert decision.change(one, results(result(1, False)), 2.0) == ()
    assert weights(decision) == {"2": 1}


def test_a_reload_keeps_states_and_takes_new_words() -> None:
    decision, _actions = began(service(server(1, [PLAIN]), server(2, [PLAIN])))
    decision.take(result(1, False), 1.0)
    new = service(server(1, [PLAIN], weight=9), server(2, [PLAIN], weight=4, method="DR"))
    actions = decision.change(new, results(result(1, False)), 2.0)
    assert told(actions) == []
    assert weights(decision) == {"2": 4}
    assert decision.servers[server(1).key].since_s == 1.0
    decision.take(result(1, True), 3.0)
    assert weights(decision) == {"1": 9, "2": 4}


def test_a_server_that_a_reload_removes_is_told_of_if_it_was_up() -> None:
    decision, _actions = began(service(server(1, [PLAIN]), server(2), server(3)))
    decision.take(result(1, False), 1.0)
    actions = decision.change(service(server(3)), {}, 2.0)
    assert told(actions) == ["RS 2 DOWN"]
    assert tells(actions)[0].text == "Removing"
    assert pool(decision) == {server(3).name: 1}


def test_a_new_server_begins_as_at_a_start() -> None:
    decision, _actions = began(service(server(1)))
    new = service(server(1), server(2), server(3, [ALPHA]))
    actions = decision.change(new, {}, 1.0, init_notifies=True)
    assert told(actions) == ["RS 2 UP"]
    assert weights(decision) == {"1": 1, "2": 1}


def test_a_new_alpha_check_of_a_server_that_is_up_does_not_take_it_out() -> None:
    decision, _actions = began(service(server(1, [PLAIN])))
    new = service(server(1, [PLAIN, check(True, 81)]))
    assert told(decision.change(new, results(result(1, True)), 1.0)) == []
    assert weights(decision) == {"1": 1}


def test_a_new_alpha_check_of_a_server_that_is_down_must_be_good_first() -> None:
    decision, _actions = began(service(server(1, [PLAIN])))
    decision.take(result(1, False), 1.0)
    decision.change(service(server(1, [ALPHA])), {}, 2.0)
    assert weights(decision) == {}
    decision.take(result(1, True), 3.0)
    assert weights(decision) == {"1": 1}


def test_a_server_that_loses_its_bad_check_is_up_again() -> None:
    decision, _actions = began(service(server(1, [PLAIN])))
    decision.take(result(1, False), 1.0)
    assert told(decision.change(service(server(1)), {}, 2.0)) == ["RS 1 UP", "VS UP"]


def test_another_quorum_is_judged_at_once() -> None:
    decision, _actions = began(service(server(1), server(2, [PLAIN])))
    decision.take(result(2, False), 1.0)
    new = service(server(1), server(2, [PLAIN]), quorum=2, sorry_server=sorry())
    actions = decision.change(new, results(result(2, False)), 2.0)
    assert told(actions) == ["VS DOWN"]
    assert weights(decision) == {"sorry": 1}
    assert told(decision.change(replace(new, quorum=1), results(result(2, False)), 3.0)) == ["VS UP"]


def test_a_service_that_a_reload_removes_tells_of_all_that_was_up() -> None:
    decision, _actions = began(service(server(1), server(2, [ALPHA])))
    assert told(decision.end()) == ["RS 1 DOWN", "VS DOWN"]


# The end.


def test_omega_tells_all_at_the_end() -> None:
    decision, _actions = began(service(server(1), server(2, [ALPHA]), omega=True))
    actions = decision.stop(with_servers=True)
    assert told(actions) == ["RS 1 DOWN", "VS DOWN"]
    assert all(one.stopping and not one.quiet and one.text == "Shutting down" for one in tells(actions))


def test_without_omega_only_snmp_hears_of_the_end() -> None:
    decision, _actions = began(service(server(1)))
    actions = decision.stop(with_servers=True)
    assert told(actions) == ["RS 1 DOWN", "VS DOWN"]
    assert all(one.stopping and one.quiet for one in tells(actions))


def test_lvs_flush_on_stop_says_nothing_of_servers() -> None:
    decision, _actions = began(service(server(1), omega=True))
    assert told(decision.stop(with_servers=False)) == ["VS DOWN"]
