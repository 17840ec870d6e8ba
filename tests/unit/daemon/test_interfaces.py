# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the host: names that move, addresses in their order, and which one adverts come from."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import pytest
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.kernel.addresses import AddressEvent, HeldAddress
from vrrp_agent.kernel.links import Link, LinkEvent

from tests.unit.daemon.host import LINK_SCOPE, SECONDARY, TENTATIVE, UP, packed

NOBODY: Tuple[bytes, ...] = ()


def link(index: int, name: str, flags: int = UP, mac: bytes = b"\x02\0\0\0\0\x01") -> Link:
    return Link(index, name, flags, mac, 1500)


def held(index: int, text: str, length: int = 24, scope: int = 0, flags: int = 0) -> HeldAddress:
    return HeldAddress(index, packed(text), length, scope, flags)


def picture(*items: Any) -> Interfaces:
    interfaces = Interfaces()
    interfaces.replace(
        [item for item in items if isinstance(item, Link)],
        [item for item in items if isinstance(item, HeldAddress)],
    )
    return interfaces


# Links.


def test_a_link_is_up_when_it_is_switched_on_and_has_a_carrier() -> None:
    interfaces = picture(link(2, "eth0"), link(3, "eth1", flags=0x1), link(4, "eth2", flags=0x40))
    assert interfaces.up("eth0")
    assert not interfaces.up("eth1"), "no carrier"
    assert not interfaces.up("eth2"), "switched off"
    assert not interfaces.up("eth9"), "not there"


def test_a_link_that_loses_its_carrier_is_news() -> None:
    interfaces = picture(link(2, "eth0"))
    changes = interfaces.apply([LinkEvent(link(2, "eth0", flags=0x1))], NOBODY)
    assert (changes.names, changes.gone) == ({"eth0"}, set())
    assert not interfaces.up("eth0")


def test_what_says_nothing_new_is_no_news() -> None:
    interfaces = picture(link(2, "eth0"), held(2, "198.51.100.1"))
    changes = interfaces.apply([LinkEvent(link(2, "eth0")), AddressEvent(held(2, "198.51.100.1"))], NOBODY)
    assert changes.names == set()


def test_a_renamed_link_is_news_under_both_names_and_lost_under_the_old_one() -> None:
    interfaces = picture(link(2, "eth0"))
    changes = interfaces.apply([LinkEvent(link(2, "lan0"))], NOBODY)
    assert changes.names == {"eth0", "lan0"}
    assert "eth0" in changes.gone
    assert interfaces.get("eth0") is None
    assert interfaces.name_of(2) == "lan0"


def test_news_that_are_older_than_the_picture_cost_no_link_its_name() -> None:
    """A link gets another name and a new one its old name, both known before the news of either arrives."""
    interfaces = picture(link(2, "old0"), link(3, "eth0"))
    news = [link(2, "eth0"), link(2, "old0"), link(3, "eth0")]
    interfaces.apply([LinkEvent(one) for one in news], NOBODY)
    assert interfaces.get("eth0") == link(3, "eth0")
    assert interfaces.get("old0") == link(2, "old0")


def test_a_link_that_is_being_removed_is_gone_and_its_end_is_the_next_news_of_it() -> None:
    interfaces = picture(link(2, "eth0"), link(3, "vrrp.51"), held(3, "198.51.100.100"))
    interfaces.let_go(link(3, "vrrp.51"))
    assert interfaces.get("vrrp.51") is None and link(3, "vrrp.51") not in interfaces
    assert interfaces.leaving == [link(3, "vrrp.51")]
    assert interfaces.apply([LinkEvent(link(3, "vrrp.51", flags=0))], NOBODY).names == set()
    interfaces.replace([link(2, "eth0"), link(3, "vrrp.51")], [])
    assert interfaces.get("vrrp.51") is None, "a full list says nothing else"
    changes = interfaces.apply([LinkEvent(link(3, "vrrp.51"), removed=True)], NOBODY)
    assert changes.names == changes.gone == {"vrrp.51"}
    assert interfaces.leaving == []


def test_a_full_list_ends_the_wait_for_a_removal_whose_news_was_lost() -> None:
    interfaces = picture(link(2, "eth0"), link(3, "vrrp.51"))
    interfaces.let_go(link(3, "vrrp.51"))
    interfaces.replace([link(2, "eth0")], [])
    assert interfaces.leaving == []


def test_two_links_may_swap_their_names() -> None:
    interfaces = picture(link(2, "eth0"), link(3, "eth1"))
    interfaces.apply(
        [LinkEvent(link(2, "tmp")), LinkEvent(link(3, "eth0")), LinkEvent(link(2, "eth1"))], NOBODY
    )
    assert (interfaces.name_of(2), interfaces.name_of(3)) == ("eth1", "eth0")
    assert interfaces.get("tmp") is None


def test_a_removed_link_takes_its_addresses_along() -> None:
    interfaces = picture(link(2, "eth0"), held(2, "198.51.100.1"))
    changes = interfaces.apply([LinkEvent(link(2, "eth0"), removed=True)], NOBODY)
    assert (changes.names, changes.gone) == ({"eth0"}, {"eth0"})
    interfaces.apply([LinkEvent(link(2, "eth0"))], NOBODY)
    assert interfaces.primary("eth0", 4, NOBODY) is None
    assert interfaces.held("eth0", packed("198.51.100.1")) == ()


def test_a_link_that_goes_and_comes_back_at_once_was_gone_even_with_the_same_index() -> None:
    """What was bound to the old one, such as a group membership, is lost."""
    interfaces = picture(link(2, "eth0"))
    changes = interfaces.apply([LinkEvent(link(2, "eth0"), removed=True), LinkEvent(link(2, "eth0"))], NOBODY)
    assert changes.gone == {"eth0"}
    assert interfaces.get("eth0") == link(2, "eth0")


def test_a_name_that_another_link_takes_without_a_word_was_gone() -> None:
    interfaces = picture(link(2, "eth0"))
    assert interfaces.apply([LinkEvent(link(7, "eth0"))], NOBODY).gone == {"eth0"}
    interfaces.apply([LinkEvent(link(2, "eth0"), removed=True)], NOBODY)
    assert interfaces.get("eth0") == link(7, "eth0"), "the late farewell is of the old one"


def test_a_fresh_list_tells_which_names_stand_for_another_link() -> None:
    interfaces = picture(link(2, "eth0"), link(3, "eth1"), link(4, "eth2"))
    assert interfaces.replace([link(2, "eth0"), link(9, "eth1")], []) == {"eth1", "eth2"}


# Addresses.


def test_an_address_that_comes_before_its_link_is_there_when_the_link_is() -> None:
    interfaces = picture()
    assert interfaces.apply([AddressEvent(held(2, "198.51.100.1"))], NOBODY).names == set()
    assert interfaces.apply([LinkEvent(link(2, "eth0"))], NOBODY).names == {"eth0"}
    assert interfaces.primary("eth0", 4, NOBODY) == packed("198.51.100.1")


def test_virtual_addresses_come_and_go_without_making_news_of_the_interface() -> None:
    interfaces = picture(link(2, "eth0"))
    virtual = {packed("198.51.100.100")}
    come = interfaces.apply([AddressEvent(held(2, "198.51.100.100"))], virtual)
    assert (come.names, come.virtual_lost) == (set(), False)
    assert interfaces.held("eth0", packed("198.51.100.100"))
    gone = interfaces.apply([AddressEvent(held(2, "198.51.100.100"), removed=True)], virtual)
    assert (gone.names, gone.virtual_lost) == (set(), True)
    assert not interfaces.held("eth0", packed("198.51.100.100"))


def test_one_address_with_two_prefix_lengths_is_two() -> None:
    interfaces = picture(link(2, "eth0"), held(2, "198.51.100.9", 24), held(2, "198.51.100.9", 32))
    address = packed("198.51.100.9")
    assert {one.prefix_length for one in interfaces.held("eth0", address)} == {24, 32}
    interfaces.apply([AddressEvent(held(2, "198.51.100.9", 24), removed=True)], NOBODY)
    assert [one.prefix_length for one in interfaces.held("eth0", address)] == [32]


# The address that adverts come from (RFC 9568 5.1.1.1, 5.1.2.1).

PRIMARY = [
    ("the only one", 4, [("198.51.100.1", 0, 0)], "198.51.100.1"),
    ("the first of two", 4, [("198.51.100.7", 0, 0), ("203.0.113.1", 0, 0)], "198.51.100.7"),
    (
        "no secondary while there is a primary",
        4,
        [("198.51.100.7", 0, SECONDARY), ("198.51.100.9", 0, 0)],
        "198.51.100.9",
    ),
    ("a secondary rather than none", 4, [("198.51.100.7", 0, SECONDARY)], "198.51.100.7"),
    ("never a virtual one", 4, [("198.51.100.100", 0, 0), ("198.51.100.7", 0, SECONDARY)], "198.51.100.7"),
    ("none where only a virtual one is", 4, [("198.51.100.100", 0, 0)], None),
    ("none of the other family", 4, [("2001:db8::1", 0, 0)], None),
    ("a link-local one", 6, [("2001:db8::1", 0, 0), ("fe80::1", LINK_SCOPE, 0)], "fe80::1"),
    ("none while it is tentative", 6, [("fe80::1", LINK_SCOPE, TENTATIVE)], None),
    (
        "the next one while the first is tentative",
        6,
        [("fe80::1", LINK_SCOPE, TENTATIVE), ("fe80::2", LINK_SCOPE, 0)],
        "fe80::2",
    ),
    ("no global one", 6, [("2001:db8::1", 0, 0)], None),
    ("no virtual link-local one", 6, [("fe80::100", LINK_SCOPE, 0), ("fe80::1", LINK_SCOPE, 0)], "fe80::1"),
]


@pytest.mark.parametrize(
    "family, addresses, expected", [row[1:] for row in PRIMARY], ids=[r[0] for r in PRIMARY]
)
def test_adverts_come_from(family: int, addresses: Any, expected: Optional[str]) -> None:
    items = [held(2, text, 24, scope, flags) for text, scope, flags in addresses]
    interfaces = picture(link(2, "eth0"), *items)
    virtual = {packed("198.51.100.100"), packed("fe80::100")}
    found = interfaces.primary("eth0", family, virtual)
    assert found == (packed(expected) if expected else None)


def test_a_link_that_is_not_there_has_no_address() -> None:
    assert picture().primary("eth0", 4, NOBODY) is None


def test_an_address_that_leaves_the_tentative_state_is_news() -> None:
    tentative = held(2, "fe80::1", 64, LINK_SCOPE, TENTATIVE)
    interfaces = picture(link(2, "eth0"), tentative)
    ready = held(2, "fe80::1", 64, LINK_SCOPE)
    assert interfaces.apply([AddressEvent(ready)], NOBODY).names == {"eth0"}
    assert interfaces.primary("eth0", 6, NOBODY) == packed("fe80::1")
