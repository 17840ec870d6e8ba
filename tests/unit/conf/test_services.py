# SPDX-License-Identifier: GPL-3.0-or-later
"""virtual_server and real_server: the value of each word, its default, and what is taken from where."""

from __future__ import annotations

from typing import Any

import pytest
from vrrp_agent.conf.parts.balancing import SCTP, TCP, UDP, Forwarding, Member, Persistence
from vrrp_agent.conf.parts.tracking import Command

from tests.unit.conf.service_texts import IPVS, service, the_server, the_service
from tests.unit.conf.texts import config_of, load_text

VIP = bytes((198, 51, 100, 10))
SERVER = bytes((198, 18, 0, 1))


def test_a_service_that_says_the_least_has_the_defaults_of_keepalived() -> None:
    found = the_service()
    assert (found.name, found.family, found.protocol, found.group) == ("[198.51.100.10]:tcp:80", 4, TCP, "")
    assert found.members == (Member(4, VIP, 1, 80),)
    assert (found.scheduler, found.flags, found.forwarding) == ("wlc", (), Forwarding("NAT"))
    assert (found.quorum, found.hysteresis, found.persistence) == (1, 0, None)
    assert not (found.ha_suspend or found.omega or found.mail)
    assert found.sorry_server is None and found.quorum_up is None and found.quorum_down is None
    (server,) = found.servers
    assert (server.address, server.port, server.name) == (SERVER, 80, "[198.18.0.1]:tcp:80")
    assert (server.weight, server.forwarding, server.checks) == (1, Forwarding("NAT"), ())
    assert (server.upper_threshold, server.lower_threshold) == (0, 0)
    assert server.mail and not server.alpha and not server.inhibit


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("lb_algo wrr", "scheduler", "wrr"),
        ("lvs_sched mh", "scheduler", "mh"),
        ("lb_kind DR", "forwarding", Forwarding("DR")),
        ("lvs_method TUN", "forwarding", Forwarding("TUN")),
        (
            "lvs_method TUN type gue port 6080 remcsum",
            "forwarding",
            Forwarding("TUN", "gue", 6080, "remcsum"),
        ),
        ("lvs_method TUN type gre csum", "forwarding", Forwarding("TUN", "gre", 0, "csum")),
        ("persistence_timeout", "persistence", Persistence(360, 32)),
        ("persistence_timeout 50", "persistence", Persistence(50, 32)),
        ("persistence_granularity 255.255.255.0", "persistence", Persistence(360, 24)),
        ("persistence_timeout 9\npersistence_engine sip", "persistence", Persistence(9, 32, "sip")),
        ("ha_suspend", "ha_suspend", True),
        ("omega", "omega", True),
        ("snmp_name web", "snmp_name", "web"),
        ("smtp_alert", "mail", True),
        ("flag-1\nflag-3", "flags", ("flag-1", "flag-3")),
        ("lb_algo sh\nsh-port\nsh-fallback", "flags", ("flag-1", "flag-2")),
        ("mh-port\nlb_algo mh", "flags", ("flag-2",)),
        ("quorum_up \"/bin/up 'a b'\" nobody", "quorum_up", Command(("/bin/up", "a b"), "nobody")),
        ("quorum_down /bin/down\nquorum_down /bin/other", "quorum_down", Command(("/bin/down",))),
    ],
)
def test_each_word_of_a_service_has_its_value(words: str, name: str, value: Any) -> None:
    assert getattr(the_service(words), name) == value


def test_ops_and_the_hashed_flag() -> None:
    """keepalived has the word hashed and does nothing with it; the kernel would refuse the flag."""
    found = the_service("ops\nhashed", protocol="protocol UDP")
    assert (found.protocol, found.flags) == (UDP, ("ops",))


@pytest.mark.parametrize("word, number", [("tcp", TCP), ("UDP", UDP), ("Sctp", SCTP), ("", UDP)])
def test_a_protocol_in_any_case_and_udp_without_one(word: str, number: int) -> None:
    found = the_service(protocol=f"protocol {word}" if word else "")
    assert found.protocol == number
    assert found.name == f"[198.51.100.10]:{word.lower() or 'udp'}:80"


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("weight 0", "weight", 0),
        ("uthreshold 9\nlthreshold 3", "upper_threshold", 9),
        ("uthreshold 9\nlthreshold 3", "lower_threshold", 3),
        ("inhibit_on_failure", "inhibit", True),
        ("alpha", "alpha", True),
        ("smtp_alert off", "mail", False),
        ("snmp_name one", "snmp_name", "one"),
        ("lvs_method DR", "forwarding", Forwarding("DR")),
        ("notify_up /bin/up\nnotify_up /bin/other", "notify_up", Command(("/bin/up",))),
        (
            "notify_down '/bin/down x' nobody nogroup",
            "notify_down",
            Command(("/bin/down", "x"), "nobody", "nogroup"),
        ),
    ],
)
def test_each_word_of_a_real_server_has_its_value(words: str, name: str, value: Any) -> None:
    assert getattr(the_server(words), name) == value


@pytest.mark.parametrize(
    "body, words, name, value",
    [
        ("weight 7", "", "weight", 7),
        ("weight 7", "weight 2", "weight", 2),
        ("alpha", "", "alpha", True),
        ("alpha", "alpha off", "alpha", False),
        ("inhibit_on_failure", "", "inhibit", True),
        ("inhibit_on_failure", "inhibit_on_failure off", "inhibit", False),
        ("lvs_method DR", "", "forwarding", Forwarding("DR")),
        ("lvs_method TUN type gre csum", "lvs_method TUN", "forwarding", Forwarding("TUN")),
    ],
)
def test_a_real_server_takes_what_it_does_not_say_from_its_service(
    body: str, words: str, name: str, value: Any
) -> None:
    assert getattr(the_server(words, body), name) == value


@pytest.mark.parametrize(
    "words, of_service, of_server",
    [
        ("", False, True),
        ("smtp_alert", True, True),
        ("smtp_alert off", False, False),
        ("smtp_alert\nsmtp_alert_checker off", False, False),
        ("smtp_alert off\nsmtp_alert_checker", True, True),
    ],
)
def test_mail_follows_the_checker_s_default_then_the_global_one(
    words: str, of_service: bool, of_server: bool
) -> None:
    found = config_of(f"global_defs {{\n{words}\n}}\n" + service()).services[0]
    assert (found.mail, found.servers[0].mail) == (of_service, of_server)


@pytest.mark.parametrize(
    "head, server, words, port",
    [
        ("198.51.100.10 80", "198.18.0.1", "", 80),
        ("198.51.100.10 80", "198.18.0.1 8080", "", 8080),
        ("198.51.100.10 80", "198.18.0.1", "lvs_method DR", 80),
        ("198.51.100.10", "198.18.0.1", "", 0),
        ("fwmark 7", "198.18.0.1 8080", "", 8080),
        ("fwmark 7", "198.18.0.1 8080", "lvs_method DR", 0),
    ],
)
def test_the_port_of_a_real_server(head: str, server: str, words: str, port: int) -> None:
    found = the_server(words, head=head, server=server)
    assert found.port == port and found.name.endswith(f":{port}")


def test_a_firewall_mark_has_no_protocol_and_takes_the_family_of_its_servers() -> None:
    found = the_service(head="fwmark 7", server="2001:db8::1", protocol="")
    assert (found.name, found.family, found.protocol) == ("FWM 7", 6, 0)
    assert found.members == (Member(6, fwmark=7),)
    assert found.servers[0].name == "[2001:db8::1]:none:0"
    other = the_service("ip_family inet6\nlvs_method TUN", head="fwmark 7", protocol="")
    assert (other.family, other.servers[0].family) == (6, 4)


GROUP = """\
virtual_server_group web {
    fwmark 7
    198.51.100.20-22 80
    198.51.100.64/30
}
"""


def test_services_of_a_group_are_numbered_and_share_its_members() -> None:
    two = service("persistence_timeout", head="group web") + service(
        "persistence_timeout", head="group web", protocol="protocol UDP"
    )
    first, second = config_of(IPVS + GROUP.replace("    fwmark 7\n", "") + two).services
    assert (first.name, second.name) == ("[web]:0", "[web]:1")
    assert (first.group, first.family, first.protocol, second.protocol) == ("web", 4, TCP, UDP)
    assert first.members == second.members
    assert first.servers[0].name == "[198.18.0.1]:tcp:80"


def test_a_group_gives_its_addresses_first_and_its_marks_the_family_of_the_service() -> None:
    found = the_service("persistence_timeout", GROUP, head="group web")
    assert found.members == (
        Member(4, bytes((198, 51, 100, 20)), 3, 80),
        Member(4, bytes((198, 51, 100, 64)), 4, 0),
        Member(4, fwmark=7),
    )


def test_a_service_without_a_port_is_persistent() -> None:
    """The kernel wants it so; keepalived sets 360 s."""
    assert the_service(head="198.51.100.10").persistence == Persistence(360, 32)
    assert the_service(head="2001:db8::10", server="2001:db8::1").persistence == Persistence(360, 128)


def test_a_sorry_server_has_a_method_of_its_own_and_no_checks() -> None:
    found = the_service(
        "sorry_server 198.18.0.9\nsorry_server_inhibit\nsorry_server_lvs_method DR"
    ).sorry_server
    assert found is not None
    assert (found.name, found.port, found.weight) == ("[198.18.0.9]:tcp:80", 80, 1)
    assert found.forwarding == Forwarding("DR") and found.inhibit and found.checks == ()


def test_a_sorry_server_that_is_a_real_server_is_inhibited_as_that_one_is() -> None:
    found = the_service("sorry_server 198.18.0.1 80\ninhibit_on_failure").sorry_server
    assert found is not None and found.inhibit


def test_a_quorum_that_a_check_may_reach_is_lowered_as_in_keepalived() -> None:
    words = "MISC_CHECK {\n    misc_path /bin/true\n    misc_dynamic\n}"
    found = the_service("quorum 5\nhysteresis 3", checks=f"weight 2\n{words}")
    assert (found.quorum, found.hysteresis) == (2, 1)
    assert (the_service("quorum 5\nhysteresis 3\nweight 9").quorum) == 5


def test_services_keep_the_order_of_the_file_and_a_reload_knows_them_again() -> None:
    text = service() + service(head="198.51.100.11 80") + service(protocol="protocol UDP")
    found = config_of(IPVS + text).services
    assert [one.name for one in found] == [
        "[198.51.100.10]:tcp:80",
        "[198.51.100.11]:tcp:80",
        "[198.51.100.10]:udp:80",
    ]
    assert len({one.key for one in found}) == 3
    assert config_of(IPVS + text).services == found


def test_what_lenient_takes_out_leaves_the_rest() -> None:
    bfd = "BFD_CHECK {\n    name one\n}\nTCP_CHECK {\n}"
    text = "bfd_instance one {\n    neighbor_ip 198.18.0.1\n}\n" + service(checks=bfd)
    assert any("BFD_CHECK" in problem.message for problem in load_text(text).problems)
    found = config_of(text, lenient=True)
    assert [check.kind for check in found.services[0].servers[0].checks] == ["TCP_CHECK"]
