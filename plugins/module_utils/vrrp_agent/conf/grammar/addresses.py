# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines of virtual_ipaddress, virtual_ipaddress_excluded, static_ipaddress and unicast_peer."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import IFNAME, UINT32_MAX, integer, name_of

SCOPES = ("site", "link", "host", "nowhere", "global")

_ADDRESS = (Arg("ADDRESS[/PREFIX]", Type.PREFIX),)
_BROADCAST = (Arg("ADDRESS", Type.ADDRESS4, choices=("+", "-")),)

_OPTIONS = (
    Keyword(
        "dev",
        "Puts the address on this interface, which is then tracked unless no_track is given.",
        args=(IFNAME,),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "scope",
        "Sets the scope of an IPv4 address.",
        args=(Arg("SCOPE", Type.NUMBER_OR_NAME, minimum=0, maximum=255, choices=SCOPES),),
        default="global",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "brd",
        "Sets the IPv4 broadcast address; + sets all host bits, - clears them.",
        args=_BROADCAST,
        supported=True,
        since="1.1.3",
    ),
    Keyword(
        "broadcast",
        "Long form of brd.",
        args=_BROADCAST,
        alias_of="brd",
        supported=True,
        since="1.1.3",
    ),
    Keyword(
        "label",
        "Labels an IPv4 address, as an alias name.",
        args=(Arg("LABEL", max_length=15),),
        supported=True,
        since="1.1.14",
    ),
    Keyword(
        "peer",
        "Names the remote address of a point-to-point link.",
        args=(Arg("ADDRESS[/PREFIX]", Type.PREFIX),),
        supported=True,
        since="2.0.0",
    ),
    Keyword("home", "Sets the IPv6 home-address flag.", supported=True, since="1.3.6"),
    Keyword(
        "-nodad", "Skips duplicate address detection for an IPv6 address.", supported=True, since="1.3.6"
    ),
    Keyword(
        "mngtmpaddr",
        "Makes the IPv6 address the template of temporary addresses.",
        supported=True,
        since="1.3.6",
    ),
    Keyword("noprefixroute", "Adds no route for the prefix.", supported=True, since="1.3.6"),
    Keyword("autojoin", "Joins the multicast group with the address.", supported=True, since="1.3.6"),
    Keyword(
        "no_track",
        "Neither tracks the interface nor reacts when another program removes the address.",
        supported=True,
        since="2.0.3",
    ),
    Keyword(
        "preferred_lft",
        "Sets the preferred lifetime; 0 keeps it from being chosen as a source address, and is the default "
        "of an IPv6 address with prefix 128.",
        args=(integer("SECS", 0, UINT32_MAX, unit="s", choices=("forever",)),),
        default="forever",
        supported=True,
        since="2.0.20",
    ),
)

_TTL = (integer("TTL", 0, 255),)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "address_lines",
        "One virtual address per line; the default prefix is 32 for IPv4 and 128 for IPv6.",
        shape=Shape.LINES,
        item=_ADDRESS,
        keywords=(
            *_OPTIONS,
            Keyword(
                "use_vmac",
                "Puts the address on a VMAC made on the interface given by dev.",
                supported=True,
                since="2.2.0",
            ),
        ),
    ),
    Section(
        "static_address_lines",
        "One address per line that stays whatever the state; without dev it goes to default_interface.",
        shape=Shape.LINES,
        item=_ADDRESS,
        keywords=(
            *_OPTIONS,
            Keyword(
                "track_group",
                "Names the instances that leave the active state when this address is removed.",
                args=(name_of("track_group"),),
                supported=True,
                since="2.0.3",
            ),
        ),
    ),
    Section(
        "unicast_peer_lines",
        "One peer per line, of the family of the instance.",
        shape=Shape.LINES,
        item=(Arg("ADDRESS", Type.ADDRESS),),
        keywords=(
            Keyword(
                "min_ttl",
                "Drops adverts from this peer that arrive with a lower TTL or hop limit.",
                args=_TTL,
                default="0",
                supported=True,
                since="2.1.0",
            ),
            Keyword(
                "max_ttl",
                "Drops adverts from this peer that arrive with a higher TTL or hop limit.",
                args=_TTL,
                default="255",
                supported=True,
                since="2.1.0",
            ),
        ),
    ),
)
