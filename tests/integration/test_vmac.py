# SPDX-License-Identifier: GPL-3.0-or-later
"""use_vmac: the virtual MAC in every frame about a virtual address, and on no other (RFC 9568 7.3, 8)."""

from __future__ import annotations

import json
import struct
import time
from typing import Any, Dict, List, Optional

import pytest

from tests.lab import config, frames
from tests.lab.bench import NO_BURST_LATER, Bench
from tests.lab.capture import Frame
from tests.lab.engines import Agent
from tests.lab.lan import VIP4, VIP6, Node
from tests.lab.plugin import MakeBench, MakeLan
from tests.lab.prober import Prober
from tests.lab.shell import run, stays, wait_until

VMAC = {4: "00:00:5e:00:01:33", 6: "00:00:5e:00:02:33"}
LINK = "vrrp.51"
LINES = ["use_vmac", *NO_BURST_LATER]
NA = 136
BOTH = pytest.mark.parametrize("family", [4, 6])


def links(node: Node, kind: str = "macvlan") -> List[Dict[str, Any]]:
    """The virtual links of a node."""
    found: List[Dict[str, Any]] = json.loads(
        node.ip("-j", "-d", "link", "show", "type", kind, check=False) or "[]"
    )
    return found


def active(make_bench: MakeBench, family: int = 4, *lines: str, **words: Any) -> Bench:
    """D is active with a virtual MAC, and holds its addresses."""
    bench = make_bench(family=family, lines=[*LINES, *lines], **words)
    bench.start_active()
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 5)
    return bench


def arp_replies(bench: Bench, address: str, since_ns: int = 0) -> List[Frame]:
    """D's answers to ARP about an address."""
    packed = frames.pack_ip(address)
    return [
        one
        for one in list(bench.wire.frames)
        if one.node == "d"
        and one.at_ns >= since_ns
        and one.data[12:14] == b"\x08\x06"
        and one.data[20:22] == b"\0\2"
        and one.data[28:32] == packed
    ]


def ask(bench: Bench, address: str) -> Frame:
    """T asks who has the address, by ARP or by a neighbour solicitation; D's answer."""
    begin_ns = time.time_ns()
    if ":" in address:
        bench.t.inject(solicitation(bench.t, address))
        return bench.wire.wait_for(
            f"an answer about {address}", lambda one: is_answer(one, address), since_ns=begin_ns
        )
    bench.t.inject(frames.arp_request(bench.t.mac, bench.t.ipv4, address))
    wait_until(f"an answer about {address}", lambda: arp_replies(bench, address, begin_ns), 3)
    return arp_replies(bench, address, begin_ns)[0]


def solicitation(node: Node, target: str) -> bytes:
    """A neighbour solicitation to the solicited-node group of ``target``."""
    packed = frames.pack_ip(target)
    group = frames.text_ip(bytes.fromhex("ff0200000000000000000001ff") + packed[13:])
    source = node.link_local
    body = struct.pack("!BBHI", 135, 0, 0, 0) + packed + b"\x01\x01" + frames.pack_mac(node.mac)
    total = frames.internet_sum(frames.pseudo_header(source, group, len(body), 58) + body)
    body = body[:2] + struct.pack("!H", total) + body[4:]
    packet = frames.ip_packet(source, group, body, protocol=58)
    return frames.ethernet(node.mac, frames.multicast_mac(group), packet)


def is_answer(one: Frame, address: str) -> bool:
    """A solicited neighbour advertisement of D about the address."""
    data = one.data
    icmp = data[12:14] == b"\x86\xdd" and data[20] == 58 and len(data) >= 86 and data[54] == NA
    return one.node == "d" and icmp and bool(data[58] & 0x40) and data[62:78] == frames.pack_ip(address)


def vmac_frames(bench: Bench, family: int = 4, since_ns: int = 0) -> List[Frame]:
    """Everything D has sent from the virtual MAC."""
    mac = frames.pack_mac(VMAC[family])
    return [
        one
        for one in list(bench.wire.frames)
        if one.node == "d" and one.at_ns >= since_ns and one.data[6:12] == mac
    ]


@BOTH
def test_adverts_come_from_the_virtual_mac_and_the_address_of_the_interface(
    make_bench: MakeBench, family: int
) -> None:
    """R-S02, R-S03, R-L06, R-L07: keepalived's name, RFC's MAC, the primary address as source."""
    bench = active(make_bench, family)
    for seen in bench.wire.wait_for_adverts("d", 4):
        assert seen.advert.source_mac == VMAC[family]
        assert seen.advert.source == bench.d.address(family)
        assert seen.advert.destination_mac == (frames.GROUP4_MAC if family == 4 else frames.GROUP6_MAC)
        assert seen.advert.ttl == 255
    (link,) = links(bench.d)
    assert (link["ifname"], link["address"]) == (LINK, VMAC[family])
    assert link["linkinfo"]["info_data"]["mode"] == "private"


@BOTH
def test_a_virtual_address_is_answered_for_with_the_virtual_mac(make_bench: MakeBench, family: int) -> None:
    """R-F14, R-S06, R-S13: sender hardware address and Ethernet source."""
    bench = active(make_bench, family)
    for address in bench.addresses:
        answer = ask(bench, address).data
        assert frames.text_mac(answer[6:12]) == VMAC[family]
        if family == 4:
            assert frames.text_mac(answer[22:28]) == VMAC[4]
        else:
            assert answer[78:80] == b"\x02\x01"
            assert frames.text_mac(answer[80:86]) == VMAC[6]


def test_the_router_flag_is_set_where_packets_are_forwarded(make_bench: MakeBench) -> None:
    """R-F16."""
    bench = make_bench(family=6, lines=LINES)
    bench.d.sysctl("net.ipv6.conf.all.forwarding=1")
    bench.start_active()
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 5)
    assert ask(bench, VIP6).data[58] & 0x80


@BOTH
def test_the_physical_mac_never_speaks_for_a_virtual_address(make_bench: MakeBench, family: int) -> None:
    """R-S07, R-S14: also where the sysctls are those of an untouched host, and when D itself asks."""
    bench = make_bench(family=family, lines=LINES)
    bench.start_active()
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 5)
    vip = VIP4 if family == 4 else VIP6
    begin_ns = time.time_ns()
    for _turn in range(10):
        ask(bench, vip)
    # D has to resolve T with the virtual address as its source
    bench.d.ip("neigh", "flush", "all")
    run(*in_node(bench.d, "ping", "-c", "2", "-W", "1", "-I", vip, peer_of(bench, family)), check=False)
    packed, physical = frames.pack_ip(vip), frames.pack_mac(bench.d.mac)
    for one in list(bench.wire.frames):
        if one.node != "d" or one.at_ns < begin_ns:
            continue
        if one.data[12:14] == b"\x08\x06" and one.data[28:32] == packed:
            assert one.data[6:12] != physical
            assert one.data[22:28] != physical
        if family == 6 and one.data[20] == 58 and one.data[54] in (135, 136):
            about = packed in (one.data[22:38], one.data[62:78] if one.data[54] == NA else b"")
            assert not about or physical not in (one.data[6:12], one.data[80:86])


def peer_of(bench: Bench, family: int) -> str:
    """T's address in the same network as the virtual one."""
    return bench.t.ipv4 if family == 4 else bench.t.ipv6


def in_node(node: Node, *argv: str) -> List[str]:
    """A command line that runs in the node."""
    return ["ip", "netns", "exec", node.namespace, *argv]


@BOTH
def test_the_own_address_keeps_the_physical_mac(make_bench: MakeBench, family: int) -> None:
    """R-S11: management goes to a real address."""
    bench = active(make_bench, family)
    own = bench.d.ipv4 if family == 4 else bench.d.ipv6
    assert frames.text_mac(ask(bench, own).data[6:12]) == bench.d.mac


@BOTH
def test_announcements_carry_the_virtual_mac(make_bench: MakeBench, family: int) -> None:
    """R-F09, R-S09, R-S18, requirements section 10: at the takeover and for an address added later."""
    bench = active(make_bench, family)
    more = "198.51.100.120/24" if family == 4 else "2001:db8::120/64"
    bench.agent.reload(bench.config(addresses=[*config.virtual_addresses(family), more]))
    added = more.split("/")[0]
    wait_until("its announcement", lambda: bench.wire.announcements("d", address=added), 5)
    for one in bench.wire.announcements("d"):
        assert (one.announcement.mac, one.announcement.source_mac) == (VMAC[family], VMAC[family])
    assert {one.announcement.address for one in bench.wire.announcements("d")} == {*bench.addresses, added}


@BOTH
def test_nothing_is_announced_before_the_link_and_the_addresses_are_there(
    make_bench: MakeBench, family: int
) -> None:
    """R-S10, R-S19: the base interface comes late."""
    bench = make_bench(family=family, interface="late0", lines=LINES, global_lines="dynamic_interfaces")
    bench.start()
    bench.agent.wait_for_state("fault")
    assert not links(bench.d)
    bench.d.add_interface("late0", bridged=True)
    bench.wire.watch("d-late0", "d")
    bench.d.ip("address", "add", "198.51.100.77/24", "dev", "late0")
    bench.d.ip("address", "add", "fe80::77/64", "dev", "late0", "nodad")
    bench.agent.wait_for_state("active")
    first = bench.addresses[0]
    wait_until("announcements", lambda: bench.wire.announcements("d", address=first), 5)
    assert {one.announcement.mac for one in bench.wire.announcements("d", address=first)} == {VMAC[family]}
    (link,) = links(bench.d)
    assert link["link"] == "late0"


@BOTH
def test_a_backup_says_nothing_with_the_virtual_mac(make_bench: MakeBench, family: int) -> None:
    """R-F03, R-F04, R-F05: no ARP, ND, MLD, RA; a switch must not learn the MAC behind a backup."""
    bench = make_bench(family=family, lines=LINES)
    vip = bench.addresses[-1]
    with bench.tester.speaking(priority=200, source_mac=VMAC[family]):
        bench.start()
        bench.t.inject(
            frames.arp_request(bench.t.mac, bench.t.ipv4, vip) if family == 4 else solicitation(bench.t, vip)
        )
        heard = bench.log_time("init -> backup")
        bench.wire.wait_for_adverts("t", 20, since_ns=heard)
        assert bench.agent.state() == "backup"
    assert not [one for one in vmac_frames(bench, family) if one.at_ns <= bench.last_advert_of_t()]


@BOTH
def test_adverts_from_the_virtual_mac_are_heard(make_bench: MakeBench, family: int) -> None:
    """The kernel gives these frames to the macvlan and not to its base interface."""
    bench = active(make_bench, family)
    with bench.tester.speaking(priority=200, source_mac=VMAC[family]):
        bench.agent.wait_for_state("backup")
        wait_until("no address", lambda: bench.d.holds_none(*bench.addresses), 3)
    bench.agent.wait_for_state("active")


@BOTH
def test_each_advert_is_heard_once_whatever_mac_it_comes_from(make_bench: MakeBench, family: int) -> None:
    bench = make_bench(family=family, lines=LINES)
    for mac in (None, VMAC[family]):
        with bench.tester.speaking(priority=200, source_mac=mac):
            bench.start()
            bench.agent.wait_for_state("backup")
            bench.wire.wait_for_adverts("t", 10, since_ns=time.time_ns())
        heard = bench.agent.instance()["counters"]["adverts_received"]
        bench.agent.stop()
        sent = len(bench.wire.adverts("t"))
        assert heard <= sent


def test_a_backup_discards_what_is_sent_to_the_virtual_mac(make_bench: MakeBench) -> None:
    """R-F06, R-F18: the same packet is forwarded once D is active."""
    bench = make_bench(lines=LINES)
    bench.d.sysctl("net.ipv4.ip_forward=1")
    packet = transit(bench)
    with bench.tester.speaking(priority=200, source_mac=VMAC[4]):
        bench.start()
        bench.agent.wait_for_state("backup")
        begin_ns = time.time_ns()
        for _turn in range(5):
            bench.t.inject(packet)
        bench.wire.wait_for_adverts("t", 4, since_ns=begin_ns)
        assert not forwarded(bench, begin_ns)
    bench.agent.wait_for_state("active")
    wait_until("the address", lambda: bench.d.holds(VIP4), 3)
    begin_ns = time.time_ns()

    def sent_and_forwarded() -> List[Frame]:
        bench.t.inject(packet)
        return forwarded(bench, begin_ns)

    wait_until("the packet on its way", sent_and_forwarded, 5, 0.1)


def transit(bench: Bench) -> bytes:
    """A datagram from T by way of the virtual router to a host that is reached by D's other network."""
    bench.d.ip("link", "add", "stub0", "type", "veth", "peer", "name", "stub1")
    bench.d.ip("link", "set", "stub1", "up")
    bench.d.ip("link", "set", "stub0", "up")
    bench.d.ip("route", "add", "198.18.5.0/24", "via", bench.t.ipv4, "dev", "eth0")
    payload = struct.pack("!HHHH", 4000, 4000, 8, 0)
    packet = frames.ip_packet("198.18.9.9", "198.18.5.5", payload, ttl=60, protocol=17)
    bench.d.sysctl("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0")
    return frames.ethernet(bench.t.mac, VMAC[4], packet)


def forwarded(bench: Bench, since_ns: int) -> List[Frame]:
    """The datagram of ``transit`` as D sends it on."""
    to = frames.pack_ip("198.18.5.5")
    return [
        one
        for one in list(bench.wire.frames)
        if one.node == "d" and one.at_ns >= since_ns and one.data[30:34] == to and one.data[22] == 59
    ]


def test_solicited_node_groups_are_reported_but_not_by_the_virtual_mac(make_bench: MakeBench) -> None:
    """R-F15: an active router is a member; reports leave by the base interface as keepalived's do."""
    bench = active(make_bench, 6)
    group = frames.pack_ip("ff02::1:ff00:100")

    def report(one: Frame) -> bool:
        ours = one.node == "d" and one.data[12:14] == b"\x86\xdd"
        return ours and 143 in one.data[54:70] and group in one.data

    seen = bench.wire.wait_for("an MLD report", report)
    assert frames.text_mac(seen.data[6:12]) == bench.d.mac


def test_vmac_xmit_base_sends_from_the_physical_mac(make_bench: MakeBench) -> None:
    """keepalived: addresses on the virtual link, adverts by the base interface; both are still heard."""
    bench = active(make_bench, 4, "vmac_xmit_base")
    assert {one.advert.source_mac for one in bench.wire.adverts("d")} == {bench.d.mac}
    assert frames.text_mac(ask(bench, VIP4).data[6:12]) == VMAC[4]
    for mac in (None, VMAC[4]):
        with bench.tester.speaking(priority=200, source_mac=mac):
            bench.agent.wait_for_state("backup")
        bench.agent.wait_for_state("active")


def test_unicast_adverts_leave_by_the_base_interface(make_bench: MakeBench) -> None:
    """keepalived sets vmac_xmit_base for unicast peers."""
    lan = make_bench().lan
    bench = Bench(lan, unicast=(lan.d, lan.t), lines=LINES)
    bench.start_active()
    assert {one.advert.source_mac for one in bench.wire.adverts("d")} == {bench.d.mac}
    assert frames.text_mac(ask(bench, VIP4).data[6:12]) == VMAC[4]


@pytest.mark.parametrize(
    "words, name, mac",
    [
        ("use_vmac front", "front", VMAC[4]),
        ("use_vmac name group", "group", VMAC[4]),
        ("use_vmac 02:11:22:33:44:55", LINK, "02:11:22:33:44:55"),
        ("use_vmac front0 02:11:22:33:44", "front0", "02:11:22:33:44:33"),
        ("use_vmac netlink_notify_msg group 7", LINK, VMAC[4]),
    ],
)
def test_the_words_of_use_vmac(make_bench: MakeBench, words: str, name: str, mac: str) -> None:
    bench = make_bench(lines=[words])
    bench.start_active()
    (link,) = links(bench.d)
    assert (link["ifname"], link["address"]) == (name, mac)
    assert link["group"] == ("7" if "group 7" in words else "default")
    bench.agent.stop()
    assert not links(bench.d)


def test_both_families_of_one_vrid_have_links_of_their_own(make_bench: MakeBench) -> None:
    """keepalived's names: the second one is vrrp6."""
    bench = make_bench(lines=LINES)
    second = config.instance("VI_6", family=6, lines=LINES)
    bench.agent.write(bench.config(second))
    bench.start_active()
    bench.agent.wait_for_state("active", "VI_6")
    assert {link["ifname"]: link["address"] for link in links(bench.d)} == {
        "vrrp.51": VMAC[4],
        "vrrp6.51": VMAC[6],
    }


def test_a_name_that_is_taken_is_passed_over(make_bench: MakeBench) -> None:
    bench = make_bench(lines=LINES)
    bench.d.ip("link", "add", LINK, "type", "bridge")
    bench.start_active()
    (link,) = links(bench.d)
    assert link["ifname"] == "vrrp1.51"


def test_vmac_prefix_begins_the_names(make_bench: MakeBench) -> None:
    lines = ["vmac_prefix virtual", "vmac_addr_prefix other"]
    excluded = config.block("virtual_ipaddress_excluded", ["198.18.7.1/32 dev eth1 use_vmac"])
    bench = make_bench(lines=[*LINES, excluded], global_lines=lines)
    bench.d.add_interface("eth1")
    bench.start_active()
    found = {link["ifname"]: link["link"] for link in links(bench.d)}
    assert found == {"virtual.51": "eth0", "other.51": "eth1"}
    entry = wait_until("the address on its own link", lambda: bench.d.find("198.18.7.1"), 3)
    assert (entry or {}).get("dev") == "other.51"


def test_use_vmac_addr_makes_a_link_for_each_other_interface_and_family(make_bench: MakeBench) -> None:
    excluded = config.block(
        "virtual_ipaddress_excluded", ["198.18.7.1/32 dev eth1", "2001:db8::77/64", "198.51.100.110/24"]
    )
    bench = make_bench(lines=[*LINES, "use_vmac_addr", excluded])
    bench.d.add_interface("eth1")
    bench.start_active()
    wait_until("all addresses", lambda: bench.d.holds("198.18.7.1", "2001:db8::77", "198.51.100.110"), 5)
    macs = {link["ifname"]: (link["link"], link["address"]) for link in links(bench.d)}
    assert macs == {
        "vrrp.51": ("eth0", VMAC[4]),
        "vrrp1.51": ("eth1", VMAC[4]),
        "vrrp6.51": ("eth0", VMAC[6]),
    }
    places = {one["local"]: one["dev"] for one in bench.d.addresses() if "local" in one}
    assert places["198.18.7.1"] == "vrrp1.51"
    assert places["2001:db8::77"] == "vrrp6.51"
    assert places["198.51.100.110"] == places[VIP4] == "vrrp.51"


# What the host's settings are, and become again.


def conf(node: Node, *names: str) -> Dict[str, str]:
    """Values of net.ipv4.conf."""
    text = run(*in_node(node, "sysctl", *(f"net.ipv4.conf.{name}" for name in names)))
    return {line.split(" = ")[0]: line.split(" = ")[1] for line in text.splitlines()}


def test_the_sysctls_are_keepalived_s_and_the_host_gets_its_own_back(make_bench: MakeBench) -> None:
    """arp_ignore, arp_filter, rp_filter, accept_local; no other interface is filtered less than before."""
    bench = make_bench(lines=LINES)
    bench.d.add_interface("eth1")
    bench.d.sysctl("net.ipv4.conf.all.rp_filter=2", "net.ipv4.conf.eth1.rp_filter=0")
    names = [f"{one}/rp_filter" for one in ("all", "default", "eth0", "eth1")]
    names = [one.replace("/", ".") for one in names]
    names += ["eth0.arp_ignore", "eth0.arp_filter", "eth0.arp_announce"]
    before = conf(bench.d, *names)
    bench.start_active()
    now = conf(bench.d, *names)
    assert now["net.ipv4.conf.all.rp_filter"] == "0"
    assert now["net.ipv4.conf.eth1.rp_filter"] == now["net.ipv4.conf.default.rp_filter"] == "2"
    assert (now["net.ipv4.conf.eth0.arp_ignore"], now["net.ipv4.conf.eth0.arp_filter"]) == ("1", "1")
    settings = ("arp_ignore", "accept_local", "rp_filter", "promote_secondaries")
    paths = [f"/proc/sys/net/ipv4/conf/{LINK}/{name}" for name in settings]
    own = run(*in_node(bench.d, "cat", *paths))
    assert own.split() == ["1", "1", "0", "1"]
    bench.agent.stop()
    assert conf(bench.d, *names) == before


def test_settings_come_back_after_a_kill_too(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    bench.agent.kill()
    bench.agent.start()
    bench.agent.wait_for_state("active")
    bench.agent.stop()
    assert conf(bench.d, "eth0.arp_ignore")["net.ipv4.conf.eth0.arp_ignore"] == "0"


def test_disable_local_igmp_reports_no_membership(make_bench: MakeBench) -> None:
    bench = make_bench(lines=LINES, global_lines="disable_local_igmp")
    bench.start_active()
    name = "net.ipv4.igmp_link_local_mcast_reports"
    assert run(*in_node(bench.d, "sysctl", "-n", name)).strip() == "0"
    bench.agent.stop()
    assert run(*in_node(bench.d, "sysctl", "-n", name)).strip() == "1"
    igmp = [one for one in bench.wire.frames if one.node == "d" and one.data[12:14] == b"\x08\0"]
    igmp = [one for one in igmp if one.data[23] == 2]
    assert not [one for one in igmp if frames.pack_ip("224.0.0.18") in one.data[38:]]


@BOTH
def test_the_virtual_mac_makes_no_address_of_its_own(make_bench: MakeBench, family: int) -> None:
    """R-S04, RFC 9568 7.4: no link-local address, and none from a router advertisement."""
    bench = make_bench(family=family, lines=LINES)
    bench.d.sysctl("net.ipv6.conf.default.addr_gen_mode=0", "net.ipv6.conf.all.accept_ra=1")
    bench.start_active()
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 5)
    held = {one["local"] for one in bench.d.addresses(LINK) if "local" in one}
    assert held == set(bench.addresses)


def test_duplicate_detection_does_not_hold_a_takeover_back(make_bench: MakeBench) -> None:
    """R-S20: somebody answers for the address; the owner of the virtual MAC takes it nevertheless."""
    bench = make_bench(family=6, lines=LINES)
    bench.d.sysctl("net.ipv6.conf.all.accept_dad=1", "net.ipv6.conf.default.accept_dad=1")
    bench.t.ip("address", "add", f"{VIP6}/64", "dev", "eth0", "nodad")
    bench.start_active()
    entry = wait_until("the address", lambda: bench.d.find(VIP6), 5)
    assert not (entry or {}).get("tentative") and not (entry or {}).get("dadfailed")


# What becomes of the link.


@BOTH
def test_a_deleted_link_is_made_again_and_the_address_returns(make_bench: MakeBench, family: int) -> None:
    bench = active(make_bench, family)
    deleted_ns = time.time_ns()
    bench.d.ip("link", "del", LINK)
    wait_until("another link", lambda: [one["ifname"] for one in links(bench.d)] == [LINK], 5)
    bench.agent.wait_for_state("active")
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 10)
    wait_until(
        "an answer with the virtual MAC",
        lambda: frames.text_mac(ask(bench, bench.addresses[-1]).data[6:12]) == VMAC[family],
        5,
    )
    seen = bench.wire.wait_for_adverts("d", 3, since_ns=deleted_ns + 1_000_000_000)
    assert {one.advert.source_mac for one in seen} == {VMAC[family]}


def test_a_link_that_is_set_down_is_a_fault_until_it_is_up(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    bench.d.ip("link", "set", LINK, "down")
    bench.agent.wait_for_state("fault")
    assert LINK in " ".join(bench.agent.instance()["faults"])
    bench.d.ip("link", "set", LINK, "up")
    bench.agent.wait_for_state("active")


def test_a_cut_cable_is_a_fault_and_its_repair_the_end_of_it(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    bench.d.pull_cable()
    bench.agent.wait_for_state("fault")
    wait_until("no address", lambda: bench.d.holds_none(VIP4), 3)
    bench.d.plug_cable()
    bench.agent.wait_for_state("active")
    wait_until("the address", lambda: bench.d.holds(VIP4), 3)


def test_a_base_interface_that_is_renamed_takes_its_link_along_and_back(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    bench.d.ip("link", "set", "eth0", "name", "away0")
    bench.agent.wait_for_state("fault")
    bench.d.ip("link", "set", "away0", "name", "eth0")
    bench.agent.wait_for_state("active")
    wait_until("the address", lambda: bench.d.holds(VIP4), 3)
    assert frames.text_mac(ask(bench, VIP4).data[6:12]) == VMAC[4]


def test_a_link_that_cannot_be_made_is_a_fault_with_its_reason(make_bench: MakeBench) -> None:
    bench = make_bench(lines=["use_vmac front"])
    bench.d.ip("link", "add", "front", "type", "bridge")
    bench.start()
    bench.agent.wait_for_state("fault")
    assert "front" in " ".join(bench.agent.instance()["faults"])
    bench.d.ip("link", "del", "front")
    bench.d.ip("link", "set", "eth0", "mtu", "1400")  # news of the base interface try again
    bench.agent.wait_for_state("active")


def test_a_killed_agent_s_link_goes_on_with_its_address(make_bench: MakeBench) -> None:
    """kill -9 and a quick restart: the address is never away, and the client's entry stays."""
    bench = make_bench("w", lines=LINES, advert_int=1, priority=254)
    bench.start_active()
    (before,) = links(bench.d)
    with Prober(bench.lan.w, VIP4, 0.01) as client:
        wait_until("answers", lambda: client.answered > 10, 5)
        bench.agent.kill()
        bench.agent.start()
        bench.agent.wait_for_state("active")
        (after,) = links(bench.d)
        assert after["ifindex"] == before["ifindex"]
        count = client.answered
        wait_until("more answers", lambda: client.answered > count + 20, 5)
        assert client.outage_s() < 0.1 + 2 * bench.lan.stalls.worst_ms() / 1000
    bench.agent.stop()
    assert not links(bench.d)


def test_a_link_that_nobody_wants_any_more_is_cleared_away(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    bench.agent.kill()
    bench.agent.write(bench.config(lines=list(NO_BURST_LATER)))
    bench.agent.start()
    bench.agent.wait_for_state("active")
    assert not links(bench.d)
    assert (bench.d.find(VIP4) or {}).get("dev") == "eth0"


@BOTH
def test_a_reload_turns_the_virtual_mac_on_and_off(make_bench: MakeBench, family: int) -> None:
    """The router stays active, and the network hears of the new MAC each time."""
    bench = make_bench(family=family, lines=list(NO_BURST_LATER))
    bench.start_active()
    wait_until("the addresses", lambda: bench.d.holds(*bench.addresses), 5)
    moves_by_reload(bench, LINES, LINK, VMAC[family])
    moves_by_reload(bench, list(NO_BURST_LATER), "eth0", bench.d.mac)
    assert not links(bench.d)


def moves_by_reload(bench: Bench, lines: List[str], device: str, mac: str) -> None:
    """The reload puts the address on another link: it is announced from there, and adverts leave by it."""
    vip = bench.addresses[-1]
    begin_ns = bench.agent.reload(bench.config(lines=lines))
    wait_until(f"the address on {device}", lambda: (bench.d.find(vip) or {}).get("dev") == device, 5)
    wait_until("news", lambda: bench.wire.announcements("d", address=vip, since_ns=begin_ns), 5)
    last = bench.wire.announcements("d", address=vip, since_ns=begin_ns)[-1].announcement
    assert (last.mac, last.source_mac) == (mac, mac)
    seen = bench.wire.wait_for_adverts("d", 2, since_ns=time.time_ns())
    assert {one.advert.source_mac for one in seen} == {mac}
    assert bench.agent.state() == "active"


def test_a_reload_to_another_interface_says_farewell_on_the_old_one(make_bench: MakeBench) -> None:
    """Priority 0 by the virtual link that goes (RFC 9568 6.4.3), and one of its name on the new interface."""
    bench = active(make_bench)
    bench.d.add_interface("eth1", bridged=True)
    bench.d.ip("address", "add", "198.51.100.77/24", "dev", "eth1")
    begin_ns = bench.agent.reload(bench.config(interface="eth1"))
    bench.wire.wait_for_adverts("d", since_ns=begin_ns, priority=0)

    def moved() -> bool:
        return [(one["ifname"], one["link"]) for one in links(bench.d)] == [(LINK, "eth1")]

    wait_until("the link", moved, 5)
    bench.agent.wait_for_state("active")
    assert "-> fault" not in bench.agent.log()


def test_a_reload_that_names_the_link_otherwise_renames_it(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    (before,) = links(bench.d)
    bench.agent.reload(bench.config(lines=["use_vmac front", *NO_BURST_LATER]))
    wait_until("the name", lambda: [one["ifname"] for one in links(bench.d)] == ["front"], 5)
    (after,) = links(bench.d)
    assert after["ifindex"] == before["ifindex"]
    bench.stays_active(0.5)
    assert bench.d.holds(VIP4)
    assert {one.advert.source_mac for one in bench.wire.wait_for_adverts("d", 3)} == {VMAC[4]}


def test_a_link_that_is_wanted_again_at_once_is_no_fault(make_bench: MakeBench) -> None:
    """The removal may still be under way when the second reload comes."""
    bench = active(make_bench)
    other = config.instance(name="VI_2", vrid=77, lines=NO_BURST_LATER)
    text = bench.config()
    for _turn in range(3):
        bench.agent.reload(config.file(bench.d, other))
        bench.agent.reload(text)
        bench.agent.wait_for_state("active")
    wait_until("the address", lambda: bench.d.holds(VIP4), 5)
    assert "-> fault" not in bench.agent.log()


def test_a_reload_that_changes_nothing_leaves_the_link_alone(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    (before,) = links(bench.d)
    bench.agent.reload()
    bench.agent.wait_for_log("reloaded")
    (after,) = links(bench.d)
    assert after["ifindex"] == before["ifindex"]
    assert bench.d.holds(VIP4)
    bench.stays_active(0.5)


def test_status_shows_the_link(make_bench: MakeBench) -> None:
    bench = active(make_bench)
    (link,) = bench.agent.instance()["virtual_links"]
    assert (link["name"], link["on"], link["mac"], link["up"]) == (LINK, "eth0", VMAC[4], True)
    text = bench.agent.ask("status", "--runtime-dir", str(bench.agent.runtime)).stdout
    assert f"{LINK}: macvlan {VMAC[4]} on eth0" in text


# Two routers and a client.


def neighbour(node: Node, address: str) -> Optional[str]:
    """The MAC that the node knows for an address."""
    found = json.loads(node.ip("-j", "neigh", "show", address, check=False) or "[]")
    return next((one.get("lladdr") for one in found), None)


@BOTH
def test_a_failover_changes_no_neighbour_entry(make_lan: MakeLan, family: int) -> None:
    """Why there are virtual MACs: the client never needs to learn anything."""
    lan = make_lan("a", "b", "w")
    vip = VIP4 if family == 4 else VIP6
    agents = []
    for node, priority in ((lan.b, 100), (lan.a, 200)):
        text = config.instance(family=family, priority=priority, lines=["use_vmac"])
        agent = Agent(node, config.file(node, text))
        agent.start()
        agents.append(agent)
    wait_until("a to hold the address alone", lambda: lan.holders(vip) == ("a",), 15)
    with Prober(lan.w, vip, 0.005) as client:
        wait_until("answers", lambda: client.answered > 10, 5)
        assert neighbour(lan.w, vip) == VMAC[family]
        lan.a.pull_cable()
        agents[1].kill()
        wait_until("b to hold the address", lambda: lan.b.holds(vip), 5)
        count = client.answered
        wait_until("answers of b", lambda: client.answered > count + 20, 5)
    assert neighbour(lan.w, vip) == VMAC[family]
    announced = lan.wire.announcements(address=vip)
    assert {one.announcement.mac for one in announced} == {VMAC[family]}


def test_two_agents_with_virtual_macs_agree_who_is_active(make_lan: MakeLan) -> None:
    """Both have the same MAC: neither takes the other's adverts for its own, nor its own for the other's."""
    lan = make_lan("a", "b")
    for node, priority in ((lan.a, 200), (lan.b, 100)):
        Agent(node, config.file(node, config.instance(priority=priority, lines=["use_vmac"]))).start()
    wait_until("a to hold the address alone", lambda: lan.holders(VIP4) == ("a",), 15)
    since_ns = time.time_ns()
    stays("a alone speaks", lambda: lan.wire.senders(since_ns=since_ns) in ((), ("a",)), 1.5)
    assert lan.holders(VIP4) == ("a",)
