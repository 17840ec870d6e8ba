# SPDX-License-Identifier: GPL-3.0-or-later
"""A host becomes a real server, changes, and is one no more: by difference, and back to what it was."""

from __future__ import annotations

import importlib
import pathlib
import shlex
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from plugins.module_utils._host.host import Completed, Host, HostError
from plugins.module_utils._host.real_server import NAME, PATH, Settings, parts, settings_in, unit_text
from plugins.modules.real_server import ARGUMENTS, bring

ROLE = pathlib.Path(__file__).resolve().parents[3] / "roles" / "real_server"
NOTHING = Completed(0, "", "")
ARP_IGNORE = [f"net/ipv4/conf/{name}/arp_ignore" for name in ("all", "eth0")]


class Server:
    """A host in a temporary directory: ``ip`` and systemd are played, sysctls are files."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.lo: list[str] = ["127.0.0.1/8"]
        self.links: set[str] = set()
        self.routes: set[str] = set()
        self.running = self.enabled = False
        self.log: list[str] = []
        self.loaded = ""
        """The unit as systemd knows it."""
        self.fails = ""
        for name in ("all", "eth0"):
            for key in ("arp_ignore", "arp_announce"):
                self.write(f"/proc/sys/net/ipv4/conf/{name}/{key}", "0\n")

    @property
    def host(self) -> Host:
        return Host(str(self.root), self.run)

    def file(self, path: str) -> pathlib.Path:
        return self.root / path.lstrip("/")

    def write(self, path: str, text: str) -> None:
        self.file(path).parent.mkdir(parents=True, exist_ok=True)
        self.file(path).write_text(text)

    def sysctl(self, path: str) -> str:
        return self.file("/proc/sys/" + path).read_text().strip()

    def run(self, argv: Sequence[str]) -> Completed:
        words = list(argv)
        if words[0] == "systemctl":
            return self._systemctl([word for word in words[1:] if word != "--quiet"])
        if words[0] == "ip" and "address" in words:
            here = [one.partition(" ") for one in self.lo]
            lines = [
                f"1: {words[-1]}    inet {one[0]} scope\n" for one in here if (one[2] or "lo") == words[-1]
            ]
            return Completed(0, "".join(lines), "")
        if words[0] == "ip" and "route" in words:
            return Completed(0, words[-1] if words[5] in self.routes else "", "")
        if words[0] == "journalctl":
            return NOTHING
        assert words[:2] == ["/bin/sh", "-c"], words
        return self._shell(words[2])

    def _systemctl(self, words: list[str]) -> Completed:
        if words[0] == "show":
            state = "active" if self.running else "inactive"
            file_state = "enabled" if self.enabled else ""
            load = "loaded" if self.loaded or self.file(PATH).exists() else "not-found"
            return Completed(
                0, f"Id={NAME}\nLoadState={load}\nActiveState={state}\nUnitFileState={file_state}\n", ""
            )
        self.log.append(" ".join(words))
        if words[0] in ("enable", "disable"):
            if not self.file(PATH).exists():
                return Completed(1, "", f"Failed to {words[0]} unit: Unit file {NAME} does not exist.")
            self.enabled = words[0] == "enable"
        if words[0] in ("stop", "restart") or "--now" in words:
            self._commands("ExecStopPost=")
            self.running = False
        if words[0] in ("start", "restart"):
            done = self._commands("ExecStart=")
            self.running = not done.rc
            if done.rc:
                self._commands("ExecStopPost=")
            return done
        return NOTHING

    def _commands(self, word: str) -> Completed:
        if self.file(PATH).exists():
            self.loaded = self.file(PATH).read_text()
        for line in self.loaded.splitlines():
            if line.startswith(word):
                shell, option, command = shlex.split(line[len(word) :])
                assert (shell, option) == ("/bin/sh", "-c")
                done = self._shell(command.replace("$$", "$").replace("%%", "%"))
                if done.rc:
                    return done
        return NOTHING

    def _shell(self, command: str) -> Completed:
        self.log.append(command)
        if self.fails and self.fails in command:
            return Completed(2, "", "RTNETLINK answers: Operation not permitted")
        words = command.split()
        if words[:2] == ["ip", "address"]:
            address = words[3] if words[5] == "lo" else f"{words[3]} {words[5]}"
            self.lo = [one for one in self.lo if one != address]
            if words[2] == "replace":
                silent = ":" in address or "1" in map(self.sysctl, ARP_IGNORE)
                assert silent, "the host would answer for the address"
                self.lo.append(address)
        for part in command.split(";"):
            head, _sign, path = part.strip().partition(" >/proc/sys/")
            if path:
                value = head.split()[-1] if head.startswith("echo") else "0"
                self.write("/proc/sys/" + path, value + "\n")
        if "route add" in command:
            self.routes.add(words[words.index("add") + 1])
        if "ip link add" in command:
            link = words[words.index("add") + 1]
            self.file(f"/sys/class/net/{link}").mkdir(parents=True)
            self.lo = [one for one in self.lo if not one.endswith(" " + link)]
        elif "ip link delete" in command and self.file(f"/sys/class/net/{words[3]}").is_dir():
            self.file(f"/sys/class/net/{words[3]}").rmdir()
        return NOTHING


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Server:
    return Server(tmp_path)


def run(server: Server, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    server.log.clear()
    return bring(server.host, {**params, **options}, check_mode)


def direct(*addresses: str, **options: Any) -> dict[str, Any]:
    return {"method": "DR", "addresses": list(addresses), **options}


TEN, ELEVEN = "198.51.100.10", "198.51.100.11"


def test_a_real_server_of_dr_is_silent_before_it_has_the_address(server: Server) -> None:
    told = run(server, **direct(TEN))
    assert told["steps"] == ["write the systemd unit", "start with the host", "start"]
    assert f"{TEN}/32" in server.lo
    assert (server.running, server.enabled) == (True, True)
    assert server.sysctl("net/ipv4/conf/all/arp_announce") == "2"
    again = run(server, **direct(TEN))
    assert not again["changed"] and server.log == []


def test_check_mode_tells_the_same_and_touches_nothing(server: Server) -> None:
    told = run(server, check_mode=True, **direct(TEN))
    assert server.log == [] and not server.file(PATH).exists()
    assert f"ip address replace {TEN}/32 dev lo" in told["diff"]["after"]
    assert told["steps"] == run(server, **direct(TEN))["steps"]


def test_a_second_address_comes_without_touching_the_first(server: Server) -> None:
    run(server, **direct(TEN))
    told = run(server, **direct(TEN, ELEVEN))
    assert told["steps"] == ["write the systemd unit", f"{ELEVEN} on lo"]
    assert not any(TEN in line for line in server.log)
    assert {f"{TEN}/32", f"{ELEVEN}/32"} < set(server.lo)


def test_an_address_goes_alone(server: Server) -> None:
    run(server, **direct(TEN, ELEVEN))
    told = run(server, **direct(ELEVEN))
    assert told["steps"] == [f"no more: {TEN} on lo", "write the systemd unit"]
    assert f"{TEN}/32" not in server.lo and f"{ELEVEN}/32" in server.lo


def test_an_address_that_somebody_took_away_comes_back(server: Server) -> None:
    run(server, **direct(TEN, ELEVEN))
    server.lo.remove(f"{TEN}/32")
    assert run(server, **direct(TEN, ELEVEN))["steps"] == [f"{TEN} on lo"]


def test_a_sysctl_that_somebody_changed_is_set_again(server: Server) -> None:
    run(server, **direct(TEN))
    server.write("/proc/sys/net/ipv4/conf/all/arp_ignore", "0\n")
    assert run(server, **direct(TEN))["steps"] == ["net/ipv4/conf/all/arp_ignore is 1"]


def test_silence_on_one_interface_comes_before_the_others_may_speak(server: Server) -> None:
    run(server, **direct(TEN))
    told = run(server, **direct(TEN, interface="eth0"))
    assert "no more: net/ipv4/conf/all/arp_ignore is 1" in told["steps"]
    first = next(line for line in server.log if "arp_ignore" in line)
    assert "eth0" in first
    assert server.sysctl("net/ipv4/conf/eth0/arp_ignore") == "1"
    assert server.sysctl("net/ipv4/conf/all/arp_ignore") == "0"


def test_absent_leaves_nothing_behind(server: Server) -> None:
    run(server, **direct(TEN))
    told = run(server, state="absent")
    assert told["steps"] == ["stop", "remove the systemd unit"]
    assert server.lo == ["127.0.0.1/8"]
    assert server.sysctl("net/ipv4/conf/all/arp_ignore") == "0"
    assert not server.file(PATH).exists() and not server.enabled
    assert not run(server, state="absent")["changed"]


def test_absent_stops_a_unit_whose_file_somebody_removed(server: Server) -> None:
    run(server, **direct(TEN))
    server.file(PATH).unlink()
    told = run(server, state="absent")
    assert told["steps"] == ["stop", "remove the systemd unit"] and "warnings" not in told
    assert server.lo == ["127.0.0.1/8"] and not server.running
    assert not run(server, state="absent")["changed"]


def test_what_systemd_has_forgotten_how_to_undo_is_told(server: Server) -> None:
    run(server, **direct(TEN))
    server.file(PATH).unlink()
    server.loaded = ""  # a daemon-reload
    (warning,) = run(server, state="absent")["warnings"]
    assert "forgotten how to undo it" in warning and not server.running


def test_a_part_that_fails_is_undone_and_told(server: Server) -> None:
    server.fails = f"replace {ELEVEN}"
    with pytest.raises(HostError, match="What was done is undone"):
        run(server, **direct(TEN, ELEVEN))
    assert server.lo == ["127.0.0.1/8"] and not server.file(PATH).exists()


def test_a_change_that_fails_brings_the_unit_of_before_back(server: Server) -> None:
    run(server, **direct(TEN))
    before = server.file(PATH).read_text()
    server.fails = f"replace {ELEVEN}"
    with pytest.raises(HostError, match="The unit of before is back"):
        run(server, **direct(TEN, ELEVEN))
    assert server.file(PATH).read_text() == before
    assert f"{TEN}/32" in server.lo


def test_a_change_that_fails_leaves_nothing_of_itself(server: Server) -> None:
    run(server, **direct(TEN))
    server.fails = "replace 198.51.100.12"
    with pytest.raises(HostError, match="The unit of before is back"):
        run(server, **direct(TEN, ELEVEN, "198.51.100.12", interface="eth0"))
    assert server.lo == ["127.0.0.1/8", f"{TEN}/32"]
    assert server.sysctl("net/ipv4/conf/eth0/arp_ignore") == "0"
    assert server.sysctl("net/ipv4/conf/all/arp_ignore") == "1"


def test_a_unit_that_somebody_wrote_over_is_started_anew(server: Server) -> None:
    run(server, **direct(TEN))
    server.write(PATH, server.file(PATH).read_text().replace(f"{TEN}/32", f"{TEN}/24"))
    assert run(server, **direct(TEN))["steps"] == ["stop", "write the systemd unit", "start"]
    assert f"{TEN}/32" in server.lo


def test_nat_without_a_gateway_needs_nothing(server: Server) -> None:
    assert not run(server, method="NAT")["changed"]


def test_a_half_of_the_way_back_that_somebody_took_away_comes_back(server: Server) -> None:
    run(server, method="NAT", gateway="198.18.0.254")
    assert server.routes == {"0.0.0.0/1", "128.0.0.0/1"}
    server.routes.remove("128.0.0.0/1")
    told = run(server, method="NAT", gateway="198.18.0.254")
    assert told["steps"] == ["128.0.0.0/1 by 198.18.0.254"]


def test_from_dr_to_nat_takes_the_addresses_away(server: Server) -> None:
    run(server, **direct(TEN))
    assert run(server, method="NAT")["changed"]
    assert server.lo == ["127.0.0.1/8"]


OWN = "198.18.0.1"


@pytest.mark.parametrize(
    ("options", "commands"),
    [
        ({}, ["ip link add rs-ipip type ipip local 198.18.0.1 "]),
        ({"addresses": ["2001:db8::10"]}, ["ip link add rs-sit type sit local 198.18.0.1 "]),
        (
            {"addresses": [TEN, "2001:db8::10"], "address": "2001:db8:1::1"},
            ["ip link add rs-ip6 type ip6tnl local 2001:db8:1::1 mode any "],
        ),
        (
            {"tunnel": "gre", "tunnel_checksum": True},
            ["ip link add rs-gre type gre local 198.18.0.1 icsum "],
        ),
        ({"tunnel": "gre", "address": "2001:db8:1::1"}, ["type ip6gre local 2001:db8:1::1 "]),
        (
            {"tunnel": "gue", "tunnel_port": 6080},
            ["ip fou add port 6080 gue ", "ip link add rs-ipip type ipip local 198.18.0.1 "],
        ),
    ],
)
def test_a_tunnel_ends_at_the_address_of_the_host(
    server: Server, options: dict[str, Any], commands: list[str]
) -> None:
    wanted = {"method": "TUN", "addresses": [TEN], "address": OWN, **options}
    assert run(server, **wanted)["changed"]
    for command in commands:
        assert any(command in line for line in server.log), server.log
    assert not run(server, **wanted)["changed"]
    run(server, state="absent")
    assert not [path.name for path in server.root.rglob("rs-*") if path.parent.name == "net"]


def test_what_comes_out_of_a_tunnel_is_not_dropped(server: Server) -> None:
    run(server, method="TUN", addresses=[TEN, "2001:db8::10"], address=OWN)
    assert server.sysctl("net/ipv4/conf/rs-ipip/rp_filter") == "2"
    assert f"{TEN}/32 rs-ipip" in server.lo  # rp_filter drops what arrives on a link without an address
    assert "2001:db8::10/128" in server.lo


def test_a_tunnel_that_is_made_anew_has_its_addresses_again(server: Server) -> None:
    run(server, method="TUN", addresses=[TEN], address=OWN)
    told = run(server, method="TUN", addresses=[TEN], address="198.18.0.2")
    assert told["steps"][-3:] == [
        "rs-ipip at 198.18.0.2",
        "net/ipv4/conf/rs-ipip/rp_filter is 2",
        f"{TEN} on rs-ipip",
    ]
    assert f"{TEN}/32 rs-ipip" in server.lo
    assert not run(server, method="TUN", addresses=[TEN], address="198.18.0.2")["changed"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "method is needed"),
        ({"method": "DR"}, "DR needs addresses"),
        (direct("198.51.100.10/32"), "without a prefix"),
        (direct(TEN, interface="eth0; reboot"), "no name of an interface"),
        ({"method": "TUN", "addresses": [TEN]}, "TUN needs address"),
        ({"method": "TUN", "addresses": [TEN], "address": OWN, "tunnel": "gue"}, "gue needs tunnel_port"),
        (direct(TEN, gateway=OWN), "gateway is for NAT"),
        ({"method": "NAT", "gateway": "lb"}, "lb is no address"),
        ({"method": "NAT", "gateway": "fe80::1"}, "name the link of the directors as interface"),
        (
            {"method": "NAT", "gateway": "fe80::1%$(reboot)", "interface": "eth0"},
            "write the link as interface",
        ),
        (direct("fe80::1%eth0"), "write the link as interface"),
        ({"method": "TUN", "addresses": [TEN], "address": "fe80::1%'x"}, "write the link as interface"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_touched(
    server: Server, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(HostError, match=told):
        run(server, **options)
    assert server.log == []


@pytest.mark.parametrize(
    "settings",
    [
        Settings("DR", (TEN, "2001:db8::10"), "eth0"),
        Settings("TUN", (TEN,), address=OWN, tunnel="gue", tunnel_port=6080),
        Settings("NAT", gateway="198.18.0.254"),
    ],
)
def test_a_unit_tells_what_it_was_made_from(settings: Settings) -> None:
    text = unit_text(settings)
    assert settings_in(text) == settings
    assert text.count("ExecStart=") == text.count("ExecStopPost=") == len(parts(settings))
    assert all(line.count("'") == 2 for line in text.splitlines() if line.startswith("Exec"))


def test_a_gateway_waits_for_the_network_and_addresses_do_not() -> None:
    assert "After=network-online.target" in unit_text(Settings("NAT", gateway="198.18.0.254"))
    assert "Before=network.target" in unit_text(Settings("DR", (TEN,)))


def test_the_role_the_module_and_their_pages_say_the_same() -> None:
    module = importlib.import_module("plugins.modules.real_server")
    options = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert set(options) == set(ARGUMENTS)
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"][
        "options"
    ]
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    (task,) = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text())
    assert {name: one["default"] for name, one in spec.items()} == defaults
    assert {"real_server_" + name for name in ARGUMENTS} == set(spec)
    assert set(task["linuxha.vrrp.real_server"]) == set(ARGUMENTS)
    for name, argument in ARGUMENTS.items():
        for said in (options[name], spec["real_server_" + name]):
            assert (said["type"], said.get("choices")) == (argument["type"], argument.get("choices"))
        assert options[name].get("default") == argument.get("default")
