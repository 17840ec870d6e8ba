# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that asks for a page again and again, at a steady pace, each time with a connection of its own.

    steady.py --every SECONDS --timeout SECONDS [--count N] ADDRESS PORT

It runs in the client's network namespace, prints "ready" with its first request, and its report as one line
of JSON when stdin closes, or after N requests: for each request when it began, how long it took, and who
answered, or why nobody did. All times are seconds of the monotonic clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from typing import Any, Dict, List, Set


class Client:
    """One client and everything that it has asked."""

    def __init__(self, address: str, port: int, every_s: float, timeout_s: float, count: int) -> None:
        self.address, self.port = address, port
        self.count = count
        self.every_s, self.timeout_s = every_s, timeout_s
        self.requests: List[Dict[str, Any]] = []

    async def run(self) -> None:
        """Ask until stdin closes or all is asked, then wait for what is still under way."""
        closed = threading.Event()
        threading.Thread(target=_wait_for_end, args=(closed,), daemon=True).start()
        begun: Set[asyncio.Task[None]] = set()
        due_s = time.monotonic()
        print("ready", flush=True)
        while not closed.is_set() and (not self.count or len(self.requests) < self.count):
            task = asyncio.ensure_future(self._ask())
            begun.add(task)
            task.add_done_callback(begun.discard)
            due_s = max(due_s + self.every_s, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        if begun:
            await asyncio.wait(begun)

    async def _ask(self) -> None:
        began_s = time.monotonic()
        said: Dict[str, Any] = {"at": began_s}
        self.requests.append(said)
        try:
            said["who"] = await asyncio.wait_for(self._fetch(), self.timeout_s)
        except (asyncio.TimeoutError, TimeoutError):
            said["failed"] = "timeout"
        except (OSError, EOFError, ValueError) as error:
            said["failed"] = type(error).__name__
        said["took"] = time.monotonic() - began_s

    async def _fetch(self) -> str:
        reader, writer = await asyncio.open_connection(self.address, self.port)
        try:
            writer.write(f"GET / HTTP/1.0\r\nHost: {self.address}\r\n\r\n".encode())
            head, _blank, body = (await reader.read()).partition(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise ValueError("no page")
            return body.decode().strip()
        finally:
            writer.close()


def _wait_for_end(closed: threading.Event) -> None:
    sys.stdin.read()
    closed.set()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=float, default=0.02)
    parser.add_argument("--timeout", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    args = parser.parse_args()
    client = Client(args.address, args.port, args.every, args.timeout, args.count)
    asyncio.run(client.run())
    print(json.dumps(client.requests))


if __name__ == "__main__":
    main()
