# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is believed: passwords, groups of their own, and unicast without a peer."""

from __future__ import annotations

from tests.compat.story import Story
from tests.compat.words import SILENCE, START, STOP, one, reload, rival

GROUP = "224.0.0.99"
SOURCE = "unicast_src_ip 198.51.100.10"
PEER = ("unicast_peer {", "    198.51.100.11", "}")

STORIES = (
    Story(
        "a group of its own",
        ("mcast_dst_ip",),
        one(f"mcast_dst_ip {GROUP}"),
        (START, rival(200), SILENCE, rival(200, destination=GROUP), SILENCE, STOP),
    ),
    Story(
        "unicast gets its first peer",
        ("unicast_fault_no_peer", "unicast_src_ip", "unicast_peer"),
        one(SOURCE, "unicast_fault_no_peer"),
        (START, reload("a peer", one(SOURCE, "unicast_fault_no_peer", *PEER)), STOP),
        differs={"a peer/announced": "A unicast router that leaves FAULT announces its source address"},
    ),
    Story(
        "a stranger among peers",
        ("check_unicast_src", "unicast_src_ip", "unicast_peer"),
        one(SOURCE, "check_unicast_src", *PEER),
        (START, rival(200, source="198.51.100.99", destination="198.51.100.10"), SILENCE, STOP),
    ),
)
