# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole agent on a host without a kernel: what comes in, what goes out, and what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

from vrrp_agent.conf.model import Instance
from vrrp_agent.daemon.agent import Agent
from vrrp_agent.loop.loop import Loop

from tests.unit.daemon.host import Clock, FakeHost, FakeSocket, Lines, run_until, settle
from tests.unit.daemon.make import OURS, OURS6, SECOND, config


class Stage:
    """eth0 is link 2 and has our addresses; eth1 is link 3 and has none."""

    def __init__(self, directory: Path, clock: Any = None, host: Any = None) -> None:
        self.clock: Clock = clock or Clock()
        self.loop = Loop(self.clock)
        self.log = Lines()
        self.host: FakeHost = host or self._new_host()
        self.agent = Agent(self.loop, self.log, str(directory), "1.0", "/etc/c.conf", self.host.as_host())
        settle(self.loop)

    @staticmethod
    def _new_host() -> FakeHost:
        host = FakeHost()
        host.add_link(2, "eth0")
        host.add_link(3, "eth1")
        host.add_address(2, f"{OURS}/24")
        host.add_address(2, f"{OURS6}/64")
        return host

    def apply(self, *instances: Instance, **words: Any) -> None:
        """A start, or a reload."""
        self.agent.check_interfaces(config(*instances, **words))
        self.agent.apply(config(*instances, **words))
        settle(self.loop)

    def start_active(self, *instances: Instance, **words: Any) -> None:
        """All of them are active, and what was sent on the way is forgotten."""
        self.apply(*instances, **words)
        self.wait(5)
        assert {one["state"] for one in self.status()} == {"active"}
        self.forget()

    def forget(self) -> None:
        """Only what comes from now on counts."""
        self.host.done.clear()
        self.host.frames.clear()
        self.log.lines.clear()
        for sock in self.host.sockets:
            sock.sent.clear()

    def wait(self, seconds: float) -> None:
        run_until(self.loop, self.clock, self.clock.now + int(seconds * SECOND))

    def hear(self, *received: Any, family: int = 4, interface: str = "eth0") -> None:
        """These arrive on an interface."""
        self.socket(family, interface).put(*received)
        settle(self.loop)

    def socket(self, family: int = 4, interface: str = "eth0", protocol: int = 112) -> FakeSocket:
        """The open socket of an interface and family; protocol 51 is that for authentication headers."""
        (found,) = [
            sock
            for sock in self.host.sockets
            if (sock.family, sock.interface, sock.closed, sock.protocol)
            == (family, interface, False, protocol)
        ]
        return found

    def lines_of_status(self) -> List[Dict[str, Any]]:
        return list(self.agent.answer({"command": "status"}))

    def status(self) -> List[Dict[str, Any]]:
        """All the instances."""
        return [line["instance"] for line in self.lines_of_status() if "instance" in line]

    def one(self, name: str = "VI_1") -> Dict[str, Any]:
        """One instance by its name."""
        (found,) = [one for one in self.status() if one["name"] == name]
        return found

    def close(self) -> None:
        self.agent.close()
        self.loop.close()
        self.host.switch_off()
