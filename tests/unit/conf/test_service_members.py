# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges, prefixes and marks of a virtual_server_group."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.values.service_members import BadRange, span

from tests.unit.conf.service_texts import IPVS, service, the_service
from tests.unit.conf.texts import load_text, the_problem


def first_and_count(text: str) -> tuple[str, int]:
    first, count = span(text)
    return str(ip_address(first)), count


@pytest.mark.parametrize(
    "text, first, count",
    [
        ("198.51.100.1", "198.51.100.1", 1),
        ("198.51.100.1-10", "198.51.100.1", 10),
        ("198.51.100.1-1", "198.51.100.1", 1),
        ("198.51.100.250-255", "198.51.100.250", 6),
        ("198.51.100.250-198.51.101.3", "198.51.100.250", 10),
        ("198.51.100.64/30", "198.51.100.64", 4),
        ("198.51.100.1/32", "198.51.100.1", 1),
        ("2001:db8::1-f", "2001:db8::1", 15),
        ("2001:db8::a-10", "2001:db8::a", 7),
        ("2001:db8::1-2001:db8::1:0", "2001:db8::1", 65536),
        ("2001:db8::/126", "2001:db8::", 4),
        ("2001:db8::1/128", "2001:db8::1", 1),
    ],
)
def test_a_range_is_read_as_keepalived_reads_it(text: str, first: str, count: int) -> None:
    assert first_and_count(text) == (first, count)


@pytest.mark.parametrize(
    "text, says",
    [
        ("198.51.100.9-3", "before it begins"),
        ("198.51.100.9-256", "where it ends"),
        ("198.51.100.9-", "where it ends"),
        ("198.51.100.9-0x20", "where it ends"),
        ("198.51.100.9-2001:db8::1", "of its family"),
        ("198.51.100.65/30", "behind its prefix"),
        ("198.51.100.64/33", "no prefix length"),
        ("198.51.100.64/0", "no prefix length"),
        ("2001:db8::1-10000", "where it ends"),
        ("2001:db8::1-g", "where it ends"),
        ("2001:db8::1-fff_f", "where it ends"),
        ("hello-3", "no address"),
    ],
)
def test_a_range_that_means_nothing_says_why(text: str, says: str) -> None:
    with pytest.raises(BadRange) as caught:
        span(text)
    assert says in str(caught.value) and caught.value.hint


@given(st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_a_short_range_of_ipv4_counts_within_its_last_octet(start: int, end: int) -> None:
    address = IPv4Address(start)
    text = f"{address}-{end}"
    if end < start & 0xFF:
        with pytest.raises(BadRange):
            span(text)
        return
    packed, count = span(text)
    assert packed == address.packed
    assert int.from_bytes(packed, "big") + count - 1 == (start & ~0xFF) + end


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**20))
def test_a_whole_range_counts_all_addresses_between_its_ends(start: int, more: int) -> None:
    end = min(start + more, 2**128 - 1)
    packed, count = span(f"{IPv6Address(start)}-{IPv6Address(end)}")
    assert (packed, count) == (IPv6Address(start).packed, end - start + 1)


@given(st.integers(0, 2**32 - 1), st.integers(1, 32))
def test_a_prefix_holds_all_addresses_of_its_network(start: int, length: int) -> None:
    network = start >> (32 - length) << (32 - length)
    packed, count = span(f"{IPv4Address(network)}/{length}")
    assert (packed, count) == (IPv4Address(network).packed, 2 ** (32 - length))


@given(st.text(st.sampled_from("0123456789abcdef.:/-"), max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    try:
        first, count = span(text)
    except BadRange as error:
        assert error.hint
    else:
        assert len(first) in (4, 16) and count >= 1


@pytest.mark.parametrize(
    "lines, says",
    [
        ("", "is empty"),
        ("198.51.100.9-3 80", "before it begins"),
        ("2001:db8::/64 80", "more than 65536 addresses"),
        ("198.51.100.1-9 80\n198.51.100.9-12 80", "in the group already"),
        ("fwmark 7\nfwmark 7", "in the group already"),
        ("fwmark 0", "out of range"),
        ("198.51.100.1 80\n2001:db8::1 80\nfwmark 7", "both families"),
    ],
)
def test_a_group_that_is_wrong_is_an_error_of_the_group_alone(lines: str, says: str) -> None:
    """Its service is not blamed for it."""
    found = the_problem(f"{IPVS}virtual_server_group web {{\n{lines}\n}}\n" + service(head="group web"))
    assert found.severity == "error" and says in found.message and found.hint
    assert found.keyword != "virtual_server"


def test_the_same_addresses_with_another_port_or_family_are_no_clash() -> None:
    group = "virtual_server_group web {\n198.51.100.1-9 80\n198.51.100.1-9 443\nfwmark 7 inet\n}\n"
    assert [member.port for member in the_service("", group, head="group web").members] == [80, 443, 0]


def test_a_group_that_does_not_exist_is_named_where_it_is_used() -> None:
    found = the_problem(IPVS + service(head="group webb"))
    assert (found.severity, found.message) == ("error", "there is no virtual_server_group 'webb'")


def test_a_large_group_is_checked_quickly() -> None:
    """Overlaps are found by sorting, not by comparing all with all."""
    lines = "\n".join(f"198.18.{number // 250}.{number % 250} 80" for number in range(5000))
    loaded = load_text(f"{IPVS}virtual_server_group web {{\n{lines}\n}}\n" + service(head="group web"))
    assert loaded.config is not None, loaded.problems[:3]
    assert len(loaded.config.services[0].members) == 5000
