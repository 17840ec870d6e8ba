# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed adverts on a real wire: two agents, a thief who records and replays, and keys that are changed."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest

from tests.lab import config, frames
from tests.lab.capture import Frame
from tests.lab.engines import Agent
from tests.lab.lan import VIP4, VIP6, Lan
from tests.lab.plugin import MakeLan
from tests.lab.shell import stays, wait_until

OLD_KEY, NEW_KEY = "0f" * 32, "e1" * 32
AH = config.block("authentication", ["auth_type AH", "auth_pass s3cret"])


def hmac(*lines: str) -> str:
    return config.block("auth_hmac", lines or (f"key 1 hex:{OLD_KEY}", "active_key 1"))


class Pair:
    """Agents on a (priority 200) and b (priority 100), both with the same words."""

    def __init__(self, lan: Lan, *lines: str, **words: Any) -> None:
        self.lan = lan
        self.words: Dict[str, Any] = {"version": 3, "family": 4, "advert_int": 0.2, **words}
        self.unicast = bool(self.words.pop("unicast", False))
        self.vip = VIP4 if self.words["family"] == 4 else VIP6
        self.a, self.b = (Agent(node, self.text(node.name, *lines)) for node in (lan.a, lan.b))
        self.agents = (self.a, self.b)

    def text(self, name: str, *lines: str) -> str:
        """The file of one of them."""
        node, peer, priority = {
            "a": (self.lan.a, self.lan.b, 200), "b": (self.lan.b, self.lan.a, 100)
        }[name]  # fmt: skip
        unicast: Optional[Sequence[Any]] = (node, peer) if self.unicast else None
        return config.file(
            node, config.instance(priority=priority, unicast=unicast, lines=lines, **self.words)
        )

    def start(self) -> None:
        """Both run; a is active and b has heard it."""
        self.b.start()
        self.b.wait_for_log("init -> backup")
        self.a.start()
        self.holds("a")
        wait_until("b to hear a", lambda: self.b.instance()["active_router"], 10)

    def holds(self, name: str, timeout_s: float = 15) -> None:
        """Only this one has the address."""
        wait_until(f"{name} alone to have it", lambda: self.lan.holders(self.vip) == (name,), timeout_s)

    def reload(self, name: str, *lines: str) -> None:
        """One of them gets other words, and has taken them."""
        agent = self.a if name == "a" else self.b
        before = agent.log().count("reloaded: ")
        agent.reload(self.text(name, *lines))
        wait_until(f"{name} to have reloaded", lambda: agent.log().count("reloaded: ") > before, 10)

    def refused(self) -> Dict[str, int]:
        """All that either of them has discarded."""
        total: Dict[str, int] = {}
        for agent in self.agents:
            for reason, number in agent.instance()["counters"]["discards"].items():
                total[reason] = total.get(reason, 0) + number
        return total

    def transitions(self) -> List[int]:
        """How often each of them has changed its state."""
        return [len(agent.instance()["transitions"]) for agent in self.agents]

    @staticmethod
    def refused_by(agent: Agent) -> Dict[str, int]:
        """What one of them has discarded."""
        found: Dict[str, int] = agent.instance()["counters"]["discards"]
        return found

    def adverts_of(self, name: str) -> List[Frame]:
        """The frames of VRRP that it has sent."""
        return [
            one
            for one in list(self.lan.wire.frames)
            if one.node == name and frames.parse_advert(one.data) is not None
        ]

    def everything_shown(self) -> str:
        """Logs and status of both."""
        return " ".join(f"{agent.log()} {agent.status()}" for agent in self.agents)


PROTECTIONS = [
    pytest.param(AH, {"version": 2, "advert_int": 1}, id="ah"),
    pytest.param(AH, {"version": 2, "advert_int": 1, "unicast": True}, id="ah-unicast"),
    pytest.param(f"use_vmac\n{AH}", {"version": 2, "advert_int": 1}, id="ah-vmac"),
    pytest.param(hmac(), {}, id="hmac"),
    pytest.param(f"use_vmac\n{hmac()}", {"family": 6}, id="hmac-ipv6-vmac"),
    pytest.param(hmac(), {"unicast": True}, id="hmac-unicast"),
    pytest.param(hmac(), {"family": 6}, id="hmac-ipv6"),
    pytest.param(hmac(), {"version": 2, "advert_int": 1}, id="hmac-version-2"),
]


@pytest.mark.parametrize(("lines", "words"), PROTECTIONS)
def test_a_group_of_signed_adverts_lives_and_fails_over(
    make_lan: MakeLan, lines: str, words: Dict[str, Any]
) -> None:
    pair = Pair(make_lan("a", "b"), lines, **words)
    pair.start()
    pair.a.stop()
    pair.holds("b")
    pair.a.start()
    pair.holds("a")
    wait_until("b to be backup", lambda: pair.b.state() == "backup", 10)
    assert pair.refused() == {}
    assert OLD_KEY not in pair.everything_shown() and "s3cret" not in pair.everything_shown()


@pytest.mark.parametrize(("lines", "words"), [PROTECTIONS[0], PROTECTIONS[3]])
def test_an_agent_that_was_killed_is_believed_again_at_once(
    make_lan: MakeLan, lines: str, words: Dict[str, Any]
) -> None:
    """Its numbers go on where they ended, though nobody has written them down."""
    pair = Pair(make_lan("a", "b"), lines, **words)
    pair.start()
    pair.a.kill()
    pair.a.start()
    pair.a.wait_for_state("active")
    heard = pair.b.instance()["counters"]["adverts_received"]
    wait_until("b to hear a again", lambda: pair.b.instance()["counters"]["adverts_received"] > heard + 1, 10)
    assert pair.b.instance()["counters"]["discards"] == {}
    assert pair.b.state() == "backup"


@pytest.mark.parametrize(("lines", "words", "reason"), [
    (AH, {"version": 2, "advert_int": 1}, "auth_failure"),
    (hmac(), {}, "auth_ext_replay"),
    (hmac(), {"family": 6}, "auth_ext_replay"),
])  # fmt: skip
def test_a_recorded_advert_keeps_nobody_silent(
    make_lan: MakeLan, lines: str, words: Dict[str, Any], reason: str
) -> None:
    """A thief replays what the dead active router said; the backup takes over all the same."""
    pair = Pair(make_lan("a", "b", "w"), lines, **words)
    pair.start()
    wait_until("some adverts", lambda: len(pair.adverts_of("a")) >= 2, 10)
    stolen = [one.data for one in pair.adverts_of("a") if not _resigns(one.data)]
    pair.lan.a.pull_cable()
    pair.a.kill()
    deadline = time.monotonic() + 15
    while pair.b.state() != "active" and time.monotonic() < deadline:
        for frame in stolen:
            pair.lan.w.inject(frame)
        time.sleep(0.05)
    assert pair.b.state() == "active"
    assert set(pair.refused_by(pair.b)) == {reason}


def test_what_was_recorded_is_worthless_to_a_backup_that_restarts_later(make_lan: MakeLan) -> None:
    """A router that has heard nobody yet still knows how late it is."""
    window = hmac(f"key 1 hex:{OLD_KEY}", "active_key 1", "time_window 1")
    pair = Pair(make_lan("a", "b", "w"), window)
    pair.start()
    wait_until("an advert", lambda: pair.adverts_of("a"), 10)
    stolen = next(one.data for one in pair.adverts_of("a"))
    pair.lan.a.pull_cable()
    pair.b.stop()
    stolen_at_s = time.time()
    wait_until("the window to pass", lambda: time.time() > stolen_at_s + 2.5, 5)
    pair.b.start()
    pair.b.wait_for_state("active")
    pair.lan.w.inject(stolen)
    wait_until("the refusal", lambda: "auth_ext_stale" in pair.refused_by(pair.b), 5)


def test_keys_are_changed_in_three_sweeps_and_nobody_notices(make_lan: MakeLan) -> None:
    pair = Pair(make_lan("a", "b"), hmac())
    pair.start()
    before = pair.transitions()
    both = (f"key 1 hex:{OLD_KEY}", f"key 2 hex:{NEW_KEY}")
    for lines in ((*both, "active_key 1"), (*both, "active_key 2"), (both[1], "active_key 2")):
        for name in ("a", "b"):
            pair.reload(name, hmac(*lines))
            since_ns = time.time_ns()
            pair.lan.wire.wait_for_adverts("a", 3, since_ns=since_ns)
    (last,) = pair.lan.wire.wait_for_adverts("a", since_ns=time.time_ns())
    assert last.advert.auth_data[:2] == b"\x01\x02", "type 1, key 2"
    assert pair.refused() == {}
    assert pair.lan.holders(pair.vip) == ("a",)
    assert pair.transitions() == before, "nobody changed state"


def test_signed_adverts_are_introduced_in_three_sweeps_and_nobody_notices(make_lan: MakeLan) -> None:
    pair = Pair(make_lan("a", "b"))
    pair.start()
    before = pair.transitions()
    for mode, size in (("receive-only", 0), ("permissive", 28), ("enforce", 28)):
        for name in ("b", "a"):
            pair.reload(name, hmac(f"key 1 hex:{OLD_KEY}", "active_key 1", f"mode {mode}"))
            since_ns = time.time_ns()
            seen = pair.lan.wire.wait_for_adverts("a", 3, since_ns=since_ns)
        assert len(seen[-1].advert.auth_data) == size
    assert pair.refused() == {}
    assert pair.transitions() == before, "nobody changed state"


def test_another_key_on_one_host_is_seen_in_its_counters(make_lan: MakeLan) -> None:
    pair = Pair(make_lan("a", "b"), hmac())
    pair.b.write(pair.text("b", hmac(f"key 1 hex:{NEW_KEY}", "active_key 1")))
    pair.a.start()
    pair.b.start()
    pair.b.wait_for_log("init -> backup")
    wait_until("b to refuse a", lambda: "auth_ext_invalid_hmac" in pair.refused_by(pair.b), 10)
    pair.b.wait_for_log("another key 1?")
    assert NEW_KEY not in pair.everything_shown()


def test_keys_and_passwords_come_from_files(make_lan: MakeLan) -> None:
    lan = make_lan("a", "b")
    key, password = lan.scratch / "key", lan.scratch / "password"
    key.write_text(f"hex:{OLD_KEY}\n")
    password.write_text("s3cret\n")
    for file in (key, password):
        file.chmod(0o600)
    old = config.block("authentication", ["auth_type AH", f"agent_auth_pass_file {password}"])
    pair = Pair(lan, old, version=2, advert_int=1)
    pair.b.write(pair.text("b", AH))
    pair.start()
    assert pair.refused() == {}
    for name in ("a", "b"):
        pair.reload(name, hmac(f"key 1 file:{key}", "active_key 1"))
    pair.lan.wire.wait_for_adverts("a", 2, since_ns=time.time_ns())
    assert len(pair.lan.wire.adverts("a")[-1].advert.auth_data) == 8 + 28


def test_a_reload_without_its_key_changes_nothing(make_lan: MakeLan) -> None:
    """An agent without a key would send adverts that nobody believes."""
    lan = make_lan("a", "b")
    key = lan.scratch / "key"
    key.write_text(f"hex:{OLD_KEY}\n")
    key.chmod(0o600)
    pair = Pair(lan, hmac(f"key 1 file:{key}", "active_key 1"))
    pair.start()
    key.write_text("hex:0f0f")
    pair.a.reload()
    pair.a.wait_for_log("key 1 has 2 bytes; 32 to 64 are needed")
    key.unlink()
    pair.a.reload()
    pair.a.wait_for_log("key 1 cannot be read: No such file")
    wait_until("the second refusal", lambda: pair.a.log().count("the old configuration goes on") == 2, 10)
    pair.lan.wire.wait_for_adverts("a", 3, since_ns=time.time_ns())
    assert pair.refused() == {} and pair.lan.holders(pair.vip) == ("a",)


def test_an_agent_that_crashes_leaves_no_core(make_lan: MakeLan, tmp_path: Path) -> None:
    """Its memory holds keys. A program that forbids nothing shows that a core would be left here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        pytest.skip("the limit of core files is 0 here")

    def allow_core() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    plain = subprocess.Popen(["sleep", "60"], cwd=tmp_path, preexec_fn=allow_core)
    plain.send_signal(signal.SIGABRT)
    _pid, status = os.waitpid(plain.pid, 0)
    plain.returncode = -signal.SIGABRT
    if not os.WCOREDUMP(status):
        pytest.skip("no program leaves a core here")
    lan = make_lan("a")
    agent = Agent(lan.a, config.file(lan.a, config.instance(lines=hmac())))
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        agent.start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    agent.wait_for_state("active")
    assert agent.process is not None
    agent.signal(signal.SIGABRT)
    _pid, status = os.waitpid(agent.pid, 0)
    agent.process.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status)


# -- checks beside the keys


def test_a_peer_with_the_checksum_of_old_is_answered_in_kind(make_lan: MakeLan) -> None:
    """keepalived 1.3.6 summed unicast adverts of version 3 with the multicast group for destination."""
    pair = Pair(make_lan("a", "b"), unicast=True)
    for name in ("a", "b"):
        agent = pair.a if name == "a" else pair.b
        agent.write(pair.text(name, *(["old_unicast_checksum"] if name == "a" else [])))
    pair.start()
    pair.b.wait_for_log("sums as keepalived 1.3.6 did")
    assert {one.advert.checksum_form for one in pair.lan.wire.adverts("a")} == {"wrong"}, "by today's rule"
    since_ns = pair.a.stop()
    (first,) = pair.lan.wire.wait_for_adverts("b", since_ns=since_ns)
    assert first.advert.checksum_form == "wrong"
    whole = frames.pseudo_header(first.advert.source, frames.GROUP4, len(first.advert.message))
    assert frames.internet_sum(whole + first.advert.message) == 0
    assert pair.b.instance()["counters"]["discards"] == {}


def test_never_means_that_it_is_not_believed(make_lan: MakeLan) -> None:
    pair = Pair(make_lan("a", "b"), unicast=True)
    pair.a.write(pair.text("a", "old_unicast_checksum"))
    pair.b.write(pair.text("b", "old_unicast_checksum never"))
    pair.a.start()
    pair.b.start()
    pair.b.wait_for_log("init -> backup")
    wait_until("b to refuse it", lambda: "checksum" in pair.refused_by(pair.b), 10)
    pair.b.wait_for_state("active")


def test_unicast_without_a_peer_is_a_fault_where_that_is_wanted(make_lan: MakeLan) -> None:
    lan = make_lan("a")
    lines = ["unicast_fault_no_peer", f"unicast_src_ip {lan.a.ipv4}"]
    agent = Agent(lan.a, config.file(lan.a, config.instance(lines=lines)))
    agent.start()
    agent.wait_for_state("fault")
    assert agent.instance()["faults"] == ["unicast without a peer"]
    stays("nothing is sent", lambda: not lan.wire.adverts("a"), 1)


@pytest.mark.parametrize(("lines", "global_lines", "expected"), [
    (["kernel_rx_buf_size 50000"], [], 50000),
    ([], ["vrrp_rx_bufs_policy 60000"], 60000),
    ([], ["vrrp_rx_bufs_policy MTU", "vrrp_rx_bufs_multiplier 20"], 20 * 1500),
    ([], [], None),
])  # fmt: skip
def test_the_receive_buffer_is_what_was_asked_for(
    make_lan: MakeLan, lines: List[str], global_lines: List[str], expected: Optional[int]
) -> None:
    """The kernel doubles what it is told, socket(7)."""
    lan = make_lan("a")
    agent = Agent(lan.a, config.file(lan.a, config.instance(lines=lines), global_lines=global_lines))
    agent.start()
    agent.wait_for_state("active")
    rooms = [sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for sock in raw_sockets(agent.pid)]
    if expected is None:
        assert min(rooms) > 1_000_000
    else:
        assert 2 * expected in rooms


def raw_sockets(process: int) -> List[socket.socket]:
    """Copies of the raw IPv4 sockets of a process (pidfd_getfd(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    pidfd = os.pidfd_open(process)
    for name in os.listdir(f"/proc/{process}/fd"):
        if not os.readlink(f"/proc/{process}/fd/{name}").startswith("socket:"):
            continue
        number = libc.syscall(438, pidfd, int(name), 0)
        assert number >= 0, os.strerror(ctypes.get_errno())
        sock = socket.socket(fileno=number)
        if (sock.family, sock.type) == (socket.AF_INET, socket.SOCK_RAW):
            found.append(sock)
        else:
            sock.close()
    os.close(pidfd)
    return found


def _resigns(data: bytes) -> bool:
    advert = frames.parse_advert(data)
    return advert is not None and advert.priority == 0
