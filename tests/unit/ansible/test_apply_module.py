# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that does the whole job on one host, told as the days of a host."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from plugins.module_utils._host import leftovers, release, unit
from plugins.module_utils._host.host import HostError
from plugins.module_utils.vrrp_agent.balance import nftables
from plugins.modules.apply import ARGUMENTS, bring
from plugins.modules.status_info import look
from tests.unit.ansible.machine import AGENT_UNIT, KEEPALIVED_UNIT, Machine
from tests.unit.ansible.samples import web
from tests.unit.ansible.test_release import artifact

CONF = "/etc/keepalived/keepalived.conf"


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    (tmp_path / "root").mkdir()
    return Machine(tmp_path / "root", keepalived=True)


@pytest.fixture
def agent(tmp_path: pathlib.Path) -> str:
    return artifact(tmp_path)


def run(machine: Machine, agent: str = "", check_mode: bool = False, **options: Any) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    named = {"artifact": agent, "release": release.release_name(agent)} if agent else {}
    machine.log.clear()
    return bring(machine.host, {**params, "config": web(), **named, **options}, check_mode)


def test_a_fresh_host_becomes_a_member_and_a_second_run_changes_nothing(machine: Machine, agent: str) -> None:
    told = run(machine, agent)
    assert told["changed"]
    assert told["steps"][-2:] == ["start with the host", "start"]
    assert told["instances"][0]["state"] == "backup"
    assert machine.units[AGENT_UNIT]["active"] == "active"
    again = run(machine, agent)
    assert not again["changed"]
    assert again["steps"] == []
    assert machine.log == []


def test_check_mode_on_a_fresh_host_tells_all_of_it_and_touches_nothing(machine: Machine, agent: str) -> None:
    before = sorted(machine.root.rglob("*"))
    told = run(machine, agent, check_mode=True)
    assert sorted(machine.root.rglob("*")) == before
    assert machine.log == []
    assert told["steps"] == run(machine, agent)["steps"]


def test_the_artefact_is_asked_for_only_where_it_is_missing(machine: Machine, agent: str) -> None:
    name = release.release_name(agent)
    assert run(machine, release=name) == {"changed": False, "needs_artifact": True}
    assert machine.config is None
    run(machine, agent)
    assert not run(machine, release=name)["changed"]


def test_a_new_configuration_is_reloaded(machine: Machine, agent: str) -> None:
    run(machine, agent)
    told = run(machine, agent, config=web(priority=150))
    assert told["steps"] == ["write keepalived.conf", "reload"]
    assert machine.log == [f"reload {AGENT_UNIT}"]


def test_a_reload_that_the_agent_refuses_brings_the_old_file_back(machine: Machine, agent: str) -> None:
    run(machine, agent)
    before = machine.config
    machine.refuses_reload = True
    config = web()
    config["vrrp_instance"]["DB"] = {
        "interface": "eth0", "virtual_router_id": 9, "virtual_ipaddress": ["198.51.100.9/24"]}  # fmt: skip
    with pytest.raises(HostError, match=r"instance DB does not run.*What ran before is back") as caught:
        run(machine, agent, config=config)
    assert machine.config == before
    assert caught.value.evidence["journal"]


def test_a_new_release_restarts_once_and_keeps_the_old_one(
    machine: Machine, agent: str, tmp_path: pathlib.Path
) -> None:
    run(machine, agent)
    newer = artifact(tmp_path, build="b" * 12)
    told = run(machine, newer)
    assert told["steps"] == ["install the agent", "switch to the new agent", "restart"]
    assert release.installed(machine.host).previous == release.release_name(agent)


def test_a_new_release_that_is_not_well_is_taken_back(
    machine: Machine, agent: str, tmp_path: pathlib.Path
) -> None:
    run(machine, agent)
    machine.on_start = lambda: setattr(machine, "fault", "eth0 has no carrier")
    with pytest.raises(HostError, match=r"FAULT: eth0 has no carrier.*What ran before is back"):
        run(machine, artifact(tmp_path, build="b" * 12))
    assert release.installed(machine.host).current == release.release_name(agent)
    assert machine.log[-1] == f"restart {AGENT_UNIT}"


def test_a_fault_of_before_does_not_stop_a_change(machine: Machine, agent: str) -> None:
    run(machine, agent)
    machine.fault = "eth0 has no carrier"
    assert run(machine, agent, config=web(priority=150))["changed"]


def test_the_wait_for_health_ends(machine: Machine, agent: str) -> None:
    machine.fault = "eth0 has no carrier"
    with pytest.raises(HostError, match="not well 5 s after"):
        run(machine, agent, health_timeout_s=5.0)
    assert 5 <= machine.now_s < 7


def test_a_host_moves_to_keepalived_and_back_and_never_runs_both(machine: Machine, agent: str) -> None:
    run(machine, agent)
    told = run(machine, engine="keepalived")
    assert told["steps"] == ["stop the agent", "start with the host", "start"]
    assert machine.units[KEEPALIVED_UNIT]["active"] == "active"
    assert machine.units[AGENT_UNIT]["active"] == "inactive"
    assert not run(machine, engine="keepalived")["changed"]
    assert run(machine, agent)["steps"] == ["stop keepalived", "start with the host", "start"]


def test_a_host_without_the_package_gets_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "bare").mkdir()
    machine = Machine(tmp_path / "bare")
    machine.write("/usr/bin/apt-get", "")
    told = run(machine, engine="keepalived")
    assert told["steps"][0] == "install keepalived"
    assert machine.units[KEEPALIVED_UNIT]["active"] == "active"
    assert not run(machine, engine="keepalived")["changed"]


def test_whoever_holds_an_address_is_active(machine: Machine, agent: str) -> None:
    run(machine, agent)
    assert not run(machine, agent)["active"]
    machine.addresses.append("198.51.100.10/24")
    told = run(machine, agent)
    assert told["active"]
    assert told["addresses_held"] == ["198.51.100.10"]


def test_the_holder_of_an_address_that_goes_away_is_active_too(machine: Machine, agent: str) -> None:
    run(machine, agent)
    machine.addresses.append("198.51.100.10/24")
    assert run(machine, agent, check_mode=True, config=web(virtual_ipaddress=["198.51.100.99/24"]))["active"]


def test_absent_leaves_nothing_behind(machine: Machine, agent: str) -> None:
    run(machine, agent)
    machine.file(unit.RUNTIME_DIRECTORY).mkdir(parents=True)
    told = run(machine, state="absent", backup=True)
    assert told["steps"][0] == "stop the agent"
    left = [path for path in machine.root.rglob("*") if "vrrp" in path.name or path.name == "keepalived.conf"]
    assert left == []
    assert machine.file(told["backup_file"]).exists()
    assert not run(machine, state="absent")["changed"]


def leave_tables(machine: Machine) -> None:
    """As an agent that was killed does, beside what belongs to others."""
    machine.tables = {f"{family} vrrp_agent_balance": nftables.OWNER for family in ("ip", "netdev")}
    machine.tables.update({"ip6 vrrp_agent_balance": "mine", "inet filter": ""})
    machine.units[AGENT_UNIT].update(active="failed", pid=0)


OF_OTHERS = {"ip6 vrrp_agent_balance": "mine", "inet filter": ""}


def test_what_a_killed_agent_left_in_the_kernel_goes_with_it(machine: Machine, agent: str) -> None:
    run(machine, agent)
    leave_tables(machine)
    assert "remove what the agent left in nftables" in run(machine, state="absent")["steps"]
    assert machine.tables == OF_OTHERS
    assert not run(machine, state="absent")["changed"]


def test_keepalived_starts_without_it(machine: Machine, agent: str) -> None:
    run(machine, agent)
    leave_tables(machine)
    left: list[dict[str, str]] = []
    machine.on_start = lambda: left.append(dict(machine.tables))
    run(machine, engine="keepalived")
    assert left == [OF_OTHERS]
    assert not run(machine, engine="keepalived")["changed"]


def test_an_agent_that_starts_takes_it_over(machine: Machine, agent: str) -> None:
    run(machine, agent)
    leave_tables(machine)
    assert run(machine, agent)["steps"] == ["start"]
    assert "ip vrrp_agent_balance" in machine.tables


def test_the_tables_are_known_by_what_the_agent_calls_them() -> None:
    assert leftovers.TABLE == nftables.TABLE
    assert nftables.OWNER.startswith(f"{leftovers.OWNER} ")


def test_passwords_are_in_no_result(machine: Machine, agent: str) -> None:
    config = web(authentication={"auth_type": "PASS", "auth_pass": "s3cret"})
    assert "s3cret" not in str(run(machine, agent, config=config))


def test_a_wrong_configuration_touches_nothing(machine: Machine, agent: str) -> None:
    with pytest.raises(HostError, match="nothing was changed"):
        run(machine, agent, config=web(priority=300))
    assert machine.log == []
    assert machine.config is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"virtual_router_id": 52}, "virtual_router_id changes"),
        ({"version": 3}, "version"),
        ({"authentication": {"auth_type": "PASS", "auth_pass": "s3cret"}}, "the password changes"),
        ({"unicast_src_ip": "198.51.100.1", "unicast_peer": ["198.51.100.2"]}, "multicast or unicast"),
    ],
)
def test_a_change_that_makes_hosts_deaf_to_each_other_is_told(
    machine: Machine, agent: str, change: dict[str, Any], word: str
) -> None:
    run(machine, agent)
    assert word in run(machine, agent, check_mode=True, config=web(**change))["warnings"][0]
    assert "warnings" not in run(machine, agent, config=web(priority=150))


TRACKING = {
    "global_defs": {"enable_script_security": True},
    "vrrp_script": {"chk_web": {"script": "/usr/local/libexec/check-web"}},
    **web(track_script=["chk_web"]),
}
MISSING = {
    "kind": "script",
    "name": "chk_web",
    "state": "disabled",
    "last": "/usr/local/libexec/check-web cannot be used: No such file or directory; put it there",
}
WARNING = (
    "script chk_web: /usr/local/libexec/check-web cannot be used: No such file or directory; put it there"
)


def test_a_check_script_that_the_agent_does_not_run_is_a_warning(machine: Machine, agent: str) -> None:
    machine.trackers = [MISSING, {"kind": "file", "name": "maintenance", "state": "0", "last": ""}]
    told = run(machine, agent, config=TRACKING)
    assert told["changed"]
    assert told["warnings"] == [WARNING]


def test_a_reload_tells_of_it_too(machine: Machine, agent: str) -> None:
    assert "warnings" not in run(machine, agent)
    machine.trackers = [MISSING]
    assert run(machine, agent, config=TRACKING)["warnings"] == [WARNING]


def test_a_script_that_runs_is_no_warning(machine: Machine, agent: str) -> None:
    machine.trackers = [{**MISSING, "state": "bad", "last": "exit status 1"}]
    assert "warnings" not in run(machine, agent, config=TRACKING)


def test_a_pipe_that_cannot_be_used_is_a_warning(machine: Machine, agent: str) -> None:
    good = {"path": "/run/lb/vrrp", "problem": ""}
    machine.pipes = [{"path": "/run/lb/events", "problem": "is no named pipe, so it is not used"}, good]
    fifos = {"notify_fifo": "/run/lb/events", "vrrp_notify_fifo": "/run/lb/vrrp"}
    told = run(machine, agent, config={"global_defs": fifos, **web()})
    assert told["warnings"] == ["pipe /run/lb/events: is no named pipe, so it is not used"]


def test_a_host_that_becomes_ill_while_its_scripts_are_looked_at_is_taken_back(
    machine: Machine, agent: str
) -> None:
    run(machine, agent)
    sleep = machine.sleep

    def fall_ill(seconds: float) -> None:
        sleep(seconds)
        machine.fault = "script chk_web is bad"

    machine.sleep = fall_ill  # type: ignore[method-assign]
    with pytest.raises(HostError, match=r"FAULT: script chk_web is bad.*What ran before is back"):
        run(machine, agent, config=TRACKING)


def test_only_a_change_with_something_to_watch_is_looked_at_a_second_time(
    machine: Machine, agent: str
) -> None:
    run(machine, agent)
    assert (machine.asked, machine.now_s) == (1, 0)
    run(machine, agent, config=TRACKING)
    machine.asked, before_s = 0, machine.now_s
    machine.trackers = [MISSING]
    assert not run(machine, agent, config=TRACKING)["changed"]
    assert (machine.asked, machine.now_s) == (0, before_s)


def test_an_interface_that_is_not_there_is_told_before_anything_is_touched(
    machine: Machine, agent: str
) -> None:
    with pytest.raises(HostError, match=r"WEB needs eth7, and this host has eth0, lo"):
        run(machine, agent, config=web(interface="eth7"))
    assert machine.log == []
    assert machine.config is None


def test_an_interface_that_may_come_later_is_waited_for(machine: Machine, agent: str) -> None:
    config = {"global_defs": {"dynamic_interfaces": True}, **web(interface="eth7")}
    assert run(machine, agent, config=config)["changed"]


def test_without_an_artefact_the_way_to_one_is_told(machine: Machine) -> None:
    with pytest.raises(HostError, match="make agent"):
        run(machine)


def test_status_info_tells_the_engine_and_the_instances(machine: Machine, agent: str) -> None:
    assert look(machine.host)["engine"] == ""
    run(machine, agent)
    told = look(machine.host)
    assert (told["engine"], told["active"]) == ("agent", False)
    assert told["instances"][0]["name"] == "WEB"
    assert told["release"] == release.release_name(agent)


def test_status_info_reads_keepalived_from_the_addresses(machine: Machine) -> None:
    run(machine, engine="keepalived")
    assert look(machine.host)["instances"][0]["state"] == "not active"
    machine.addresses.append("198.51.100.10/24")
    told = look(machine.host)
    assert told["active"]
    assert told["instances"][0]["state"] == "active"
