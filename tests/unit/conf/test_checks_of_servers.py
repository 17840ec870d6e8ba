# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a real_server: each word, its default, and what is taken from server and service."""

from __future__ import annotations

from typing import Any

import pytest
from vrrp_agent.conf.parts.checks import (
    SECOND_NS,
    Connection,
    DnsCheck,
    FileCheck,
    HttpCheck,
    MiscCheck,
    Pattern,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    Timing,
    UdpCheck,
    Url,
)
from vrrp_agent.conf.parts.tracking import Command
from vrrp_agent.conf.values.checks import octets

from tests.unit.conf.service_texts import the_check, the_server, the_service

SERVER = bytes((198, 18, 0, 1))
HERE = Connection(SERVER, 80)
MINUTE = 60 * SECOND_NS
URL = "url {\n    path /\n}"


@pytest.mark.parametrize(
    "kind, words, check",
    [
        ("TCP_CHECK", "", TcpCheck(Timing(), HERE)),
        ("PING_CHECK", "", PingCheck(Timing(), Connection(SERVER, 0))),
        ("UDP_CHECK", "", UdpCheck(Timing(), HERE)),
        ("SMTP_CHECK", "", SmtpCheck(Timing(), HERE)),
        ("DNS_CHECK", "", DnsCheck(Timing(retry=3, delay_before_retry_ns=MINUTE), HERE)),
        ("MISC_CHECK", "misc_path /bin/true", MiscCheck(Timing(retry=0), Command(("/bin/true",)))),
        ("HTTP_GET", URL, HttpCheck(Timing(delay_before_retry_ns=3 * SECOND_NS), HERE, (Url(),))),
        ("SSL_GET", URL, HttpCheck(Timing(delay_before_retry_ns=3 * SECOND_NS), HERE, (Url(),), tls=True)),
    ],
)
def test_a_check_that_says_the_least_has_the_defaults_of_keepalived(
    kind: str, words: str, check: Any
) -> None:
    found = the_check(kind, words)
    assert found == check
    assert found.kind == kind


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("delay_loop 0.5", "delay_loop_ns", SECOND_NS // 2),
        ("warmup 0", "warmup_ns", 0),
        ("retry 0", "retry", 0),
        ("delay_before_retry 0", "delay_before_retry_ns", 0),
        ("alpha", "alpha", True),
        ("log_all_failures", "log_all_failures", True),
    ],
)
def test_each_word_of_the_timing_has_its_value(words: str, name: str, value: Any) -> None:
    assert getattr(the_check("TCP_CHECK", words).timing, name) == value


TIMES = ("delay_loop", "warmup", "retry", "delay_before_retry")


@pytest.mark.parametrize("name", TIMES)
def test_a_time_is_that_of_the_check_or_of_the_server_or_of_the_service(name: str) -> None:
    field = name if name == "retry" else f"{name}_ns"
    unit = 1 if name == "retry" else SECOND_NS
    words = [f"{name} {number}" for number in (7, 8, 9)]
    for given, value in (
        (("", "", words[2]), 9),
        (("", words[1], words[2]), 8),
        ((words[0], words[1], words[2]), 7),
        ((words[0], "", words[2]), 7),
    ):
        check, server, service = given
        found = the_check("HTTP_GET", f"{check}\n{URL}", server, service)
        assert getattr(found.timing, field) == value * unit, given


def test_the_connect_timeout_is_that_of_the_check_or_of_the_server_or_of_the_service() -> None:
    for check, server, body, seconds in (
        ("", "", "", 5),
        ("", "", "connect_timeout 9", 9),
        ("", "connect_timeout 8", "connect_timeout 9", 8),
        ("connect_timeout 7", "connect_timeout 8", "connect_timeout 9", 7),
    ):
        found = the_check("TCP_CHECK", check, server, body)
        assert isinstance(found, TcpCheck) and found.connection.timeout_ns == seconds * SECOND_NS


def test_warmup_and_the_pause_of_dns_follow_the_check_s_own_delay_loop() -> None:
    found = the_check("DNS_CHECK", "delay_loop 4", "delay_loop 8").timing
    assert (found.warmup_ns, found.delay_before_retry_ns) == (4 * SECOND_NS, 4 * SECOND_NS)


@pytest.mark.parametrize(
    "check, server, body, alpha",
    [
        ("", "", "alpha", True),
        ("", "alpha off", "alpha", False),
        ("alpha", "alpha off", "", True),
        ("alpha off", "alpha", "alpha", False),
    ],
)
def test_alpha_of_a_check(check: str, server: str, body: str, alpha: bool) -> None:
    assert the_check("TCP_CHECK", check, server, body).timing.alpha is alpha


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("connect_ip 198.18.0.7", "address", bytes((198, 18, 0, 7))),
        ("connect_port 81", "port", 81),
        ("bindto 198.18.0.8", "bind_address", bytes((198, 18, 0, 8))),
        ("bind_port 82", "bind_port", 82),
        ("bind_if eth1", "bind_interface", "eth1"),
        ("fwmark 9", "fwmark", 9),
    ],
)
def test_each_word_of_the_connection_has_its_value(words: str, name: str, value: Any) -> None:
    found = the_check("TCP_CHECK", words)
    assert isinstance(found, TcpCheck) and getattr(found.connection, name) == value


def test_a_real_server_without_a_port_is_checked_at_that_of_its_service() -> None:
    found = the_check("TCP_CHECK", server="")
    assert isinstance(found, TcpCheck) and found.connection.port == 80
    other = the_service(server="198.18.0.1", checks="TCP_CHECK {\n}").servers[0].checks[0]
    assert isinstance(other, TcpCheck) and other.connection.port == 80


def test_a_port_that_forwarding_ignores_is_the_one_that_is_checked() -> None:
    found = the_service("lvs_method DR", head="fwmark 7", server="198.18.0.1 80", checks="TCP_CHECK {\n}")
    check = found.servers[0].checks[0]
    assert isinstance(check, TcpCheck) and check.connection.port == 80
    assert found.servers[0].port == 0


def url_of(words: str, *, kind: str = "HTTP_GET", around: str = "", server: str = "", body: str = "") -> Url:
    found = the_check(kind, f"{around}\nurl {{\n    path /x\n{words}\n}}", server, body)
    assert isinstance(found, HttpCheck) and len(found.urls) == 1
    return found.urls[0]


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("", "path", "/x"),
        ("", "statuses", ((200, 299),)),
        ("status_code 404", "statuses", ((404, 404),)),
        ("status_code 301-303 200\nstatus_code 201", "statuses", ((200, 201), (301, 303))),
        ("status_code 200-250 240-260", "statuses", ((200, 260),)),
        ("digest " + "0A" * 16, "digests", ("0a" * 16,)),
        ('regex "a b"', "pattern", Pattern("a b")),
        (r'regex "\\d+\"x"', "pattern", Pattern(r'\d+"x')),
        ("regex 'x'\nregex_no_match", "pattern", Pattern("x", must_match=False)),
        ("regex x\nregex_min_offset 3\nregex_max_offset 9", "pattern", Pattern("x", (), True, 3, 9)),
        (
            "regex x\nregex_options caseless dotall\nregex_options caseless multiline",
            "pattern",
            Pattern("x", ("caseless", "dotall", "multiline")),
        ),
    ],
)
def test_each_word_of_a_url_has_its_value(words: str, name: str, value: Any) -> None:
    assert getattr(url_of(words), name) == value


@pytest.mark.parametrize(
    "words, around, server, body, host",
    [
        ("", "", "", "", ""),
        ("", "", "", "virtualhost d", "d"),
        ("", "", "virtualhost c", "virtualhost d", "c"),
        ("", "virtualhost b", "virtualhost c", "virtualhost d", "b"),
        ("virtualhost a", "virtualhost b", "virtualhost c", "virtualhost d", "a"),
    ],
)
def test_the_virtual_host_is_that_of_the_nearest_block(
    words: str, around: str, server: str, body: str, host: str
) -> None:
    assert url_of(words, around=around, server=server, body=body).virtualhost == host


@pytest.mark.parametrize("words, around", [("tls_compliant", ""), ("", "tls_compliant")])
def test_tls_compliant_of_the_url_or_of_the_check(words: str, around: str) -> None:
    assert url_of(words, around=around, kind="SSL_GET").tls_compliant
    assert not url_of("", kind="SSL_GET").tls_compliant


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("http_protocol 1.1", "version", "1.1"),
        ("http_protocol 1.0c", "version", "1.0C"),
        ("fast_recovery", "fast_recovery", True),
        ("enable_sni", "sni", True),
        ("sni_name", "sni", True),
        ("sni_name www.example.org", "sni_name", "www.example.org"),
        ("sni_name www.example.org\nsni_name", "sni_name", "www.example.org"),
        ("sni_name www.example.org\nenable_sni off", "sni", False),
    ],
)
def test_each_word_of_an_https_check_has_its_value(words: str, name: str, value: Any) -> None:
    found = the_check("SSL_GET", f"{words}\n{URL}")
    assert isinstance(found, HttpCheck) and getattr(found, name) == value


def test_several_urls_stay_in_their_order() -> None:
    found = the_check("HTTP_GET", "url {\n    path /b\n}\nurl {\n    path /a\n}")
    assert isinstance(found, HttpCheck) and [url.path for url in found.urls] == ["/b", "/a"]


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("misc_path \"/bin/check 'a b' c\"", "command", Command(("/bin/check", "a b", "c"))),
        (
            "misc_path /bin/check\nuser nobody nogroup",
            "command",
            Command(("/bin/check",), "nobody", "nogroup"),
        ),
        ("misc_path /bin/check\nmisc_timeout 4", "timeout_ns", 4 * SECOND_NS),
        ("misc_path /bin/check\nmisc_dynamic", "dynamic", True),
    ],
)
def test_each_word_of_a_misc_check_has_its_value(words: str, name: str, value: Any) -> None:
    assert getattr(the_check("MISC_CHECK", words), name) == value


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("payload 00ff 1 2", "payload", b"\x00\xff\x01\x02"),
        ("require_reply", "require_reply", True),
        ("require_reply 0xab", "reply", b"\x00\xab"),
        ("require_reply 0xab", "reply_mask", b"\xf0\xff"),
        ("min_reply_length 3", "min_length", 3),
        ("max_reply_length 0", "max_length", 0),
    ],
)
def test_each_word_of_a_udp_check_has_its_value(words: str, name: str, value: Any) -> None:
    assert getattr(the_check("UDP_CHECK", words), name) == value


@pytest.mark.parametrize(
    "text, value, mask",
    [
        ("", b"", b""),
        ("12ab", b"\x12\xab", b"\xff\xff"),
        ("1", b"\x01", b"\xff"),
        ("x", b"\x00", b"\xf0"),
        ("xX", b"\x00", b"\x00"),
        ("1x x2 123", b"\x10\x02\x12\x03", b"\xf0\x0f\xff\xff"),
    ],
)
def test_octets_and_the_bits_that_count(text: str, value: bytes, mask: bytes) -> None:
    assert octets(text.split()) == (value, mask)


def test_dns_asks_for_a_name_and_a_type() -> None:
    found = the_check("DNS_CHECK", "type AAAA\nname www.example.org")
    assert isinstance(found, DnsCheck)
    assert (found.query_type, found.query_name) == ("AAAA", "www.example.org")


HOSTS = "host {\n    connect_port 25\n}\nhost {\n    connect_ip 198.18.0.7\n    connect_timeout 3\n}"


def test_each_host_of_an_smtp_check_is_a_check() -> None:
    words = f"SMTP_CHECK {{\n    retry 5\n    helo_name me\n{HOSTS}\n}}"
    first, second = the_server(words).checks
    assert isinstance(first, SmtpCheck) and isinstance(second, SmtpCheck)
    assert first.connection == Connection(SERVER, 25)
    assert second.connection == Connection(bytes((198, 18, 0, 7)), 80, 3 * SECOND_NS)
    assert first.timing == second.timing == Timing(retry=5)
    assert (first.helo, second.helo) == ("me", "me")


def test_an_smtp_check_with_a_place_of_its_own_makes_it_before_its_hosts() -> None:
    words = f"SMTP_CHECK {{\n    connect_port 26\n{HOSTS}\n}}"
    ports = [check.connection.port for check in the_server(words).checks if isinstance(check, SmtpCheck)]
    assert ports == [26, 25, 80]


@pytest.mark.parametrize(
    "words, weight, reverse",
    [("", 3, True), ("weight 0", 0, False), ("weight -5", -5, False), ("weight 2 reverse", 2, True)],
)
def test_a_file_check_has_the_weight_of_the_file_or_its_own(words: str, weight: int, reverse: bool) -> None:
    before = "track_file one {\n    file /run/one\n    weight 3 reverse\n}\n"
    found = the_check("FILE_CHECK", f"track_file one\n{words}", before=before)
    assert isinstance(found, FileCheck)
    assert (found.file, found.path, found.weight, found.reverse) == ("one", "/run/one", weight, reverse)


def test_checks_keep_the_order_of_the_file() -> None:
    words = "TCP_CHECK {\n}\nPING_CHECK {\n}\nTCP_CHECK {\n    connect_port 81\n}"
    assert [check.kind for check in the_server(words).checks] == ["TCP_CHECK", "PING_CHECK", "TCP_CHECK"]
