# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed agent leaves in the kernel beside services, and what the next one does about it."""

from __future__ import annotations

import os
import pathlib
import signal
from collections.abc import Iterator

import pytest
from guest.farm import Farm, run, until, within

GROUP = """
virtual_server_group web {
    198.51.100.100 80
    198.51.100.101 80
}
virtual_server group web {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 198.18.0.11 80 {
    }
}
"""


def globals_of(*words: str) -> str:
    return "\n".join(("global_defs {", *words, "}"))


def sync_daemons() -> list[str]:
    return within("da", "ipvsadm", "-L", "--daemon").splitlines()


def tables() -> list[str]:
    return within("da", "nft", "list", "tables").splitlines()


def time_limits() -> str:
    return within("da", "ipvsadm", "-L", "--timeout").split(":")[1].strip()


def services() -> list[str]:
    return [line for line in within("da", "ipvsadm", "-Sn").splitlines() if line.startswith("-A")]


@pytest.fixture
def farm(tmp_path: pathlib.Path) -> Iterator[Farm]:
    with Farm(tmp_path) as made:
        run("ip", "-n", "da", "address", "add", "198.51.100.100/24", "dev", "outside")
        yield made


def balancers() -> list[int]:
    names = pathlib.Path("/proc").glob("[0-9]*/comm")
    return [int(path.parent.name) for path in names if path.read_text().strip() == "vrrp-balance"]


def kill(farm: Farm) -> None:
    """The agent dies, and its process that balances ends by itself."""
    farm.kill("da", signal.SIGKILL)
    until("the end of the process", lambda: not balancers(), 20, farm.evidence)
    assert os.path.exists(farm.room / "da.run" / "services")


def test_marks_sync_daemons_and_time_limits_follow_the_file_that_was_changed_after_a_kill(farm: Farm) -> None:
    before = time_limits()
    sync = "lvs_sync_daemon inside id 7 port {}"
    farm.agent("da", globals_of("nftables_ipvs first", sync.format(8850), "lvs_timeouts tcp 77") + GROUP)
    until("two sync daemons", lambda: len(sync_daemons()) == 2, 30, farm.evidence)
    until("the marks", lambda: tables() == ["table ip first"], 10, farm.evidence)
    assert services() == ["-A -f 1000 -s rr"]
    assert time_limits() != before
    kill(farm)

    farm.agent("da", globals_of("nftables_ipvs second", sync.format(8851)) + GROUP)
    until("the other table", lambda: tables() == ["table ip second"], 30, farm.evidence)
    until("the other port", lambda: sum("port=8851" in one for one in sync_daemons()) == 2, 10, farm.evidence)
    assert services() == ["-A -f 1000 -s rr"]
    until("the time limits", lambda: time_limits() == before, 10, farm.evidence)
    kill(farm)

    farm.agent("da", globals_of("router_id nobody"))
    until("an empty table", lambda: services() == [], 30, farm.evidence)
    until("no sync daemon", lambda: sync_daemons() == [], 10, farm.evidence)
    assert tables() == []
    until("no notes", lambda: not os.path.exists(farm.room / "da.run" / "services"), 10, farm.evidence)
    until("the end of the process", lambda: not balancers(), 10, farm.evidence)
