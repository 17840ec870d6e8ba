# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived's files, held against those that keepalived 2.4.3 itself wrote for the same configuration.

``samples/`` has the configuration and what keepalived wrote when it was active with all of it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from vrrp_agent.conf.load import load
from vrrp_agent.conf.model import (
    Command,
    Config,
    NextHop,
    Notify,
    Route,
    Rule,
    Script,
    Tracked,
    WatchedProcess,
)
from vrrp_agent.daemon.dumps import keepalived_words as words
from vrrp_agent.daemon.dumps.writing import JSON, PIECES, STATE, STATS
from vrrp_agent.daemon.live import Live
from vrrp_agent.track.messages import FILE, Reading

from tests.unit.daemon.make import address, config, datagram, instance
from tests.unit.daemon.stage import Stage

SAMPLES = Path(__file__).parent / "samples"
MOVING = ("last_transition",)
"""Values of the JSON file that are never the same twice."""
MOVING_LINES = (
    *("Last transition", "Read timeout", "Last advert sent", "fd_in", "Master down timer"),
    *("Number of config faults", "Number of track scripts init", "Num member fault"),
    "Highest other priority",
    "Unicast checksum compatibility",
)
"""Lines of the state dump that are never the same twice, or tell of what only keepalived has inside."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


def sample_config() -> Config:
    loaded = load(str(SAMPLES / "keepalived.conf"))
    assert loaded.config is not None, loaded.problems
    return loaded.config


def active(stage: Stage) -> Stage:
    """All instances of the sample are active, as they were in keepalived."""
    stage.agent._trackers._side.start = lambda: None  # type: ignore[method-assign] # nor is it started
    stage.agent.apply(sample_config())
    stage.agent._trackers._take(
        Reading(FILE, "load", True, 0)
    )  # the process that reads it is not in this story
    stage.wait(8)
    assert {one["state"] for one in stage.status()} == {"active"}, stage.status()
    return stage


def written(stage: Stage, kind: str) -> str:
    return "".join(PIECES[kind](stage.agent.scene()))


def comparable(text: str) -> List[str]:
    lines = text.splitlines()
    begin = lines.index("------< VRRP Topology >------")
    kept: List[str] = []
    skipping = False
    for line in lines[begin:]:
        if line.startswith("---"):
            skipping = "Sockpool" in line  # keepalived's own descriptors
        if not skipping and not line.strip().startswith(MOVING_LINES):
            kept.append(re.sub(r"fe80::[0-9a-f:]+$|, ifindex \d+$", "", line))
    return kept


def test_the_json_file_is_keepalived_s(stage: Stage) -> None:
    ours = json.loads(written(active(stage), JSON))
    theirs = json.loads((SAMPLES / "keepalived.json").read_text())
    assert [one["data"]["iname"] for one in ours["vrrp"]] == ["VI_1", "VI_2", "VI_3"]
    for mine, keepalived_s in zip(ours["vrrp"], theirs["vrrp"]):
        assert list(mine["data"]) == list(keepalived_s["data"]), "the same fields in the same order"
        assert list(mine["stats"]) == list(keepalived_s["stats"])
        for name in MOVING:
            assert isinstance(mine["data"].pop(name), float)
            keepalived_s["data"].pop(name)
        assert mine["data"] == keepalived_s["data"]
        assert mine["stats"].pop("advert_sent") > 0
        keepalived_s["stats"].pop("advert_sent")
        assert mine["stats"] == keepalived_s["stats"]


def test_version_1_of_the_json_file_is_a_list(stage: Stage) -> None:
    stage.start_active(instance())
    ours = json.loads(written(stage, JSON))
    assert [one["data"]["iname"] for one in ours] == ["VI_1"]
    assert ours[0]["data"]["state"] == 2


def test_the_state_dump_has_keepalived_s_lines(stage: Stage) -> None:
    ours = comparable(written(active(stage), STATE))
    theirs = comparable((SAMPLES / "keepalived.data").read_text())
    # The number of the block is not kept: the lines that track the file have it.
    theirs = [line for line in theirs if line != "   Weight = 2"]
    assert ours == theirs


def test_the_counters_file_is_keepalived_s(stage: Stage) -> None:
    ours, theirs = written(active(stage), STATS), (SAMPLES / "keepalived.stats").read_text()
    sent = re.compile(r"(Advertisements:\n    Received: \d+\n    Sent: )\d+")
    assert sent.sub(r"\1N", ours) == sent.sub(r"\1N", theirs)


def test_a_backup_says_whom_it_hears(stage: Stage) -> None:
    stage.apply(instance(priority=100))
    stage.hear(datagram(priority=200))
    text = written(stage, STATE)
    assert "   State = BACKUP\n   Master router = 198.51.100.2\n   Master priority = 200\n" in text
    data = stats_and_data(stage)[0]
    assert (data["state"], data["master_priority"]) == (1, 200)


def stats_and_data(stage: Stage) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    (one,) = json.loads(written(stage, JSON))
    return one["data"], one["stats"]


def test_no_secret_is_in_any_dump(stage: Stage) -> None:
    active(stage)
    for kind in PIECES:
        assert "secret" not in written(stage, kind)


def test_counters_of_discards_go_by_keepalived_s_names(stage: Stage) -> None:
    stage.start_active(instance())
    (live,) = stage.agent.scene().lives
    for reason in ("ttl", "length", "ip_header", "auth_ext_replay", "address_list"):
        live.counters.discard(reason)
    live.counters.addr_list_mismatches += 1
    stats = stats_and_data(stage)[1]
    assert (stats["ip_ttl_err"], stats["packet_len_err"], stats["addr_list_err"]) == (1, 2, 2)
    assert stats["auth_ext_replay"] == 1


def test_scripts_are_named_by_their_commands(stage: Stage) -> None:
    script = Script("web", Command(("/usr/bin/curl", "a b")))
    notify = Notify(active=Command(("/usr/local/bin/up", "x")), every=Command(("/usr/local/bin/all",)))
    one = instance(notify=notify, track_scripts=(Tracked("web"),))
    process = WatchedProcess("sshd", "/usr/sbin/sshd", quorum=2)
    made = config(one, scripts=(script,), processes=(process,))
    stage.agent.config = made
    scene = stage.agent.scene()._replace(config=made)
    live = Live(one, stage.agent._services, 0)
    text = "".join(PIECES[JSON](scene._replace(lives=[live])))
    (router,) = json.loads(text)
    assert router["data"]["track_script"] == ["'/usr/bin/curl' 'a b'"]
    assert router["data"]["script_master"] == "'/usr/local/bin/up' 'x'"
    assert router["data"]["script"] == "'/usr/local/bin/all'"
    state = "".join(PIECES[STATE](scene._replace(lives=[live])))
    assert " VRRP Script = web\n   Command = '/usr/bin/curl' 'a b'\n   Interval = 1 sec\n" in state
    assert "   Master state transition script = '/usr/local/bin/up' 'x'\n" in state
    assert " VRRP Track process = sshd\n   Process = /usr/sbin/sshd\n" in state


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (words.Place("eth0"), "198.51.100.10/24 dev eth0 scope global"),
        (words.Place("vrrp.51", "eth0"), "198.51.100.10/24 dev vrrp.51@eth0 scope global"),
        (
            words.Place("eth0", held=frozenset([(bytes((198, 51, 100, 10)), 24)])),
            "198.51.100.10/24 dev eth0 scope global set",
        ),
        (
            words.Place("eth0", held=frozenset([(bytes((198, 51, 100, 10)), 24)]), guarded=True),
            "198.51.100.10/24 dev eth0 scope global set nftable_set",
        ),
    ],
)
def test_an_address_is_written_with_its_place(place: words.Place, line: str) -> None:
    assert words.address(address("198.51.100.10/24"), place) == line


@pytest.mark.parametrize(
    ("route", "line"),
    [
        (
            Route(
                4,
                bytes((203, 0, 113, 0)),
                24,
                next_hops=(NextHop(bytes((198, 51, 100, 200)), "eth0"),),
                metric=5,
            ),
            "prepend 203.0.113.0/24 via inet 198.51.100.200 dev eth0 proto 18 metric 5",
        ),
        (Route(4, None, 0, type="blackhole", table=7), "prepend blackhole default table 7 proto 18"),
        (
            Route(
                6, bytes(16), 0, next_hops=(NextHop(None, "eth0", 2), NextHop(None, "eth1")), no_track=True
            ),
            "prepend ::/0 proto 18 nexthop dev eth0 weight 2 nexthop dev eth1 no_track",
        ),
    ],
)
def test_a_route_is_written_as_keepalived_writes_it(route: Route, line: str) -> None:
    assert words.route(route) == line


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            Rule(4, source=(bytes((198, 51, 100, 10)), 32), priority=16384, table=100),
            "from 198.51.100.10 priority 16384 tos 0x0 protocol 18 lookup 100",
        ),
        (
            Rule(6, action="goto", goto=9, fwmark=(1, 255), input_interface="eth0", invert=True),
            "inet6 not from all tos 0x0 fwmark 0x1/0xff iif eth0 protocol 18 goto 9",
        ),
        (
            Rule(4, action="prohibit", destination=(bytes(4), 0)),
            "from all to 0.0.0.0/0 tos 0x0 protocol 18 type prohibit",
        ),
    ],
)
def test_a_rule_is_written_as_keepalived_writes_it(rule: Rule, line: str) -> None:
    assert words.rule(rule) == line
