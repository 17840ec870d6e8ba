# SPDX-License-Identifier: GPL-3.0-or-later
"""What virtual servers ask of the kernel of a host: turned on, kept for the next boot, never turned off."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from plugins.module_utils._host import director, health, language
from plugins.module_utils._host.host import HostError
from plugins.module_utils.vrrp_agent.conf.parts.balancing import DIRECT, NAT, TUNNEL, VirtualServer
from plugins.modules.apply import ARGUMENTS, bring
from tests.unit.ansible.machine import Machine
from tests.unit.ansible.samples import web
from tests.unit.ansible.services import config, server, service
from tests.unit.ansible.test_release import artifact, release

FORWARD = "/proc/sys/net/ipv4/ip_forward"
FORWARD_6 = "/proc/sys/net/ipv6/conf/all/forwarding"


@pytest.fixture
def machine(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A host that does not forward, and whose kernel has ip_vs with wlc only."""
    (tmp_path / "root").mkdir()
    machine = Machine(tmp_path / "root", keepalived=True)
    machine.write(FORWARD, "0\n")
    machine.write(FORWARD_6, "0\n")
    machine.modules = {"ip_vs", "ip_vs_wlc"}
    return machine


class Director:
    """A host whose configuration has these virtual servers beside its instance."""

    def __init__(self, machine: Machine, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine = machine
        self._agent = agent
        self._services: tuple[VirtualServer, ...] = ()
        self.state: dict[str, Any] = {"state": "up"}
        """What the agent says of each virtual server."""
        self.lost = False
        """It does not have any."""
        compose = language.compose

        def with_services(*arguments: Any, **options: Any) -> language.Composition:
            found = compose(*arguments, **options)
            assert found.meaning is not None
            meaning = config(*self._services, base=found.meaning)
            text = found.text + "".join(f"# {one.name}\n" for one in self._services)
            return language.Composition(text, found.problems, meaning, found.instances, found.addresses)

        monkeypatch.setattr(language, "compose", with_services)

    def apply(self, *services: VirtualServer, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        self._services = services
        self.machine.services = [
            {"name": one.name, "family": one.family, **self.state} for one in services if not self.lost
        ]
        self.machine.log.clear()
        params = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
        named = {"artifact": self._agent, "release": release.release_name(self._agent)}
        return bring(self.machine.host, {**params, "config": web(), **named, **options}, check_mode)


@pytest.fixture
def host(machine: Machine, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Director:
    return Director(machine, artifact(tmp_path), monkeypatch)


@pytest.mark.parametrize(
    ("services", "families"),
    [
        ([], ()),
        ([service(method=DIRECT)], ()),
        ([service(method=TUNNEL)], ()),
        ([service()], (4,)),
        ([service(), service("2001:db8::10", "2001:db8:1::1")], (4, 6)),
        ([service("2001:db8::10", "2001:db8:1::1")], (6,)),
        ([service(method=DIRECT, sorry_server=server("198.18.0.9", NAT))], (4,)),
    ],
)
def test_only_nat_needs_a_host_that_forwards(
    services: list[VirtualServer], families: tuple[int, ...]
) -> None:
    assert director.needs(config(*services), "agent").families == families


@pytest.mark.parametrize(
    ("engine", "backend", "modules"),
    [
        ("agent", "auto", ("ip_vs", "ip_vs_rr", "ip_vs_sh")),
        ("agent", "ipvs", ("ip_vs", "ip_vs_rr", "ip_vs_sh")),
        ("agent", "nftables", ()),
        ("keepalived", "auto", ("ip_vs", "ip_vs_rr", "ip_vs_sh")),
    ],
)
def test_ipvs_wants_its_modules(engine: str, backend: str, modules: tuple[str, ...]) -> None:
    services = (service(scheduler="sh"), service("198.51.100.11", scheduler="rr"))
    assert director.needs(config(*services, backend=backend), engine).modules == modules


def test_a_director_forwards_from_now_on_and_a_second_run_changes_nothing(host: Director) -> None:
    told = host.apply(service())
    assert told["steps"][2:4] == ["load the modules of virtual servers", "turn forwarding on"]
    assert host.machine.file(FORWARD).read_text() == "1\n"
    assert host.machine.file(FORWARD_6).read_text() == "0\n"
    assert "\nnet.ipv4.ip_forward = 1\n" in host.machine.file(director.SYSCTL_PATH).read_text()
    assert host.machine.file(director.MODULES_PATH).read_text().splitlines()[-2:] == ["ip_vs", "ip_vs_wlc"]
    assert "modprobe ip_vs ip_vs_wlc" in host.machine.log
    assert not host.apply(service())["changed"]


def test_check_mode_tells_the_same_and_touches_nothing(host: Director) -> None:
    told = host.apply(service(), check_mode=True)
    assert host.machine.file(FORWARD).read_text() == "0\n"
    assert not host.machine.file(director.SYSCTL_PATH).exists()
    shown = {one["after_header"]: one for one in told["diff"]}
    assert "net.ipv4.ip_forward = 1" in shown[director.SYSCTL_PATH]["after"]
    assert (shown["net.ipv4.ip_forward"]["before"], shown["net.ipv4.ip_forward"]["after"]) == ("0\n", "1\n")
    assert told["steps"] == host.apply(service())["steps"]


def test_forwarding_that_somebody_turned_off_is_turned_on_again(host: Director) -> None:
    host.apply(service())
    host.machine.write(FORWARD, "0\n")
    assert host.apply(service())["steps"] == ["turn forwarding on"]
    assert host.machine.file(FORWARD).read_text() == "1\n"


def test_a_module_that_the_kernel_does_not_have_is_not_asked_for(host: Director) -> None:
    host.apply(service(scheduler="mh"))
    assert host.machine.file(director.MODULES_PATH).read_text().splitlines()[-1] == "ip_vs"
    host.machine.modules.clear()
    assert (
        host.apply(service(scheduler="mh"))["steps"][-1] == "load no modules of virtual servers with the host"
    )
    assert not host.machine.file(director.MODULES_PATH).exists()


def test_without_virtual_servers_the_files_go_and_the_host_goes_on_forwarding(host: Director) -> None:
    host.apply(service())
    told = host.apply()
    assert told["steps"][-2:] == [
        "load no modules of virtual servers with the host",
        "turn forwarding on with the host no more",
    ]
    assert not host.machine.file(director.SYSCTL_PATH).exists()
    assert host.machine.file(FORWARD).read_text() == "1\n"
    assert not host.apply()["changed"]


def test_absent_takes_the_files_away_too(host: Director) -> None:
    host.apply(service())
    host.apply(state="absent")
    left = [path.name for path in host.machine.root.rglob("*vrrp-director*")]
    assert left == []
    assert not host.apply(state="absent")["changed"]


def test_keepalived_is_not_sent_to_a_kernel_without_ip_vs(host: Director) -> None:
    host.machine.modules.clear()
    before = sorted(host.machine.root.rglob("*"))
    with pytest.raises(HostError, match=r"nothing was changed.*ip_vs.*vrrp_engine: agent"):
        host.apply(service(), engine="keepalived")
    assert (sorted(host.machine.root.rglob("*")), host.machine.log) == (before, [])
    assert host.apply(engine="keepalived")["changed"]


def test_ip_vs_that_is_loaded_or_built_in_is_enough(host: Director) -> None:
    host.machine.modules.clear()
    host.machine.write("/proc/net/ip_vs", "IP Virtual Server version 1.2.1 (size=4096)\n")
    assert host.apply(service(), engine="keepalived")["changed"]


ADVERTISED = {"dst": "default", "protocol": "ra", "metric": 1024}
SIX = service("2001:db8::10", "2001:db8:1::1")


@pytest.mark.parametrize(
    "route",
    [
        {**ADVERTISED, "gateway": "fe80::1", "dev": "eth0.5", "expires": 1790},
        {**ADVERTISED, "nexthops": [{"gateway": f"fe80::{n}", "dev": "eth0.5", "weight": 1} for n in "12"]},
    ],
)
def test_a_default_route_from_router_advertisements_is_not_lost(
    host: Director, route: dict[str, Any]
) -> None:
    host.machine.default_routes_6 = [route]
    host.machine.write("/proc/sys/net/ipv6/conf/eth0.5/accept_ra", "1\n")
    with pytest.raises(HostError, match=r"nothing was changed.*net\.ipv6\.conf\.eth0\.5\.accept_ra = 2"):
        host.apply(SIX)
    assert host.machine.file(FORWARD_6).read_text() == "0\n"
    host.machine.write("/proc/sys/net/ipv6/conf/eth0.5/accept_ra", "2\n")
    assert host.apply(SIX)["changed"]
    assert host.machine.file(FORWARD_6).read_text() == "1\n"


def test_a_host_without_ipv6_is_told_of_when_its_services_need_it(host: Director) -> None:
    host.machine.file(FORWARD_6).unlink()
    (warning,) = host.apply(SIX)["warnings"]
    assert warning.startswith("net.ipv6.conf.all.forwarding does not exist: IPv6 is off on this host")
    assert "warnings" not in host.apply(service())


def test_one_that_a_network_manager_learnt_stays_and_stops_nothing(host: Director) -> None:
    host.machine.default_routes_6 = [{**ADVERTISED, "gateway": "fe80::1", "dev": "eth0"}]
    host.machine.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "0\n")
    assert host.apply(SIX)["changed"]


def test_a_kernel_setting_that_cannot_be_written_is_told(host: Director) -> None:
    path = host.machine.file(FORWARD)
    path.unlink()
    path.symlink_to("/proc/nothing/like/that")
    with pytest.raises(HostError, match=r"net\.ipv4\.ip_forward cannot be set to 1.*container"):
        director.turn_on(host.machine.host, ("net.ipv4.ip_forward",))


def test_a_virtual_server_that_is_down_is_a_warning_and_no_failure(host: Director) -> None:
    host.state = {"state": "down", "reason": "no server is up", "refused": ["dh is not carried by nftables"]}
    told = host.apply(service())
    assert told["warnings"] == [
        "virtual server [198.51.100.10]:tcp:80 is down: no server is up",
        "virtual server [198.51.100.10]:tcp:80: dh is not carried by nftables",
    ]


def test_one_that_rests_on_a_backup_is_not_worth_a_word(host: Director) -> None:
    host.state = {"state": "down", "suspended": True}
    assert "warnings" not in host.apply(service())


@pytest.mark.parametrize(("states", "warned"), [(("unknown", "unknown"), False), (("unknown", "bad"), True)])
def test_one_whose_checks_have_not_run_yet_is_no_warning(states: tuple[str, ...], warned: bool) -> None:
    """With ``alpha`` servers are down until their checks have found them well."""
    servers = [{"name": state, "checks": [{"state": state}]} for state in states]
    answer = {"services": [{"name": "WEB", "state": "down", "reason": "no server", "servers": servers}]}
    assert bool(health.doubts(answer)) is warned


def test_a_back_end_that_fails_is_a_warning(host: Director) -> None:
    host.machine.balancing = {"problem": "this kernel has no ip_vs"}
    host.lost = True
    assert host.apply(service())["warnings"] == ["virtual servers: this kernel has no ip_vs"]


def test_an_agent_that_does_not_serve_what_the_file_says_is_not_well(host: Director) -> None:
    host.apply(service())
    host.lost = True
    with pytest.raises(HostError, match=r"virtual server .*:80 does not run.*What ran before is back"):
        host.apply(service(scheduler="rr"), config=web(priority=150))
