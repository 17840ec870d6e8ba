# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets that must have no effect, and odd ones that are right: RFC 9568 5 and 7.1, RFC 3768 5 and 7.1.

A bad packet claims priority 200. If it were believed, an active router would fall silent and a backup would
start its timer anew, so "no effect" is seen in the time of the adverts and not only in the state.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Tuple

import pytest

from tests.lab import config, frames
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.lan import VIP4, VIP6
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until

KERNEL = ""
"""The reason of packets that the kernel itself discards: nobody can count them."""


@dataclass(frozen=True)
class Bad:
    """Must be discarded. ``reason`` is the counter that it moves; ``words`` go to Tester.frame."""

    name: str
    reason: str
    words: Dict[str, Any] = field(default_factory=dict)
    edit: Callable[[bytes], bytes] = bytes

    def frame(self, bench: Bench) -> bytes:
        """The frame, with a message of its own when it was edited."""
        if self.edit is bytes:
            return bench.tester.frame(priority=200, **self.words)
        return bench.tester.frame(message=self.edit(good_message(bench)), **self.words)

    def __str__(self) -> str:
        return self.name


def good_message(bench: Bench, **words: Any) -> bytes:
    """A message of T that would be accepted."""
    group = frames.GROUP4 if bench.family == 4 else frames.GROUP6
    fields = {**bench.tester.fields, "priority": 200, **words}
    return frames.vrrp_message(bench.t.address(bench.family), group, **fields)


def cut(length: int) -> Callable[[bytes], bytes]:
    """Only the first bytes of a message."""
    return lambda message: message[:length]


def more(number: int) -> Callable[[bytes], bytes]:
    """Bytes after the end, inside the IP payload."""
    return lambda message: message + b"\0" * number


def hops(number: int) -> Dict[str, Any]:
    """TTL or hop limit."""
    return {"packet_options": {"ttl": number}}


COMMON = [
    *(Bad(f"ttl-{ttl}", "ttl", hops(ttl)) for ttl in (254, 64, 1)),
    *(Bad(f"version-{version}", "version", {"version": version}) for version in (0, 1, 4, 15)),
    *(Bad(f"type-{kind}", "type", {"kind": kind}) for kind in (0, *range(2, 16))),
    Bad("vrid-other", "unknown_vrid", {"vrid": 52}),
    Bad("vrid-zero", "vrid_zero", {"vrid": 0}),
    Bad("count-zero", "count_zero", {"addresses": ()}),
    Bad("count-too-high", "length", {"count": 9}),
    Bad("count-255", "length", {"count": 255}),
    Bad("interval-zero", "interval_zero", {"interval": 0}),
    Bad("checksum-wrong", "checksum", {"checksum": 0x1234}),
    Bad("checksum-zero", "checksum", {"checksum": 0}),
    Bad("trailing-4", "length", edit=more(4)),
    Bad("trailing-8", "length", edit=more(8)),
    Bad("trailing-28", "length", edit=more(28)),
    *(Bad(f"cut-to-{length}", "length", edit=cut(length)) for length in range(12)),
]
IPV4_HEADER = [
    Bad("ttl-0", KERNEL, hops(0)),
    Bad("header-of-4-words", KERNEL, {"packet_options": {"header_words": 4}}),
    Bad("header-longer-than-packet", KERNEL, {"packet_options": {"header_words": 15}}),
    Bad("ip-longer-than-frame", KERNEL, {"packet_options": {"total_length": 400}}),
    Bad("first-fragment", KERNEL, {"packet_options": {"fragment": 0x2000}}),
    Bad("later-fragment", KERNEL, {"packet_options": {"fragment": 1}}),
    Bad("other-protocol", KERNEL, {"packet_options": {"protocol": 51}}),
]
ROWS: Dict[Tuple[int, int], List[Bad]] = {
    (3, 4): [
        *COMMON,
        *IPV4_HEADER,
        Bad("version-2-bytes", "version_mismatch", {"version": 2, "interval": 1}),
        Bad(
            "unicast",
            "unexpected_unicast",
            {"destination": "198.51.100.10", "destination_mac": "02:00:00:00:00:0a"},
        ),
    ],
    (3, 6): [
        *COMMON,
        Bad("version-2-bytes", "version", {"version": 2, "interval": 1}),
        Bad("sum-without-pseudo-header", "checksum", {"form": "message"}),
        Bad(
            "unicast",
            "unexpected_unicast",
            {"destination": "fe80::10", "destination_mac": "02:00:00:00:00:0a"},
        ),
    ],
    (2, 4): [
        *COMMON,
        *IPV4_HEADER,
        *(Bad(f"cut-to-{length}", "length", edit=cut(length)) for length in range(12, 20)),
        Bad("version-3-bytes", "version_mismatch", {"version": 3, "interval": 100}),
        Bad("sum-with-pseudo-header", "checksum", {"form": "pseudo"}),
        Bad("password-where-none-is-set", "auth_type_mismatch", {"auth_type": 1, "auth_data": b"secret"}),
        Bad("authentication-header", "auth_type_mismatch", {"auth_type": 2}),
        Bad("authentication-type-254", "auth_type_unknown", {"auth_type": 254}),
        Bad("interval-2", "interval_mismatch", {"interval": 2}),
    ],
}
GROUPS = list(ROWS)


def bench_for(make_bench: MakeBench, version: int, family: int, **words: Any) -> Bench:
    """D of that version and family, without announcements in the way."""
    advert_int_s = 1 if version == 2 else 0.1
    words.setdefault("lines", NO_BURST_LATER)
    return make_bench(version=version, family=family, advert_int=advert_int_s, **words)


def pour(bench: Bench, packets: List[bytes], every_s: float, until: Callable[[], object]) -> int:
    """Send the packets round and round until ``until`` is true; return how many."""
    number = 0
    end = time.monotonic() + 20
    while not until() and time.monotonic() < end:
        bench.t.inject(packets[number % len(packets)])
        number += 1
        time.sleep(every_s)
    return number


@pytest.mark.parametrize("version, family", GROUPS)
def test_bad_packets_do_not_disturb_an_active_router(
    make_bench: MakeBench, version: int, family: int
) -> None:
    """R-X06 in Active: it stays active, on time, and answers none of them."""
    bench = bench_for(make_bench, version, family)
    bench.start_active()
    packets = [bad.frame(bench) for bad in ROWS[version, family]]
    begin_ns = time.time_ns()
    for packet in packets * 2:
        bench.t.inject(packet)
        time.sleep(0.01)
    during_s = max((time.time_ns() - begin_ns) / 1e9, 3 * bench.advert_int_s)
    seen = bench.stays_active(during_s, begin_ns)
    assert len(seen) <= during_s / bench.advert_int_s + 2, f"{len(seen)} adverts in {during_s:.2f} s"
    assert bench.agent.state() == "active"


@pytest.mark.parametrize("version, family", GROUPS)
def test_bad_packets_do_not_hold_a_backup(make_bench: MakeBench, version: int, family: int) -> None:
    """R-X06 in Backup: the timer of the last good advert keeps running, to the millisecond."""
    bench = bench_for(make_bench, version, family)
    with bench.tester.speaking(every_s=bench.advert_int_s, priority=200):
        bench.start()
        bench.wire.wait_for_adverts("t", 2, since_ns=bench.log_time("init -> backup"))
    silent_ns = bench.last_advert_of_t()
    packets = [bad.frame(bench) for bad in ROWS[version, family]]
    every_s = bench.down_s / (len(packets) + 10)
    sent = pour(bench, packets, every_s, lambda: bench.wire.adverts("d"))
    bench.takes_over_after(silent_ns, bench.down_s)
    assert sent >= len(packets) // 2, f"only {sent} packets were sent before the takeover"


@pytest.mark.parametrize("version, family", GROUPS)
def test_each_bad_packet_is_counted_once_by_its_reason(
    make_bench: MakeBench, version: int, family: int
) -> None:
    """R-X08, R-N03, R-N04: exactly one more for one packet."""
    bench = bench_for(make_bench, version, family)
    bench.start_active()
    wrong = []
    before = bench.discards()
    for bad in (row for row in ROWS[version, family] if row.reason):
        bench.t.inject(bad.frame(bench))
        want = {**before, bad.reason: before.get(bad.reason, 0) + 1}
        end = time.monotonic() + 2
        while (now := bench.discards()) != want and time.monotonic() < end:
            time.sleep(0.005)
        if now != want:
            moved = {key: now.get(key, 0) - before.get(key, 0) for key in now}
            wrong.append(
                f"{bad.name}: {bad.reason} expected, moved { {k: v for k, v in moved.items() if v} }"
            )
        before = now
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("version, family", GROUPS)
def test_no_single_flipped_bit_is_believed(make_bench: MakeBench, version: int, family: int) -> None:
    """R-X04: every bit of one advert on the wire, and for IPv6 those of the source address as well."""
    bench = bench_for(make_bench, version, family)
    bench.start_active()
    message = good_message(bench)
    packets = []
    for bit in range(8 * len(message)):
        damaged = bytearray(message)
        damaged[bit // 8] ^= 1 << bit % 8
        packets.append(bench.tester.frame(message=bytes(damaged)))
    if version == 3:
        source = frames.pack_ip(bench.t.address(family))
        for bit in range(8 * (len(source) - 1), 8 * len(source)):
            damaged = bytearray(source)
            damaged[bit // 8] ^= 1 << bit % 8
            packets.append(bench.tester.frame(message=message, source=frames.text_ip(bytes(damaged))))
    begin_ns = time.time_ns()
    for packet in packets:
        bench.t.inject(packet)
        time.sleep(0.002)
    bench.stays_active(max((time.time_ns() - begin_ns) / 1e9, 2.5 * bench.advert_int_s), begin_ns)
    assert bench.agent.state() == "active"
    assert sum(bench.discards().values()) == len(packets) - own_address(bench, packets)


def own_address(bench: Bench, packets: List[bytes]) -> int:
    """How many packets claim D's own IPv4 address: the kernel throws them away before anybody sees them."""
    if bench.family == 6:
        return 0
    return sum(packet[26:30] == frames.pack_ip(bench.d.ipv4) for packet in packets)


@pytest.mark.parametrize(
    "name, words",
    [
        ("as-it-should-be", {}),
        ("reserve-nibble", {"reserve": 15}),
        ("sum-without-pseudo-header", {"form": "message"}),
        ("one-word-of-ip-options", {"packet_options": {"options": b"\x01" * 4}}),
        ("ten-words-of-ip-options", {"packet_options": {"options": b"\x01" * 40}}),
        ("without-ethernet-padding", {"padded": False}),
        ("from-another-network", {"source": "203.0.113.7"}),
        ("other-addresses", {"addresses": ("198.51.100.77", "198.51.100.78")}),
        ("from-a-virtual-mac", {"source_mac": "00:00:5e:00:01:33"}),
    ],
)
def test_odd_but_right_packets_are_accepted(make_bench: MakeBench, name: str, words: Dict[str, Any]) -> None:
    """R-P09, R-P11, R-X02, R-X03, R-X10: an active router gives way to it."""
    bench = bench_for(make_bench, 3, 4)
    bench.start_active()
    bench.tester.send(priority=200, **words)
    bench.agent.wait_for_state("backup")
    source = words.get("source", bench.t.ipv4)
    assert bench.agent.instance()["active_router"] == {"address": source, "priority": 200}


def test_authentication_data_without_authentication_is_ignored(make_bench: MakeBench) -> None:
    """R-V07: the eight bytes are always there, and mean nothing when the type is 0."""
    bench = bench_for(make_bench, 2, 4)
    bench.start_active()
    bench.tester.send(priority=200, auth_data=b"whatever")
    bench.agent.wait_for_state("backup")


def test_a_wrong_password_is_discarded_and_counted(make_bench: MakeBench) -> None:
    """R-N05, R-V06."""
    lines = ["authentication {", "    auth_type PASS", "    auth_pass right", "}", *NO_BURST_LATER]
    bench = bench_for(make_bench, 2, 4, lines=lines)
    bench.start_active()
    for data in (b"wrong", b"", b"right\0\0x"):
        bench.tester.send(priority=200, auth_type=1, auth_data=data)
    bench.tester.send(priority=200)
    wait_until("four discards", lambda: sum(bench.discards().values()) == 4, 3)
    assert bench.discards() == {"auth_failure": 3, "auth_type_mismatch": 1}
    assert bench.agent.state() == "active"
    assert "right" not in bench.agent.log(), "a password in the log"


def test_another_interval_is_logged_once_and_learned(make_bench: MakeBench) -> None:
    """R-X09."""
    bench = bench_for(make_bench, 3, 4)
    bench.start()
    with bench.tester.speaking(every_s=0.05, priority=200, interval=30):
        bench.wait_for_counters(lambda counters: counters["interval_mismatches"] > 5, "counted mismatches")
    assert bench.agent.instance()["active_advert_int_s"] == 0.3
    assert len([line for line in bench.agent.log().splitlines() if "advertises every" in line]) == 1


def test_another_list_of_addresses_is_logged_once_and_processed(make_bench: MakeBench) -> None:
    """R-X11."""
    bench = bench_for(make_bench, 3, 4)
    bench.start()
    with bench.tester.speaking(every_s=0.05, priority=200, addresses=("198.51.100.77",)):
        bench.wait_for_counters(lambda counters: counters["addr_list_mismatches"] > 5, "counted mismatches")
        assert bench.agent.state() == "backup"
    assert (
        len([line for line in bench.agent.log().splitlines() if "198.51.100.77" in line and VIP4 in line])
        == 1
    )


@pytest.mark.parametrize("version, family", GROUPS)
def test_own_adverts_that_come_back_cause_no_storm(make_bench: MakeBench, version: int, family: int) -> None:
    """R-X12: a hundred reflections, and only the regular adverts are sent."""
    bench = bench_for(make_bench, version, family)
    bench.start_active()
    own = next(
        frame for frame in bench.wire.frames if frame.node == "d" and frames.parse_advert(frame.data)
    ).data
    elsewhere = frames.pack_mac(bench.t.mac)
    begin_ns = time.time_ns()
    for _ in range(100):
        bench.t.inject(own[:6] + elsewhere + own[12:])
        time.sleep(0.001)
    during_s = 3 * bench.advert_int_s
    seen = bench.stays_active(during_s, begin_ns)
    assert len(seen) <= 5, f"{len(seen)} adverts in {during_s} s"
    if family == 6:  # an IPv4 kernel drops packets that claim its own address
        assert bench.discards() == {"own_advert": 100}


def test_adverts_before_the_start_and_after_the_stop_do_no_harm(make_bench: MakeBench) -> None:
    """R-F27."""
    bench = bench_for(make_bench, 3, 4)
    with bench.tester.speaking(every_s=0.002, priority=200):
        for _ in range(2):
            bench.agent.start()
            bench.agent.wait_for_state("backup")
            bench.agent.stop()
            assert bench.agent.wait() == 0
    assert not bench.wire.adverts("d")
    assert "Traceback" not in bench.agent.log()


def test_a_flood_is_counted_packet_by_packet_and_logged_rarely(make_bench: MakeBench) -> None:
    """R-X07, R-N06: thousands of bad packets a second, one line for each reason, adverts on time."""
    bench = bench_for(make_bench, 3, 4)
    bench.start_active()
    bad = bench.tester.frame(priority=200, checksum=0x1234)
    foreign = bench.tester.frame(priority=200, packet_options={"ttl": 3})
    before = len(bench.agent.log().splitlines())
    memory_before = resident_kib(bench.agent.pid)
    begin_ns = time.time_ns()
    for _ in range(30):
        for _ in range(50):
            bench.t.inject(bad)
            bench.t.inject(foreign)
        time.sleep(0.02)
    during_s = (time.time_ns() - begin_ns) / 1e9
    bench.stays_active(during_s, begin_ns)
    wait_until("every packet counted", lambda: bench.discards() == {"checksum": 1500, "ttl": 1500}, 5)
    lines = [line for line in bench.agent.log().splitlines()[before:] if "discarded" in line]
    windows = 1 + int(during_s / 10)
    assert 2 <= len(lines) <= 2 * (1 + windows), "\n".join(lines)
    grown = resident_kib(bench.agent.pid) - memory_before
    assert grown < 2048, f"{grown} KiB more memory after 3000 bad packets"


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_a_flood_of_random_bytes_changes_nothing(make_bench: MakeBench) -> None:
    import random

    bench = bench_for(make_bench, 3, 4)
    bench.start_active()
    chance = random.Random(9568)
    begin_ns = time.time_ns()
    for _ in range(600):
        body = bytes(chance.randrange(256) for _ in range(chance.randrange(64)))
        bench.t.inject(bench.tester.frame(message=body))
        time.sleep(0.001)
    bench.stays_active((time.time_ns() - begin_ns) / 1e9, begin_ns)
    assert sum(bench.discards().values()) == 600
    assert "Traceback" not in bench.agent.log()


def test_an_advert_on_another_interface_changes_nothing(make_bench: MakeBench) -> None:
    """R-P03: the VRID is configured on eth1, and the advert comes in on eth0."""
    bench = bench_for(make_bench, 3, 4, interface="eth1")
    bench.d.add_interface("eth1")
    bench.d.ip("address", "add", "198.51.100.40/24", "dev", "eth1")
    bench.wire.watch("d-eth1", "d-eth1")
    bench.agent.start()
    first = bench.wire.wait_for_adverts("d-eth1")[0]
    with bench.tester.speaking(every_s=0.05, priority=200):
        seen = bench.wire.wait_for_adverts("d-eth1", 5, since_ns=first.at_ns)
    assert seen[-1].at_ns - first.at_ns < 1_000_000_000
    assert bench.agent.state() == "active"
    assert bench.agent.instance()["counters"]["adverts_received"] == 0


@pytest.mark.parametrize("family", [4, 6])
def test_a_backup_does_not_answer_for_the_virtual_address(make_bench: MakeBench, family: int) -> None:
    """R-F03, R-F04, R-F07: no ARP or ND, no echo; the address is simply not there."""
    bench = bench_for(make_bench, 3, family)
    with bench.tester.speaking(priority=200):
        bench.start()
        bench.wire.wait_for_adverts("t", 2, since_ns=bench.log_time("init -> backup"))
        begin_ns = time.time_ns()
        target = VIP4 if family == 4 else VIP6
        if family == 4:
            bench.t.inject(frames.arp_request(bench.t.mac, bench.t.ipv4, target))
        else:
            bench.t.ip("-6", "neigh", "flush", "dev", "eth0")
            bench.t.popen(["ping", "-c", "1", "-W", "1", target]).wait()
        bench.wire.wait_for_adverts("t", 3, since_ns=begin_ns)
        answers = [one for one in bench.wire.frames if one.node == "d" and one.at_ns > begin_ns]
        packed = frames.pack_ip(target)
        assert not [one for one in answers if packed in one.data], (
            "d sent something about the virtual address"
        )


def test_config_values_out_of_range_never_reach_the_wire(make_bench: MakeBench) -> None:
    """R-P05, R-P10, R-C01: the agent refuses to start."""
    for changed in ({"priority": 256}, {"vrid": 0}, {"vrid": 256}, {"advert_int": 0}, {"advert_int": 40.96}):
        bench = make_bench()
        bench.agent.write(config.file(bench.d, config.instance(**changed)))
        bench.agent.start()
        assert bench.agent.wait() == 2, f"{changed}: {bench.agent.log()}"
        assert not bench.wire.adverts("d")
