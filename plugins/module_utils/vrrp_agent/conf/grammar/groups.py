# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""vrrp_sync_group and garp_group: what several instances or interfaces share."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import BOOL, IFNAME, SCRIPT, timer

_INTERFACES = Arg("IFNAME", Type.INTERFACE, many=True)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "vrrp_sync_group",
        "Instances that move together.",
        keywords=(
            Keyword(
                "group",
                "The members; an instance may be in one group only.",
                block="instance_name_lines",
                required=True,
                supported=True,
                since="1.1.0",
            ),
            Keyword(
                "track_interface",
                "Interfaces tracked for all members.",
                block="track_interface_lines",
                supported=True,
                since="2.0.0",
            ),
            Keyword(
                "track_script",
                "Scripts tracked for all members.",
                block="track_script_lines",
                supported=True,
                since="2.0.0",
            ),
            Keyword(
                "track_file",
                "Files tracked for all members.",
                block="track_file_lines",
                supported=True,
                since="2.0.0",
            ),
            Keyword(
                "track_process",
                "Processes tracked for all members.",
                block="track_process_lines",
                supported=True,
                since="2.0.11",
                build_option="track-process",
            ),
            Keyword(
                "track_bfd",
                "BFD sessions tracked for all members.",
                block="track_bfd_lines",
                since="2.0.0",
                build_option="bfd",
            ),
            Keyword(
                "notify_master",
                "Command to run when the group becomes active.",
                args=SCRIPT,
                supported=True,
                first_counts=True,
                since="1.1.0",
            ),
            Keyword(
                "notify_backup",
                "Command to run when the group becomes backup.",
                args=SCRIPT,
                supported=True,
                first_counts=True,
                since="1.1.0",
            ),
            Keyword(
                "notify_fault",
                "Command to run when the group enters FAULT.",
                args=SCRIPT,
                supported=True,
                first_counts=True,
                since="1.1.0",
            ),
            Keyword(
                "notify_stop",
                "Command to run when the daemon stops.",
                args=SCRIPT,
                supported=True,
                first_counts=True,
                since="2.0.0",
            ),
            Keyword(
                "notify",
                "Command to run on every change, with GROUP, name, state and priority 0 added.",
                args=SCRIPT,
                supported=True,
                first_counts=True,
                since="1.1.2",
            ),
            Keyword("smtp_alert", "Sends a mail on changes.", args=BOOL, supported=True, since="1.1.0"),
            Keyword(
                "global_tracking",
                "Old word for tracking weights that the group shares.",
                deprecated="track_interface, track_script or track_file in the group",
                supported=True,
                since="1.2.3",
            ),
            Keyword(
                "sync_group_tracking_weight",
                "Allows trackers with a weight on the group and its members.",
                supported=True,
                since="2.0.0",
            ),
            Keyword(
                "notify_priority_changes",
                "Reports the members' changes of priority to the pipe.",
                args=BOOL,
                supported=True,
                since="2.2.0",
            ),
        ),
    ),
    Section(
        "garp_group",
        "A limit on gratuitous ARPs and NAs over several interfaces.",
        keywords=(
            Keyword(
                "garp_interval",
                "Pause between two gratuitous ARPs of the group.",
                args=(timer(),),
                supported=True,
                since="1.2.21",
            ),
            Keyword(
                "gna_interval",
                "Pause between two unsolicited NAs of the group.",
                args=(timer(),),
                supported=True,
                since="1.2.21",
            ),
            Keyword(
                "interface",
                "Applies the pause to this interface.",
                args=(IFNAME,),
                repeatable=True,
                supported=True,
                since="1.2.21",
            ),
            Keyword(
                "interfaces",
                "Shares the pause among these interfaces.",
                block="interface_name_lines",
                supported=True,
                since="1.2.21",
            ),
        ),
    ),
    Section(
        "interface_name_lines",
        "Names of interfaces, one or more per line.",
        shape=Shape.LINES,
        item=(_INTERFACES,),
    ),
)
