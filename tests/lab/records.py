# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts and named pipes were told, written down for a test."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import List, NamedTuple, Optional, Type

from .shell import wait_until

_SCRIPT = """#!/bin/sh
{before}
printf '%s|%s|%s|%s|%s|%s|%s|%s|%s\\n' "$*" "$VRRP_KIND" "$VRRP_NAME" "$VRRP_EVENT" "$VRRP_STATE" \\
    "$VRRP_PREVIOUS" "$VRRP_PRIORITY" "$VRRP_EVENT_ID" "$(id -u):$(id -g)" >> {record}
{after}
"""


class Called(NamedTuple):
    """One run of a script."""

    arguments: str
    kind: str
    name: str
    event: str
    state: str
    previous: str
    priority: str
    event_id: str
    account: str


class Script:
    """A shell script that writes down how it was called, between what ``before`` and ``after`` do."""

    def __init__(self, directory: Path, name: str = "script", before: str = "", after: str = "") -> None:
        self.path = directory / f"{name}.sh"
        self.record = directory / f"{name}.record"
        self.path.write_text(_SCRIPT.format(before=before, after=after, record=self.record))
        self.path.chmod(0o755)

    def calls(self) -> List[Called]:
        """All runs so far, in their order."""
        if not self.record.exists():
            return []
        return [Called(*line.split("|")) for line in self.record.read_text().splitlines()]

    def arguments(self) -> List[str]:
        """With what it was called, in order."""
        return [call.arguments for call in self.calls()]

    def wait_for(self, arguments: str, timeout_s: float = 10) -> None:
        """Wait until it has been called like this."""
        wait_until(f"{self.path.name} {arguments}", lambda: arguments in self.arguments(), timeout_s)

    def evidence(self) -> str:
        """The record, for the report of a failed test."""
        return f"=== {self.path.name}\n" + "\n".join(" | ".join(call) for call in self.calls())


class PipeReader:
    """Reads a named pipe from the moment it is there, and again when another one takes its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._data = b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pipe", daemon=True)

    def __enter__(self) -> PipeReader:
        self._thread.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *rest: object) -> None:
        self._stop.set()
        self._thread.join(2)

    def lines(self) -> List[str]:
        """Whole lines that have come."""
        return self._data.decode().split("\n")[:-1]

    @property
    def data(self) -> bytes:
        """All that has come, byte for byte."""
        return self._data

    def wait_for(self, *lines: str, timeout_s: float = 10) -> None:
        """Wait until these lines have come, in any order."""
        wait_until(f"{lines} from the pipe", lambda: set(lines) <= set(self.lines()), timeout_s)

    def _work(self) -> None:
        descriptor = -1
        opened = None
        while not self._stop.wait(0.002):
            try:
                found = os.stat(self.path)
                place = (found.st_dev, found.st_ino)
            except FileNotFoundError:
                place = None
            if descriptor >= 0:
                self._drain(descriptor)
                if place != opened:
                    self._drain(descriptor)
                    os.close(descriptor)
                    descriptor = -1
            if descriptor < 0 and place is not None:
                descriptor, opened = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK), place
        if descriptor >= 0:
            self._drain(descriptor)
            os.close(descriptor)

    def _drain(self, descriptor: int) -> None:
        while True:
            try:
                data = os.read(descriptor, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self._data += data

    def evidence(self) -> str:
        """What came, for the report of a failed test."""
        return f"=== {self.path}\n{self._data.decode(errors='replace')}"
