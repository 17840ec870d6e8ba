# SPDX-License-Identifier: GPL-3.0-or-later
"""What a configuration means: every default is applied, as keepalived applies it."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.model import (
    SECOND_NS,
    Address,
    GarpPolicy,
    NextHop,
    Route,
    Tracked,
    UnicastPeer,
)

from tests.unit.conf.texts import config_of, instance, the_instance

VIP = bytes((198, 51, 100, 10))
ADDRESSES6 = "fe80::10/64,2001:db8::10/64"
MS = 1_000_000


def packed4(*parts: int) -> bytes:
    return bytes(parts)


def test_an_instance_that_says_little_gets_every_default() -> None:
    router = the_instance()
    assert (router.name, router.interface, router.vrid, router.family) == ("VI_1", "eth0", 51, 4)
    assert (router.version, router.priority, router.advert_int_ns) == (2, 100, SECOND_NS)
    assert (router.start_active, router.preempt, router.preempt_delay_ns) == (False, True, 0)
    assert router.down_timer_adverts == 3
    assert router.addresses == (Address(VIP, 24),)
    assert router.excluded_addresses == ()
    assert router.multicast_group == packed4(224, 0, 0, 18)
    assert not router.unicast
    assert router.garp == GarpPolicy()
    assert router.track_primary
    assert router.auth_password == b""


def test_ipv6_is_version_3_and_has_a_group_of_its_own() -> None:
    router = the_instance(addresses=ADDRESSES6)
    assert (router.family, router.version) == (6, 3)
    assert router.multicast_group == bytes.fromhex("ff020000000000000000000000000012")


@pytest.mark.parametrize(
    ("body", "priority", "start_active", "preempt"),
    [
        ("", 100, False, True),
        ("state BACKUP", 100, False, True),
        ("state MASTER", 255, True, True),
        ("state MASTER\npriority 100", 100, True, True),
        ("priority 255", 255, True, True),
        ("state BACKUP\npriority 255", 255, False, True),
        ("nopreempt", 100, False, False),
        ("nopreempt\npreempt", 100, False, True),
        ("state MASTER\npriority 90\nnopreempt", 90, True, True),
        ("priority 255\nnopreempt", 255, True, True),
    ],
)
def test_state_and_priority_decide_how_it_starts(
    body: str, priority: int, start_active: bool, preempt: bool
) -> None:
    router = the_instance(body)
    assert (router.priority, router.start_active, router.preempt) == (priority, start_active, preempt)


@pytest.mark.parametrize(
    ("body", "delay_s"),
    [
        ("preempt_delay 2.5", 2.5),
        ("preempt_delay 5\nnopreempt", 0),
        ("preempt_delay 5\nstate MASTER\npriority 100", 0),
    ],
)
def test_preempt_delay_means_nothing_where_nothing_is_preempted(body: str, delay_s: float) -> None:
    assert the_instance(body).preempt_delay_ns == int(delay_s * SECOND_NS)


@pytest.mark.parametrize(
    ("body", "interval_ns"),
    [
        ("advert_int 3", 3 * SECOND_NS),
        ("version 3\nadvert_int 0.01", 10 * MS),
        ("version 3\nadvert_int 0.1", 100 * MS),
        ("version 3\nadvert_int 40.95", 40_950 * MS),
        ("version 3\nadvert_int 0.015", 20 * MS),
        ("version 3\nadvert_int 1.004999", 1000 * MS),
    ],
)
def test_the_interval_is_exact(body: str, interval_ns: int) -> None:
    assert the_instance(body).advert_int_ns == interval_ns


def test_the_global_version_holds_for_instances_that_name_none() -> None:
    text = instance(name="A") + instance("version 2", name="B", vrid=2, addresses="198.51.100.2")
    config = config_of(text + "global_defs {\n  vrrp_version 3\n}\n")
    assert [router.version for router in config.instances] == [3, 2]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("198.51.100.10", Address(VIP, 32)),
        ("198.51.100.10/24 dev eth1 label eth1:vip", Address(VIP, 24, device="eth1", label="eth1:vip")),
        ("198.51.100.10/24 brd +", Address(VIP, 24, broadcast=packed4(198, 51, 100, 255))),
        ("198.51.100.10/24 broadcast -", Address(VIP, 24, broadcast=packed4(198, 51, 100, 0))),
        ("198.51.100.10/20 brd +", Address(VIP, 20, broadcast=packed4(198, 51, 111, 255))),
        ("198.51.100.10/24 brd 198.51.100.200", Address(VIP, 24, broadcast=packed4(198, 51, 100, 200))),
        ("198.51.100.10/24 scope link no_track", Address(VIP, 24, scope=253, no_track=True)),
        ("198.51.100.10/24 scope 77", Address(VIP, 24, scope=77)),
        (
            "198.51.100.10 peer 198.51.100.20",
            Address(VIP, 32, peer=packed4(198, 51, 100, 20), peer_prefix_length=32),
        ),
        ("198.51.100.10 preferred_lft 0", Address(VIP, 32, preferred_lft_s=0)),
        ("198.51.100.10 preferred_lft forever", Address(VIP, 32)),
        ("fe80::1", Address(bytes.fromhex("fe80" + "00" * 13 + "01"), 128, preferred_lft_s=0)),
        ("fe80::1/64", Address(bytes.fromhex("fe80" + "00" * 13 + "01"), 64)),
        (
            "fe80::1 preferred_lft forever -nodad home mngtmpaddr noprefixroute autojoin",
            Address(
                bytes.fromhex("fe80" + "00" * 13 + "01"),
                128,
                nodad=True,
                home=True,
                mngtmpaddr=True,
                noprefixroute=True,
                autojoin=True,
            ),
        ),
    ],
)
def test_an_address_line(line: str, expected: Address) -> None:
    assert the_instance(addresses=line).addresses == (expected,)


def test_excluded_addresses_may_be_of_any_family() -> None:
    router = the_instance("virtual_ipaddress_excluded {\n  2001:db8::9/64\n  198.51.100.9\n}")
    assert router.family == 4
    assert [address.family for address in router.excluded_addresses] == [6, 4]


def test_of_two_equal_addresses_the_first_one_counts() -> None:
    body = """virtual_ipaddress {
        198.51.100.10/24
        198.51.100.1/24
        198.51.100.1/32 dev eth1
        198.51.100.2/24 dev eth1
    }
    virtual_ipaddress_excluded {
        198.51.100.2/24
        198.51.100.2/24 dev eth1
        198.51.100.3
        198.51.100.3/24 dev eth0
    }"""
    router = the_instance(body)  # which begins with an address of its own
    assert [(one.packed[-1], one.device) for one in router.addresses] == [(10, None), (1, None), (2, "eth1")]
    assert [(one.packed[-1], one.device) for one in router.excluded_addresses] == [(2, None), (3, None)]


def test_what_an_advert_cannot_hold_is_treated_as_excluded() -> None:
    many = ",".join(f"198.18.{n // 200}.{n % 200 + 1}" for n in range(260))
    router = the_instance("virtual_ipaddress_excluded {\n  198.19.0.1\n}", addresses=many)
    assert len(router.addresses) == 255
    assert [address.packed[:2] for address in router.excluded_addresses] == [packed4(198, 19)] + [
        packed4(198, 18)
    ] * 5


def test_unicast() -> None:
    router = the_instance(
        "unicast_src_ip 198.51.100.1\nunicast_ttl 64\n"
        "unicast_peer {\n  198.51.100.2 min_ttl 64 max_ttl 65\n  198.51.100.3\n}"
    )
    assert router.unicast
    assert router.unicast_source == packed4(198, 51, 100, 1)
    assert router.unicast_peers == (
        UnicastPeer(packed4(198, 51, 100, 2), 64, 65),
        UnicastPeer(packed4(198, 51, 100, 3)),
    )
    assert router.unicast_ttl == 64
    assert router.check_unicast_src, "a limit on one peer makes sense only if strangers are refused"
    assert router.multicast_source is None


def test_multicast_source_and_group() -> None:
    text = "global_defs {\n  vrrp_mcast_group4 224.0.0.200\n}\n"
    config = config_of(
        text
        + instance("mcast_src_ip 198.51.100.1", name="A")
        + instance("mcast_dst_ip 224.0.0.9", name="B", vrid=2, addresses="198.51.100.2")
    )
    assert config.instances[0].multicast_source == packed4(198, 51, 100, 1)
    assert [router.multicast_group for router in config.instances] == [
        packed4(224, 0, 0, 200),
        packed4(224, 0, 0, 9),
    ]


def test_a_password_is_eight_bytes() -> None:
    body = "authentication {\n  auth_type PASS\n  auth_pass secret\n}"
    assert the_instance(body).auth_password == b"secret\0\0"
    assert the_instance("version 3\n" + body).auth_password == b"", "version 3 has no authentication"


def test_tracked_interfaces() -> None:
    router = the_instance(
        "dont_track_primary\ntrack_interface {\n  eth0\n  eth1\n  eth2 weight -20\n  eth3 weight 5 reverse\n}"
    )
    assert router.track_interfaces == (
        Tracked("eth1"),
        Tracked("eth2", -20),
        Tracked("eth3", 5, True),
    )
    assert not router.track_primary


def test_announcements_follow_the_global_words_that_stand_before() -> None:
    words = "vrrp_garp_master_delay 2\nvrrp_garp_master_repeat 3\nvrrp_garp_interval 0.001\n"
    before = f"global_defs {{\n{words}}}\n"
    garp = config_of(before + instance()).instances[0].garp
    assert garp == GarpPolicy(2 * SECOND_NS, 3, 0, 1, 2 * SECOND_NS, 3, MS, 0)
    late = config_of(instance() + before).instances[0].garp
    assert (late.master_delay_ns, late.master_repeat) == (5 * SECOND_NS, 5)


def test_an_instance_overrides_the_announcements() -> None:
    body = (
        "garp_master_delay 0\ngarp_master_repeat 0\ngarp_master_refresh 60\ngarp_master_refresh_repeat 2\n"
        "garp_lower_prio_delay 1\ngarp_lower_prio_repeat 0"
    )
    assert the_instance(body).garp == GarpPolicy(0, 1, 60 * SECOND_NS, 2, SECOND_NS, 0, 0, 0)


def test_lower_priority_announcements_follow_the_global_master_words() -> None:
    garp = the_instance("garp_master_repeat 9").garp
    assert (garp.master_repeat, garp.lower_prio_repeat) == (9, 5)


def test_min_garp_leaves_alone_what_was_set() -> None:
    text = "global_defs {\n  vrrp_garp_master_delay 2\n  vrrp_min_garp\n}\n"
    garp = config_of(text + instance()).instances[0].garp
    assert (garp.master_repeat, garp.master_delay_ns, garp.master_refresh_repeat) == (1, 2 * SECOND_NS, 0)
    assert config_of("global_defs {\n vrrp_min_garp off\n}\n" + instance()).instances[0].garp == GarpPolicy()


def test_switches_fall_back_to_the_global_ones() -> None:
    text = (
        "global_defs {\n  vrrp_lower_prio_no_advert\n  vrrp_higher_prio_send_advert on\n"
        "  v3_checksum_as_v2 off\n"
        "  vrrp_skip_check_adv_addr\n  vrrp_check_unicast_src\n  vrrp_down_timer_adverts 4\n}\n"
    )
    own = "lower_prio_no_advert off\nhigher_prio_send_advert off\nv3_checksum_as_v2 off\ndown_timer_adverts 5"
    config = config_of(text + instance(name="A") + instance(own, name="B", vrid=2, addresses="198.51.100.2"))
    first, second = config.instances
    assert (first.lower_prio_no_advert, first.higher_prio_send_advert) == (True, True)
    assert (second.lower_prio_no_advert, second.higher_prio_send_advert) == (False, False)
    assert first.checksum_as_v2, "the global word counts whatever its argument says, as in keepalived"
    assert not second.checksum_as_v2
    assert first.skip_check_adv_addr
    assert first.check_unicast_src
    assert (first.down_timer_adverts, second.down_timer_adverts) == (4, 5)


def test_only_the_owner_may_ignore_adverts() -> None:
    text = "global_defs {\n  vrrp_owner_ignore_adverts\n}\n"
    config = config_of(
        text
        + instance("priority 255", name="A")
        + instance("priority 254", name="B", vrid=2, addresses="198.51.100.2")
    )
    assert [router.owner_ignore_adverts for router in config.instances] == [True, False]


def test_global_settings() -> None:
    settings = config_of(
        "global_defs {\n  router_id n1\n  vrrp_startup_delay 1.5\n  dynamic_interfaces\n  log_unknown_vrids\n"
        "  vrrp_priority -5\n  vrrp_rt_priority 50\n  vrrp_no_swap\n  vrrp_cpu_affinity 0 2\n"
        "  vrrp_process_name v\n}\n"
    ).settings
    assert (settings.router_id, settings.startup_delay_ns) == ("n1", 1_500_000_000)
    assert settings.dynamic_interfaces and settings.log_unknown_vrids and settings.no_swap
    assert (settings.process_priority, settings.realtime_priority) == (-5, 50)
    assert (settings.cpu_affinity, settings.operations.process_name) == ((0, 2), "v")


def test_static_addresses_go_to_the_default_interface() -> None:
    config = config_of("static_ipaddress {\n  198.51.100.5/24\n  198.51.100.6/24 dev eth3\n}\n")
    assert [address.device for address in config.static_addresses] == ["eth0", "eth3"]
    text = "global_defs {\n  default_interface eth7\n}\nstatic_ipaddress {\n  198.51.100.5/24\n}\n"
    assert config_of(text).static_addresses[0].device == "eth7"


NET = packed4(198, 18, 0, 0)
GATEWAY = packed4(198, 51, 100, 1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("198.18.0.0/16 via 198.51.100.1 dev eth0", Route(4, NET, 16, next_hops=(NextHop(GATEWAY, "eth0"),))),
        ("to 198.18.0.0/16 dev eth0", Route(4, NET, 16, next_hops=(NextHop(None, "eth0"),))),
        ("default via 198.51.100.1", Route(4, None, 0, next_hops=(NextHop(GATEWAY),))),
        ("via 198.51.100.1 default", Route(4, None, 0, next_hops=(NextHop(GATEWAY),))),
        (
            "default via 2001:db8::1 dev eth0",
            Route(6, None, 0, next_hops=(NextHop(bytes.fromhex("20010db8" + "00" * 11 + "01"), "eth0"),)),
        ),
        ("inet6 default dev eth0", Route(6, None, 0, next_hops=(NextHop(None, "eth0"),))),
        ("blackhole 198.18.0.0/16", Route(4, NET, 16, type="blackhole")),
        (
            "198.18.0.0/16 src 198.51.100.1 dev eth0 table 100 metric 5 scope link",
            Route(
                4, NET, 16, next_hops=(NextHop(None, "eth0"),), source=GATEWAY, table=100, metric=5, scope=253
            ),
        ),
        (
            "198.18.0.0/16 dev eth0 table main protocol static no_track",
            Route(4, NET, 16, next_hops=(NextHop(None, "eth0"),), protocol=4, no_track=True),
        ),
        ("198.18.0.0/16 dev eth0 protocol static", Route(4, NET, 16, next_hops=(NextHop(None, "eth0"),))),
        (
            "198.18.0.0/16 dev eth0 mtu lock 1400 initcwnd 20 rtt 300ms",
            Route(
                4,
                NET,
                16,
                next_hops=(NextHop(None, "eth0"),),
                metrics=(("mtu", 1400), ("mtu lock", 1), ("initcwnd", 20), ("rtt", 2400)),
            ),
        ),
        (
            "198.18.0.0/16 nexthop via 198.51.100.1 weight 2 onlink nexthop dev eth1",
            Route(4, NET, 16, next_hops=(NextHop(GATEWAY, None, 2, True), NextHop(None, "eth1"))),
        ),
        (
            "198.18.0.0/16 via inet6 fe80::1 dev eth0",
            Route(4, NET, 16, next_hops=(NextHop(bytes.fromhex("fe80" + "00" * 13 + "01"), "eth0"),)),
        ),
    ],
)
def test_a_route_line(line: str, expected: Route) -> None:
    assert config_of(f"static_routes {{\n  {line}\n}}\n").static_routes == (expected,)


def test_a_large_configuration_is_ready_in_time() -> None:
    """250 instances; the bound is ten times what it takes, so that a busy machine does not fail it."""
    import time

    text = "".join(
        instance(
            "version 3\npriority 200\nadvert_int 0.1",
            name=f"VI_{n}",
            vrid=n + 1,
            addresses=f"198.18.{n}.1/32",
        )
        for n in range(250)
    )
    begin = time.perf_counter()
    config = config_of(text)
    assert time.perf_counter() - begin < 1
    assert len(config.by_key) == 250
