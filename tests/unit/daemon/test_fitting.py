# SPDX-License-Identifier: GPL-3.0-or-later
"""An advert is one datagram: what does not fit into it is held all the same."""

from __future__ import annotations

import pytest
from vrrp_agent.daemon.fitting import fit_adverts, room
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.daemon.prepared import Prepared
from vrrp_agent.kernel.links import Link

from tests.unit.daemon.host import UP, packed
from tests.unit.daemon.make import OURS6, config, instance


def on_link(mtu: int) -> Interfaces:
    interfaces = Interfaces()
    interfaces.replace([Link(2, "eth0", UP, b"\x02\0\0\0\0\x01", mtu)], [])
    return interfaces


@pytest.mark.parametrize(
    ("family", "version", "mtu", "expected"),
    [
        (4, 3, 1500, 255),  # the count is one byte
        (4, 2, 1500, 255),
        (6, 3, 1500, (1500 - 40 - 8) // 16),
        (6, 3, 9000, 255),
        (4, 3, 576, (576 - 20 - 8) // 4),
        (4, 2, 576, (576 - 20 - 16) // 4),
        (6, 3, 40, 0),
    ],
)
def test_the_room_in_an_advert(family: int, version: int, mtu: int, expected: int) -> None:
    assert room(instance(family=family, version=version), mtu) == expected


def test_addresses_beyond_the_mtu_are_held_as_excluded_ones_and_said_so() -> None:
    texts = [f"fe80::{number:x}/64" for number in range(0x100, 0x100 + 120)]
    wide = instance("WIDE", *texts, family=6)
    fitted, cuts = fit_adverts(config(wide), on_link(1500))
    (one,) = fitted.instances
    assert (len(one.addresses), len(one.excluded_addresses)) == (90, 30)
    assert one.addresses + one.excluded_addresses == wide.addresses
    assert len(cuts) == 1 and "90 addresses" in cuts[0] and "other 30" in cuts[0]
    ((datagram, _destination),) = Prepared(one, packed(OURS6), on_link(1500)).adverts(100)
    assert len(datagram) <= 1500


def test_what_fits_stays_as_it_is() -> None:
    small = config(instance())
    assert fit_adverts(small, on_link(1500)) == (small, [])


def test_a_link_that_comes_later_is_taken_for_an_ethernet() -> None:
    texts = [f"fe80::{number:x}/64" for number in range(0x100, 0x100 + 91)]
    fitted, cuts = fit_adverts(config(instance("V", *texts, family=6)), Interfaces())
    assert len(fitted.instances[0].addresses) == 90 and cuts
