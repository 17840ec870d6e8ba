# SPDX-License-Identifier: GPL-3.0-or-later
"""A host in a temporary directory: files are real, systemd and the engines are played."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any, Callable, Optional

from plugins.module_utils._host import language, release, unit
from plugins.module_utils._host.host import Completed, Host

AGENT_UNIT = "vrrp-agent.service"
KEEPALIVED_UNIT = "keepalived.service"
NOTHING = Completed(0, "", "")


class Machine:
    """Plays one host. ``log`` holds what was said to systemd and the package manager."""

    def __init__(self, root: pathlib.Path, keepalived: bool = False) -> None:
        self.root = root
        (root / "tmp").mkdir()
        for interface in ("lo", "eth0"):
            (root / "sys" / "class" / "net" / interface).mkdir(parents=True)
        self.log: list[str] = []
        self.addresses: list[str] = ["127.0.0.1/8"]
        self.units: dict[str, dict[str, Any]] = {
            AGENT_UNIT: self._unit(False),
            KEEPALIVED_UNIT: self._unit(keepalived),
        }
        self.fault = ""
        """Reason that every instance of the agent gives for being in FAULT."""
        self.trackers: list[dict[str, Any]] = []
        self.pipes: list[dict[str, Any]] = []
        self.services: list[dict[str, Any]] = []
        self.balancing: dict[str, Any] = {}
        self.modules: set[str] = set()
        """Those that the kernel of the host has."""
        self.tables: dict[str, str] = {}
        """Tables of nftables by "FAMILY NAME", with their comments."""
        self.default_routes_6: list[dict[str, Any]] = []
        """As ``ip -json`` tells them."""
        self.news_takes_s = 0.5
        """After a start or reload the agent's other processes take so long to tell what they found."""
        self.news_at_s = 0.0
        self.asked = 0
        """How often the agent was asked for its status."""
        self.refuses_reload = False
        self.keepalived_verdict = NOTHING
        self.package_fails = False
        self.now_s = 0.0
        self.next_pid = 100
        self.served = ""
        """The configuration that the running engine has read."""
        self.on_start: Optional[Callable[[], None]] = None

    @staticmethod
    def _unit(exists: bool) -> dict[str, Any]:
        return {
            "load": "loaded" if exists else "not-found",
            "active": "inactive",
            "file": "disabled" if exists else "",
            "pid": 0,
        }

    @property
    def host(self) -> Host:
        return Host(str(self.root), self.run, lambda: self.now_s, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def file(self, path: str) -> pathlib.Path:
        return self.root / path.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o640) -> None:
        self.file(path).parent.mkdir(parents=True, exist_ok=True)
        self.file(path).write_text(text)
        self.file(path).chmod(mode)

    @property
    def config(self) -> Optional[str]:
        path = self.file("/etc/keepalived/keepalived.conf")
        return path.read_text() if path.exists() else None

    # What runs commands.

    def run(self, argv: Sequence[str]) -> Completed:
        words = list(argv)
        if words[0] == "systemctl":
            return self._systemctl([word for word in words[1:] if word != "--quiet"])
        if words[0] == str(self.file(release.ENTRY)):
            return self._status()
        if words[:2] == ["ip", "-o"]:
            lines = [
                f"{n}: eth0    {'inet6' if ':' in one else 'inet'} {one} scope global eth0"
                for n, one in enumerate(self.addresses, 1)
            ]
            return Completed(0, "\n".join(lines), "")
        if words[:4] == ["ip", "-6", "-json", "route"]:
            return Completed(0, json.dumps(self.default_routes_6), "")
        if words[0] == "modprobe":
            return self._modprobe(words[1:])
        if words[0] == "keepalived":
            return self.keepalived_verdict
        if words[0] == "nft":
            return self._nft(words[1:])
        if words[0] == "journalctl":
            return Completed(0, "the last words of the unit\n", "")
        if "compileall" in words:
            return NOTHING
        if words[0] == "apt-get":
            self.log.append(" ".join(words))
            if self.package_fails:
                return Completed(100, "", "no such package")
            if "install" in words:
                self.units[KEEPALIVED_UNIT]["load"] = "loaded"
            return NOTHING
        raise AssertionError(f"nobody plays {words}")

    def _nft(self, words: list[str]) -> Completed:
        name = " ".join(words[-2:])
        if words == ["list", "tables"]:
            return Completed(0, "".join(f"table {one}\n" for one in self.tables), "")
        if words[:2] == ["delete", "table"]:
            del self.tables[name]
            return NOTHING
        assert words[:3] == ["--terse", "list", "table"], words
        text = f'table {name} {{\n\tcomment "{self.tables[name]}"\n\n\tchain a {{\n\t}}\n}}\n'
        return Completed(0, text, "")

    def _modprobe(self, words: list[str]) -> Completed:
        names = [word for word in words if not word.startswith("--")]
        if "--dry-run" not in words:
            self.log.append("modprobe " + " ".join(names))
        return Completed(0 if set(names) <= self.modules else 1, "", "")

    def _systemctl(self, words: list[str]) -> Completed:
        if words[0] == "show":
            blocks = [
                f"Id={name}\nLoadState={self.units[name]['load']}\nActiveState={self.units[name]['active']}\nSubState=x\n"
                f"UnitFileState={self.units[name]['file']}\nMainPID={self.units[name]['pid']}\nNRestarts=0\n"
                for name in words[2:]
            ]
            return Completed(0, "\n".join(blocks), "")
        self.log.append(" ".join(words))
        if words[0] == "daemon-reload":
            exists = self.file(unit.PATH).exists()
            self.units[AGENT_UNIT]["load"] = "loaded" if exists else "not-found"
            return NOTHING
        name = words[-1]
        if self.units[name]["load"] == "not-found" and words[0] not in ("mask", "unmask"):
            return Completed(5, "", f"Unit {name} not found.")
        if words[0] in ("enable", "disable"):
            self.units[name]["file"] = words[0] + "d"
        if words[0] in ("start", "restart") or words[:2] == ["enable", "--now"]:
            return self._start(name)
        if words[0] == "stop" or words[:2] == ["disable", "--now"]:
            self.units[name].update(active="inactive", pid=0)
        if words[0] == "reload" and not self.refuses_reload:
            self._serve()
        return NOTHING

    def _serve(self) -> None:
        self.served = self.config or ""
        self.news_at_s = self.now_s + self.news_takes_s

    def _start(self, name: str) -> Completed:
        other = KEEPALIVED_UNIT if name == AGENT_UNIT else AGENT_UNIT
        assert self.units[other]["active"] != "active", "both engines would run"
        self.next_pid += 1
        if self.on_start is not None:
            self.on_start()
        self.units[name].update(active="active", pid=self.next_pid)
        self._serve()
        current = os.path.realpath(self.file(release.CURRENT))
        self.write(f"/proc/{self.next_pid}/cmdline", f"/usr/bin/python3\0-IS\0{current}\0run\0")
        return NOTHING

    def _status(self) -> Completed:
        self.asked += 1
        if self.units[AGENT_UNIT]["active"] != "active":
            return Completed(1, "", "no agent answers")
        composed = language.instances_in(self.served)
        instances = [
            {
                "name": name,
                "state": "fault" if self.fault else "backup",
                "reason": self.fault or "as configured",
                "addresses_held": [],
            }
            for name, _addresses in composed
        ]
        news = self.now_s >= self.news_at_s
        answer = {
            "pid": self.units[AGENT_UNIT]["pid"],
            "instances": instances,
            "trackers": self.trackers if news else [],
            "telling": {"pipes": self.pipes if news else []},
            "balancing": self.balancing,
            "services": self.services,
        }
        return Completed(0, json.dumps(answer), "")
