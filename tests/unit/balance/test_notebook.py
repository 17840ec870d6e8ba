# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed predecessor has placed: noted in a file, recalled, and taken away when nobody wants it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.balance import worker
from vrrp_agent.balance.backend import ServiceKey
from vrrp_agent.balance.choose import Choice
from vrrp_agent.balance.fwmark_table import FwmarkKeeper
from vrrp_agent.balance.ipvs import IpvsBackend
from vrrp_agent.balance.messages import Goodbye, Setup
from vrrp_agent.balance.notebook import NOTHING, Left, Notebook, Place, read, write
from vrrp_agent.balance.worker import BalanceWorker
from vrrp_agent.conf.parts.balancing import Balancing, Member, SyncDaemon, Timeouts, VirtualServer
from vrrp_agent.kernel import ipvs_messages as message
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.ipvs import Ipvs
from vrrp_agent.loop.loop import Loop

from tests.unit.balance.farm import MemoryBackend, check, packed, server, service
from tests.unit.balance.ip_vs import IpVs
from tests.unit.balance.test_fwmarks import MAIL, WEB, Tables
from tests.unit.balance.test_worker import Channel, Lines

ONE = service(server(1, [check()]))
KEY = ServiceKey(4, 6, packed("198.51.100.10"), 80, 0)
HERE = Place("ipvs", None)
SYNC = SyncDaemon("eth1", "", 51, 1400, 8849, 3, packed("224.0.0.82"))
LEFT = Left(HERE, frozenset({KEY, ServiceKey(6, 0, b"", 0, 1 << 31)}), Timeouts(900, 120, 300), "m", SYNC)


def on_port(port: int) -> VirtualServer:
    members = (Member(4, packed("198.51.100.10"), 1, port),)
    return replace(ONE, name=f"[198.51.100.10]:tcp:{port}", members=members)


# The file.


def test_what_is_written_is_read_on_the_same_boot_by_root_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "services")
    write(path, "boot", LEFT)
    assert read(path, "boot") == LEFT
    assert read(path, "another") == NOTHING
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["services"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "services.new").symlink_to(victim)
    log = Lines()
    Notebook(str(tmp_path / "services"), "boot", log).keep(LEFT)
    assert victim.read_text() == "precious"
    assert "cannot be written" in log.lines[0]
    write(str(victim), "boot", LEFT)
    (tmp_path / "services").symlink_to(victim)
    assert read(str(tmp_path / "services"), "boot") == NOTHING


def content(**words: Any) -> str:
    good = {"boot": "boot", "backend": "ipvs", "namespace": None, "services": [], "timeouts": None}
    return json.dumps({**good, "marks": "", "sync": None, **words})


def test_a_file_that_says_nothing_is_believed(tmp_path: Path) -> None:
    path = tmp_path / "services"
    path.write_text(content())
    assert read(str(path), "boot") == Left(HERE)
    assert path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        "[" * 100_000,
        '{"boot": "boot"}',
        content(backend="elsewhere"),
        content(namespace=["x"]),
        content(services=7),
        content(services=[7]),
        content(services=[[4, 6, "c633640a", 80]]),
        content(services=[[4, 6, "c633640a", 80, 1e400]]),
        content(services=[[4, 6, "c63364", 80, 0]]),
        content(services=[[4, 6, "zz", 80, 0]]),
        content(services=[[5, 6, "c633640a", 80, 0]]),
        content(services=[[4, 6, "c633640a", 80000, 0]]),
        content(services=[[4, True, "c633640a", 80, 0]]),
        content(services=[[4, 6, None, 80, 0]]),
        content(timeouts=[1, 2]),
        content(timeouts=[1, 2, -3]),
        content(timeouts={"tcp": 1}),
        content(marks=7),
        content(marks="a\nb"),
        content(marks="x" * 300),
        content(sync=7),
        content(sync=["eth1", [1, 0, 0, 0]]),
        content(sync=["eth1", [1, 0, 0], ""]),
        content(sync=["eth1", [1, 0, 70000, 0], ""]),
        content(sync=["eth1", [1, 0, 0, 0], "e000"]),
        content(sync=[None, [1, 0, 0, 0], ""]),
    ],
)
def test_a_damaged_file_is_not_believed_and_removed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "services"
    path.write_text(text)
    assert read(str(path), "boot") == NOTHING
    assert not path.exists()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_nothing_in_the_file_ends_its_reader(tmp_path_factory: pytest.TempPathFactory, row: Any) -> None:
    path = tmp_path_factory.mktemp("notes") / "services"
    path.write_text(content(services=[row], timeouts=row, marks=row, sync=[row, row, row]))
    assert read(str(path), "boot") == NOTHING


def test_it_is_written_when_something_has_changed_and_goes_when_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "services"
    book = Notebook(str(path), "boot", Lines())
    book.keep(LEFT)
    written = path.stat().st_ino
    book.keep(Left(*LEFT))
    assert path.stat().st_ino == written
    book.keep(Left(HERE))
    assert not path.exists()
    Notebook("", "boot", Lines()).keep(LEFT)


# The process that balances.


class Host:
    """A kernel that outlives processes, and the runtime directory of the agent."""

    def __init__(self, path: Path) -> None:
        self.path, self.kernel, self.loop = path, IpVs(), Loop()
        self.others: Dict[Optional[str], MemoryBackend] = {}
        """Tables of other namespaces."""
        self.tables: Dict[str, Tables] = {}
        """Those of nftables_ipvs."""
        self.log = Lines()

    def choose(self, balancing: Balancing) -> Choice:
        if balancing.backend == "nftables" or balancing.namespace:
            return Choice(self.others.setdefault(balancing.namespace, MemoryBackend("nftables")))
        return Choice(IpvsBackend(cast(Ipvs, self.kernel)))

    def open(self, balancing: Balancing) -> Any:
        tables = self.tables.setdefault(balancing.fwmark_table, Tables({}))
        tables.name = balancing.fwmark_table
        return tables

    def begin(self, *services: VirtualServer, first: bool = True, **words: Any) -> BalanceWorker:
        """Another process, after an orderly end or a kill."""
        one = BalanceWorker(self.loop, Channel(), self.log, (str(self.path), "boot"))  # type: ignore[arg-type]
        one._marks = FwmarkKeeper(self.log, self.open)
        one.take(Setup(services, Balancing(**words), first=first))
        return one

    def marks(self) -> Dict[str, List[int]]:
        """Those in tables, by the names of these, and those of services."""
        found = {name: sorted(set(one.marks.values())) for name, one in self.tables.items() if one.marks}
        return {**found, "ipvs": sorted(spot[4] for spot in self.kernel.table if spot[4])}

    def ports(self) -> List[int]:
        return sorted(spot[3] for spot in self.kernel.table)

    def noted(self) -> List[int]:
        return sorted(key.port for key in read(str(self.path), "boot").keys)


@pytest.fixture(name="host")
def make_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host(tmp_path / "services")
    monkeypatch.setattr(worker, "choose", host.choose)
    yield host
    host.loop.close()


def test_a_killed_agent_whose_file_was_edited_leaves_no_service_behind(host: Host) -> None:
    host.begin(on_port(80), on_port(443))
    host.begin(on_port(443))
    assert host.ports() == [443]
    assert host.noted() == [443]


def test_a_file_without_any_service_takes_all_away(host: Host) -> None:
    host.begin(on_port(80), on_port(443))
    host.begin()
    assert host.ports() == []
    assert not host.path.exists()


def test_services_of_others_stay(host: Host) -> None:
    stranger = IpvsBackend(cast(Ipvs, host.kernel))
    host.begin(on_port(22))
    host.path.unlink()
    host.begin(on_port(80))
    host.begin(on_port(443))
    assert host.ports() == [22, 443]
    assert len(stranger.read()) == 2


def test_services_are_noted_before_they_are_placed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: List[List[int]] = []
    submit = host.kernel.submit

    def look(requests: Any) -> List[int]:
        seen.append(host.noted())
        return submit(requests)

    monkeypatch.setattr(host.kernel, "submit", look)
    one = host.begin(on_port(80))
    one.take(Setup((on_port(443),), Balancing()))
    assert seen[0] == [80]
    assert [80, 443] in seen
    assert host.noted() == [443]


def test_what_two_reloads_should_have_taken_away_goes_with_the_next_process(host: Host) -> None:
    """The process is killed before it has done the first of them."""
    host.begin(on_port(80), on_port(81), on_port(82))
    host.begin(on_port(82), first=False)
    assert host.ports() == [82]


def test_an_orderly_end_leaves_no_file_and_one_that_fails_does(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.begin(on_port(80)).take(Goodbye())
    assert host.ports() == []
    assert not host.path.exists()
    one = host.begin(on_port(80))

    def fail(*_words: Any) -> Any:
        raise KernelError("the socket is gone")

    with monkeypatch.context() as patch:
        patch.setattr(host.kernel, "submit", fail)
        one.take(Goodbye())
    assert host.noted() == [80]
    host.begin()
    assert host.ports() == []


def test_a_table_that_cannot_be_read_at_first_is_cleaned_later(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.begin(on_port(80))

    def fail(*_words: Any) -> Any:
        raise KernelError("the socket is gone")

    with monkeypatch.context() as patch:
        patch.setattr(host.kernel, "services", fail)
        one = host.begin(on_port(443))
    assert host.ports() == [80, 443]
    assert host.noted() == [80, 443]
    one._look()
    assert host.ports() == [443]
    assert host.noted() == [443]


def test_time_limits_that_a_killed_agent_has_replaced_come_back(host: Host) -> None:
    before = host.kernel.limits
    limits = Timeouts(77, 0, 0)
    host.begin(ONE, timeouts=limits)
    assert host.kernel.limits == (77, *before[1:])
    host.begin(ONE, timeouts=limits)
    host.begin(ONE)
    assert host.kernel.limits == before
    host.begin(ONE, timeouts=limits)
    host.begin(ONE, timeouts=limits).take(Goodbye())
    assert host.kernel.limits == before
    host.begin(ONE, timeouts=limits).take(Setup((), Balancing(timeouts=limits)))
    assert host.kernel.limits == before
    assert not host.path.exists()


def test_a_table_that_carries_the_services_no_more_is_emptied(host: Host) -> None:
    host.begin(on_port(80), backend="nftables", namespace="web")
    other = host.others["web"]
    assert list(other.text()) == ["80"]
    host.begin(on_port(80))
    assert other.table == {}
    assert other.closed
    assert host.ports() == [80]
    assert read(str(host.path), "boot").place == HERE


def test_another_table_that_cannot_be_emptied_at_once_is_emptied_later(host: Host) -> None:
    host.begin(on_port(80), backend="nftables", namespace="web")
    other = host.others["web"]
    other.broken = "no answer"
    one = host.begin()
    assert not one._report([]).empty
    other.broken = ""
    one._look()
    assert other.table == {}
    assert one._report([]).empty


def test_the_table_of_marks_goes_with_the_word(host: Host) -> None:
    host.begin(WEB, MAIL, fwmark_table="marks")
    assert host.marks() == {"marks": [1000, 1001], "ipvs": [1000, 1001]}
    host.begin(WEB)
    assert host.marks() == {"ipvs": []}
    assert read(str(host.path), "boot").marks == ""


def test_the_table_of_marks_goes_with_the_last_service(host: Host) -> None:
    host.begin(WEB, fwmark_table="marks")
    host.begin(fwmark_table="marks")
    assert host.marks() == {"ipvs": []}
    assert not host.path.exists()


def test_a_table_of_marks_by_another_name_keeps_the_services(host: Host) -> None:
    host.begin(WEB, MAIL, fwmark_table="marks")
    host.kernel.calls.clear()
    host.begin(MAIL, WEB, fwmark_table="other")
    assert host.marks() == {"other": [1000, 1001], "ipvs": [1000, 1001]}
    assert message.DEL_SERVICE not in host.kernel.calls


def test_the_table_of_marks_goes_where_nftables_carries_the_services_now(host: Host) -> None:
    host.begin(WEB, fwmark_table="marks")
    host.begin(WEB, fwmark_table="marks", backend="nftables")
    assert host.marks() == {"ipvs": []}
    assert len(host.others[None].table) == 4


def test_the_sync_daemons_go_with_the_word_or_the_last_service(host: Host) -> None:
    host.begin(ONE, sync_daemon=SYNC)
    assert len(host.kernel.running) == 2
    host.begin(ONE)
    assert host.kernel.running == {}
    host.begin(ONE, sync_daemon=SYNC)
    host.begin(sync_daemon=SYNC)
    assert host.kernel.running == {}
    assert not host.path.exists()


def test_sync_daemons_of_others_stay(host: Host) -> None:
    host.begin(ONE)
    IpvsBackend(cast(Ipvs, host.kernel)).start_sync(SYNC, True)
    host.begin(ONE)
    assert len(host.kernel.running) == 1


@pytest.mark.parametrize("words", [{"port": 0}, {"ttl": 0}, {"group": b""}, {"max_length": 0}, {"port": 9}])
def test_sync_daemons_have_the_settings_of_the_new_file(host: Host, words: Dict[str, Any]) -> None:
    """Where a word is gone the kernel chooses again; what it chooses it says, but not that it has."""
    host.begin(ONE, sync_daemon=SYNC)
    changed = replace(SYNC, **words)
    host.begin(ONE, sync_daemon=changed)
    left = list(host.kernel.running.values())
    host.kernel.running.clear()
    IpvsBackend(cast(Ipvs, host.kernel)).start_sync(changed, True)
    (fresh,) = host.kernel.running.values()
    assert [one._replace(state=fresh.state) for one in left] == [fresh, fresh]


def test_checks_write_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    one = host.begin(ONE)
    kept: List[Left] = []
    monkeypatch.setattr(one._notebook, "keep", kept.append)
    one._settle()
    assert kept == []
