# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage of a compatibility story: host d runs one engine after the other, t is its rival, w a client.

Both engines get the same file, live in the same root file system, and suffer the same acts. What can be
seen from outside after each act is kept in a ``Scene``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Tuple, Type

from tests.lab.engines import Engine
from tests.lab.lan import Lan
from tests.lab.roots import Root
from tests.lab.shell import run
from tests.lab.tester import Speech, Tester

QUIET_S = 0.8
"""A state that lasts so long is settled: longer than Active_Down_Interval at the stories' interval."""
LONGEST_S = 12.0
INTERVAL_S = 0.1
KERNEL_TYPES = ("local", "broadcast", "multicast")
VIRTUAL_MAC = re.compile(r"00:00:5e:00:0[12]:[0-9a-f]{2}")

RECORD = """#!/bin/sh
echo "$@" >> /mnt/events
"""

READER = "while :; do cat fifo; done >> fifo.lines"


@dataclass
class Scene:
    """What was seen after one act."""

    act: str
    addresses: FrozenSet[Tuple[str, str]] = frozenset()
    """(interface, address/prefix and what else ``ip`` says) of d, without its own addresses."""
    routes: FrozenSet[str] = frozenset()
    rules: FrozenSet[str] = frozenset()
    links: FrozenSet[Tuple[str, str, str]] = frozenset()
    """(name, kind, MAC) of links that d did not have before."""
    sysctls: Dict[str, str] = field(default_factory=dict)
    speaks: FrozenSet[Tuple[int, int]] = frozenset()
    """(VRID, priority) of the adverts that d sends at the end."""
    resigned: FrozenSet[int] = frozenset()
    """VRIDs for which d sent priority 0."""
    announced: Dict[str, int] = field(default_factory=dict)
    """How many gratuitous ARPs or NAs d sent for each address."""
    neighbour: Dict[str, str] = field(default_factory=dict)
    """Address to whose MAC the client got for it: d, t, virtual or nobody."""
    events: Tuple[str, ...] = ()
    """What notify scripts wrote, in order."""
    fifo: Tuple[str, ...] = ()
    moved_s: Optional[float] = None
    """How long after the act d's addresses, or else its adverts, changed for the first time."""


class Stage:
    """One engine on its stage. Use as a context; ``act`` does one thing and returns what came of it."""

    def __init__(self, lan: Lan, kind: Type[Engine], root: Root, config: Callable[[Stage], str]) -> None:
        self.lan, self.d, self.t, self.w = lan, lan.d, lan.t, lan.w
        self.engine = kind(lan.d, "", root)
        self.write("record", RECORD, 0o755)
        self.text = config(self)
        self.engine.write(self.text)
        self.tester = Tester(lan.t, interval_s=INTERVAL_S)
        self.watch_sysctls: Tuple[str, ...] = ()
        self._speech: Dict[int, Speech] = {}
        self._own = {self.d.ipv4, self.d.ipv6, self.d.link_local}
        self._links = set(self._link_names())
        self._read: Dict[str, int] = {}
        self._reader: Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> Stage:
        return self

    def read_fifo(self) -> None:
        """Somebody reads the pipe fifo, before the engine starts and after it has ended."""
        os.mkfifo(self.engine.directory / "fifo")
        self._reader = subprocess.Popen(
            ["sh", "-c", READER], cwd=self.engine.directory, start_new_session=True
        )

    def __exit__(self, kind: Optional[Type[BaseException]], *rest: object) -> None:
        self.silence()
        if self.engine.running:
            self.engine.kill()
        if self._reader is not None:
            os.killpg(self._reader.pid, signal.SIGKILL)
            self._reader.wait()

    # What can happen on it.

    def rival(self, priority: int, vrid: int = 51, **words: Any) -> None:
        """t sends adverts of this priority from now on."""
        self.silence(vrid)
        speech = self.tester.speaking(INTERVAL_S, priority=priority, vrid=vrid, **words)
        self._speech[vrid] = speech
        speech.__enter__()

    def silence(self, vrid: Optional[int] = None) -> None:
        """t sends nothing more, or nothing for one VRID."""
        for one in [vrid] if vrid is not None else list(self._speech):
            speech = self._speech.pop(one, None)
            if speech is not None:
                speech.stop()

    def heard_of(self) -> bool:
        """True when the engine has run its notify script since the last look."""
        path = self.engine.directory / "events"
        return path.exists() and len(path.read_text().splitlines()) > self._read.get("events", 0)

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """A file in the engine's directory, which it sees as /mnt; replaced in one step."""
        fresh = self.engine.directory / (name + ".new")
        fresh.write_text(text)
        fresh.chmod(mode)
        fresh.replace(self.engine.directory / name)

    # What can be seen of it.

    def act(self, name: str, do: Callable[[Stage], object], quiet_s: float = QUIET_S) -> Scene:
        """Do it, wait until nothing changes any more, and look."""
        before = self._look()
        spoken = self._voice()
        begun_ns = time.time_ns()
        do(self)
        moved_s = self._settle(before, spoken, begun_ns, quiet_s)
        addresses, routes, rules, links = self._look()
        recent_ns = time.time_ns() - int(6 * INTERVAL_S * 1e9)
        return Scene(
            act=name,
            addresses=addresses,
            routes=routes,
            rules=rules,
            links=links,
            sysctls={one: self._sysctl(one) for one in self.watch_sysctls},
            speaks=frozenset(self._last_adverts(recent_ns)),
            resigned=frozenset(
                one.advert.vrid for one in self.lan.wire.adverts("d", since_ns=begun_ns, priority=0)
            ),
            announced=self._announced(begun_ns),
            neighbour=self._neighbours(addresses),
            events=self._new_lines("events"),
            fifo=self._new_lines("fifo.lines"),
            moved_s=moved_s,
        )

    def _settle(self, before: Any, spoken: Any, begun_ns: int, quiet_s: float) -> Optional[float]:
        seen, moved_ns, still_since = before, None, time.monotonic()
        end = time.monotonic() + LONGEST_S
        while time.monotonic() < end and time.monotonic() - still_since < quiet_s:
            now = self._look()
            if now != seen:
                if moved_ns is None and now[0] != before[0]:
                    moved_ns = time.time_ns()
                seen, still_since = now, time.monotonic()
            time.sleep(0.03)
        return None if moved_ns is None else (moved_ns - begun_ns) / 1e9

    def _look(self) -> Tuple[Any, Any, Any, Any]:
        return self._addresses(), self._routes(), self._rules(), self._new_links()

    def _voice(self) -> Any:
        return self._last_adverts(time.time_ns() - int(6 * INTERVAL_S * 1e9))

    def _addresses(self) -> FrozenSet[Tuple[str, str]]:
        found = set()
        for one in self.d.addresses():
            local = one.get("local", "")
            kernels = local.startswith("fe80") and one.get("protocol") == "kernel_ll"
            made_by_kernel = one["dev"] == "lo" or kernels
            if local and local not in self._own and not made_by_kernel:
                words = [f"{local}/{one['prefixlen']}", one.get("scope", ""), one.get("label", "")]
                words += [name for name in ("deprecated", "noprefixroute", "nodad") if one.get(name)]
                found.add((one["dev"], " ".join(word for word in words if word)))
        return frozenset(found)

    def _routes(self) -> FrozenSet[str]:
        found = set()
        for family in ("-4", "-6"):
            listed = self.d.ip("-j", family, "route", "show", "table", "all", check=False)
            for route in json.loads(listed or "[]"):
                if route.get("protocol") == "kernel" or route.get("type") in KERNEL_TYPES:
                    continue
                route.pop("flags", None)
                found.add(" ".join(f"{key}={route[key]}" for key in sorted(route) if key != "pref"))
        return frozenset(found)

    def _rules(self) -> FrozenSet[str]:
        found = set()
        for family in ("-4", "-6"):
            for rule in json.loads(self.d.ip("-j", family, "rule", check=False) or "[]"):
                if rule.get("table") not in ("local", "default") and (rule.get("priority") != 32766):
                    found.add(family + " " + " ".join(f"{key}={rule[key]}" for key in sorted(rule)))
        return frozenset(found)

    def _link_names(self) -> List[str]:
        return [link["ifname"] for link in json.loads(self.d.ip("-j", "link") or "[]")]

    def _new_links(self) -> FrozenSet[Tuple[str, str, str]]:
        return frozenset(
            (link["ifname"], link.get("linkinfo", {}).get("info_kind", ""), link.get("address", ""))
            for link in json.loads(self.d.ip("-j", "-d", "link") or "[]")
            if link["ifname"] not in self._links
        )

    def _sysctl(self, name: str) -> str:
        words = ["ip", "netns", "exec", self.d.namespace, "sysctl", "-n", name]
        return run(*words, check=False).strip()

    def _last_adverts(self, since_ns: int) -> List[Tuple[int, int]]:
        last: Dict[int, int] = {}
        for one in self.lan.wire.adverts("d", since_ns=since_ns):
            last[one.advert.vrid] = one.advert.priority
        return sorted((vrid, priority) for vrid, priority in last.items() if priority)

    def _announced(self, since_ns: int) -> Dict[str, int]:
        counted: Dict[str, int] = {}
        for one in self.lan.wire.announcements("d", since_ns=since_ns):
            address = one.announcement.address
            counted[address] = counted.get(address, 0) + 1
        return counted

    def _neighbours(self, addresses: FrozenSet[Tuple[str, str]]) -> Dict[str, str]:
        """Whom the client finds behind each address that d holds."""
        found: Dict[str, str] = {}
        for _device, text in addresses:
            address = text.split("/")[0]
            if ":" in address:
                continue
            self.w.ip("neigh", "flush", "to", address, check=False)
            run("ip", "netns", "exec", self.w.namespace, "ping", "-c1", "-W1", address, check=False)
            entries = json.loads(self.w.ip("-j", "neigh", "show", "to", address, check=False) or "[]")
            mac = next((one["lladdr"] for one in entries if "lladdr" in one), "")
            if VIRTUAL_MAC.fullmatch(mac):
                found[address] = "virtual"
            else:
                found[address] = {self.d.mac: "d", self.t.mac: "t"}.get(mac, mac and "another") or "nobody"
        return found

    def _new_lines(self, name: str) -> Tuple[str, ...]:
        path = self.engine.directory / name
        lines = path.read_text().splitlines() if path.exists() else []
        new = lines[self._read.get(name, 0) :]
        self._read[name] = len(lines)
        return tuple(new)
