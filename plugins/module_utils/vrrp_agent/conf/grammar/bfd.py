# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bfd_instance: one BFD session."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Type
from .args import ADDRESS, BOOL, REVERSE, integer, weight

_MSECS_MAX = 4_294_967
"""keepalived counts these times as 32-bit microseconds."""


def _milliseconds(minimum: int) -> Arg:
    return Arg("MSECS", Type.DECIMAL, minimum=minimum, maximum=_MSECS_MAX, unit="ms")


SECTIONS: Tuple[Section, ...] = (
    Section(
        "bfd_instance",
        "One BFD session.",
        keywords=(
            Keyword("source_ip", "Local address.", args=(ADDRESS,), since="2.0.0", build_option="bfd"),
            Keyword(
                "neighbor_ip",
                "Remote address.",
                args=(ADDRESS,),
                required=True,
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "neighbour_ip",
                "Other spelling of neighbor_ip.",
                args=(ADDRESS,),
                alias_of="neighbor_ip",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "min_rx",
                "Shortest interval between packets that this side can receive.",
                args=(_milliseconds(1),),
                default="10",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "min_tx",
                "Shortest interval between packets that this side wishes to send.",
                args=(_milliseconds(1),),
                default="10",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "idle_tx",
                "Interval of sending while the session is down.",
                args=(_milliseconds(1000),),
                default="1000",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "multiplier",
                "Number of missed packets after which the session is down.",
                args=(integer("N", 1, 255),),
                default="5",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword("passive", "Waits for the other side to begin.", since="2.0.0", build_option="bfd"),
            Keyword(
                "ttl",
                "TTL of packets sent; 64 is the default for IPv6.",
                args=(integer("TTL", 1, 255),),
                default="255",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "hoplimit",
                "Same as ttl.",
                args=(integer("TTL", 1, 255),),
                alias_of="ttl",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "max_hops",
                "Largest number of hops that a received packet may have made; -1 for any.",
                args=(integer("HOPS", -1, 255),),
                default="0",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "multihop", "Uses port 4784 instead of 3784.", args=BOOL, since="2.2.8", build_option="bfd"
            ),
            Keyword(
                "weight",
                "Default weight in track_bfd; 0 means FAULT when down.",
                args=(weight(253), REVERSE),
                default="0",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword("vrrp", "Only the VRRP process uses the session.", since="2.0.0", build_option="bfd"),
            Keyword(
                "checker", "Only the checker process uses the session.", since="2.0.0", build_option="bfd"
            ),
        ),
    ),
)
