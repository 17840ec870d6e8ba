# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""vrrp_instance: one virtual router."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Type
from .args import ADDRESS, BOOL, IFNAME, choice, integer
from .vrrp_instance_blocks import GARP, NOTIFY
from .vrrp_instance_blocks import SECTIONS as _BLOCKS

_ELECTION = (
    Keyword(
        "state",
        "Wished state at start; only a hint, as every instance starts as backup unless its priority is 255.",
        args=(choice("STATE", "MASTER", "BACKUP"),),
        default="BACKUP",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "interface",
        "Interface that carries the adverts, and the addresses that name none.",
        args=(IFNAME,),
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "virtual_router_id",
        "The VRID, the same on every router of the group.",
        args=(integer("VRID", 1, 255),),
        required=True,
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "priority",
        "Priority in the election; 255 is the owner of the addresses, and the default with state MASTER.",
        args=(integer("PRIORITY", 1, 255),),
        default="100",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "advert_int",
        "Interval of the adverts: whole seconds with version 2, 0.01 to 40.95 by 0.01 with version 3.",
        args=(Arg("SECS", Type.DECIMAL, minimum=0.01, maximum=255, unit="s"),),
        default="1",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "version",
        "Protocol version; vrrp_version when absent, and always 3 for IPv6.",
        args=(integer("VERSION", 2, 3),),
        supported=True,
        since="1.2.17",
    ),
    Keyword(
        "strict_mode",
        "Holds this instance to the letter of the standard.",
        args=BOOL,
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "preempt",
        "Lets a backup of higher priority take over, which is the default.",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "nopreempt",
        "Keeps a backup of higher priority from taking over from a live active router; state must be BACKUP.",
        supported=True,
        since="1.1.8",
    ),
    Keyword(
        "preempt_delay",
        "Time to wait before taking over from an active router of lower priority.",
        args=(Arg("SECS", Type.DECIMAL, minimum=0, maximum=1000, unit="s"),),
        default="0",
        supported=True,
        since="1.1.8",
    ),
    Keyword(
        "down_timer_adverts",
        "Number of missed adverts before a backup takes over; vrrp_down_timer_adverts when absent.",
        args=(integer("N", 1, 100),),
        supported=True,
        since="2.2.3",
    ),
    Keyword(
        "timer_expired_backup",
        "Steps down first when the process was stalled for more than two intervals; the argument is the "
        "highest priority of the peers.",
        args=(integer("PRIORITY", 1, 254, optional=True),),
        default="254",
        supported=True,
        since="2.2.8",
    ),
    Keyword(
        "thread_timer_expired",
        "Other name of timer_expired_backup.",
        args=(integer("PRIORITY", 1, 254, optional=True),),
        alias_of="timer_expired_backup",
        deprecated="timer_expired_backup",
        supported=True,
        since="2.3.2",
    ),
    Keyword(
        "lower_prio_no_advert",
        "Keeps an active router from answering adverts of lower priority.",
        args=BOOL,
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "higher_prio_send_advert",
        "Sends a last advert when an active router yields to a higher priority.",
        args=BOOL,
        supported=True,
        since="1.3.5",
    ),
    Keyword(
        "owner_ignore_adverts",
        "Lets the owner of the addresses ignore the adverts of others.",
        args=BOOL,
        supported=True,
        since="2.3.3",
    ),
)

_ADDRESSES = (
    Keyword(
        "virtual_ipaddress",
        "Addresses carried in the adverts, as many as fit; the first one decides the family.",
        block="address_lines",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "virtual_ipaddress_excluded",
        "Addresses that are moved with the others but not carried in the adverts, of either family.",
        block="address_lines",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "no_virtual_ipaddress",
        "Accepts an instance that has no virtual address.",
        supported=True,
        since="2.2.8",
    ),
    Keyword(
        "virtual_routes", "Routes present while active.", block="route_lines", supported=True, since="1.1.0"
    ),
    Keyword(
        "virtual_rules",
        "Policy rules present while active.",
        block="rule_lines",
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "agent_restore",
        "Puts back at once what another program removes of addresses, routes and rules, and stays active.",
        args=BOOL,
        default="agent_restore of global_defs",
        supported=True,
        own=True,
    ),
    Keyword(
        "promote_secondaries",
        "Sets the interface's sysctl that keeps other addresses of a subnet when one of them is removed.",
        supported=True,
        since="1.3.0",
    ),
    Keyword(
        "accept",
        "Accepts traffic to the virtual addresses without being their owner, which is the default.",
        supported=True,
        since="1.2.17",
    ),
    Keyword(
        "no_accept",
        "Drops traffic to the virtual addresses unless this router is their owner.",
        supported=True,
        since="1.3.0",
    ),
)

_NAMED = choice("name", "name")
_ANY_NAME = Arg("IFNAME", Type.INTERFACE, choices=("group", "netlink_notify_msg"))
"""After ``name`` also a word that would mean something else."""
_VMAC_ADDRESS = Arg("MAC", Type.MAC, optional=True)
_IPVLAN_WORDS = (
    Arg("ADDRESS[/PREFIX]", Type.PREFIX, optional=True),
    choice("MODE", "bridge", "private", "vepa", optional=True),
)

_LINKS = (
    Keyword(
        "use_vmac",
        "Puts the addresses on a macvlan that has the virtual MAC of VRRP.",
        args=(Arg("IFNAME", Type.INTERFACE, optional=True), _VMAC_ADDRESS),
        forms=((_NAMED, _ANY_NAME, _VMAC_ADDRESS),),
        options="vrrp_instance/use_vmac",
        supported=True,
        since="1.2.3",
    ),
    Keyword(
        "use_vmac_addr", "Makes VMACs for addresses on other interfaces too.", supported=True, since="2.2.0"
    ),
    Keyword(
        "vmac_xmit_base",
        "Sends adverts from the base interface instead of the VMAC.",
        supported=True,
        since="1.2.10",
    ),
    Keyword(
        "use_ipvlan",
        "Puts the addresses on an ipvlan link instead of a macvlan.",
        args=_IPVLAN_WORDS,
        forms=((_NAMED, _ANY_NAME, *_IPVLAN_WORDS), (Arg("IFNAME", Type.INTERFACE), *_IPVLAN_WORDS)),
        options="vrrp_instance/use_ipvlan",
        supported=True,
        since="2.0.17",
    ),
    Keyword("vrf", "VRF that the instance belongs to.", args=(IFNAME,), since="2.2.5"),
)

_TRANSPORT = (
    Keyword(
        "unicast_peer",
        "Peers to send adverts to; the block turns multicast off.",
        block="unicast_peer_lines",
        supported=True,
        since="1.2.8",
    ),
    Keyword("unicast_src_ip", "Source of unicast adverts.", args=(ADDRESS,), supported=True, since="1.2.10"),
    Keyword(
        "unicast_ttl",
        "TTL or hop limit of unicast adverts.",
        args=(integer("TTL", 0, 255),),
        default="255",
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "unicast_fault_no_peer",
        "Goes to FAULT instead of back to multicast when the list of peers ends up empty.",
        supported=True,
        since="2.2.5",
    ),
    Keyword(
        "check_unicast_src",
        "Accepts unicast adverts only from the listed peers.",
        supported=True,
        since="2.1.0",
    ),
    Keyword(
        "old_unicast_checksum",
        "Uses the unicast checksum of keepalived 1.3.6 and older; never stops the guessing.",
        args=(choice("never", "never", optional=True),),
        supported=True,
        since="1.3.7",
        build_option="checksum-compat",
    ),
    Keyword(
        "native_ipv6",
        "Has no effect: the family follows the first virtual address.",
        deprecated="nothing; leave it out",
        supported=True,
        since="1.2.1",
    ),
    Keyword("mcast_src_ip", "Source of multicast adverts.", args=(ADDRESS,), supported=True, since="1.1.0"),
    Keyword(
        "mcast_dst_ip",
        "Multicast group of this instance.",
        args=(ADDRESS,),
        supported=True,
        since="2.2.5",
    ),
    Keyword(
        "v3_checksum_as_v2",
        "Leaves the pseudo header out of the IPv4 checksum of version 3, as RFC 9568 says.",
        args=BOOL,
        supported=True,
        since="2.2.8",
    ),
    Keyword(
        "skip_check_adv_addr",
        "Does not compare the addresses in adverts from the active router already known.",
        args=BOOL,
        supported=True,
        since="1.2.20",
    ),
    Keyword(
        "kernel_rx_buf_size",
        "Size of the receive buffer of this instance's socket.",
        args=(integer("BYTES", unit="bytes"),),
        supported=True,
        since="2.0.3",
    ),
    Keyword(
        "authentication",
        "Authentication of version 2; version 3 has none.",
        block="vrrp_instance/authentication",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "auth_hmac",
        "Adds a keyed SHA-256 trailer with replay protection.",
        block="vrrp_instance/auth_hmac",
        supported=True,
        since="2.4.0",
        build_option="vrrp-auth",
    ),
)

_TRACKING = (
    Keyword(
        "track_src_ip", "Goes to FAULT when the source address is removed.", supported=True, since="2.0.0"
    ),
    Keyword(
        "dont_track_primary",
        "Ignores the state of the instance's own interface.",
        supported=True,
        since="1.1.8",
    ),
    Keyword(
        "track_interface",
        "Other interfaces whose state matters.",
        block="track_interface_lines",
        supported=True,
        since="1.1.0",
    ),
    Keyword(
        "track_script",
        "Scripts whose result matters.",
        block="track_script_lines",
        supported=True,
        since="1.1.13",
    ),
    Keyword(
        "track_file", "Files whose value matters.", block="track_file_lines", supported=True, since="2.0.0"
    ),
    Keyword(
        "track_process",
        "Processes that matter.",
        block="track_process_lines",
        supported=True,
        since="2.0.11",
        build_option="track-process",
    ),
    Keyword(
        "track_bfd",
        "BFD sessions that matter.",
        block="track_bfd_lines",
        since="2.0.0",
        build_option="bfd",
    ),
    Keyword(
        "linkbeat_use_polling",
        "Polls the link of the instance's interface.",
        deprecated="linkbeat_interfaces",
        supported=True,
        since="2.0.0",
        build_option="linkbeat",
    ),
)

SECTIONS: Tuple[Section, ...] = (
    Section(
        "vrrp_instance",
        "One virtual router.",
        keywords=(*_ELECTION, *_ADDRESSES, *_LINKS, *_TRANSPORT, *_TRACKING, *GARP, *NOTIFY),
    ),
    *_BLOCKS,
)
