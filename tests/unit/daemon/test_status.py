# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent says of itself is enough to explain it, and is plain JSON."""

from __future__ import annotations

import json

import pytest
from vrrp_agent.daemon.status import stamp

from tests.unit.daemon.make import PEER, VIP, addresses, datagram, instance
from tests.unit.daemon.stage import Stage


def test_the_head_says_which_agent_answers_and_how_much_follows(stage: Stage) -> None:
    stage.apply(instance(), instance("VI_2", "203.0.113.1", vrid=20))
    head, *lines = stage.lines_of_status()
    assert (head["version"], head["config"], head["instance_count"]) == ("1.0", "/etc/c.conf", 2)
    assert head["started"].endswith("Z")
    assert [list(line) for line in lines] == [["instance"], ["instance"], ["interface"]]


def test_every_line_is_plain_json(stage: Stage) -> None:
    stage.start_active(instance(), instance("VI_6", family=6, vrid=60))
    stage.hear(datagram(priority=200), datagram(ttl=3), datagram(vrid=99))
    for line in stage.lines_of_status():
        assert json.loads(json.dumps(line)) == line


def test_a_backup_says_whom_it_follows_and_until_when(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(priority=200))
    one = stage.one()
    assert one["state"] == "backup"
    assert one["active_router"] == {"address": PEER, "priority": 200}
    assert one["next_deadline_s"] == pytest.approx(3 + 156 / 256)
    assert one["addresses_held"] == []
    assert one["addresses"] == [f"{VIP}/24"]


def test_an_active_router_names_itself_and_what_it_holds(stage: Stage) -> None:
    stage.start_active(instance(excluded_addresses=addresses("203.0.113.9/32")))
    one = stage.one()
    assert one["active_router"] == {"address": "198.51.100.1", "priority": 100}
    assert one["addresses_held"] == [f"{VIP}/24", "203.0.113.9/32"]
    assert one["reason"].startswith("no advert from any router for 3.609 s")
    assert 0 < one["next_deadline_s"] <= 1


def test_a_learned_interval_is_told_apart_from_the_configured_one(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(interval_ns=400_000_000))
    one = stage.one()
    assert (one["advert_int_s"], one["active_advert_int_s"]) == (1.0, 0.4)


def test_discards_without_an_instance_are_told_for_the_interface(stage: Stage) -> None:
    stage.apply(instance())
    stage.hear(datagram(vrid=99), datagram(vrid=98))
    (line,) = [line["interface"] for line in stage.lines_of_status() if "interface" in line]
    assert line == {"name": "eth0", "family": 4, "discards": {"unknown_vrid": 2}}


def test_an_answer_that_was_begun_survives_a_reload(stage: Stage) -> None:
    stage.apply(instance(), instance("VI_2", "203.0.113.1", vrid=20))
    answer = stage.agent.answer({"command": "status"})
    head = next(answer)
    stage.apply()
    assert len([line for line in answer if "instance" in line]) == head["instance_count"]


def test_an_unknown_command_is_named_with_those_that_are_known(stage: Stage) -> None:
    with pytest.raises(ValueError, match="unknown command 'reboot'; known: dump, status"):
        stage.agent.answer({"command": "reboot"})


@pytest.mark.parametrize(
    "moment, expected",
    [(0.0, "1970-01-01T00:00:00.000Z"), (1_700_000_000.9996, "2023-11-14T22:13:20.999Z")],
)
def test_moments_are_iso_8601_in_utc(moment: float, expected: str) -> None:
    assert stamp(moment) == expected
