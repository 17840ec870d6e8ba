# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual links and the accept mode: what the words mean, and what may not be said."""

from __future__ import annotations

from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.conf.model import Firewall, Instance, VirtualLink
from vrrp_agent.conf.parts.link_names import candidates, links_of, name_links
from vrrp_agent.conf.values.links import mac_of

from tests.unit.conf.texts import config_of, instance, load_text, the_instance

ADDRESSES6 = "fe80::10/64,2001:db8::10/64"
VMAC4, VMAC6 = bytes.fromhex("00005e000133"), bytes.fromhex("00005e000233")


def own(body: str, **words: Any) -> VirtualLink:
    """The virtual link of an instance."""
    link = the_instance(body, **words).virtual_link
    assert link is not None
    return link


def messages(body: str, **words: Any) -> List[Tuple[str, str]]:
    """Severity and message of what ``check`` finds."""
    loaded = load_text(instance(body, **words))
    return [(problem.severity, problem.message) for problem in loaded.problems]


def test_use_vmac_alone_is_a_private_macvlan_with_the_mac_of_the_rfc() -> None:
    link = own("use_vmac")
    assert (link.name, link.kind, link.mac, link.base, link.family) == (
        "vrrp.51",
        "macvlan",
        VMAC4,
        "eth0",
        4,
    )
    assert (link.group, link.report_to_base, link.transmit_on_base) == (None, False, False)
    assert own("use_vmac", addresses=ADDRESSES6).mac == VMAC6


def test_without_the_word_there_is_no_link() -> None:
    router = the_instance()
    assert router.virtual_link is None and router.address_links == () and router.accept


@pytest.mark.parametrize(
    "words, name, mac",
    [
        ("use_vmac front", "front", VMAC4),
        ("use_vmac name group", "group", VMAC4),
        ("use_vmac 02:11:22:33:44:55", "vrrp.51", bytes.fromhex("021122334455")),
        ("use_vmac 2:11:22:33:4", "vrrp.51", bytes.fromhex("021122330433")),
        (
            "use_vmac front 02:11:22:33:44:55 netlink_notify_msg group 7",
            "front",
            bytes.fromhex("021122334455"),
        ),
    ],
)
def test_the_words_of_use_vmac(words: str, name: str, mac: bytes) -> None:
    link = own(words)
    assert (link.name, link.mac) == (name, mac)
    assert (link.group, link.report_to_base) == ((7, True) if "group 7" in words else (None, False))


@pytest.mark.parametrize(
    "words, expected",
    [
        ("use_ipvlan 198.51.100.9/24", ("vrrp.51", "bridge", bytes((198, 51, 100, 9)), 24)),
        ("use_ipvlan front 198.51.100.9", ("front", "bridge", bytes((198, 51, 100, 9)), 32)),
        ("use_ipvlan name vepa 198.51.100.9/24 vepa", ("vepa", "vepa", bytes((198, 51, 100, 9)), 24)),
    ],
)
def test_the_words_of_use_ipvlan(words: str, expected: Tuple[str, str, bytes, int]) -> None:
    router = the_instance(words)
    link = router.virtual_link
    assert link is not None and link.kind == "ipvlan" and link.mac == b""
    assert (link.name, link.mode, link.address, link.address_prefix_length) == expected
    assert router.multicast_source == link.address, "adverts come from it"


def test_unicast_adverts_leave_by_the_base_interface() -> None:
    """keepalived sets vmac_xmit_base then."""
    assert own("use_vmac\nunicast_peer {\n198.51.100.2\n}").transmit_on_base
    assert own("use_vmac\nvmac_xmit_base").transmit_on_base
    assert not own("use_vmac\nvmac_xmit_base\nstrict_mode").transmit_on_base


def test_use_vmac_on_an_address_gives_it_a_link_of_its_own() -> None:
    body = (
        "use_vmac\nvirtual_ipaddress_excluded {\n198.18.0.1 dev eth1 use_vmac\n198.18.0.2 dev eth1\n"
        "198.51.100.11/24 use_vmac\n}"
    )
    router = the_instance(body)
    (link,) = router.address_links
    assert (link.base, link.family, link.mac) == ("eth1", 4, VMAC4)
    assert [one.use_vmac for one in router.excluded_addresses] == [True, False, False]


def test_use_vmac_addr_gives_one_to_each_other_interface_and_family() -> None:
    body = (
        "use_vmac 02:11:22:33:44:55\nuse_vmac_addr\nvirtual_ipaddress_excluded {\n198.18.0.1 dev eth1\n"
        "198.18.0.2 dev eth1\n2001:db8::1/64\n198.51.100.11/24\n}"
    )
    router = the_instance(body)
    assert [(one.base, one.family) for one in router.address_links] == [("eth1", 4), ("eth0", 6)]
    assert {one.mac for one in links_of(router)} == {bytes.fromhex("021122334455")}
    assert [one.use_vmac for one in router.excluded_addresses] == [True, True, True, False]


def test_an_ipv4_link_has_ipv6_only_for_addresses_that_need_it() -> None:
    assert not own("use_vmac").both_families
    assert own("use_vmac\nvirtual_ipaddress_excluded {\n2001:db8::1/64\n}").both_families


def test_links_of_one_vrid_get_keepalived_s_names() -> None:
    texts = [
        instance("use_vmac"),
        instance("use_vmac", name="VI_6", addresses=ADDRESSES6),
        instance("use_vmac", name="VI_2", interface="eth1", addresses="198.18.0.1/24"),
    ]
    names = [links_of(one)[0].name for one in config_of("\n".join(texts)).instances]
    assert names == ["vrrp.51", "vrrp6.51", "vrrp1.51"]


def test_prefixes_of_the_names() -> None:
    text = "global_defs {\nvmac_prefix virtual\nvmac_addr_prefix address\n}\n" + instance(
        "use_vmac\nvirtual_ipaddress_excluded {\n198.18.0.1 dev eth1 use_vmac\n}"
    )
    (router,) = config_of(text).instances
    assert [one.name for one in links_of(router)] == ["virtual.51", "address.51"]


PREFIXES = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=15)


@given(PREFIXES, st.integers(1, 255), st.sampled_from((4, 6)), st.integers(1, 40))
def test_names_fit_an_interface_and_are_never_given_twice(
    prefix: str, vrid: int, family: int, number: int
) -> None:
    one = Instance("VI", "eth0", vrid, family, 3, virtual_link=VirtualLink("", prefix, "eth0", family, vrid))
    taken = {next(candidates(links_of(one)[0]))}
    names = [links_of(named)[0].name for named in name_links([one] * number, taken)]
    assert len(set(names)) == number and not taken & set(names)
    assert all(len(name.encode()) <= 15 and name.endswith(f".{vrid}") for name in names)


def test_a_link_that_stands_already_keeps_its_name() -> None:
    one = Instance("VI", "eth0", 51, 4, 3, virtual_link=VirtualLink("", "vrrp", "eth0", 4, 51))
    (named,) = name_links([one], {"vrrp.51"}, lambda _link: "old")
    assert links_of(named)[0].name == "old"


@pytest.mark.parametrize(
    "body, words, accept",
    [
        ("", {}, True),
        ("accept", {}, True),
        ("no_accept", {}, False),
        ("no_accept\naccept", {}, True),
        ("accept\nno_accept", {}, False),
        ("no_accept\npriority 255", {}, True),
        ("strict_mode", {}, False),
        ("strict_mode\naccept\nversion 3", {}, True),
        ("strict_mode\naccept\nversion 2", {}, False),
    ],
)
def test_who_accepts(body: str, words: Any, accept: bool) -> None:
    """keepalived: everybody but a strict router; RFC 3768 has no such mode."""
    assert the_instance(body, **words).accept is accept


def test_the_words_of_nftables() -> None:
    assert config_of(instance()).settings.firewall == Firewall()
    text = (
        "global_defs {\nnftables vrrp\nnftables_priority -5\nnftables_ifindex\nnftables_counters\n"
        "disable_local_igmp\n}\n"
    )
    assert config_of(text + instance()).settings.firewall == Firewall("vrrp", -5, True, True, False)


@pytest.mark.parametrize(
    "body, message",
    [
        ("use_vmac 03:11:22:33:44:55", "03:11:22:33:44:55 is the address of a group"),
        ("use_vmac 00:00:5e:00:01:07", "00:00:5e:00:01:07 is a virtual MAC of VRRP"),
        ("use_vmac group nobody", "unknown link group 'nobody'"),
        ("use_vmac\nuse_ipvlan 198.51.100.9/24", "use_vmac and use_ipvlan exclude each other"),
        ("use_ipvlan", "an IPv4 ipvlan needs an address of its own"),
        ("use_ipvlan 2001:db8::9/64", "2001:db8::9/64 is not of the instance's family"),
    ],
)
def test_what_is_wrong_is_an_error(body: str, message: str) -> None:
    found = messages(body)
    assert ("error", f"VI_1: {message}") in found, found


@pytest.mark.parametrize(
    "body, message",
    [
        ("vmac_xmit_base", "vmac_xmit_base does nothing without use_vmac"),
        ("use_vmac\nvmac_xmit_base\nstrict_mode", "strict mode ignores vmac_xmit_base"),
        ("use_vmac 02:11:22:33:44:55\nstrict_mode", "strict mode ignores the MAC of use_vmac"),
        ("use_vmac\nunicast_peer {\n198.51.100.2\n}", "unicast adverts leave by the base interface"),
        ("no_accept\npriority 255", "no_accept does nothing with priority 255"),
    ],
)
def test_what_has_no_effect_is_a_warning(body: str, message: str) -> None:
    found = messages(body)
    assert ("warning", f"VI_1: {message}") in found, found


def test_two_instances_cannot_share_a_link() -> None:
    second = instance("use_vmac front", name="VI_2", interface="eth1", addresses="198.18.0.1/24")
    loaded = load_text(instance("use_vmac front") + "\n" + second)
    assert any("the link front is the one of VI_1" in problem.message for problem in loaded.problems)


def test_iptables_of_old_files_is_nftables() -> None:
    loaded = load_text("global_defs {\nvrrp_iptables\nvrrp_ipsets\n}\n" + instance("no_accept"))
    found = [problem.message for problem in loaded.problems]
    assert found == [
        "vrrp_iptables: the rules are made with nftables",
        "vrrp_ipsets: the rules are made with nftables",
    ]


@pytest.mark.parametrize(
    "text, mac",
    [("02:11:22:33:44:55", "021122334455"), ("2:1:22:3:4", "02012203040a"), ("01:11:22:33:44:55", "")],
)
def test_a_mac_of_five_octets_ends_with_the_vrid(text: str, mac: str) -> None:
    assert mac_of(text, 10) == (bytes.fromhex(mac) or None)
