# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as a process: start, signals, reload, end, each with its exit status and its words."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator, List, Optional

import pytest
from vrrp_agent.cli import status as cli
from vrrp_agent.daemon import service
from vrrp_agent.daemon.process import loading, surroundings
from vrrp_agent.daemon.service import Options, Service
from vrrp_agent.kernel.errors import MissingPrivilege

from tests.unit.daemon.host import FakeHost, Lines
from tests.unit.daemon.make import OURS, OURS6

GOOD = """
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 10
    version 3
    priority PRIORITY
    virtual_ipaddress {
        198.51.100.100/24
    }
}
"""
SIGNALS = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE),
    *(signal.SIGXCPU, signal.SIGRTMIN + 2, signal.SIGRTMAX - 1, signal.SIGRTMAX),
)


class Process:
    """A service on a host without a kernel, and a script that runs beside it."""

    def __init__(self, directory: Path) -> None:
        self.config = directory / "keepalived.conf"
        self.runtime = directory / "run"
        self.log = Lines()
        self.host = FakeHost()
        self.host.add_link(2, "eth0")
        self.host.add_address(2, f"{OURS}/24")
        self.host.add_address(2, f"{OURS6}/64")
        self.protected: List[str] = []
        self.failure: Optional[BaseException] = None
        self.write()

    def write(self, priority: int = 100, text: str = GOOD) -> None:
        self.config.write_text(text.replace("PRIORITY", str(priority)))

    def run(self, script: Callable[[], None] = lambda: None, **words: Any) -> int:
        """Until the script is over and SIGTERM has been obeyed."""
        options = Options(str(self.config), str(self.runtime), "host", False, "1.0", **words)

        def play() -> None:
            try:
                self.wait_for("starts with")
                script()
            except BaseException as failure:
                self.failure = failure
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        player = threading.Thread(target=play)
        player.start()
        status = Service(options).run()
        player.join()
        if self.failure is not None:
            raise self.failure
        return status

    def start_in_vain(self) -> int:
        return Service(Options(str(self.config), str(self.runtime), "host", False, "1.0")).run()

    def wait_for(self, part: str, times: int = 1) -> None:
        deadline = time.monotonic() + 20
        while len(self.log.having(part)) < times:
            assert time.monotonic() < deadline, (part, self.log.lines)
            time.sleep(0.005)

    def hang_up(self) -> None:
        os.kill(os.getpid(), signal.SIGHUP)

    def status(self) -> Any:
        path = str(self.runtime / "control.sock")
        return cli.collect(cli.ask(path, {"command": "status"}))


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    found = Process(tmp_path)

    def noted(name: str) -> Callable[..., str]:
        def act(*_words: object) -> str:
            found.protected.append(name)
            return ""

        return act

    names = (
        *("allow_descriptors", "leave_no_core", "lock_memory", "set_realtime", "limit_realtime"),
        *("leave_realtime", "set_nice", "set_affinity", "set_name"),
    )
    guard = SimpleNamespace(DEFAULT_REALTIME_PRIORITY=20, **{name: noted(name) for name in names})
    monkeypatch.setattr(service, "process", guard)
    monkeypatch.setattr(surroundings, "process", guard)
    monkeypatch.setattr(service, "this_host", found.host.as_host)
    monkeypatch.setattr(service, "Log", lambda _level: found.log)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield found
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)
    gc.unfreeze()
    gc.enable()
    found.host.switch_off()


def test_start_and_an_orderly_end(process: Process) -> None:
    assert process.run() == 0
    texts = [text for _level, text in process.log.lines]
    assert texts[0] == "vrrp-agent 1.0 starts with 1 virtual router"
    assert texts[-2:] == ["VI_1: backup -> init: stopped", "stopped"]
    first = ["allow_descriptors", "leave_no_core", "lock_memory", "set_name"]
    assert process.protected == [*first, "set_realtime", "limit_realtime"]
    assert sorted(os.listdir(process.runtime)) == ["lock"], "neither socket nor state is left"
    assert all(sock.closed for sock in process.host.sockets)


def test_a_reload_takes_the_new_file(process: Process) -> None:
    def script() -> None:
        process.write(priority=150)
        process.hang_up()
        process.wait_for("reloaded: 1 virtual router")
        assert process.status()["instances"][0]["base_priority"] == 150

    assert process.run(script) == 0


def test_a_bad_file_changes_nothing_and_every_mistake_is_said(process: Process) -> None:
    def script() -> None:
        process.write(text=GOOD.replace("priority PRIORITY", "priority 300\n    wibble"))
        process.hang_up()
        process.wait_for("the old configuration goes on")
        assert process.status()["instances"][0]["base_priority"] == 100

    assert process.run(script) == 0
    assert process.log.having(":6:14: 300 is out of range") and process.log.having("wibble")
    assert process.log.having("keepalived.conf cannot be used")


def test_a_reload_for_an_interface_that_is_not_there_changes_nothing(process: Process) -> None:
    def script() -> None:
        process.write(text=GOOD.replace("eth0", "eth9").replace("PRIORITY", "100"))
        process.hang_up()
        process.wait_for("interface eth9 does not exist")
        assert process.status()["instances"][0]["interface"] == "eth0"

    assert process.run(script) == 0


def test_a_signal_during_a_reload_asks_for_one_more(process: Process) -> None:
    def script() -> None:
        for _ in range(20):
            process.hang_up()
            time.sleep(0.01)
        process.write(priority=42)
        process.hang_up()
        deadline = time.monotonic() + 20
        while process.status()["instances"][0]["base_priority"] != 42:
            assert time.monotonic() < deadline

    assert process.run(script) == 0
    assert 2 <= len(process.log.having("reloading")) <= 21


def test_without_room_for_a_child_the_old_configuration_goes_on(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script() -> None:
        def refused() -> int:
            raise BlockingIOError(11, "Resource temporarily unavailable")

        with monkeypatch.context() as patch:
            patch.setattr(loading.os, "fork", refused)
            process.hang_up()
            process.wait_for("no process to read the configuration: Resource temporarily unavailable")
        process.hang_up()
        process.wait_for("reloaded")

    assert process.run(script) == 0


def endless(*_words: object) -> None:
    """Reads as if the file system did not answer."""
    time.sleep(600)


def test_a_file_that_is_never_read_is_given_up(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(service, "LONGEST_LOADING_NS", 50_000_000)
            patch.setattr(loading, "_load", endless)
            process.hang_up()
            process.wait_for("given up; the old configuration goes on")
        process.hang_up()
        process.wait_for("reloaded")

    assert process.run(script) == 0


def test_a_stop_during_a_reload_leaves_no_child_behind(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script() -> None:
        monkeypatch.setattr(loading, "_load", endless)
        process.hang_up()
        process.wait_for("reloading")

    assert process.run(script) == 0
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_systemd_hears_that_a_refused_reload_is_over(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        heard: List[str] = []

        def script() -> None:
            heard.append(manager.recv(4096).decode().split("\n")[0])
            process.config.unlink()
            process.hang_up()
            heard.extend(manager.recv(4096).decode().split("\n")[0] for _ in range(2))

        assert process.run(script) == 0
        heard.append(manager.recv(4096).decode())
    assert heard == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


def test_the_files_words_about_the_process_are_obeyed(process: Process) -> None:
    words = "vrrp_priority -5\n vrrp_rt_priority 30\n vrrp_cpu_affinity 0\n vrrp_process_name ha"
    process.write(text=f"global_defs {{\n {words}\n}}\n{GOOD}".replace("PRIORITY", "100"))
    assert process.run() == 0
    wanted = ["lock_memory", "set_name", "set_realtime", "limit_realtime", "set_nice", "set_affinity"]
    assert process.protected[2:] == wanted


# Signals that come while it stops.


@pytest.fixture
def slow_end(process: Process, monkeypatch: pytest.MonkeyPatch) -> List[Callable[[Service, Any], None]]:
    """What happens after the agent has given its sockets back, while processes beside it still end."""
    scripts: List[Callable[[Service, Any], None]] = []
    services: List[Service] = []
    begin, stop = Service.run, service.Agent.stop

    def run(self: Service) -> int:
        services.append(self)
        return begin(self)

    def stop_slowly(self: Any) -> None:
        stop(self)
        for script in scripts:
            script(services[-1], self)

    monkeypatch.setattr(Service, "run", run)
    monkeypatch.setattr(service.Agent, "stop", stop_slowly)
    return scripts


def turn_until(agent: Any, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        agent.loop.turn(0.01)


def test_no_signal_moves_an_agent_that_stops(
    process: Process, slow_end: List[Callable[[Service, Any], None]]
) -> None:
    def send_all(_service: Service, agent: Any) -> None:
        process.write(priority=150)
        for number in (*SIGNALS[:2], *SIGNALS[3:], signal.SIGHUP):
            os.kill(os.getpid(), number)
        turn_until(agent, lambda: bool(process.log.having("reload")))
        turn_until(agent, lambda: not process.log.having("reloading") or bool(process.log.having("reloaded")))

    slow_end.append(send_all)
    assert process.run() == 0
    assert process.log.having("no reload: the agent is stopping")
    assert not process.log.having("reloading")
    assert len(process.log.having("stopping on")) == 1


def test_a_reload_that_is_under_way_ends_with_the_agent(
    process: Process, slow_end: List[Callable[[Service, Any], None]]
) -> None:
    loadings: List[Any] = []
    slow_end.append(lambda service, _agent: loadings.append(service._loading))

    def script() -> None:
        process.write(priority=150)
        process.hang_up()
        process.wait_for("reloading")

    assert process.run(script) == 0
    assert loadings == [None], "nobody reads what the child says"


# What keeps it from starting.


def test_a_bad_file_is_exit_status_2(process: Process) -> None:
    process.write(text="vrrp_instance {")
    assert process.start_in_vain() == 2
    assert process.log.having("start: ") and process.log.having("cannot be used")


def test_a_missing_interface_is_exit_status_2(process: Process) -> None:
    process.write(text=GOOD.replace("eth0", "eth9").replace("PRIORITY", "100"))
    assert process.start_in_vain() == 2
    assert process.log.having("interface eth9 does not exist; correct the name, or write dynamic_interfaces")


def test_missing_privileges_are_exit_status_4(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise MissingPrivilege("raw socket", "CAP_NET_RAW")

    monkeypatch.setattr(service, "this_host", refused)
    assert process.start_in_vain() == 4
    assert process.log.having("run as root, or with the capability CAP_NET_RAW")


def test_a_second_agent_is_exit_status_1(process: Process) -> None:
    def script() -> None:
        assert process.start_in_vain() == 1
        process.wait_for(f"another agent (process {os.getpid()})")

    assert process.run(script) == 0


def test_a_control_socket_that_cannot_be_made_is_exit_status_1(process: Process) -> None:
    (process.runtime / "control.sock").mkdir(parents=True)
    assert process.start_in_vain() == 1
    assert process.log.having("cannot listen on")
