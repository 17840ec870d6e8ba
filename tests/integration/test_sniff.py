# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrrp-agent sniff`` on a live wire: frames are injected on one node and seen on another."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from typing import Any, Dict, Iterator, List

import pytest
from vrrp_agent.wire.advert import encode

from tests.lab import program
from tests.lab.lan import Lan, Node
from tests.lab.plugin import MakeLan
from tests.lab.roots import HOST
from tests.unit.wire.samples import (
    ADVERT_V3_IPV6,
    GROUP6,
    SOURCE6,
    datagram4,
    datagram6,
    ethernet,
    message_v2,
    message_v3,
)

PROBE_VRID = 1
DEADLINE_S = 10


class Sniffer:
    """A running ``sniff --json`` and the adverts it has shown."""

    def __init__(self, node: Node, *words: str) -> None:
        self.process = node.popen(
            [*program.command(HOST, program.binds()), "sniff", "--json", *words],
            env=program.environment(HOST, program.binds()),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.shown: List[Dict[str, Any]] = []
        self._rest = b""

    def read(self, wait_s: float) -> None:
        """Take in what comes within ``wait_s``; return after the first piece."""
        assert self.process.stdout is not None
        if select.select([self.process.stdout], [], [], wait_s)[0]:
            *lines, self._rest = (self._rest + (self.process.stdout.read() or b"")).split(b"\n")
            self.shown += [json.loads(line) for line in lines]

    def wait_for(self, vrid: int) -> Dict[str, Any]:
        """The first advert with this VRID."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            for one in self.shown:
                if one["vrid"] == vrid:
                    return one
            self.read(0.1)
        raise AssertionError(f"no advert with VRID {vrid} among {self.shown}; {self.trouble()}")

    def trouble(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode() if self.process.poll() is not None else "still running"


@contextlib.contextmanager
def sniffing(lan: Lan, *words: str) -> Iterator[Sniffer]:
    """``sniff`` on node b, once it is known to see what node a sends."""
    sniffer = Sniffer(lan.b, *words)
    try:
        end = time.monotonic() + DEADLINE_S
        while not sniffer.shown:
            assert time.monotonic() < end, sniffer.trouble()
            lan.a.inject(ethernet(datagram4(message_v3(vrid=PROBE_VRID))))
            sniffer.read(0.05)
        yield sniffer
    finally:
        if sniffer.process.poll() is None:
            sniffer.process.send_signal(signal.SIGTERM)
        sniffer.process.wait(DEADLINE_S)


@pytest.fixture
def lan(make_lan: MakeLan) -> Lan:
    return make_lan("a", "b")


@pytest.mark.parametrize("words", [("--interface", "eth0"), ()], ids=["one", "all"])
def test_adverts_of_both_versions_and_families_are_seen(lan: Lan, words: tuple[str, ...]) -> None:
    with sniffing(lan, *words) as sniffer:
        before = time.time()
        lan.a.inject(ethernet(datagram4(message_v2(vrid=2))))
        lan.a.inject(ethernet(datagram4(message_v3(vrid=3))))
        lan.a.inject(ethernet(datagram6(encode(ADVERT_V3_IPV6, SOURCE6, GROUP6)), 0x86DD))
        two, three, six = sniffer.wait_for(2), sniffer.wait_for(3), sniffer.wait_for(10)
    assert (two["version"], two["src"], two["ttl"], two["verdict"]) == (2, "192.0.2.10", 255, "accept")
    assert (three["version"], three["checksum_form"], three["interface"]) == (3, "message", "eth0")
    assert (six["src"], six["addresses"], six["verdict"]) == (
        "fe80::10",
        ["fe80::1", "2001:db8::1"],
        "accept",
    )
    assert before - 1 < two["time"] < before + DEADLINE_S


@pytest.mark.parametrize(
    ("tags", "vlans"),
    [((0x81000032,), [50]), ((0x8100E032,), [50]), ((0x88A8003C, 0x81000046), [60, 70])],
)
def test_tags_are_seen_though_the_kernel_takes_them_off(
    lan: Lan, tags: tuple[int, ...], vlans: list[int]
) -> None:
    with sniffing(lan, "--interface", "eth0") as sniffer:
        lan.a.inject(ethernet(datagram4(message_v3(vrid=4)), tags=tags))
        lan.a.inject(ethernet(datagram6(encode(ADVERT_V3_IPV6, SOURCE6, GROUP6)), 0x86DD, tags))
        assert sniffer.wait_for(4)["vlans"] == vlans
        assert sniffer.wait_for(10)["vlans"] == vlans
        assert sniffer.wait_for(4)["verdict"] == "accept"


def test_damaged_options_padding_and_bad_ttl_are_told(lan: Lan) -> None:
    with sniffing(lan, "--interface", "eth0") as sniffer:
        lan.a.inject(ethernet(datagram4(message_v3(vrid=5), options=b"\x01" * 40)))
        lan.a.inject(ethernet(datagram4(message_v3(vrid=6))).ljust(60, b"\xee"))
        lan.a.inject(ethernet(datagram4(message_v3(vrid=7), ttl=254)))
        lan.a.inject(ethernet(datagram4(message_v3(vrid=8) + bytes(8))))
        verdicts = {vrid: sniffer.wait_for(vrid)["verdict"] for vrid in (5, 6, 7, 8)}
    assert verdicts == {5: "accept", 6: "accept", 7: "ttl", 8: "length"}


def test_what_the_host_itself_sends_is_seen_once(lan: Lan) -> None:
    with sniffing(lan, "--interface", "eth0") as sniffer:
        lan.b.inject(ethernet(datagram4(message_v3(vrid=9))))
        sniffer.wait_for(9)
        lan.b.inject(ethernet(datagram4(message_v3(vrid=10))))
        sniffer.wait_for(10)
        assert [one["vrid"] for one in sniffer.shown if one["vrid"] in (9, 10)] == [9, 10]


def test_the_filter_keeps_other_packets_away(lan: Lan) -> None:
    with sniffing(lan, "--interface", "eth0") as sniffer:
        lan.a.inject(ethernet(datagram4(message_v3(vrid=11), protocol=17)))
        lan.a.inject(ethernet(datagram6(bytes(40), next_header=58), 0x86DD))
        lan.a.inject(ethernet(b"\0" * 46, 0x0806))
        lan.a.inject(ethernet(datagram4(message_v3(vrid=12))))
        sniffer.wait_for(12)
        assert {one["vrid"] for one in sniffer.shown} == {PROBE_VRID, 12}


def test_count_and_signals_end_it_in_peace(lan: Lan) -> None:
    with sniffing(lan, "--interface", "eth0", "--count", "1") as sniffer:
        assert sniffer.process.wait(DEADLINE_S) == 0
    with sniffing(lan, "--interface", "eth0") as sniffer:
        sniffer.process.send_signal(signal.SIGINT)
        assert sniffer.process.wait(DEADLINE_S) == 0
        assert sniffer.trouble() == ""


def fail(lan: Lan, *words: str, before: tuple[str, ...] = ()) -> str:
    """The error of a ``sniff`` on node b that cannot start."""
    process = lan.b.popen(
        [*before, *program.command(HOST, program.binds()), "sniff", *words],
        env=program.environment(HOST, program.binds()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, error = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (2, b""), error
    return str(error.decode())


def test_a_missing_interface_is_named_with_those_that_there_are(lan: Lan) -> None:
    assert "there is no interface 'eth9'; there are: eth0, lo" in fail(lan, "--interface", "eth9")


def test_an_interface_that_is_down_is_named(lan: Lan) -> None:
    lan.b.ip("link", "set", "eth0", "down")
    assert "interface eth0: down; set it up" in fail(lan, "--interface", "eth0")


def test_an_interface_that_goes_down_ends_it_with_an_error(lan: Lan) -> None:
    with sniffing(lan, "--interface", "eth0") as sniffer:
        lan.b.ip("link", "set", "eth0", "down")
        assert sniffer.process.wait(DEADLINE_S) == 2
        assert "interface eth0: down" in sniffer.trouble()


def test_without_privileges_it_says_what_is_needed(lan: Lan) -> None:
    without = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")
    message = fail(lan, "--interface", "eth0", before=without)
    assert "not permitted" in message
    assert "CAP_NET_RAW" in message
