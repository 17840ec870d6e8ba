# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrrp-agent sniff --pcap`` on what tcpdump wrote, live adverts of the agent and damaged ones together."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.lab.bench import NO_BURST_LATER
from tests.lab.plugin import MakeBench
from tests.lab.shell import wait_until


@pytest.mark.parametrize("version, family", [(2, 4), (3, 4), (3, 6)])
def test_sniff_reads_a_capture_of_tcpdump(make_bench: MakeBench, version: int, family: int) -> None:
    if shutil.which("tcpdump") is None:
        pytest.skip("the program tcpdump is missing")
    bench = make_bench(
        version=version, family=family, advert_int=1 if version == 2 else 0.1, lines=NO_BURST_LATER
    )
    capture = bench.lan.scratch / "capture.pcap"
    expression = "ip proto 112" if family == 4 else "ip6 proto 112"
    command = [
        "tcpdump",
        "--immediate-mode",
        "-U",
        "-i",
        "eth0",
        "-Z",
        "root",
        "-w",
        str(capture),
        expression,
    ]
    dump = bench.t.popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until("tcpdump to listen", lambda: capture.exists() and capture.stat().st_size >= 24, 5)
        bench.start_active()
        bench.tester.send(priority=50, vrid=77)
        bench.tester.send(priority=200, vrid=78, packet_options={"ttl": 64})
        bench.tester.send(priority=200, vrid=79, checksum=0x1234)
        bench.wire.wait_for_adverts("t", 3)
        bench.wire.wait_for_adverts("d", 2)
        size = 24 + 5 * (16 + 46)
        wait_until("tcpdump to have written five packets", lambda: capture.stat().st_size >= size, 5)
    finally:
        dump.terminate()
        dump.wait(5)
    done = subprocess.run(
        bench.agent.call("sniff", "--pcap", str(capture), "--json"),
        env=bench.agent.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    ours = [one for one in shown if one["vrid"] == 51]
    seen = bench.wire.adverts("d")
    assert len(ours) >= 2
    for line, on_the_wire in zip(ours, seen):
        advert = on_the_wire.advert
        assert (line["src"], line["dst"], line["ttl"]) == (advert.source, advert.destination, 255)
        assert (line["version"], line["priority"]) == (version, 100)
        assert line["advert_interval_s"] == bench.advert_int_s
        assert tuple(line["addresses"]) == advert.addresses
        assert (line["checksum_ok"], line["verdict"]) == (True, "accept")
    verdicts = {one["vrid"]: (one["verdict"], one["checksum_ok"]) for one in shown if one["vrid"] != 51}
    assert verdicts == {77: ("accept", True), 78: ("ttl", True), 79: ("checksum", False)}
