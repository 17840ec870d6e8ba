# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrrp-agent sniff`` on captures: what it prints, and how it ends."""

from __future__ import annotations

import argparse
import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from vrrp_agent.cli import sniff

from tests.unit.wire.samples import CAPTURES, KEEPALIVED_V3, datagram4, ethernet, message_v3

TREE = Path(__file__).resolve().parents[3]
KEEPALIVED = str(CAPTURES / "keepalived.pcap")

PROGRAM = """
import argparse, sys
from vrrp_agent.cli import sniff
parser = argparse.ArgumentParser()
sniff.add_arguments(parser)
sys.exit(sniff.run(parser.parse_args()))
"""


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    sniff.add_arguments(parser)
    return sniff.run(parser.parse_args(words))


def start(*words: str, **pipes: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(TREE / "plugins/module_utils")}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *words], env=environment, **pipes)


def capture_file(path: Path, *frames: bytes, seconds: int = 1_700_000_000) -> str:
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for frame in frames:
        data += struct.pack("<IIII", seconds, 123456, len(frame), len(frame)) + frame
    path.write_bytes(data)
    return str(path)


def test_one_line_for_each_advert(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--pcap", KEEPALIVED) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6, "ARP and ND are no adverts"
    assert lines[2] == (
        "2026-11-22T12:15:27.429686Z 198.51.100.10 > 224.0.0.18 ttl 255 v2 vrid 10 prio 200 int 1s "
        "addrs 198.51.100.1 auth pass checksum ok accept"
    )
    assert lines[0].endswith("vrid 12 prio 200 int 0.3s addrs fe80::1,2001:db8::1 auth - checksum ok accept")


def test_json_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--pcap", KEEPALIVED, "--json") == 0
    objects: List[Dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(objects) == 6
    assert objects[2] == {
        "time": 1795349727.429686,
        "interface": None,
        "src": "198.51.100.10",
        "dst": "224.0.0.18",
        "ttl": 255,
        "version": 2,
        "vrid": 10,
        "priority": 200,
        "advert_interval_s": 1.0,
        "addresses": ["198.51.100.1"],
        "auth_type": 1,
        "protection": "",
        "checksum_ok": True,
        "checksum_form": "message",
        "verdict": "accept",
        "detail": "",
        "src_mac": "36:7e:5f:20:86:d7",
        "vlans": [],
    }


def test_a_bad_advert_is_shown_with_the_rule_it_breaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = (
        ethernet(datagram4(message_v3(), ttl=64), tags=(0x88A8003C, 0x81000046)),
        ethernet(datagram4(b"\x31")),
    )
    assert run("--pcap", capture_file(tmp_path / "bad.pcap", *frames)) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("2023-11-14T22:13:20.123456Z vlan 60.70 192.0.2.10 > 224.0.0.18 ttl 64 v3 vrid")
    assert first.endswith("checksum ok discard ttl (TTL 64, 255 expected)")
    assert second.endswith(
        "v3 vrid - prio - int - addrs - auth - checksum unread "
        "discard length (1 bytes, the fixed part alone has 8)"
    )


def test_count_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--pcap", KEEPALIVED, "--count", "2") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", ""])
def test_count_is_a_positive_number(number: str) -> None:
    with pytest.raises(SystemExit):
        run("--pcap", KEEPALIVED, f"--count={number}")


def test_interface_and_file_exclude_each_other() -> None:
    with pytest.raises(SystemExit):
        run("--pcap", KEEPALIVED, "--interface", "lo")


def test_a_capture_without_adverts_is_no_error_but_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--pcap", capture_file(tmp_path / "other.pcap", b"x" * 60)) == 0
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "no VRRP among the 1 packets" in streams.err


def test_bad_files_are_named_with_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, empty, usb = tmp_path / "text", tmp_path / "empty", tmp_path / "usb"
    text.write_text("vrrp_instance VI_1 {\n")
    empty.write_bytes(b"")
    usb.write_bytes(struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 220, 1, 0, 1, 1) + b"x")
    for path, words in (
        (text, "not a pcap or pcapng capture"),
        (empty, "the file is empty"),
        (usb, "link type 220"),
        (tmp_path, "Is a directory"),
        (tmp_path / "missing", "No such file"),
    ):
        assert run("--pcap", str(path)) == 2, path
        streams = capsys.readouterr()
        assert streams.out == ""
        assert streams.err.startswith(f"vrrp-agent sniff: {path}: ")
        assert words in streams.err


def test_adverts_before_the_damage_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(capture_file(tmp_path / "cut.pcap", KEEPALIVED_V3, KEEPALIVED_V3))
    path.write_bytes(path.read_bytes()[:-1])
    assert run("--pcap", str(path)) == 2
    streams = capsys.readouterr()
    assert len(streams.out.splitlines()) == 1
    assert "the capture ends inside a packet" in streams.err


def test_a_time_far_from_now_is_shown_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray((CAPTURES / "keepalived.pcapng").read_bytes())
    at = data.index(b"\x06\0\0\0") + 12
    data[at : at + 4] = b"\xff\xff\xff\xff"  # the upper half of the time stamp
    path = tmp_path / "late.pcapng"
    path.write_bytes(bytes(data))
    assert run("--pcap", str(path), "--count", "1") == 0
    assert "vrid 11" in capsys.readouterr().out


def test_a_capture_from_standard_input_is_shown_as_it_comes() -> None:
    with start("--pcap", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write((CAPTURES / "keepalived.pcap").read_bytes())
        process.stdin.flush()
        # The pipe stays open, so these lines come without the end of the file.
        for _ in range(6):
            assert b"accept" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_in_peace(number: signal.Signals) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start("--pcap", "-", **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write((CAPTURES / "keepalived.pcap").read_bytes())
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr.read() == b""


def test_a_reader_that_goes_away_ends_the_command_in_peace(tmp_path: Path) -> None:
    many = capture_file(tmp_path / "many.pcap", *[KEEPALIVED_V3] * 5000)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start("--pcap", many, **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 0
        assert process.stderr.read() == b""
