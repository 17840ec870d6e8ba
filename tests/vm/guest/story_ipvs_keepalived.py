# SPDX-License-Identifier: GPL-3.0-or-later
"""The same files, once for Debian's keepalived and once for the agent: IPVS holds the same."""

from __future__ import annotations

import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
from guest.farm import run, until, within

FILES = sorted((pathlib.Path(__file__).parent / "services").glob("*.conf"))
HOSTS = {"agent": "eq-agent", "keepalived": "eq-keepalived"}


def table(host: str) -> list[str]:
    return sorted(within(host, "ipvsadm", "-Sn").splitlines())


class Pair:
    """Both programs, each in a namespace of its own. The agent goes from file to file by reloads."""

    def __init__(self, room: pathlib.Path) -> None:
        self.room = room
        self.config = room / "agent.conf"
        self.agent: subprocess.Popen[bytes] | None = None
        self.keepalived: subprocess.Popen[bytes] | None = None

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.room / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                ("ip", "netns", "exec", HOSTS[name], *words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def play(self, file: pathlib.Path) -> None:
        """Both use this file now."""
        shutil.copy(file, self.config)
        if self.agent is None:
            words = ("run", "--config", str(self.config), "--runtime-dir", str(self.room / "run"))
            self.agent = self.start("agent", "./vrrp-agent", *words)
        else:
            self.agent.send_signal(signal.SIGHUP)
        pids = (str(self.room / name) for name in ("ka.pid", "ka-checkers.pid"))
        files = [word for pair in zip(("-p", "-c"), pids) for word in pair]
        self.keepalived = self.start("keepalived", "keepalived", "-C", "-n", "-l", "-f", str(file), *files)

    def stop_keepalived(self) -> None:
        if self.keepalived is not None:
            self.keepalived.terminate()
            self.keepalived.wait(20)

    def settled(self, checks: bool) -> list[str]:
        """What keepalived holds when it has had nothing to change for a time."""
        quiet_s = 3 if checks else 0.7
        last, since = table(HOSTS["keepalived"]), time.monotonic()
        while not last or time.monotonic() - since < quiet_s:
            assert time.monotonic() - since < 20, self.evidence()
            found = table(HOSTS["keepalived"])
            if found != last:
                last, since = found, time.monotonic()
            time.sleep(0.1)
        return last

    def evidence(self) -> str:
        logs = (f"--- {name} ---\n{(self.room / f'{name}.log').read_text()[-3000:]}" for name in HOSTS)
        tables = {name: table(host) for name, host in HOSTS.items()}
        only = [
            f"only {name}: {line}"
            for name in HOSTS
            for line in tables[name]
            if any(line not in other for other in tables.values())
        ]
        return "\n".join([*only, *logs])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    found = Pair(tmp_path_factory.mktemp("pair"))
    for host in HOSTS.values():
        run("ip", "netns", "add", host)
        run("ip", "-n", host, "link", "set", "lo", "up")
    yield found
    if found.agent is not None:
        found.agent.terminate()
        found.agent.wait(20)
    left = table(HOSTS["agent"])
    for host in HOSTS.values():
        run("ip", "netns", "del", host)
    assert left == [], "the agent's end leaves nothing"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_agent_puts_into_ip_vs_what_keepalived_puts_there(file: pathlib.Path, pair: Pair) -> None:
    pair.play(file)
    try:
        expected = pair.settled("delay_loop" in file.read_text())
        assert expected, pair.evidence()
        until("the tables are equal", lambda: table(HOSTS["agent"]) == expected, 20, pair.evidence)
        assert table(HOSTS["keepalived"]) == expected, pair.evidence()
    finally:
        pair.stop_keepalived()
