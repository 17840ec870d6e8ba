# SPDX-License-Identifier: GPL-3.0-or-later
"""What global_defs says about SNMP: the switches, the socket, and what is wrong with them."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.model import Snmp
from vrrp_agent.conf.parts.endpoint import BadEndpoint, Endpoint, endpoint

from tests.unit.conf.texts import config_of, instance, the_problem


def snmp(words: str) -> Snmp:
    return config_of(f"global_defs {{\n{words}\n}}\n" + instance()).settings.snmp


def test_without_a_word_nothing_is_served() -> None:
    assert config_of(instance()).settings.snmp == Snmp()


@pytest.mark.parametrize(
    "words, keepalived, old, new",
    [
        ("enable_snmp_vrrp", True, False, False),
        ("enable_snmp_rfc", False, True, True),
        ("enable_snmp_rfcv2", False, True, False),
        ("enable_snmp_rfcv3", False, False, True),
        ("enable_snmp_vrrp\nenable_snmp_rfcv2", True, True, False),
    ],
)
def test_each_word_switches_its_mib_on(words: str, keepalived: bool, old: bool, new: bool) -> None:
    found = snmp(words)
    assert (found.keepalived, found.rfc2787, found.rfc6527, found.traps) == (keepalived, old, new, False)
    assert snmp(words + "\nenable_traps").traps


def test_the_old_name_of_enable_snmp_vrrp_is_known() -> None:
    assert snmp("enable_snmp_keepalived").keepalived


def test_the_first_snmp_socket_counts() -> None:
    """keepalived says so of the second and passes it over."""
    words = "enable_snmp_vrrp\nsnmp_socket unix:/run/one\nsnmp_socket udp:two"
    assert snmp(words).socket == "unix:/run/one"


def test_global_words_that_only_snmp_shows() -> None:
    found = snmp("enable_snmp_vrrp\nsmtp_alert off\nsmtp_alert_vrrp\nv3_checksum_as_v2")
    assert (found.smtp_alert, found.smtp_alert_vrrp, found.smtp_alert_checker) == (False, True, None)
    assert found.checksum_as_v2


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", Endpoint("/var/agentx/master")),
        ("unix:/run/snmp/master", Endpoint("/run/snmp/master")),
        ("UNIX:/run/snmp/master", Endpoint("/run/snmp/master")),
        ("/run/snmp/master", Endpoint("/run/snmp/master")),
        ("tcp:198.51.100.1:7050", Endpoint("", "198.51.100.1", 7050)),
        ("tcp:localhost", Endpoint("", "localhost", 705)),
        ("tcp6:[2001:db8::1]:7050", Endpoint("", "2001:db8::1", 7050)),
        ("tcp:[2001:db8::1]", Endpoint("", "2001:db8::1", 705)),
        ("tcp:2001:db8::1", Endpoint("", "2001:db8::1", 705)),
    ],
)
def test_where_the_master_listens(text: str, expected: Endpoint) -> None:
    assert endpoint(text) == expected


@pytest.mark.parametrize(
    "text, problem, hint",
    [
        ("udp:198.51.100.1:705", "means UDP", "tcp:198.51.100.1:705"),
        ("198.51.100.1:705", "means UDP", "tcp:198.51.100.1:705"),
        ("udp6:[2001:db8::1]", "means UDP", "tcp:[2001:db8::1]"),
        ("unix:run/master", "no absolute path", "unix:/var/agentx/master"),
        ("unix:", "no absolute path", "unix:/var/agentx/master"),
        ("tcp:", "names no host", "tcp:127.0.0.1:705"),
        ("tcp:localhost:0", "no port", "1..65535"),
        ("tcp:localhost:65536", "no port", "1..65535"),
        ("tcp:localhost:x", "no port", "1..65535"),
    ],
)
def test_where_no_master_can_listen(text: str, problem: str, hint: str) -> None:
    with pytest.raises(BadEndpoint, match=problem) as caught:
        endpoint(text)
    assert hint in caught.value.hint


def test_a_socket_over_udp_is_an_error_with_its_place() -> None:
    words = "global_defs {\n    enable_snmp_vrrp\n    snmp_socket udp:localhost:705\n}\n"
    found = the_problem(words + instance())
    assert (found.severity, found.line, found.column) == ("error", 3, 17)
    assert "RFC 2741" in found.message and "tcp:localhost:705" in found.hint


@pytest.mark.parametrize("word", ["enable_traps", "snmp_socket unix:/run/master"])
def test_a_word_that_has_no_effect_alone_is_named(word: str) -> None:
    found = the_problem(f"global_defs {{\n    {word}\n}}\n" + instance())
    assert found.severity == "warning" and "has no effect" in found.message


def test_the_words_of_virtual_servers_say_how_old_counters_may_be() -> None:
    words = "enable_snmp_checker\nsnmp_vs_stats_update_interval 2.5"
    found = config_of(f"global_defs {{\n{words}\n}}\n" + instance()).settings.balancing
    assert found.snmp
    assert (found.snmp_service_age_ns, found.snmp_server_age_ns) == (2_500_000_000, 2_500_000_000)
