# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed agent leaves behind for its successor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Dict, List

import pytest
from vrrp_agent.check import notebook
from vrrp_agent.check.messages import Order
from vrrp_agent.check.notebook import Notebook
from vrrp_agent.conf.parts.checks import Connection, FileCheck, MiscCheck, TcpCheck, Timing
from vrrp_agent.conf.parts.tracking import Command
from vrrp_agent.loop.notes import forget
from vrrp_agent.loop.results import CheckKey, CheckResult

KEYS = [CheckKey(("[198.51.100.10]:tcp:80", 4), (b"\xc6\x12\0\1", 80), number) for number in range(3)]
ORDERS = [Order(key, TcpCheck(Timing(), Connection(b"\xc6\x12\0\1", 80 + key.number)), "") for key in KEYS]
RESULTS: Dict[CheckKey, CheckResult] = {
    KEYS[0]: CheckResult(KEYS[0], False, 0, "connection refused", 12.5),
    KEYS[1]: CheckResult(KEYS[1], True, -3, "exit 5", 13.5),
    KEYS[2]: CheckResult(KEYS[2], None),
}


@pytest.fixture
def path(tmp_path: Path) -> str:
    place = str(tmp_path / "checks")
    Notebook().write(place, "boot", ORDERS, RESULTS)
    return place


def known(path: str, orders: List[Order], boot: str = "boot") -> Dict[CheckKey, CheckResult]:
    return notebook.read(path, boot, orders)


def test_what_was_known_is_known_again(path: str) -> None:
    assert known(path, ORDERS) == {key: RESULTS[key] for key in KEYS[:2]}


def test_another_boot_is_another_world(path: str) -> None:
    assert known(path, ORDERS, "later") == {}
    assert known(path, ORDERS, "") == {}


def test_a_check_that_asks_something_else_begins_anew(path: str) -> None:
    other = replace(ORDERS[0], check=TcpCheck(Timing(), Connection(b"\xc6\x12\0\1", 8080)))
    assert known(path, [other, ORDERS[1]]) == {KEYS[1]: RESULTS[KEYS[1]]}


def test_a_check_with_another_pace_does_not(path: str) -> None:
    slower = replace(ORDERS[0], check=replace(ORDERS[0].check, timing=Timing(delay_loop_ns=1)))
    assert known(path, [slower]) == {KEYS[0]: RESULTS[KEYS[0]]}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "3", '"boot"', '{"boot": "boot"}', '{"boot": "boot", "checks": [1]}'),
        *('{"boot":"boot","checks":3}', '{"boot":"boot","checks":[{"a":1}]}', "[" * 100_000),
    ],
)
def test_a_damaged_file_is_no_file_and_is_removed(path: str, text: str) -> None:
    Path(path).write_text(text)
    assert known(path, ORDERS) == {}
    assert not Path(path).exists()


WEIGHT, SINCE, OF_SERVER = 3, 5, 6


@pytest.mark.parametrize(
    ("place", "text"),
    [
        *((WEIGHT, text) for text in ('"much"', "null", "Infinity", "NaN", "1" + "0" * 400, str(1 << 32))),
        *((OF_SERVER, text) for text in ('"much"', "null", "Infinity", str(1 << 32))),
        *((SINCE, text) for text in ('"then"', "Infinity", "-Infinity", "NaN", "1" + "0" * 400, "1e300")),
    ],
)
def test_a_row_with_a_wrong_value_is_a_damaged_file(path: str, place: int, text: str) -> None:
    content = json.loads(Path(path).read_text())
    content["checks"][0][place] = "HERE"
    Path(path).write_text(json.dumps(content).replace('"HERE"', text))
    assert known(path, ORDERS) == {}
    assert not Path(path).exists()


def test_only_rows_that_are_news_are_made(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: List[int] = []
    spell = notebook.identity
    monkeypatch.setattr(notebook, "identity", lambda order: made.append(order.key.number) or spell(order))
    book, results = Notebook(), dict(RESULTS)
    book.write(path, "boot", ORDERS, results)
    assert made == [0, 1]
    results[KEYS[0]] = results[KEYS[0]]._replace(good=True)
    results[KEYS[2]] = results[KEYS[2]]._replace(good=True)
    again = [replace(order) for order in ORDERS]
    book.write(path, "boot", again, results)
    assert made == [0, 1, 2], "a result is news, a check that is as it was is not"
    other = replace(ORDERS[1], check=TcpCheck(Timing(), Connection(b"\xc6\x12\0\1", 8080)))
    book.write(path, "boot", [ORDERS[0], other], results)
    assert made == [0, 1, 2, 1]
    monkeypatch.undo()
    assert known(path, [ORDERS[0], other, ORDERS[2]]) == {key: results[key] for key in KEYS[:2]}


def test_a_weight_that_a_program_said_stays_what_it_said(path: str) -> None:
    """The program said 2 for a server of weight 5; the file now gives it 100."""
    program = MiscCheck(Timing(), Command(("/bin/load",)), dynamic=True)
    before = replace(ORDERS[1], check=program, weight=5)
    Notebook().write(path, "boot", [before], RESULTS)
    after = known(path, [replace(before, weight=100)])[KEYS[1]]
    assert after.added_weight + 100 == RESULTS[KEYS[1]].added_weight + 5 == 2


def test_what_a_file_adds_is_added_to_every_weight(path: str) -> None:
    before = replace(ORDERS[1], check=FileCheck(Timing(), "load", "/run/load"), weight=5)
    Notebook().write(path, "boot", [before], RESULTS)
    assert known(path, [replace(before, weight=100)])[KEYS[1]].added_weight == -3


def test_a_service_of_a_group_is_found_by_another_number(path: str) -> None:
    def of_group(number: int) -> Order:
        return replace(
            ORDERS[0], key=KEYS[0]._replace(service=(f"[web]:{number}", 4)), service=("[web]", 6, 4)
        )

    Notebook().write(path, "boot", [of_group(0)], {of_group(0).key: RESULTS[KEYS[0]]})
    moved = of_group(1).key
    assert known(path, [of_group(1)]) == {moved: RESULTS[KEYS[0]]._replace(key=moved)}


def test_no_file_is_nothing_known(path: str) -> None:
    forget(path)
    assert known(path, ORDERS) == {}


def test_nobody_else_can_read_it_and_it_can_be_forgotten(path: str) -> None:
    assert Path(path).stat().st_mode & 0o077 == 0
    forget(path)
    forget(path)
    assert known(path, ORDERS) == {}
