# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file says about the agent as a process: values with their defaults, and what is wrong with them."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.model import SECOND_NS, Command
from vrrp_agent.conf.parts.operations import Dumps, OnceCommand, Operations, Promptness, ReloadFiles
from vrrp_agent.conf.values.settings import mask

from tests.unit.conf.texts import config_of, instance, load_text, messages, the_problem


def operations_of(words: str = "", outside: str = "") -> Operations:
    return config_of(f"{outside}\nglobal_defs {{\n{words}\n}}\n{instance()}").settings.operations


def test_a_file_that_says_nothing_leaves_everything_as_it_is() -> None:
    assert operations_of() == Operations()


def test_words_outside_all_blocks() -> None:
    found = operations_of(outside="net_namespace blue\ninstance two\nchild_wait_time 9\nuse_pid_dir")
    assert (found.net_namespace, found.instance, found.child_wait_ns) == ("blue", "two", 9 * SECOND_NS)
    assert found.fixed == (("net_namespace", "blue"), ("instance", "two"))


@pytest.mark.parametrize("word", ["vrrp_garp_interval", "vrrp_gna_interval"])
@pytest.mark.parametrize("zero", ["0", "0.0", "0.000000", "+0"])
def test_a_pause_of_0_is_none_as_countless_files_have_it(word: str, zero: str) -> None:
    text = f"global_defs {{\n  {word} {zero}\n}}\n{instance()}"
    problem = the_problem(text)
    assert (problem.severity, problem.line) == ("warning", 2)
    assert problem.message == f"{word}: 0 is no pause, which is the default"
    assert problem.hint == "leave the line out"
    assert config_of(text).instances[0].garp == config_of(instance()).instances[0].garp


@pytest.mark.parametrize("text", ["-1", "4295", "none"])
def test_a_pause_that_is_none_of_those_is_an_error(text: str) -> None:
    problem = the_problem(f"global_defs {{\n  vrrp_garp_interval {text}\n}}\n{instance()}")
    assert problem.severity == "error"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("process_names", ""),
        ("process_name keepalived", "keepalived"),
        ("vrrp_process_name ha", "ha"),
    ],
)
def test_the_name_of_the_process(words: str, name: str) -> None:
    assert operations_of(words).process_name == name


def test_of_two_names_the_one_of_the_vrrp_process_counts_and_that_is_said() -> None:
    text = f"global_defs {{\n  process_name a\n  vrrp_process_name b\n}}\n{instance()}"
    assert "process_name has no effect" in the_problem(text).message
    assert config_of(text).settings.operations.process_name == "b"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("022", 0o022),
        ("0", 0),
        ("0x1f", 0x1F),
        ("18", 18),
        ("IWGRP|IWOTH", 0o022),
        ("IRWXG | IRWXO", 0o077),
        ("IXUSR", 0o100),
    ],
)
def test_a_umask_is_a_number_of_c_or_names(text: str, value: int) -> None:
    assert mask(text) == value
    assert operations_of(f"umask {text}").umask == value
    scripts = config_of(f"global_defs {{\numask {text}\n}}\n{instance()}").settings.scripts
    assert scripts.umask == value, "for scripts too"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("01000", "more than 0777"),
        ("09", "not a number"),
        ("0o22x", "not a number"),
        ("IWALL", "none of IRUSR"),
    ],
)
def test_a_umask_that_means_nothing_is_an_error(text: str, part: str) -> None:
    problem = the_problem(f"global_defs {{\n  umask {text}\n}}\n{instance()}")
    assert problem.severity == "error"
    assert part in problem.message
    assert "027" in problem.hint


def test_scripts_around_the_agent() -> None:
    found = operations_of(
        "startup_script \"/sbin/up 'a b'\" user group\nstartup_script_timeout 30\nshutdown_script /sbin/down"
    )
    assert found.startup == OnceCommand(Command(("/sbin/up", "a b"), "user", "group"), 30 * SECOND_NS)
    assert found.shutdown == OnceCommand(Command(("/sbin/down",)), 10 * SECOND_NS)


def test_dumps() -> None:
    found = operations_of(
        "json_version 2\ndata_use_instance\nstate_dump_file /a/\nstats_dump_file b\njson_dump_file /c/d\n"
        "config_save_dir /kept"
    ).dumps
    assert found == Dumps(2, True, "/a/", "b", "/c/d", "/kept")
    assert not operations_of("data_use_instance off").dumps.use_instance


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("reload_file", ReloadFiles(marker="")),
        ("reload_file /run/busy", ReloadFiles(marker="/run/busy")),
        ("reload_time_file /etc/when", ReloadFiles("/etc/when")),
        ("reload_time_file /etc/when\nreload_repeat", ReloadFiles("/etc/when", True)),
    ],
)
def test_files_around_a_reload(words: str, files: ReloadFiles) -> None:
    assert operations_of(words).reload == files


@pytest.mark.parametrize(
    ("words", "promptness"),
    [
        ("max_auto_priority", Promptness(99)),
        ("max_auto_priority 50", Promptness(50)),
        ("max_auto_priority 0", Promptness(0)),
        ("max_auto_priority -1", Promptness(0)),
        ("max_auto_priority 50\nmin_auto_priority_delay 250000", Promptness(50, SECOND_NS // 4)),
    ],
)
def test_priority_that_is_raised(words: str, promptness: Promptness) -> None:
    assert operations_of(words).promptness == promptness


def test_the_limit_of_real_time_and_its_old_name() -> None:
    assert operations_of("vrrp_rlimit_rttime 20000").realtime_limit_us == 20000
    text = f"global_defs {{\n  vrrp_rlimit_rtime 30000\n}}\n{instance()}"
    assert the_problem(text).hint == "write vrrp_rlimit_rttime"
    assert config_of(text).settings.operations.realtime_limit_us == 30000


@pytest.mark.parametrize(
    ("word", "leader"),
    [
        ("startup_script_timeout 5", "startup_script"),
        ("shutdown_script_timeout 5", "shutdown_script"),
        ("min_auto_priority_delay 5", "max_auto_priority"),
        ("reload_repeat", "reload_time_file"),
    ],
)
def test_a_word_that_needs_another_one_says_so(word: str, leader: str) -> None:
    problem = the_problem(f"global_defs {{\n  {word}\n}}\n{instance()}")
    assert problem.severity == "warning"
    assert f"has no effect without '{leader}'" in problem.message


@pytest.mark.parametrize("word", ["net_namespace ../x", "instance a/b", "instance .."])
def test_a_name_that_would_lead_elsewhere_is_an_error(word: str) -> None:
    assert "is no name" in the_problem(f"{word}\n{instance()}").message


@pytest.mark.parametrize(
    "word", ["use_pid_dir", "namespace_with_ipsets"], ids=["use_pid_dir", "namespace_with_ipsets"]
)
def test_words_of_the_root_that_ask_for_nothing(word: str) -> None:
    assert load_text(f"{word}\n{instance()}").problems == ()


def test_names_of_tables_come_from_the_directories_that_the_file_names() -> None:
    files = {
        "/etc/iproute2/rt_tables": "7 seven\n",
        "/opt/names/rt_tables": "8 eight\n",
        "/opt/vendor/rt_tables": "8 other\n9 nine\n",
    }
    head = "global_defs {\n  iproute_etc_dir /opt/names/\n  iproute_usr_dir /opt/vendor\n}\n"

    def with_table(name: str) -> str:
        return f"static_routes {{\n  198.18.0.0/16 dev eth0 table {name}\n}}\n{instance()}"

    for name, number in (("eight", 8), ("nine", 9)):
        assert config_of(head + with_table(name), files=files).static_routes[0].table == number
    assert config_of(with_table("seven"), files=files).static_routes[0].table == 7
    assert any("seven" in message for message in messages(head + with_table("seven"), files=files))


OWN = "global_defs {\n  agent_notify_timeout 5\n}\n"


def test_the_agents_own_words_are_errors_where_keepalived_runs_the_file() -> None:
    assert load_text(OWN + instance()).problems == ()
    problem = the_problem(OWN + instance(), for_keepalived=True)
    assert (problem.severity, problem.line) == ("error", 2)
    assert "the agent's own" in problem.message


def test_a_word_that_the_agent_does_not_do_is_no_problem_where_keepalived_runs_the_file() -> None:
    text = "global_defs {\n  enable_dbus\n}\n" + instance()
    assert load_text(text, for_keepalived=True).problems == ()


def test_a_key_from_a_credential_is_the_agents_own_too() -> None:
    text = instance("version 3\nauth_hmac {\n  key 1 credential:vrrp\n  active_key 1\n}")
    found = messages(text, for_keepalived=True)
    assert any("keepalived would take it for the key" in message for message in found)


@pytest.mark.parametrize(
    "word, hint",
    [("vrrp_mcast_group4 198.51.100.9", "224.0.0.18"), ("vrrp_mcast_group6 2001:db8::9", "ff02::12")],
)
def test_a_group_that_nobody_can_join_is_refused(word: str, hint: str) -> None:
    problem = the_problem(f"global_defs {{\n  {word}\n}}\n{instance()}")
    assert (problem.severity, problem.line) == ("error", 2)
    assert f"{word} is not a multicast address" in problem.message
    assert hint in problem.hint
