# SPDX-License-Identifier: GPL-3.0-or-later
"""Steady requests from the client of a lab, and what became of them."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
from typing import Any, Counter, Dict, Iterator, List, Optional

from tests.containers.lab import Lab

STEADY = pathlib.Path(__file__).with_name("steady.py")
EVERY_S, TIMEOUT_S = 0.02, 1.0


@dataclasses.dataclass(frozen=True)
class Answers:
    """All requests of one client."""

    requests: List[Dict[str, Any]]

    @property
    def failed(self) -> List[Dict[str, Any]]:
        return [one for one in self.requests if "failed" in one]

    @property
    def shares(self) -> Counter[str]:
        """How many each server has answered."""
        return collections.Counter(one["who"] for one in self.requests if "who" in one)

    def told(self) -> str:
        """In one line, for who reads the output of a test."""
        reasons = collections.Counter(str(one["failed"]) for one in self.failed)
        why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        span_s = self.failed[-1]["at"] - self.failed[0]["at"] if self.failed else 0.0
        counted = f"{len(self.failed)} of {len(self.requests)} failed"
        return f"{counted} within {span_s:.2f} s ({why})" if self.failed else counted


class Requests:
    """A running client."""

    def __init__(self, lab: Lab, address: str, port: int, count: int = 0) -> None:
        self._count = count
        self._process = subprocess.Popen(
            ["nsenter", f"--net=/proc/{lab.client.pid}/ns/net", sys.executable, str(STEADY)]
            + [f"--every={EVERY_S}", f"--timeout={TIMEOUT_S}", f"--count={count}", address, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin and self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        if self._stdout.readline() != "ready\n":
            raise RuntimeError("the client did not start")
        self._answers: Optional[Answers] = None

    @property
    def answers(self) -> Answers:
        """Ends a client that has no count of its own."""
        if self._answers is None:
            if not self._count:
                self._stdin.close()
            self._answers = Answers(json.loads(self._stdout.readline()))
            self._process.wait()
        return self._answers

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def requests(lab: Lab, address: str, port: int = 80) -> Iterator[Requests]:
    """Ask at a steady pace for as long as the block lasts."""
    client = Requests(lab, address, port)
    try:
        yield client
    finally:
        client.close()


def served_by(lab: Lab, address: str, port: int = 80, count: int = 16) -> Answers:
    """Who answers just now."""
    client = Requests(lab, address, port, count)
    try:
        return client.answers
    finally:
        client.close()
