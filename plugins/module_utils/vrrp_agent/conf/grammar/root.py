# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file itself: the blocks and words that stand outside all blocks."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import IFNAME, NAME, choice, integer, name_of, timer

_BLOCKS = (
    Keyword(
        "global_defs",
        "Settings of the whole daemon; it stands before the blocks that take defaults from it.",
        block="global_defs",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "track_group",
        "Names instances that leave the active state when a static item tagged with the group is removed.",
        args=(NAME,),
        block="track_group",
        repeatable=True,
        supported=True,
        since="2.0.3",
    ),
    Keyword(
        "static_ipaddress",
        "Addresses that are always present.",
        block="static_address_lines",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "static_routes",
        "Routes that are always present.",
        block="static_route_lines",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "static_rules",
        "Policy rules that are always present.",
        block="static_rule_lines",
        repeatable=True,
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "vrrp_sync_group",
        "Couples several instances so that they move together.",
        args=(NAME,),
        block="vrrp_sync_group",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "garp_group",
        "Limits the rate of gratuitous ARPs and NAs over several interfaces.",
        block="garp_group",
        repeatable=True,
        supported=True,
        since="1.2.21",
    ),
    Keyword(
        "linkbeat_interfaces",
        "Interfaces whose link is polled, and how.",
        block="linkbeat_lines",
        repeatable=True,
        supported=True,
        since="2.0.13",
        build_option="linkbeat",
    ),
    Keyword(
        "vrrp_instance",
        "One virtual router.",
        args=(NAME,),
        block="vrrp_instance",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "vrrp_script",
        "A health script that runs periodically, used through track_script.",
        args=(NAME,),
        block="vrrp_script",
        repeatable=True,
        supported=True,
        since="1.1.13",
    ),
    Keyword(
        "vrrp_track_process",
        "Processes to watch for, used through track_process.",
        args=(NAME,),
        block="vrrp_track_process",
        repeatable=True,
        supported=True,
        since="2.0.11",
        build_option="track-process",
    ),
    Keyword(
        "interface_up_down_delays",
        "Holds back changes of an interface's link state.",
        block="up_down_delay_lines",
        repeatable=True,
        supported=True,
        since="2.2.3",
    ),
    Keyword(
        "track_file",
        "A file that holds a number to watch, used through track_file and FILE_CHECK.",
        args=(NAME,),
        block="track_file",
        repeatable=True,
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "vrrp_track_file",
        "Old name of track_file.",
        args=(NAME,),
        block="vrrp_track_file",
        repeatable=True,
        alias_of="track_file",
        deprecated="track_file",
        supported=True,
        since="2.0.0",
    ),
    Keyword("SSL", "Keys and certificates of SSL_GET.", block="SSL", supported=True, since="1.1.0"),
    Keyword(
        "virtual_server_group",
        "Addresses, ranges or firewall marks that share one virtual_server.",
        args=(NAME,),
        block="virtual_server_group_lines",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "virtual_server",
        "One IPVS service, or one for each member of a group.",
        args=(
            Arg("ADDRESS", Type.ADDRESS),
            Arg("PORT", Type.PORT, optional=True, minimum=0, maximum=65535),
        ),
        forms=(
            (Arg("fwmark", literal=True), integer("N", 1)),
            (Arg("group", literal=True), name_of("virtual_server_group")),
        ),
        block="virtual_server",
        repeatable=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "bfd_instance",
        "One BFD session.",
        args=(Arg("NAME", max_length=31),),
        block="bfd_instance",
        repeatable=True,
        since="2.0.0",
        build_option="bfd",
    ),
)

_WORDS = (
    Keyword(
        "linkbeat_use_polling",
        "Polls the link of all interfaces instead of trusting the kernel's messages.",
        supported=True,
        since="1.1.18",
        build_option="linkbeat",
    ),
    Keyword(
        "net_namespace",
        "Runs the whole daemon inside this network namespace; a reload cannot change it.",
        args=(NAME,),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "net_namespace_ipvs",
        "Network namespace of the IPVS side only; no name means the default one.",
        args=(Arg("NAME", optional=True),),
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "namespace_with_ipsets",
        "Allows net_namespace together with ipsets on kernels before 3.13. The agent uses no ipsets.",
        supported=True,
        since="1.3.0",
    ),
    Keyword(
        "use_pid_dir",
        "Keeps the process number in the runtime directory; always so here, in the file lock.",
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "instance",
        "Names this daemon, so that several can share a host; also the value of ${_INSTANCE}.",
        args=(NAME,),
        supported=True,
        since="1.2.24",
    ),
    Keyword(
        "child_wait_time",
        "Time that the processes beside the agent have to end before they are killed.",
        args=(integer("SECS", 0, unit="s"),),
        default="5",
        supported=True,
        since="2.0.0",
    ),
)

SECTIONS: Tuple[Section, ...] = (
    Section("root", "The file itself.", keywords=(*_BLOCKS, *_WORDS)),
    Section(
        "linkbeat_lines",
        "One interface per line.",
        shape=Shape.LINES,
        item=(IFNAME, choice("METHOD", "MII", "ETHTOOL", "IOCTL", optional=True)),
    ),
    Section(
        "up_down_delay_lines",
        "One interface per line; without UP there is no delay when it comes up.",
        shape=Shape.LINES,
        item=(
            IFNAME,
            timer(0, 255, "DOWN"),
            Arg("UP", Type.DECIMAL, optional=True, minimum=0, maximum=255, unit="s"),
        ),
    ),
    Section(
        "track_group",
        "Instances that watch tagged static items.",
        keywords=(
            Keyword(
                "group",
                "The instances.",
                block="instance_name_lines",
                required=True,
                supported=True,
                since="2.0.3",
            ),
        ),
    ),
    Section(
        "instance_name_lines",
        "Names of instances, one or more per line.",
        shape=Shape.LINES,
        item=(name_of("vrrp_instance", many=True),),
    ),
)
