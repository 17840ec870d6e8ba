# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""vrrp_instance, continued: announcements, notifications and the blocks inside it."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Shape, Type
from .args import BOOL, IFNAME, INT32_MAX, NUMBER_OR_NAME, PATH, SCRIPT, choice, integer, seconds

GARP = (
    Keyword(
        "garp_master_delay",
        "Delay of the second burst of gratuitous ARPs or NAs after becoming active, 0 for none; "
        "vrrp_garp_master_delay when absent.",
        args=(seconds(),),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "garp_master_repeat",
        "Messages per address in a burst; vrrp_garp_master_repeat when absent.",
        args=(integer(),),
        supported=True,
        since="1.2.14",
    ),
    Keyword(
        "garp_master_refresh",
        "Least interval of the periodic refresh while active, 0 for never; "
        "vrrp_garp_master_refresh when absent.",
        args=(integer("SECS", unit="s"),),
        supported=True,
        since="1.2.10",
    ),
    Keyword(
        "garp_master_refresh_repeat",
        "Messages per address in a refresh; vrrp_garp_master_refresh_repeat when absent.",
        args=(integer(),),
        supported=True,
        since="1.2.14",
    ),
    Keyword(
        "garp_lower_prio_delay",
        "Delay of the second burst after an advert of lower priority is seen; "
        "vrrp_garp_lower_prio_delay or else garp_master_delay when absent.",
        args=(seconds(),),
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "garp_lower_prio_repeat",
        "Messages per address in such a burst, 0 for none; "
        "vrrp_garp_lower_prio_repeat or else garp_master_repeat when absent.",
        args=(integer("N", 0, INT32_MAX),),
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "garp_extra_if",
        "Repeats gratuitous ARPs on interfaces other than the instance's own.",
        args=(choice("all", "all", optional=True), integer("SECS", 0, 86400, unit="s")),
        supported=True,
        since="2.2.3",
    ),
    Keyword(
        "vmac_garp_intvl",
        "Old name of garp_extra_if.",
        args=(choice("all", "all", optional=True), integer("SECS", 0, 86400, unit="s")),
        alias_of="garp_extra_if",
        deprecated="garp_extra_if",
        supported=True,
        since="2.2.0",
    ),
)

NOTIFY = (
    Keyword(
        "notify_master",
        "Command to run on becoming active.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.1.0",
    ),
    Keyword(
        "notify_backup",
        "Command to run on becoming backup.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.1.0",
    ),
    Keyword(
        "notify_fault",
        "Command to run on entering FAULT.",
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
        since="1.1.13",
    ),
    Keyword(
        "notify_deleted",
        "Reports DELETED instead of FAULT when a reload removes the instance, and may run a command.",
        args=(Arg("CMD", Type.COMMAND, optional=True), *SCRIPT[1:]),
        supported=True,
        first_counts=True,
        since="2.1.0",
    ),
    Keyword(
        "notify",
        "Command to run on every change, with INSTANCE, name, state and priority added.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="1.1.2",
    ),
    Keyword(
        "notify_master_rx_lower_pri",
        "Command to run when an active router hears an advert of lower priority.",
        args=SCRIPT,
        supported=True,
        first_counts=True,
        since="2.0.6",
    ),
    Keyword("smtp_alert", "Sends a mail on changes.", args=BOOL, supported=True, since="1.1.0"),
    Keyword(
        "notify_priority_changes",
        "Reports changes of priority to the pipe.",
        args=BOOL,
        supported=True,
        since="2.0.16",
    ),
    Keyword(
        "lvs_sync_daemon_interface",
        "Interface of the IPVS sync daemon that follows this instance.",
        args=(IFNAME,),
        deprecated="lvs_sync_daemon in global_defs",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "debug",
        "Accepted without effect.",
        args=(integer("LEVEL", 0, 4),),
        supported=True,
        since="1.1.0",
    ),
)

_LINK_GROUP = Keyword(
    "group", "Puts the link into this interface group.", args=(NUMBER_OR_NAME,), supported=True
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "vrrp_instance/authentication",
        "Authentication of version 2.",
        keywords=(
            Keyword(
                "auth_type",
                "PASS sends the password in clear text, AH signs IPv4 adverts.",
                args=(choice("TYPE", "PASS", "AH"),),
                supported=True,
                since="1.1.0",
            ),
            Keyword(
                "auth_pass",
                "The shared password, of which at most 8 bytes are used.",
                args=(Arg("PASSWORD", max_length=8),),
                supported=True,
                secret=True,
                since="1.1.0",
            ),
            Keyword(
                "agent_auth_pass_file",
                "A file with the password, or credential:NAME for a credential of systemd; read when the "
                "configuration is applied.",
                args=(PATH,),
                supported=True,
                own=True,
            ),
        ),
    ),
    Section(
        "vrrp_instance/auth_hmac",
        "The keyed SHA-256 trailer.",
        keywords=(
            Keyword(
                "key",
                "Adds a key of 32 to 64 bytes: text, hex:DIGITS or file:PATH; credential:NAME is our own.",
                args=(integer("ID", 1, 255), Arg("KEY")),
                supported=True,
                repeatable=True,
                secret=True,
                since="2.4.0",
                build_option="vrrp-auth",
            ),
            Keyword(
                "active_key",
                "The key used to send.",
                args=(integer("ID", 1, 255),),
                supported=True,
                since="2.4.0",
                build_option="vrrp-auth",
            ),
            Keyword(
                "time_window",
                "Clock difference that is allowed; the larger of 3 advert intervals and 5 s when absent.",
                args=(integer("SECS", 1, 300, unit="s"),),
                supported=True,
                since="2.4.0",
                build_option="vrrp-auth",
            ),
            Keyword(
                "anti_replay",
                "How replayed adverts are found.",
                args=(choice("METHOD", "time", "monotonic"),),
                supported=True,
                since="2.4.0",
                build_option="vrrp-auth",
            ),
            Keyword(
                "mode",
                "How strict it is while a group is changed over.",
                args=(choice("MODE", "enforce", "permissive", "receive-only"),),
                supported=True,
                since="2.4.0",
                build_option="vrrp-auth",
            ),
        ),
    ),
    Section(
        "vrrp_instance/use_vmac",
        "What may follow use_vmac.",
        shape=Shape.OPTIONS,
        keywords=(
            Keyword(
                "netlink_notify_msg",
                "Makes the kernel tell listeners of the base interface when the link is made or removed.",
                supported=True,
            ),
            _LINK_GROUP,
        ),
    ),
    Section(
        "vrrp_instance/use_ipvlan",
        "What may follow use_ipvlan.",
        shape=Shape.OPTIONS,
        keywords=(_LINK_GROUP,),
    ),
)
