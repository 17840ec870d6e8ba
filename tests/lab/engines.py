# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs under test: the agent and keepalived, started in a node, with their logs.

Both are used through the same few words, so that a story can be told with either.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from . import program
from .lan import Node
from .roots import HOST, Root
from .shell import run, wait_until

_numbers = itertools.count(1)


class Engine:
    """A VRRP program in one node. Each has a directory of its own with its file, its log and its state."""

    kind = ""

    def __init__(self, node: Node, config: str, root: Root = HOST) -> None:
        self.node, self.root = node, root
        self.directory = node.lan.scratch / f"{node.name}-{self.kind}{next(_numbers)}"
        self.directory.mkdir()
        self.config_file = self.directory / "keepalived.conf"
        self.log_file = self.directory / "log"
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.write(config)
        node.lan.witnesses.append(self)

    def argv(self) -> List[str]:
        """The command line, in the words of the root it runs in."""
        raise NotImplementedError

    def binds(self) -> Mapping[Path, str]:
        """Directories of the host that the program must see in its root, and under which name."""
        return {self.directory: "/mnt"}

    def environment(self) -> Dict[str, str]:
        """What the program finds in its environment."""
        return dict(os.environ)

    def seen(self, path: Path) -> str:
        """The name of ``path`` inside the engine's root."""
        return self.root.seen(path, self.binds())

    def write(self, config: str) -> None:
        """Replace the configuration file (nothing reads it before ``reload``)."""
        self.config = config
        self.config_file.write_text(config)
        self.config_file.chmod(0o600)

    def command(self) -> List[str]:
        """``argv`` made to run in the root."""
        return self.root.command(self.argv(), self.binds())

    def start(self) -> int:
        """Start it; return the time in nanoseconds."""
        with self.log_file.open("ab") as log:
            at_ns = time.time_ns()
            self.process = self.node.popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment()
            )
        return at_ns

    @property
    def running(self) -> bool:
        """True while the program lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The program's process id."""
        assert self.process is not None, f"{self.kind} on {self.node.name} was never started"
        return self.process.pid

    def signal(self, number: int) -> int:
        """Send a signal; return the time in nanoseconds."""
        at_ns = time.time_ns()
        os.kill(self.pid, number)
        return at_ns

    def reload(self, config: Optional[str] = None) -> int:
        """SIGHUP, with a new file when one is given; return the time in nanoseconds."""
        if config is not None:
            self.write(config)
        return self.signal(signal.SIGHUP)

    def stop(self, timeout_s: float = 10) -> int:
        """SIGTERM and wait for the end; return the time of the signal in nanoseconds."""
        at_ns = self.signal(signal.SIGTERM)
        self.wait(timeout_s)
        return at_ns

    def wait(self, timeout_s: float = 10) -> int:
        """Wait for the end of the program and return its exit status."""
        assert self.process is not None
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.kind} on {self.node.name} still runs after {timeout_s} s") from None

    def kill(self) -> int:
        """SIGKILL to every process of the program; return the time in nanoseconds."""
        at_ns = time.time_ns()
        for process in family_of(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.wait()
        return at_ns

    def log(self) -> str:
        """All it has written to standard output and error."""
        return self.log_file.read_text(errors="replace")

    def wait_for_log(self, text: str, timeout_s: float = 10) -> None:
        """Wait until ``text`` stands in the log."""
        wait_until(f"{text!r} in the log of {self.node.name}", lambda: text in self.log(), timeout_s)

    def evidence(self) -> str:
        """File and log, for the report of a failed test."""
        state = "running" if self.running else f"ended with {self.process and self.process.returncode}"
        tail = "\n".join(self.log().splitlines()[-80:])
        head = f"=== {self.kind} on {self.node.name} (root {self.root.name}, {state})"
        return f"{head}\n--- file\n{self.config}--- log\n{tail}"


class Keepalived(Engine):
    """keepalived in the foreground, the VRRP part only, with pid files of its own."""

    kind = "keepalived"

    def argv(self) -> List[str]:
        """Its command line."""
        where = self.seen(self.directory)
        pids = ["-p", f"{where}/pid", "-r", f"{where}/vrrp.pid", "-c", f"{where}/checkers.pid"]
        return ["keepalived", "-n", "-l", "-D", "-P", "-f", self.seen(self.config_file), *pids]


class Agent(Engine):
    """The agent of this collection. ``python`` names another interpreter than the root's own."""

    kind = "agent"

    def __init__(self, node: Node, config: str, root: Root = HOST, *, runtime: Optional[Path] = None) -> None:
        super().__init__(node, config, root)
        self.runtime = runtime or self.directory / "runtime"
        self.words: List[str] = []

    def binds(self) -> Mapping[Path, str]:
        """Its own directory, and where its code is."""
        return {self.directory: "/mnt", **program.binds()}

    def environment(self) -> Dict[str, str]:
        """The way to its code."""
        return program.environment(self.root, self.binds())

    def call(self, *words: str) -> List[str]:
        """A command line of ``vrrp-agent`` in the words of the root."""
        return [*program.command(self.root, self.binds()), *words]

    def argv(self) -> List[str]:
        """``vrrp-agent run`` with this engine's file and runtime directory."""
        where = ["--config", self.seen(self.config_file), "--runtime-dir", self.seen(self.runtime)]
        return self.call("run", *where, *self.words)

    def ask(self, *words: str, timeout_s: float = 10) -> subprocess.CompletedProcess[str]:
        """Run another command of the agent in the same node and root, and return how it ended."""
        inner = self.root.command(self.call(*words), self.binds())
        return subprocess.run(
            ["ip", "netns", "exec", self.node.namespace, *inner],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def status(self) -> Dict[str, Any]:
        """What ``vrrp-agent status --json`` says, asked by the same code without a process of its own."""
        from vrrp_agent.cli.status import ask, collect

        answer: Dict[str, Any] = collect(ask(str(self.runtime / "control.sock"), {"command": "status"}))
        return answer

    def instance(self, name: str = "VI_1") -> Dict[str, Any]:
        """The part of ``status`` about one instance."""
        for one in self.status()["instances"]:
            if one["name"] == name:
                found: Dict[str, Any] = one
                return found
        raise AssertionError(f"status knows no instance {name}")

    def state(self, name: str = "VI_1") -> str:
        """init, backup, active or fault."""
        return str(self.instance(name)["state"])

    def wait_for_state(self, state: str, name: str = "VI_1", timeout_s: float = 10) -> None:
        """Ask until the instance is in ``state``."""

        def reached() -> bool:
            with contextlib.suppress(Exception):  # it may not answer yet
                return self.running and self.state(name) == state
            return False

        wait_until(f"{name} on {self.node.name} to be {state}", reached, timeout_s, 0.05)

    def evidence(self) -> str:
        """File, log and status, for the report of a failed test."""
        text = super().evidence()
        if self.running:
            try:
                text += f"\n--- status\n{json.dumps(self.status(), indent=1)}"
            except Exception as problem:  # evidence must never hide the failure itself
                text += f"\n--- status\n{problem!r}"
        return text


def family_of(pid: int) -> List[int]:
    """A process and all that come from it, parents first."""
    children = run("pgrep", "-P", str(pid), check=False).split()
    return [pid, *(one for child in children for one in family_of(int(child)))]
