# SPDX-License-Identifier: GPL-3.0-or-later
"""A throw-away LAN of network namespaces: nodes on one switch, cables that can be pulled.

Nothing reaches the host's own links. Addresses are from the documentation ranges 198.51.100.0/24 and
2001:db8::/32. Names carry the process id and a number, so that many LANs live side by side.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Protocol, Tuple, Type

from .capture import Wire
from .namespace import NAMESPACES, open_socket
from .shell import run, wait_until
from .stalls import Stalls

VIP4, VIP4_SECOND = "198.51.100.100", "198.51.100.101"
VIP6_LINK_LOCAL, VIP6 = "fe80::100", "2001:db8::100"
SWITCH = "br0"

_NAME = re.compile(r"v([0-9a-f]+)-\d+-")
_numbers = itertools.count(1)


class HasEvidence(Protocol):
    """Anything that can say what it saw when a test fails."""

    def evidence(self) -> str:
        """Lines for the report of a failed test."""


class Node:
    """A host on the LAN: a namespace whose ``eth0`` is cabled to the switch."""

    def __init__(self, lan: Lan, name: str, number: int) -> None:
        self.lan, self.name, self.number = lan, name, number
        self.namespace = f"{lan.prefix}{name}"
        self.mac = f"02:00:00:00:00:{number:02x}"
        self.ipv4 = f"198.51.100.{number}"
        self.ipv6 = f"2001:db8::{number}"
        self.link_local = f"fe80::{number}"
        self._sender: Optional[socket.socket] = None

    def address(self, family: int) -> str:
        """The source of this node's adverts: its IPv4 address, or its link-local one."""
        return self.ipv4 if family == 4 else self.link_local

    def unicast_address(self, family: int) -> str:
        """Where unicast adverts go to. keepalived 2.1 cannot bind to a link-local address."""
        return self.ipv4 if family == 4 else self.ipv6

    def ip(self, *words: str, check: bool = True) -> str:
        """``ip`` inside this node."""
        return run("ip", "-n", self.namespace, *words, check=check)

    def sysctl(self, *settings: str) -> None:
        """Set kernel parameters of this node, each as name=value."""
        run("ip", "netns", "exec", self.namespace, "sysctl", "-q", "-w", *settings)

    def add_interface(self, name: str, *, bridged: bool = False) -> None:
        """One more link, cabled to the switch; it joins the LAN only when ``bridged``."""
        lines = [
            f"link add {name} netns {self.namespace} type veth peer name {self._port(name)}",
            f"link set {self._port(name)} up",
        ]
        if bridged:
            lines.append(f"link set {self._port(name)} master {SWITCH}")
        batch(self.lan.switch, *lines)
        self.ip("link", "set", name, "up")

    def pull_cable(self, interface: str = "eth0") -> int:
        """Pull the cable at the switch; return the time in nanoseconds."""
        at_ns = time.time_ns()
        run("ip", "-n", self.lan.switch, "link", "set", self._port(interface), "down")
        return at_ns

    def plug_cable(self, interface: str = "eth0") -> int:
        """Plug the cable in again; return the time in nanoseconds."""
        run("ip", "-n", self.lan.switch, "link", "set", self._port(interface), "up")
        return time.time_ns()

    def _port(self, interface: str) -> str:
        return f"{self.name}-{interface}"

    def has_carrier(self) -> bool:
        """True when eth0 is up and its cable plugged."""
        return "LOWER_UP" in self.ip("link", "show", "eth0")

    def addresses(self, interface: str = "") -> List[Dict[str, Any]]:
        """Every address of the node as ``ip -json address`` shows it, each with its interface as ``dev``."""
        words = ["-j", "address", "show"] + (["dev", interface] if interface else [])
        found: List[Dict[str, Any]] = []
        for link in json.loads(self.ip(*words, check=False) or "[]"):
            found += [{"dev": link["ifname"], **one} for one in link.get("addr_info", ())]
        return found

    def find(self, address: str) -> Optional[Dict[str, Any]]:
        """The entry of ``address``; None when the node does not hold it."""
        return next((one for one in self.addresses() if one.get("local") == address), None)

    def holds(self, *addresses: str) -> bool:
        """True when the node has every one of ``addresses``."""
        return set(addresses) <= {one.get("local") for one in self.addresses()}

    def holds_none(self, *addresses: str) -> bool:
        """True when the node has none of ``addresses``."""
        return not set(addresses) & {one.get("local") for one in self.addresses()}

    def popen(self, argv: List[str], **keywords: Any) -> subprocess.Popen[Any]:
        """Start a program in this node."""
        return subprocess.Popen(["ip", "netns", "exec", self.namespace, *argv], **keywords)

    def inject(self, frame: bytes) -> int:
        """Send a frame exactly as it is; return the time in nanoseconds."""
        if self._sender is None:
            self._sender = open_socket(self.namespace, socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._sender.bind(("eth0", 0))
        at_ns = time.time_ns()
        self._sender.send(frame)
        return at_ns

    def close(self) -> None:
        """End every process in the namespace and remove it."""
        if self._sender is not None:
            self._sender.close()
        end_processes(self.namespace)
        run("ip", "netns", "del", self.namespace, check=False)


class Lan:
    """The switch, its nodes, a capture of all they send, and what to show when a test fails.

    >>> with Lan("a", "b") as lan:
    ...     lan.a.holds("198.51.100.100")
    """

    def __init__(self, *names: str) -> None:
        self.prefix = f"v{os.getpid():x}-{next(_numbers)}-"
        self.switch = f"{self.prefix}sw"
        self.nodes: Dict[str, Node] = {name: Node(self, name, 10 + at) for at, name in enumerate(names)}
        self.witnesses: List[HasEvidence] = []
        self.started_ns = time.time_ns()
        self._scratch = tempfile.TemporaryDirectory(prefix="vrrp-lan-")
        self.scratch = Path(self._scratch.name)

    def __getattr__(self, name: str) -> Node:
        nodes: Dict[str, Node] = self.__dict__.get("nodes", {})
        if name in nodes:
            return nodes[name]
        raise AttributeError(name)

    def __enter__(self) -> Lan:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *rest: object) -> None:
        self.close()

    def _build(self) -> None:
        sweep()
        run("ip", "netns", "add", self.switch)
        quiet = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"
        self._sysctl(self.switch, quiet)
        batch(
            self.switch,
            f"link add {SWITCH} type bridge mcast_snooping 0 forward_delay 0",
            f"link set {SWITCH} up",
        )
        self.wire = Wire(self.switch)
        self.stalls = Stalls()
        for node in self.nodes.values():
            self._cable(node)
        for node in self.nodes.values():
            wait_until(f"carrier on {node.name}", node.has_carrier)

    def _cable(self, node: Node) -> None:
        run("ip", "netns", "add", node.namespace)
        self._sysctl(
            node.namespace,
            "net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
            "net.ipv6.conf.all.addr_gen_mode=1 net.ipv6.conf.default.addr_gen_mode=1 "
            "net.ipv6.conf.default.router_solicitations=0 net.ipv4.conf.all.arp_notify=0 "
            "net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0",
        )
        port = f"{node.name}-eth0"
        self.wire.watch(port, node.name)
        batch(
            self.switch,
            f"link add eth0 address {node.mac} netns {node.namespace} type veth peer name {port}",
            f"link set {port} master {SWITCH} up",
        )
        batch(
            node.namespace,
            "link set lo up",
            "link set eth0 up",
            f"addr add {node.ipv4}/24 dev eth0",
            f"addr add {node.link_local}/64 dev eth0 nodad",
            f"addr add {node.ipv6}/64 dev eth0 nodad",
        )

    @staticmethod
    def _sysctl(namespace: str, settings: str) -> None:
        run("ip", "netns", "exec", namespace, "sysctl", "-q", "-w", *settings.split())

    def block(self, *names: str) -> None:
        """Keep these nodes from reaching each other, while everybody else still reaches them."""
        batch(self.switch, *(f"link set {name}-eth0 type bridge_slave isolated on" for name in names))

    def unblock(self, *names: str) -> None:
        """Let them reach each other again."""
        batch(self.switch, *(f"link set {name}-eth0 type bridge_slave isolated off" for name in names))

    def holders(self, *addresses: str) -> Tuple[str, ...]:
        """The names of the nodes that hold all of ``addresses``."""
        return tuple(name for name, node in self.nodes.items() if node.holds(*addresses))

    def evidence(self) -> str:
        """All that helps to understand a failed test."""
        parts = [
            f"=== the wire (lost by the capture: {self.wire.lost()}; worst stall of the test itself "
            f"{self.stalls.worst_ms():.1f} ms)\n{self.wire.table()}"
        ]
        for node in self.nodes.values():
            parts.append(f"=== {node.name}: ip address\n{node.ip('-o', 'address', 'show', check=False)}")
        for witness in self.witnesses:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                parts.append(witness.evidence())
        return "\n".join(parts)

    def close(self) -> None:
        """Remove everything. Errors are left aside: a half-built LAN must go as well."""
        for node in self.nodes.values():
            node.close()
        if "wire" in self.__dict__:
            self.wire.close()
        if "stalls" in self.__dict__:
            self.stalls.close()
        end_processes(self.switch)
        run("ip", "netns", "del", self.switch, check=False)
        self._scratch.cleanup()


def batch(namespace: str, *lines: str) -> None:
    """Several ``ip`` commands in one process."""
    run("ip", "-n", namespace, "-batch", "-", stdin="\n".join(lines) + "\n")


def end_processes(namespace: str) -> None:
    """Kill what still runs in a namespace of ours, and wait until it is gone."""

    def left() -> List[str]:
        return run("ip", "netns", "pids", namespace, check=False).split()

    for process in left():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    with contextlib.suppress(AssertionError):
        wait_until("the processes to be gone", lambda: not left(), 2)


@functools.cache
def sweep() -> None:
    """Once a process: remove the LANs of test runs that were killed and could not clean up."""
    for name in os.listdir(NAMESPACES) if NAMESPACES.exists() else ():
        owner = _NAME.match(name)
        if owner and not Path("/proc", str(int(owner.group(1), 16))).exists():
            end_processes(name)
            run("ip", "netns", "del", name, check=False)
