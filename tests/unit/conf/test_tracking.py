# SPDX-License-Identifier: GPL-3.0-or-later
"""What is watched, in the words of a file: values, and what is wrong with them."""

from __future__ import annotations

from typing import Tuple

import pytest
from vrrp_agent.conf.model import (
    SECOND_NS,
    Account,
    Command,
    LinkDelay,
    ProcessEvents,
    Script,
    ScriptPolicy,
    Tracked,
    WatchedFile,
    WatchedProcess,
)

from tests.unit.conf.texts import config_of, instance, messages, the_instance

MS = 1_000_000
DEFINED = """
global_defs {
    enable_script_security
}
vrrp_script chk {
    script "/bin/check 'a b'"
    weight -10
}
track_file num {
    file /run/num
}
vrrp_track_process srv {
    process nginx
    weight 5 reverse
}
"""


def with_all(body: str) -> str:
    return DEFINED + instance(body)


TRACKED = """
track_script {
    chk
}
track_file {
    num
}
track_process {
    srv
}
"""


def tracked(body: str) -> Tuple[Tuple[Tracked, ...], ...]:
    one = config_of(with_all(body)).instances[0]
    return one.track_scripts, one.track_files, one.track_processes


def test_a_line_without_weight_takes_that_of_the_definition() -> None:
    assert tracked(TRACKED) == (
        (Tracked("chk", -10),),
        (Tracked("num", 1),),
        (Tracked("srv", 5, True),),
    )


def test_a_line_with_a_weight_says_it_for_itself() -> None:
    body = TRACKED.replace("chk", "chk weight 7 reverse").replace("num", "num weight 0")
    assert tracked(body.replace("srv", "srv weight 3 noreverse")) == (
        (Tracked("chk", 7, True),),
        (Tracked("num", 0),),
        (Tracked("srv", 3, False),),
    )
    assert tracked(TRACKED.replace("srv", "srv weight 3"))[2] == (Tracked("srv", 3, True),)


SCRIPTS = [
    ("", Script("s", Command(("/bin/x", "-f")))),
    ("interval 0.25\ntimeout 3", Script("s", Command(("/bin/x", "-f")), 250 * MS, 3 * SECOND_NS)),
    ("interval 0\ntimeout 0", Script("s", Command(("/bin/x", "-f")), SECOND_NS, SECOND_NS)),
    ("interval 1.0009", Script("s", Command(("/bin/x", "-f")), SECOND_NS)),
    ("rise 3\nfall 2\ninit_fail", Script("s", Command(("/bin/x", "-f")), rise=3, fall=2, init_fail=True)),
    ("user nobody", Script("s", Command(("/bin/x", "-f"), "nobody"))),
    ("user nobody :adm", Script("s", Command(("/bin/x", "-f"), "nobody", ":adm"))),
]


@pytest.mark.parametrize(("words", "expected"), SCRIPTS)
def test_a_script(words: str, expected: Script) -> None:
    text = 'vrrp_script s {\n script "/bin/x -f"\n' + words + "\n}\n"
    assert config_of(text + instance()).scripts == (expected,)


FILES = [
    ("", WatchedFile("f", "/run/f")),
    ("init_file", WatchedFile("f", "/run/f", 0)),
    ("init_file -5", WatchedFile("f", "/run/f", -5)),
    ("init_file 5 overwrite", WatchedFile("f", "/run/f", 5, True)),
    ("init_file overwrite", WatchedFile("f", "/run/f", 0, True)),
]


@pytest.mark.parametrize("block", ["track_file", "vrrp_track_file"])
@pytest.mark.parametrize(("words", "expected"), FILES)
def test_a_file(block: str, words: str, expected: WatchedFile) -> None:
    text = f"{block} f {{\n file /run/f\n {words}\n}}\n"
    assert config_of(text + instance()).files == (expected,)


PROCESSES = [
    ("process nginx", WatchedProcess("p", "nginx", match="")),
    ("process nginx\nfull_command", WatchedProcess("p", "nginx", match="", full_command=True)),
    ("process a b c", WatchedProcess("p", "a", ("b", "c"), "exact", full_command=True)),
    ("process a b\nparam_match partial", WatchedProcess("p", "a", ("b",), "partial", full_command=True)),
    ("process a\nparam_match", WatchedProcess("p", "a", (), "exact", full_command=True)),
    ("process a\nquorum 2\nquorum_max 4", WatchedProcess("p", "a", match="", quorum=2, quorum_max=4)),
    ("process a\nquorum_max 0", WatchedProcess("p", "a", match="", quorum=0, quorum_max=0)),
    (
        "process a\ndelay 1\nfork_delay 0.5",
        WatchedProcess("p", "a", match="", start_delay_ns=500 * MS, end_delay_ns=SECOND_NS),
    ),
]


@pytest.mark.parametrize(("words", "expected"), PROCESSES)
def test_a_process(words: str, expected: WatchedProcess) -> None:
    assert config_of("vrrp_track_process p {\n" + words + "\n}\n" + instance()).processes == (expected,)


def test_how_scripts_are_run() -> None:
    words = "script_user joe adm\nenable_script_security\nuse_symlink_paths\nset_supplementary_groups"
    config = config_of("global_defs {\n" + words + "\n}\n" + instance())
    assert config.settings.scripts == ScriptPolicy(Account("joe", "adm"), True, False, True)
    assert config_of(instance()).settings.scripts == ScriptPolicy()


def test_the_socket_of_processes() -> None:
    words = "process_monitor_rcv_bufs 5000\nprocess_monitor_rcv_bufs_force"
    config = config_of("global_defs {\n" + words + "\n}\n" + instance())
    assert config.process_events == ProcessEvents(5000, True)


def test_delays_of_links_leave_time_for_a_resignation() -> None:
    lines = "interface_up_down_delays {\n eth0 0.5 3\n eth1 200 100\n}\n"
    config = config_of(lines + instance("advert_int 1"))
    assert config.link_delays == (
        LinkDelay("eth0", 500 * MS, 3 * SECOND_NS),
        LinkDelay("eth1", 200 * SECOND_NS, 100 * SECOND_NS),
    )
    longer = lines.replace("eth0 0.5 3", "eth0 5 5")
    most_ns = 2 * SECOND_NS - SECOND_NS // 256
    assert config_of(longer + instance()).link_delays[0] == LinkDelay("eth0", most_ns, most_ns)
    assert config_of(longer + instance("down_timer_adverts 1")).link_delays[0] == LinkDelay("eth0", 0, 0)


def test_track_src_ip_needs_a_source() -> None:
    assert the_instance("track_src_ip\nmcast_src_ip 198.51.100.1").track_source
    assert not the_instance("track_src_ip").track_source
    assert "track_src_ip has no effect without a source address" in messages(instance("track_src_ip"))


# Groups and owners: keepalived's rules of which weights count.


def grouped(body: str, group: str = "", other: str = "priority 100") -> str:
    text = "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n" + group + "\n}\n"
    return DEFINED + text + instance(body) + instance(other, name="VI_2", vrid=52, addresses="198.51.100.11")


OWN = "track_script {\n chk\n}\ntrack_file {\n num\n}\ntrack_interface {\n eth1 weight 4\n}\n"


def lists_of(text: str, number: int = 0) -> Tuple[Tuple[Tracked, ...], ...]:
    one = config_of(text).instances[number]
    return one.track_interfaces, one.track_scripts, one.track_files


def test_weights_of_members_do_not_count() -> None:
    assert lists_of(grouped(OWN)) == ((Tracked("eth1", 0),), (), (Tracked("num", 0),))
    assert lists_of(grouped(OWN.replace("num", "num weight 2")))[2] == ()
    found = messages(grouped(OWN))
    why = "has a weight, and it is a member of a sync group"
    assert f"VI_1: track_script chk {why}: it does not count at all" in found
    assert f"VI_1: track_interface eth1 {why}: its weight does not count" in found


def test_with_sync_group_tracking_weight_they_do() -> None:
    text = grouped(OWN, "sync_group_tracking_weight")
    assert lists_of(text) == ((Tracked("eth1", 4),), (Tracked("chk", -10),), (Tracked("num", 1),))


def test_an_owner_has_no_weights() -> None:
    text = with_all("priority 255\n" + OWN)
    assert lists_of(text) == ((), (), (Tracked("num", 0),))
    why = "has a weight, and it owns its addresses"
    assert f"VI_1: track_script chk {why}: it does not count at all" in messages(text)


def test_what_a_group_tracks_holds_for_all_members() -> None:
    group = "track_script {\n chk weight 3\n}\ntrack_interface {\n eth1\n}"
    text = grouped("", group)
    for number in (0, 1):
        assert lists_of(text, number) == (
            (Tracked("eth1", 0, group="G"),),
            (Tracked("chk", 3, group="G"),),
            (),
        )


def test_an_owner_in_the_group_takes_the_groups_weights_away() -> None:
    text = grouped("priority 255", "track_script {\n chk weight 3\n}")
    assert lists_of(text, 1)[1] == (Tracked("chk", 0, group="G"),)
    assert any("a member of the group owns its addresses" in message for message in messages(text))


def test_what_both_track_has_the_weight_of_the_group_unless_it_is_none() -> None:
    group = "sync_group_tracking_weight\ntrack_script {\n chk weight 3\n}"
    both = grouped("track_script {\n chk weight 9\n}", group)
    assert lists_of(both)[1] == (Tracked("chk", 3),)
    assert lists_of(grouped("track_script {\n chk weight 0\n}", group))[1] == (Tracked("chk", 0),)
    assert "VI_1: its sync group tracks chk too" in messages(both)


# What is wrong with a file.


CASES = [
    (TRACKED.replace("chk", "nope"), "there is no vrrp_script 'nope'"),
    (TRACKED.replace("    chk", "    chk\n    chk weight 3"), "chk is tracked already: this line is ignored"),
    (
        "priority 250\n" + TRACKED.replace("chk", "chk weight 20"),
        "VI_1: priority and weights add up to 270, but 254 is the most",
    ),
    (
        "priority 5\n" + TRACKED,
        "VI_1: priority and weights may add up to -10, but 1 is the least",
    ),
    ("", "nobody tracks vrrp_script chk: it is not watched"),
]


@pytest.mark.parametrize(("body", "message"), CASES)
def test_what_is_said_of_lines(body: str, message: str) -> None:
    assert message in messages(with_all(body))


DEFINITIONS = [
    ('vrrp_script x {\n script "/bin/x \'a"\n}', "script: the quote ' is not closed"),
    ('vrrp_script x {\n script "/bin/x"\n interval 0\n}', "interval 0 counts as 1 s"),
    ("track_file x {\n file /x\n init_file 500\n}", "init_file 500: no priority can change by so much"),
    (
        "vrrp_track_process x {\n process a-very-long-name-of-a-process\n}",
        "'a-very-long-name-of-a-process' is longer than the name of any process: it is never found",
    ),
    (
        "vrrp_track_process x {\n process a\n quorum 3\n quorum_max 2\n}",
        "quorum_max 2 is less than quorum 3: there are never enough processes",
    ),
    ('vrrp_script x {\n script "/bin/x"\n}', "scripts are run without enable_script_security"),
]


@pytest.mark.parametrize(("text", "message"), DEFINITIONS)
def test_what_is_said_of_definitions(text: str, message: str) -> None:
    assert message in messages(text + "\n" + instance())


def test_a_good_file_is_passed_in_silence() -> None:
    assert messages(with_all(TRACKED)) == set()
