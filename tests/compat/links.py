# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual MACs, and who may talk to a virtual address."""

from __future__ import annotations

from tests.compat.story import Story
from tests.compat.words import SILENCE, START, STOP, cable, one, rival

SYSCTLS = tuple(
    f"net.ipv4.conf.{name}"
    for name in (
        "vrrp/51.arp_ignore",
        "vrrp/51.arp_filter",
        "vrrp/51.rp_filter",
        "vrrp/51.accept_local",
        "vrrp/51.promote_secondaries",
        "eth0.arp_ignore",
        "eth0.arp_filter",
        "eth0.rp_filter",
    )
)

# keepalived answers with the MAC of the base interface until the sysctls take hold: now and then. What the
# agent answers with is held by tests/integration/test_vmac.py.
STORIES = (
    Story(
        "a virtual MAC",
        ("use_vmac",),
        one("use_vmac"),
        (START, rival(200), SILENCE, cable("eth0", False), cable("eth0", True), STOP),
        sysctls=SYSCTLS,
        ignore=("neighbour",),
        differs={"stop/sysctls": "The settings of the base interface are put back"},
    ),
    Story(
        "a virtual MAC, adverts by the base",
        ("vmac_xmit_base",),
        one("use_vmac vmac51", "vmac_xmit_base"),
        (START, rival(200), SILENCE, STOP),
        ignore=("neighbour",),
    ),
    Story(
        "a virtual MAC for IPv6",
        ("use_vmac",),
        one("use_vmac", family=6),
        (START, STOP),
    ),
    Story(
        "no_accept",
        ("no_accept",),
        one("no_accept"),
        (START, rival(200), SILENCE, STOP),
    ),
)
