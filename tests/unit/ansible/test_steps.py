# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done on a host, decided from what is found and what is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugins.module_utils._host.engines import AGENT, KEEPALIVED, UNITS
from plugins.module_utils._host.release import Installed
from plugins.module_utils._host.steps import Found, Step, Wanted, decide, release_of_command
from plugins.module_utils._host.systemd import Unit


def running(engine: str) -> Unit:
    return Unit(UNITS[engine], "loaded", "active", "running", "enabled", 77)


def stopped(engine: str) -> Unit:
    return Unit(UNITS[engine], "loaded", "inactive", "dead", "disabled")


WANTED = Wanted(config_text="new", release="2-bbbbbbbbbbbb", unit_text="unit", entry_text="entry")
SETTLED = Found(
    config_text="new",
    agent=Installed("2-bbbbbbbbbbbb", "", ("2-bbbbbbbbbbbb",), "entry"),
    running_release="2-bbbbbbbbbbbb",
    unit_text="unit",
    units={AGENT: running(AGENT), KEEPALIVED: stopped(KEEPALIVED)},
    runtime_directory=True,
)


def test_a_host_that_is_as_it_should_be_needs_nothing() -> None:
    assert decide(SETTLED, WANTED) == ()


def test_a_fresh_host_gets_everything_before_the_agent_starts() -> None:
    assert decide(Found(), WANTED) == (
        Step.INSTALL_RELEASE,
        Step.WRITE_UNIT,
        Step.WRITE_CONFIG,
        Step.SWITCH_RELEASE,
        Step.ENABLE,
        Step.START,
    )


def test_a_new_configuration_is_reloaded_and_never_restarted() -> None:
    assert decide(replace(SETTLED, config_text="old"), WANTED) == (Step.WRITE_CONFIG, Step.RELOAD)


def test_a_wrong_mode_is_mended_without_a_reload() -> None:
    assert decide(replace(SETTLED, config_fits=False), WANTED) == (Step.WRITE_CONFIG,)


def test_a_new_release_is_laid_beside_the_old_one_and_restarts_once() -> None:
    old = Installed("1-aaaaaaaaaaaa", "", ("1-aaaaaaaaaaaa",), "entry")
    found = replace(SETTLED, agent=old, running_release="1-aaaaaaaaaaaa", config_text="old")
    assert decide(found, WANTED) == (
        Step.INSTALL_RELEASE,
        Step.WRITE_CONFIG,
        Step.SWITCH_RELEASE,
        Step.RESTART,
    )


def test_a_restart_that_an_earlier_run_did_not_reach_is_made_up_for() -> None:
    assert decide(replace(SETTLED, running_release="1-aaaaaaaaaaaa"), WANTED) == (Step.RESTART,)


def test_an_agent_that_died_is_started_again() -> None:
    dead = Unit(UNITS[AGENT], "loaded", "failed", "failed", "enabled")
    assert decide(replace(SETTLED, units={AGENT: dead}, running_release=""), WANTED) == (Step.START,)


def test_moving_to_the_agent_stops_keepalived_only_when_all_else_is_ready() -> None:
    found = Found(config_text="old", units={KEEPALIVED: running(KEEPALIVED)})
    steps = decide(found, WANTED)
    assert steps[-3:] == (Step.STOP_KEEPALIVED, Step.ENABLE, Step.START)
    assert steps.index(Step.SWITCH_RELEASE) < steps.index(Step.STOP_KEEPALIVED)


def test_moving_to_keepalived_stops_the_agent_first() -> None:
    found = replace(SETTLED, units={AGENT: running(AGENT), KEEPALIVED: stopped(KEEPALIVED)})
    assert decide(found, replace(WANTED, engine=KEEPALIVED)) == (Step.STOP_AGENT, Step.ENABLE, Step.START)


def test_a_host_without_the_package_gets_it_before_the_agent_is_stopped() -> None:
    found = replace(SETTLED, units={AGENT: running(AGENT)})
    steps = decide(found, replace(WANTED, engine=KEEPALIVED))
    assert steps == (Step.INSTALL_PACKAGE, Step.STOP_AGENT, Step.ENABLE, Step.START)


def test_an_idle_engine_that_would_start_with_the_host_is_disabled() -> None:
    dormant = Unit(UNITS[KEEPALIVED], "loaded", "inactive", "dead", "enabled")
    assert decide(replace(SETTLED, units={AGENT: running(AGENT), KEEPALIVED: dormant}), WANTED) == (
        Step.STOP_KEEPALIVED,
    )


def test_absent_removes_all_that_is_there() -> None:
    assert decide(SETTLED, Wanted(state="absent")) == (
        Step.STOP_AGENT,
        Step.REMOVE_UNIT,
        Step.REMOVE_RELEASES,
        Step.REMOVE_CONFIG,
        Step.REMOVE_RUNTIME,
    )


def test_absent_on_an_empty_host_does_nothing() -> None:
    assert decide(Found(), Wanted(state="absent")) == ()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/usr/bin/python3\0-IS\0/usr/local/lib/vrrp-agent/releases/1-aaaaaaaaaaaa\0run\0", "1-aaaaaaaaaaaa"),
        ("/usr/bin/python3\0/usr/local/sbin/other\0", ""),
        ("", ""),
    ],
)
def test_the_release_that_runs_is_read_from_its_command_line(command: str, expected: str) -> None:
    assert release_of_command(command) == expected
