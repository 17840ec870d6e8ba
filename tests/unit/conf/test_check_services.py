# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with virtual servers: each finding with its place, and nothing said twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vrrp_agent.conf.check.whole import check
from vrrp_agent.conf.grammar.index import SECTIONS
from vrrp_agent.conf.parts.checks import HttpCheck, Pattern
from vrrp_agent.conf.text.render import render
from vrrp_agent.conf.values.names import Names
from vrrp_agent.conf.yaml.form import from_yaml

from tests.unit.conf.service_texts import IPVS, service
from tests.unit.conf.texts import Files, config_of, load_text, the_problem

MARK = {"head": "fwmark 7", "protocol": ""}
URL = "url {{\n    path /\n    {0}\n}}"


@pytest.mark.parametrize(
    "body, severity, keyword, says",
    [
        ("quorum 2", "error", "quorum", "quorum 2 is more than 1"),
        ("quorum 2\nhysteresis 1", "error", "quorum", "quorum 2 is more than 1"),
        ("quorum 1\nhysteresis 1", "error", "hysteresis", "not less than quorum 1"),
        ("hysteresis 1", "error", "hysteresis", "not less than quorum 1"),
        ("ip_family inet6", "error", "ip_family", "not of the family inet6"),
        ("lb_algo rr\nsh-port", "error", "sh-port", "belongs to the scheduler sh"),
        ("lb_algo sh\nmh-fallback", "error", "mh-fallback", "belongs to the scheduler mh"),
        ("ops", "error", "ops", "ops is for UDP"),
        ("hashed", "warning", "hashed", "does nothing"),
        ("persistence_granularity 24", "error", "persistence_granularity", "is a netmask"),
        ("persistence_granularity 255.0.255.0", "error", "persistence_granularity", "not a netmask"),
        ("persistence_engine sip", "warning", "persistence_engine", "without persistence_timeout"),
        ("persistence_timeout\npersistence_engine x", "warning", "persistence_engine", "no kernel"),
        ("persistence_timeout 0", "error", "persistence_timeout", "out of range"),
        ("sorry_server_inhibit", "warning", "sorry_server_inhibit", "without sorry_server"),
        ("sorry_server_lvs_method DR", "warning", "sorry_server_lvs_method", "without sorry_server"),
        ("sorry_server 2001:db8::9 80", "error", "sorry_server", "of another family"),
        (
            "lvs_method DR\nsorry_server 198.18.0.9 81",
            "error",
            "sorry_server",
            "DR cannot change port 80 to 81",
        ),
        ("sorry_server 198.18.0.1 80\nsorry_server_inhibit", "warning", "sorry_server", "a real_server too"),
        ("lvs_method TUN type gue", "error", "lvs_method", "has no port"),
        ("lvs_method TUN type gre port 9", "error", "lvs_method", "has a port"),
        ("lvs_method TUN csum", "error", "lvs_method", "has no checksum"),
        ("lvs_method TUN type gre remcsum", "error", "lvs_method", "no remote checksum"),
        ("lvs_method NAT type gre", "warning", "lvs_method", "belongs to tunnels"),
        ("lvs_method FULLNAT", "error", "lvs_method", "not possible here"),
        ("lb_algo random", "error", "lb_algo", "not possible here"),
        ('quorum_up "/bin/x \'open"', "error", "quorum_up", "not closed"),
        ("weight 0", "error", "weight", "out of range"),
        ("delay_loop 0", "error", "delay_loop", "out of range"),
        ("nat_mask 255.255.255.0", "error", "nat_mask", "no longer knows"),
    ],
)
def test_a_service_that_is_wrong(body: str, severity: str, keyword: str, says: str) -> None:
    found = the_problem(IPVS + service(body))
    assert (found.severity, found.keyword) == (severity, keyword)
    assert says in found.message and found.hint and found.line > 4


@pytest.mark.parametrize(
    "words, severity, keyword, says",
    [
        ("weight -1", "error", "weight", "out of range"),
        ("weight 2147483648", "error", "weight", "out of range"),
        ("weight 0", "warning", "virtual_server", "all weights are 0"),
        ("uthreshold 3\nlthreshold 4", "error", "lthreshold", "more than uthreshold 3"),
        ("lthreshold 4", "warning", "lthreshold", "without uthreshold"),
        ('notify_up "/bin/x \'open"', "error", "notify_up", "not closed"),
        (
            "TCP_CHECK {\n    connect_ip 2001:db8::1\n    bindto 198.18.0.8\n}",
            "error",
            "bindto",
            "another family",
        ),
        ("TCP_CHECK {\n    connect_ip fe80::1\n}", "error", "connect_ip", "needs an interface"),
        ("TCP_CHECK {\n    connect_port 0\n}", "error", "connect_port", "not a port"),
        ("TCP_CHECK {\n    connect_timeout 0\n}", "error", "connect_timeout", "out of range"),
        ("MISC_CHECK {\n}", "error", "MISC_CHECK", "misc_path is missing"),
        ('MISC_CHECK {\n    misc_path "/bin/x \'open"\n}', "error", "misc_path", "not closed"),
        ("HTTP_GET {\n}", "error", "HTTP_GET", "url is missing"),
        ("HTTP_GET {\n    url {\n    }\n}", "error", "url", "path is missing"),
        ("FILE_CHECK {\n}", "error", "FILE_CHECK", "track_file is missing"),
        ("FILE_CHECK {\n    track_file x\n}", "error", "track_file", "no track_file 'x'"),
        ("DNS_CHECK {\n    name a..b\n}", "error", "name", "empty part"),
        ("DNS_CHECK {\n    name .a\n}", "error", "name", "empty part"),
        (f"DNS_CHECK {{\n    name {'a' * 64}.b\n}}", "error", "name", "more than 63 bytes"),
        ("DNS_CHECK {\n    type PTR\n}", "error", "type", "not possible here"),
        ("UDP_CHECK {\n    payload 0x12\n}", "error", "payload", "not hexadecimal"),
        ("UDP_CHECK {\n    require_reply 12 zz\n}", "error", "require_reply", "not hexadecimal"),
        ("UDP_CHECK {\n    min_reply_length 256\n}", "error", "min_reply_length", "always fail"),
        ("SMTP_CHECK {\n    helo_name 'a b'\n}", "error", "helo_name", ""),
        ('SMTP_CHECK {\n    helo_name "a b"\n}', "error", "helo_name", "blank"),
    ],
)
def test_a_real_server_that_is_wrong(words: str, severity: str, keyword: str, says: str) -> None:
    found = the_problem(IPVS + service(checks=words))
    assert (found.severity, found.keyword) == (severity, keyword)
    assert any(one in f"{found.message} {found.hint}" for one in says.split("|")) and found.hint


@pytest.mark.parametrize(
    "words, severity, keyword, says",
    [
        ("digest 00ff", "error", "digest", "it can never match"),
        ("digest " + "0" * 33, "error", "digest", "longer than 32"),
        ("digest " + "g" * 32, "error", "digest", "not hexadecimal"),
        ("digest 0x" + "0" * 30, "error", "digest", "can never match"),
        ('regex "(open"', "error", "regex", "cannot be read"),
        ('regex "x"\nregex_options ucp', "error", "regex_options", "ucp is not possible here"),
        ('regex "(?R)"', "error", "regex", "(?R) at offset 0, which the agent cannot do"),
        ('regex "x"\nregex_options anchored', "error", "regex_options", "not possible here"),
        (r'regex "\d+"', "warning", "regex", r"\d means d alone"),
        (
            'regex "x"\nregex_min_offset 4\nregex_max_offset 3',
            "error",
            "regex_max_offset",
            "nothing is searched",
        ),
        ("regex_no_match", "warning", "regex_no_match", "without regex"),
        ("status_code 99", "error", "status_code", "out of range"),
        ("status_code 300-200", "error", "status_code", "counts downwards"),
        ('virtualhost "a b"', "error", "virtualhost", "blank"),
    ],
)
def test_a_url_that_is_wrong(words: str, severity: str, keyword: str, says: str) -> None:
    found = the_problem(IPVS + service(checks="HTTP_GET {\n" + URL.format(words) + "\n}"))
    assert (found.severity, found.keyword) == (severity, keyword)
    assert says in found.message and found.hint


@pytest.mark.parametrize(
    "option",
    [
        "caseless",
        "dotall",
        "multiline",
        "extended",
        "ungreedy",
        "never_utf",
        "firstline",
        "dollar_endonly",
        "no_start_optimize",
        "auto_callout",
    ],
)
def test_options_that_python_has_or_that_change_no_match_are_carried(option: str) -> None:
    text = service(checks="HTTP_GET {\n" + URL.format(f"regex x\nregex_options {option}") + "\n}")
    assert not load_text(IPVS + text).problems


def test_words_of_tls_do_nothing_without_it() -> None:
    text = service(checks="HTTP_GET {\n    enable_sni\n" + URL.format("") + "\n}")
    assert "there is no TLS" in the_problem(IPVS + text).message


@pytest.mark.parametrize(
    "options, severity, says",
    [
        ({"server": ""}, "error", "has no real_server"),
        ({"server": "2001:db8::1 80"}, "error", "is IPv4, and real_server 2001:db8::1 is not"),
        ({"server": "224.0.0.1 80"}, "error", "not an address that a host can have"),
        ({"server": "0.0.0.0 80"}, "error", "not an address that a host can have"),
        ({"protocol": ""}, "warning", "UDP is taken"),
        ({"head": "198.51.100.10"}, "warning", "needs persistence"),
        ({"head": "fwmark 7"}, "warning", "protocol is ignored"),
        ({"head": "fwmark 0", "protocol": ""}, "error", "out of range"),
        (
            {"head": "198.51.100.10 80", "body": "lvs_method DR", "server": "198.18.0.1 81"},
            "error",
            "cannot change",
        ),
        (
            {"head": "fwmark 7", "protocol": "", "body": "lvs_method DR"},
            "warning",
            "DR cannot change a port: it is ignored",
        ),
        ({"head": "fwmark 7", "protocol": "", "body": "ha_suspend"}, "error", "a firewall mark has none"),
        (
            {"head": "fwmark 7", "protocol": "", "server": "198.18.0.1", "checks": "TCP_CHECK {\n}"},
            "error",
            "neither the real_server nor the check names a port",
        ),
        (
            {"head": "2001:db8::10 80", "server": "2001:db8::1", "body": "persistence_granularity 255.0.0.0"},
            "error",
            "is a prefix length",
        ),
    ],
)
def test_a_service_that_does_not_fit_its_servers(options: dict[str, str], severity: str, says: str) -> None:
    found = the_problem(IPVS + service(**options))
    assert found.severity == severity and says in found.message and found.hint


def test_a_tunnel_may_lead_to_the_other_family() -> None:
    text = service("lvs_method TUN", server="2001:db8::1 80")
    assert not load_text(IPVS + text).problems
    assert config_of(IPVS + text).services[0].servers[0].family == 6


def test_a_mark_whose_tunnels_lead_to_both_families_is_taken_for_ipv4() -> None:
    text = service("lvs_method TUN\nreal_server 198.18.0.1 {\n}", **MARK, server="2001:db8::1")
    assert "taken for IPv4" in the_problem(IPVS + text).message
    assert config_of(IPVS + text).services[0].family == 4


def test_both_families_in_a_group_are_for_tunnels_only() -> None:
    group = "virtual_server_group web {\n198.51.100.1 80\n2001:db8::1 80\n}\n"
    found = [problem.message for problem in load_text(IPVS + group + service(head="group web")).problems]
    assert any("which only tunnels can carry together" in message for message in found)
    assert not load_text(IPVS + group + service("lvs_method TUN", head="group web")).problems


def test_two_real_servers_of_one_address_and_port_are_one_too_many() -> None:
    body = "real_server 198.18.0.1 {\n}\n"
    found = the_problem(IPVS + service(body))
    assert found.severity == "error" and "real_server [198.18.0.1]:tcp:80 is there already" in found.message
    assert not load_text(IPVS + service("real_server 198.18.0.1 81 {\n}\n")).problems


@pytest.mark.parametrize(
    "first, second",
    [
        ({}, {}),
        ({"head": "fwmark 7", "protocol": ""}, {"head": "fwmark 7", "protocol": ""}),
        ({"head": "group web"}, {"head": "198.51.100.22 80"}),
        ({"head": "group web"}, {"head": "group web"}),
    ],
)
def test_two_services_cannot_share_an_address_and_port(first: dict[str, str], second: dict[str, str]) -> None:
    group = "virtual_server_group web {\n198.51.100.20-29 80\n}\n"
    text = IPVS + group + service(**first) + service(**second)
    found = the_problem(text)
    assert found.severity == "error" and "already" in found.message and "on line" in found.message
    assert found.line > 10


@pytest.mark.parametrize(
    "other", [{"protocol": "protocol UDP"}, {"head": "198.51.100.10 81"}, {"head": "198.51.100.11 80"}]
)
def test_services_that_differ_in_protocol_port_or_address_live_together(other: dict[str, str]) -> None:
    assert not load_text(IPVS + service() + service(**other)).problems


def test_an_error_of_one_service_hides_none_of_another() -> None:
    text = IPVS + service("lb_algo random\nquorum 9") + service("quorum 9", head="198.51.100.11 80")
    found = [(problem.keyword, problem.line) for problem in load_text(text).problems]
    assert [keyword for keyword, _line in found] == ["lb_algo", "quorum"]


def test_a_check_of_a_server_is_watching_a_file() -> None:
    before = "track_file one {\n    file /run/one\n}\n"
    assert not load_text(IPVS + before + service(checks="FILE_CHECK {\n    track_file one\n}")).problems
    assert "nobody tracks" in the_problem(IPVS + before + service()).message


def test_bfd_is_not_supported_yet() -> None:
    before = "bfd_instance one {\n    neighbor_ip 198.18.0.1\n}\n"
    found = load_text(IPVS + before + service(checks="BFD_CHECK {\n    name one\n}")).problems
    assert [problem.message for problem in found] == [
        "'bfd_instance' is not supported yet",
        "'BFD_CHECK' is not supported yet",
    ]


def test_mail_without_a_server_is_named_where_it_is_asked_for() -> None:
    """Every real server has smtp_alert by default: that alone is no reason to say so."""
    assert not load_text(IPVS + service()).problems
    assert "no mail is sent" in the_problem(IPVS + service("smtp_alert")).message
    assert "no mail is sent" in the_problem(IPVS + service(checks="smtp_alert")).message


YAML = {
    "global_defs": {"agent_balance_backend": "ipvs", "lvs_timeouts": "tcp 900 udp 30"},
    "SSL": {"password": "s3cret", "key": "/k", "certificate": "/c"},
    "virtual_server_group": {"web": ["198.51.100.20-22 80", "fwmark 7 inet"]},
    "virtual_server": {
        "group web": {
            "protocol": "TCP",
            "lb_algo": "sh",
            "sh-port": True,
            "lvs_method": "TUN type gue port 6080 csum",
            "quorum": 3,
            "quorum_up": "/bin/up 'a b'",
            "sorry_server": "198.18.0.9 80",
            "real_server": {
                "198.18.0.1 80": {
                    "weight": 3,
                    "alpha": True,
                    "HTTP_GET": [
                        {
                            "url": [
                                {"path": "/a", "status_code": [200, "301-302"], "regex": r"a b\\.c"},
                                {"path": "/b", "digest": "0" * 32},
                            ],
                        }
                    ],
                    "MISC_CHECK": [{"misc_path": "/bin/check 'x y'", "misc_dynamic": True}],
                    "UDP_CHECK": [{"payload": ["00", "ff"], "require_reply": True}],
                },
            },
        },
    },
}


def test_yaml_says_the_same_as_text() -> None:
    tree, problems = from_yaml(YAML, SECTIONS)
    assert not problems
    text = render(tree, SECTIONS)
    config = config_of(text)
    (found,) = config.services
    assert (found.scheduler, found.flags, found.quorum) == ("sh", ("flag-2",), 3)
    assert [check.kind for check in found.servers[0].checks] == ["HTTP_GET", "MISC_CHECK", "UDP_CHECK"]
    check = found.servers[0].checks[0]
    assert isinstance(check, HttpCheck)
    assert check.urls[0].pattern == Pattern("a b\\.c") and check.urls[0].statuses == ((200, 200), (301, 302))


def test_a_file_with_more_errors_than_are_told_breaks_nothing() -> None:
    many = "".join(service("weight x", head=f"198.51.100.{number} 80") for number in range(1, 251))
    loaded = load_text(IPVS + many)
    assert loaded.config is None
    assert len(loaded.problems) <= 201


def test_many_warnings_hide_no_error() -> None:
    old = "SMTP_CHECK {\n" + "host {\n}\n" * 250 + "}"
    found = load_text(IPVS + service("quorum 9", checks=old) + service("weight x", head="198.51.100.11 80"))
    assert found.config is None
    assert found.problems[-1].severity == "error" and "more problems" in found.problems[-1].message
    loaded = load_text(IPVS + service("quorum 9", checks=old))
    assert loaded.config is None


def test_an_error_in_yaml_has_its_path() -> None:
    data = {"virtual_server": {"198.51.100.10 80": {"protocol": "TCP", "quorum": 2, "lb_algo": "rr"}}}
    server = {"198.18.0.1 80": {"TCP_CHECK": [{"bindto": "2001:db8::8"}]}}
    data["virtual_server"]["198.51.100.10 80"]["real_server"] = server  # type: ignore[assignment]
    tree, problems = from_yaml(data, SECTIONS)
    assert not problems
    found = [(problem.severity, problem.path) for problem in check(tree, SECTIONS, Names(Files({})))]
    place = "virtual_server.198.51.100.10 80"
    assert found == [
        ("error", f"{place}.quorum"),
        ("error", f"{place}.real_server.198.18.0.1 80.TCP_CHECK[0].bindto"),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "quorum 9",
                "quorum x",
                "hysteresis 3",
                "lb_algo",
                "lvs_method TUN type",
                "persistence_granularity 24",
                "protocol",
                "ip_family inet6",
                "sorry_server",
                "real_server",
                "real_server 198.18.0.1 80 {\nTCP_CHECK {\nretry -1\n}\n}",
                "real_server 2001:db8::1 {\nHTTP_GET {\nurl {\nregex (\n}\n}\n}",
                "real_server 198.18.0.2 {\nHTTP_GET {\nurl {\nregex x\nregex_min_offset x\n}\n}\n}",
                "real_server 198.18.0.3 {\nUDP_CHECK {\nmin_reply_length x\npayload\n}\n}",
                "real_server 198.18.0.4 {\nDNS_CHECK {\nname\nretry x\nconnect_port\n}\n}",
                "real_server 198.18.0.5 {\nSMTP_CHECK {\nhost x {\nbindto y\n}\n}\n}",
                "real_server x y {\n}",
                "}",
            ]
        ),
        max_size=5,
    ),
    st.sampled_from(["198.51.100.10 80", "fwmark 7", "fwmark", "group web", "group", "", "x"]),
    st.sampled_from(
        ["", "virtual_server_group web {\n}\n", "virtual_server_group web {\n198.51.100.1-0 80 9\n}\n"]
    ),
)
def test_no_file_breaks_the_checks(words: list[str], head: str, group: str) -> None:
    text = f"{group}virtual_server {head} {{\n" + "\n".join(words) + "\n}\n"
    loaded = load_text(text)
    assert (loaded.config is None) == any(problem.severity == "error" for problem in loaded.problems)
