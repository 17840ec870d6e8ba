# SPDX-License-Identifier: GPL-3.0-or-later
"""What a third host sees of an HA group: a program of its own, so that no test disturbs its clock.

It pings each address from the client's network namespace, notes every gratuitous ARP and unsolicited
neighbour advertisement that reaches the client, and samples on every node, through netlink, which of
them hold the address.

    witness.py --client PID --node NAME=PID ... ADDRESS ...

It prints "ready" when it watches, takes lines "node NAME PID" on stdin when a node has started again, and
prints its report as one line of JSON when stdin closes. All times are seconds of the monotonic clock.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import ipaddress
import json
import os
import selectors
import socket
import struct
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

PROBE_INTERVAL_S = 0.005
SAMPLE_INTERVAL_S = 0.02
# Shorter pauses between two answers are the machine's, not the group's.
SILENT_S = 0.02
LATE_S = 0.1

CLONE_NEWNET = 0x40000000
ETH_P_ARP, ETH_P_IPV6 = 0x0806, 0x86DD
RTM_GETADDR, NLM_F_REQUEST, NLM_F_DUMP, NLMSG_DONE = 22, 0x1, 0x300, 3
IFA_ADDRESS, IFA_LOCAL = 1, 2
MARK = 0x5EED

libc = ctypes.CDLL(None, use_errno=True)


def socket_in(pid: int, make: Callable[[], socket.socket]) -> socket.socket:
    """A socket that belongs to the network namespace of that process; it stays there when we go home."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    away = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(away, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network of process {pid}")
        try:
            made = make()
        finally:
            libc.setns(home, CLONE_NEWNET)
    finally:
        os.close(home)
        os.close(away)
    made.setblocking(False)
    return made


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Prober:
    """Pings one address and keeps when each probe was sent and whether it was answered."""

    def __init__(self, address: str, client: int) -> None:
        self.address = address
        self.ipv6 = ":" in address
        family, protocol = (
            (socket.AF_INET6, socket.IPPROTO_ICMPV6) if self.ipv6 else (socket.AF_INET, socket.IPPROTO_ICMP)
        )
        self.socket = socket_in(client, lambda: socket.socket(family, socket.SOCK_RAW, protocol))
        self.sent: List[float] = []
        self.answered: Dict[int, float] = {}

    def send(self) -> None:
        number = len(self.sent)
        kind = 128 if self.ipv6 else 8
        message = struct.pack("!BBHHHI", kind, 0, 0, MARK, number & 0xFFFF, number)
        if not self.ipv6:  # the kernel fills in ICMPv6's
            message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
        self.sent.append(time.monotonic())
        # No way to the address at this moment: a lost probe like any other.
        with contextlib.suppress(OSError):
            self.socket.sendto(message, (self.address, 0))

    def receive(self) -> None:
        while True:
            try:
                data, source = self.socket.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error reported on the socket
            message = data if self.ipv6 else data[(data[0] & 15) * 4 :]
            if len(message) < 12 or message[0] != (129 if self.ipv6 else 0) or source[0] != self.address:
                continue
            mark, _, number = struct.unpack("!HHI", message[4:12])
            if mark == MARK and number < len(self.sent):
                self.answered.setdefault(number, time.monotonic())

    def report(self) -> Dict[str, Any]:
        """How many probes were lost, and every time without an answer; one that lasted to the end is open.

        Answers are counted when they arrive: a router that buffers probes and delivers them late has not
        kept the address alive.
        """
        # The very last probes may still be under way.
        due = sum(at < self.sent[-1] - LATE_S for at in self.sent) if self.sent else 0
        arrivals = [self.sent[0], *sorted(self.answered.values())] if self.sent else []
        silences: List[Dict[str, Optional[float]]] = [
            {"start": before, "end": after}
            for before, after in zip(arrivals, arrivals[1:])
            if after - before > SILENT_S
        ]
        if arrivals and self.sent[-1] - arrivals[-1] > LATE_S:
            silences.append({"start": arrivals[-1], "end": None})
        lost = sum(number not in self.answered for number in range(due))
        return {"sent": len(self.sent), "lost": lost, "silences": silences}


class Holder:
    """Asks one node's kernel which of the addresses it holds."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.socket = socket_in(
            pid, lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        )
        self.socket.settimeout(1.0)

    def addresses(self) -> List[bytes]:
        self.socket.send(
            struct.pack("=IHHIIBBBBI", 24, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 0, 0, 0, 0, 0, 0, 0)
        )
        found: List[bytes] = []
        while True:
            data = self.socket.recv(65536)
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if kind == NLMSG_DONE:
                    return found
                found.extend(self._attributes(data[24:length]))
                data = data[(length + 3) & ~3 :]

    @staticmethod
    def _attributes(data: bytes) -> List[bytes]:
        found = []
        while len(data) >= 4:
            length, kind = struct.unpack_from("=HH", data)
            if kind in (IFA_ADDRESS, IFA_LOCAL):
                found.append(data[4:length])
            data = data[max(4, (length + 3) & ~3) :]
        return found


class Announcements:
    """Gratuitous ARP and unsolicited neighbour advertisements, as the client's interface sees them."""

    def __init__(self, protocol: int, client: int) -> None:
        self.socket = socket_in(
            client, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        )
        self.seen: List[Dict[str, Any]] = []

    def receive(self) -> None:
        while True:
            try:
                frame = self.socket.recv(2048)
            except BlockingIOError:
                return
            address = self._announced(frame)
            if address is not None:
                self.seen.append({"at": time.monotonic(), "address": address, "mac": frame[6:12].hex(":")})

    @staticmethod
    def _announced(frame: bytes) -> Optional[str]:
        kind, body = frame[12:14], frame[14:]
        if kind == b"\x08\x06" and body[14:18] == body[24:28]:  # sender and target are the same
            return str(ipaddress.ip_address(body[14:18]))
        if kind == b"\x86\xdd" and body[6:7] == b"\x3a" and body[40:41] == b"\x88" and not body[44] & 0x40:
            return str(ipaddress.ip_address(body[48:64]))
        return None


def watch(
    probers: List[Prober], holders: Dict[str, Holder], listeners: List[Announcements]
) -> List[Dict[str, Any]]:
    """Probe and sample until stdin closes; returns the samples, equal ones in a row as one."""
    packed = {prober.address: ipaddress.ip_address(prober.address).packed for prober in probers}
    samples: List[Dict[str, Any]] = []
    selector = selectors.DefaultSelector()
    for prober in probers:
        selector.register(prober.socket, selectors.EVENT_READ, prober.receive)
    for listener in listeners:
        selector.register(listener.socket, selectors.EVENT_READ, listener.receive)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    next_probe = next_sample = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= next_probe:
            for prober in probers:
                prober.send()
            next_probe = max(next_probe + PROBE_INTERVAL_S, now)
        if now >= next_sample:
            held = {name: holder.addresses() for name, holder in holders.items()}
            who = {a: sorted(n for n, h in held.items() if p in h) for a, p in packed.items()}
            if samples and samples[-1]["who"] == who:
                samples[-1]["until"] = now
            else:
                samples.append({"at": now, "until": now, "who": who})
            next_sample = max(next_sample + SAMPLE_INTERVAL_S, now)
        for key, _ in selector.select(max(0.0, min(next_probe, next_sample) - time.monotonic())):
            if key.data is not None:
                key.data()
                continue
            line = sys.stdin.readline()
            if not line:
                return samples
            _, name, pid = line.split()
            holders[name] = Holder(name, int(pid))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", type=int, required=True)
    parser.add_argument("--node", action="append", default=[])
    parser.add_argument("addresses", nargs="+")
    args = parser.parse_args()
    nodes: List[Tuple[str, str]] = [tuple(node.split("=")) for node in args.node]
    probers = [Prober(address, args.client) for address in args.addresses]
    holders = {name: Holder(name, int(pid)) for name, pid in nodes}
    listeners = [Announcements(protocol, args.client) for protocol in (ETH_P_ARP, ETH_P_IPV6)]
    print("ready", flush=True)
    start = time.monotonic()
    samples = watch(probers, holders, listeners)
    report = {
        "start": start,
        "end": time.monotonic(),
        "probes": {prober.address: prober.report() for prober in probers},
        "samples": samples,
        "announcements": sorted((a for listener in listeners for a in listener.seen), key=lambda a: a["at"]),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
