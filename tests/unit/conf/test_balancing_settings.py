# SPDX-License-Identifier: GPL-3.0-or-later
"""What global_defs, SSL and root words say about virtual servers, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.masking import MASK, masked
from vrrp_agent.conf.parts.balancing import Balancing, CheckerProcess, SyncDaemon, Timeouts
from vrrp_agent.conf.parts.checks import TlsFiles
from vrrp_agent.conf.parts.telling import Fifo
from vrrp_agent.conf.parts.tracking import Command
from vrrp_agent.conf.tree import Word

from tests.unit.conf.service_texts import service
from tests.unit.conf.texts import config_of, instance, load_text, the_problem


def balancing(words: str, after: str = "") -> Balancing:
    return config_of(f"global_defs {{\n{words}\n}}\n{after}" + instance()).settings.balancing


def test_without_a_word_there_are_the_defaults() -> None:
    assert config_of(instance()).settings.balancing == Balancing(fwmark_priority=-1)


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("agent_balance_backend nftables", "backend", "nftables"),
        ("agent_balance_backend ipvs", "backend", "ipvs"),
        ("lvs_timeouts tcp 900 udp 30", "timeouts", Timeouts(900, 0, 30)),
        ("lvs_timeouts tcp 900\nlvs_timeouts tcpfin 5", "timeouts", Timeouts(900, 5, 0)),
        ("lvs_flush", "flush", True),
        ("lvs_flush_on_stop", "flush_on_stop", "all"),
        ("lvs_flush_on_stop VS", "flush_on_stop", "VS"),
        ("lvs_flush_onstop VS", "flush_on_stop", "VS"),
        ("lvs_sync_daemon eth1", "sync_daemon", SyncDaemon("eth1", "")),
        ("lvs_sync_daemon eth1 VI_1", "sync_daemon", SyncDaemon("eth1", "VI_1", 51)),
        ("lvs_sync_daemon eth1 inst VI_1 id 0", "sync_daemon", SyncDaemon("eth1", "VI_1", 0)),
        ("lvs_sync_daemon eth1 VI_1 9", "sync_daemon", SyncDaemon("eth1", "VI_1", 9)),
        (
            "lvs_sync_daemon eth1 inst VI_1 id 7 maxlen 1400 port 8849 ttl 3 group 224.0.0.82",
            "sync_daemon",
            SyncDaemon("eth1", "VI_1", 7, 1400, 8849, 3, bytes((224, 0, 0, 82))),
        ),
        ("lvs_sync_daemon eth1\nlvs_sync_daemon eth2", "sync_daemon", SyncDaemon("eth1", "")),
        ("nftables_ipvs", "fwmark_table", "keepalived_ipvs"),
        ("nftables_ipvs marks", "fwmark_table", "marks"),
        ("nftables_ipvs\nnftables_ipvs_priority -200", "fwmark_priority", -200),
        ("nftables_ipvs\nnftables_ipvs_start_fwmark 5", "fwmark_first", 5),
        ("lvs_notify_fifo /run/lvs nobody", "fifo", Fifo("/run/lvs", "nobody")),
        (
            "lvs_notify_fifo /run/lvs\nlvs_notify_fifo_script '/bin/read x'",
            "fifo",
            Fifo("/run/lvs", script=Command(("/bin/read", "x"))),
        ),
        ("rs_init_notifies", "init_notifies", True),
        ("rs_init_notifies off", "init_notifies", False),
        ("no_checker_emails", "check_mails", False),
        ("checker_log_all_failures", "log_all_failures", True),
        ("checker_process_name checks", "process", CheckerProcess(name="checks")),
        ("lvs_process_name checks", "process", CheckerProcess(name="checks")),
        ("checker_priority -5", "process", CheckerProcess(priority=-5)),
        ("checker_rt_priority 20", "process", CheckerProcess(realtime_priority=20)),
        ("checker_no_swap", "process", CheckerProcess(no_swap=True)),
        ("checker_cpu_affinity 0 2", "process", CheckerProcess(cpu_affinity=(0, 2))),
        ("checker_rlimit_rttime 5000", "process", CheckerProcess(rttime_us=5000)),
        ("checker_rlimit_rtime 5000", "process", CheckerProcess(rttime_us=5000)),
        ("lvs_netlink_cmd_rcv_bufs 65536", "command_buffer_bytes", 65536),
        ("lvs_netlink_cmd_rcv_bufs 9\nlvs_netlink_cmd_rcv_bufs_force", "command_buffer_force", True),
        ("enable_snmp_checker", "snmp", True),
        ("enable_snmp_checker\nsnmp_vs_stats_update_interval 2", "snmp_server_age_ns", 2_000_000_000),
        ("enable_snmp_checker\nsnmp_rs_stats_update_interval 2", "snmp_service_age_ns", 5_000_000_000),
    ],
)
def test_each_word_has_its_value(words: str, name: str, value: Any) -> None:
    assert getattr(balancing(words), name) == value


@pytest.mark.parametrize("word, value", [("net_namespace_ipvs blue", "blue"), ("net_namespace_ipvs", "")])
def test_the_namespace_of_ipvs(word: str, value: str) -> None:
    assert config_of(f"{word}\n{instance()}").settings.balancing.namespace == value


def test_the_last_block_of_ssl_counts_and_its_password_is_shown_nowhere() -> None:
    words = "SSL {\n    certificate /a\n    key /b\n    password s3cret\n    ca /c\n}\n"
    found = config_of("SSL {\n    ca /x\n}\n" + words + instance()).settings.balancing.tls
    assert found == TlsFiles("/a", "/b", "s3cret", "/c")
    assert "s3cret" not in repr(found)
    assert masked(SECTIONS["SSL"].index["password"], [Word("s3cret")]) == [MASK]


def test_a_secret_in_an_error_is_not_shown() -> None:
    loaded = load_text(
        "SSL {\n    certificate /a\n    key /b\n    password s3cret and more\n}\n" + instance()
    )
    assert loaded.config is None
    assert not any("s3cret" in f"{problem} {problem.hint}" for problem in loaded.problems)


def test_the_old_word_of_an_instance_starts_the_sync_daemon_too() -> None:
    found = config_of(instance("lvs_sync_daemon_interface eth1", vrid=9)).settings.balancing.sync_daemon
    assert found == SyncDaemon("eth1", "VI_1", 9)


def test_a_pipe_that_hears_of_everything_is_not_written_twice() -> None:
    words = "global_defs {\n    notify_fifo /run/all\n    lvs_notify_fifo /run/all\n}\n"
    assert "same pipe" in the_problem(words + instance()).message
    assert config_of(words + instance()).settings.balancing.fifo is None


@pytest.mark.parametrize(
    "words, severity, says",
    [
        ("nftables_ipvs_priority 3", "warning", "no effect without 'nftables_ipvs'"),
        ("nftables_ipvs_start_fwmark 3", "warning", "no effect without 'nftables_ipvs'"),
        ("snmp_vs_stats_update_interval 3", "warning", "no effect without 'enable_snmp_checker'"),
        ("lvs_netlink_cmd_rcv_bufs_force", "warning", "no effect without 'lvs_netlink_cmd_rcv_bufs'"),
        ("lvs_netlink_monitor_rcv_bufs 9", "warning", "has no effect"),
        ("lvs_notify_fifo_script /bin/x", "warning", "no effect without lvs_notify_fifo"),
        ("lvs_timeouts", "error", "names no timeout"),
        ("lvs_timeouts tcp 9999999", "error", "out of range"),
        ("lvs_sync_daemon eth1 inst VI_9", "error", "no vrrp_instance 'VI_9'"),
        ("lvs_sync_daemon eth1 VI_1 9", "warning", "without 'id'"),
        ("lvs_sync_daemon eth1 group 198.51.100.1", "error", "not a multicast address"),
        ("lvs_sync_daemon eth1 ttl 0", "error", "out of range"),
        ("nftables_ipvs " + "x" * 32, "error", "longer than 31 bytes"),
        ("nftables one\nnftables_ipvs one", "error", "already"),
        ("nftables_ipvs\nagent_balance_backend nftables", "warning", "there is no IPVS"),
        ("agent_balance_backend lvs", "error", "not possible here"),
        ("checker_rt_priority 100", "error", "out of range"),
    ],
)
def test_a_word_that_is_wrong_says_so_with_its_place(words: str, severity: str, says: str) -> None:
    found = the_problem(f"global_defs {{\n{words}\n}}\n" + instance())
    assert (found.severity, found.line > 1) == (severity, True)
    assert says in found.message and found.hint


@pytest.mark.parametrize("word, other", [("key /b", "certificate"), ("password x", "key")])
def test_a_part_of_ssl_without_the_other_is_named(word: str, other: str) -> None:
    found = [one.message for one in load_text(f"SSL {{\n    {word}\n}}\n" + instance()).problems]
    assert any(f"does nothing without {other}" in message for message in found)


def test_a_name_of_a_namespace_is_no_path() -> None:
    assert "is no name" in the_problem("net_namespace_ipvs ../x\n" + instance()).message


def test_a_host_has_one_sync_daemon() -> None:
    text = "global_defs {\n    lvs_sync_daemon eth1\n}\n" + instance("lvs_sync_daemon_interface eth2")
    assert "one sync daemon" in " ".join(one.message for one in load_text(text).problems)
    assert config_of(text).settings.balancing.sync_daemon == SyncDaemon("eth1", "")


def test_keepalived_does_not_know_the_word_for_the_back_end() -> None:
    text = "global_defs {\n    agent_balance_backend nftables\n}\n" + service("lvs_method TUN")
    found = load_text(text, for_keepalived=True)
    errors = [problem.message for problem in found.problems if problem.severity == "error"]
    assert errors == ["'agent_balance_backend' is a word of the agent's own: keepalived does not know it"]
