# SPDX-License-Identifier: GPL-3.0-or-later
"""use_vmac beside keepalived: both have one MAC, and a client's neighbour entry outlives every change."""

from __future__ import annotations

import json

import pytest

from tests.interop.test_keepalived import ROLES, Case, Pair, relay_race
from tests.lab.lan import VIP4, VIP6
from tests.lab.plugin import MakeLan, debian_root
from tests.lab.prober import Prober
from tests.lab.roots import RELEASES
from tests.lab.shell import wait_until

CASES = [
    Case(3, 4, False, ("use_vmac",), "-vmac"),
    Case(2, 4, False, ("use_vmac",), "-vmac"),
    Case(3, 6, False, ("use_vmac",), "-vmac"),
    Case(3, 4, False, ("use_vmac", "vmac_xmit_base"), "-xmit_base"),
    Case(3, 4, True, ("use_vmac", "vmac_xmit_base"), "-xmit_base"),
]
MATRIX = [
    (debian, case)
    for debian in RELEASES
    for case in CASES
    if not (case.unicast and debian == "bullseye")  # keepalived 2.1 announces with the physical MAC then
]
VMAC = {4: "00:00:5e:00:01:33", 6: "00:00:5e:00:02:33"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("debian, case", MATRIX, ids=str)
def test_agent_and_keepalived_share_a_virtual_mac(
    make_lan: MakeLan, debian: str, case: Case, role: str
) -> None:
    """One relay race, watched by a client: it knows the virtual MAC from the first answer to the last."""
    lan = make_lan("a", "b", "w")
    vip = VIP4 if case.family == 4 else VIP6
    pair = Pair(lan, case, debian_root(debian), role)

    def known() -> set[str]:
        """The MACs of the client's entry: none for a moment while it asks anew."""
        return {entry.get("lladdr") for entry in json.loads(lan.w.ip("-j", "neigh", "show", vip))} - {None}

    with Prober(lan.w, vip, 0.02) as client:
        relay_race(pair)
        count = client.answered
        wait_until("answers at the end", lambda: client.answered > count, 10)
        wait_until("the client knows the virtual MAC", lambda: known() == {VMAC[case.family]}, 10)
    announced = {one.announcement.mac for one in lan.wire.announcements(address=vip)}
    assert announced == {VMAC[case.family]}
    if "xmit_base" not in case.name:
        assert {one.advert.source_mac for one in lan.wire.adverts()} == {VMAC[case.family]}
