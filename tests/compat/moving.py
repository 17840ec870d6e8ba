# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes and goes with the active router besides its addresses."""

from __future__ import annotations

from tests.compat.faults import second_interface
from tests.compat.story import Act, Story, start
from tests.compat.words import NOTIFY, SILENCE, START, STOP, cable, ip, one, rival, several
from tests.lab import config
from tests.lab.lan import VIP4

ROUTES = (
    "virtual_routes {",
    "    198.18.1.0/24 via 198.51.100.12 dev eth0",
    "    198.18.2.0/24 via 198.51.100.12 dev eth0 metric 30 table 100",
    "    blackhole 198.18.3.0/24",
    "    src 198.51.100.100 to 198.18.4.0/24 via 198.51.100.12 dev eth0 mtu 1400",
    "    198.18.5.0/24 nexthop via 198.51.100.11 dev eth0 weight 2 nexthop via 198.51.100.12 dev eth0",
    "}",
)
RULES = (
    "virtual_rules {",
    "    from 198.18.1.0/24 table 100 priority 1000",
    "    to 198.18.2.0/24 iif eth0 lookup 100 priority 1001",
    "    fwmark 7/0xff unreachable priority 1002",
    "}",
)

EVERY_WORD = (
    "virtual_routes {",
    "    198.18.1.0/24 via 198.51.100.12 mtu lock 1400 advmss 1300 rtt 300ms rttvar 200ms rto_min 1s",
    "    198.18.2.0/24 via 198.51.100.12 window 1000 cwnd lock 10 ssthresh 20 reordering 5 hoplimit 40",
    "    198.18.3.0/24 via 198.51.100.12 initcwnd 11 initrwnd 12 quickack 1 features ecn congctl reno",
    "    198.18.4.0/24 via 198.51.100.12 tos 0x10 realms 3/4 fastopen_no_cookie 1 ttl-propagate enabled",
    "    198.18.5.0/24 nexthop via 198.51.100.12 dev eth0 weight 3 realms 5 nexthop via 198.51.100.13",
    "    198.18.6.0/24 gw 198.51.100.12 or 198.51.100.13",
    "    198.18.7.0/24 encap ip id 5 dst 198.51.100.9 src 198.51.100.100 tos 4 ttl 9 dev eth0",
    "    198.18.8.0/24 encap ip6 id 5 dst 2001:db8::9 tc 4 hoplimit 9 dev eth0",
    "    198.18.9.0/24 via 198.51.100.12 dev eth0 scope site append",
    "    unreachable 198.18.10.0/24 metric 9",
    "    prohibit 198.18.11.0/24 table 300",
    "    throw 198.18.12.0/24 table 300 add",
    "    2001:db8:1::/64 via 2001:db8::12 dev eth0 pref high metric 55 mtu 1300",
    "    2001:db8:2::/64 from 2001:db8:99::/64 via 2001:db8::12 dev eth0",
    "}",
    "virtual_rules {",
    "    not from 198.18.1.1 table 1000 order 1004",
    "    from all tos 0x10 table 100 priority 1005",
    "    from 198.18.3.0/24 oif eth0 table 100 suppress_prefixlength 8 priority 1006",
    "    from 198.18.3.0/24 dev eth0 table 100 sup_group 3 priority 1007",
    "    from 198.18.3.0/24 realms 3/4 table 100 priority 1008",
    "    tunnel-id 44 table 100 priority 1009",
    "    uidrange 100-200 table 100 priority 1010",
    "    l3mdev priority 1011",
    "    ipproto tcp sport 10-20 dport 30-40 table 100 priority 1012",
    "    type goto 2000 priority 1014",
    "    from 198.18.5.5 nop priority 1015",
    "    from 198.18.5.5 blackhole priority 1016",
    "    from 198.18.6.6 table 100",
    "    from 2001:db8:6::/64 to 2001:db8:7::/64 table 1001 priority 1000",
    "}",
)

STORIES = (
    Story(
        "every word of routes and rules",
        ("virtual_routes", "virtual_rules"),
        one(*EVERY_WORD),
        (START, rival(200), SILENCE, STOP),
        differs={
            "rival 200/routes": "IPv6 routes without metric and routes of another protocol go",
            "stop/routes": "IPv6 routes without metric and routes of another protocol go",
        },
    ),
    Story(
        "somebody removes an address",
        ("virtual_ipaddress",),
        one(),
        (START, ip("remove", "address", "del", f"{VIP4}/24", "dev", "eth0"), STOP),
    ),
    Story(
        "somebody removes what is not tracked",
        ("no_track",),
        one(
            "virtual_routes {",
            "    198.18.1.0/24 via 198.51.100.12 dev eth0 no_track",
            "}",
            addresses=[f"{VIP4}/24 no_track", "198.51.100.101/24"],
        ),
        (
            START,
            ip("remove address", "address", "del", f"{VIP4}/24", "dev", "eth0"),
            ip("remove route", "route", "del", "198.18.1.0/24"),
            STOP,
        ),
    ),
    Story(
        "words of an address",
        ("virtual_ipaddress", "virtual_ipaddress_excluded", "label", "scope", "brd"),
        one(
            "virtual_ipaddress_excluded {",
            "    2001:db8::200/64 dev eth0",
            "    198.18.0.7/32 dev eth0 scope link",
            "}",
            addresses=[f"{VIP4}/24 dev eth0 label eth0:vip", "198.51.100.101/24 brd + dev eth0"],
        ),
        (START, rival(200), SILENCE, STOP),
        ignore=("announced",),
    ),
    Story("routes", ("virtual_routes",), one(*ROUTES), (START, rival(200), SILENCE, STOP)),
    Story("rules", ("virtual_rules",), one(*RULES), (START, rival(200), SILENCE, STOP)),
    Story(
        "somebody removes a route",
        ("virtual_routes",),
        one(*ROUTES),
        (START, ip("remove", "route", "del", "198.18.1.0/24"), STOP),
    ),
    Story(
        "somebody removes a rule",
        ("virtual_rules",),
        one(*RULES),
        (START, ip("remove", "rule", "del", "priority", "1000"), STOP),
    ),
    Story(
        "static things",
        ("static_ipaddress", "static_routes", "static_rules"),
        one(
            before=[
                "static_ipaddress {\n    198.18.9.1/24 dev eth0\n}",
                "static_routes {\n    198.18.10.0/24 via 198.18.9.2 dev eth0\n}",
                "static_rules {\n    from 198.18.10.0/24 table 100 priority 2000\n}",
            ]
        ),
        (START, rival(200), SILENCE, STOP),
        differs={"stop/routes": "Static routes go with the agent"},
    ),
    Story(
        "routes of another interface",
        ("virtual_routes",),
        one("virtual_routes {", "    198.18.1.0/24 dev eth1", "}"),
        (START, cable("eth1", False), cable("eth1", True), STOP),
        prepare=second_interface,
        differs={
            "start/routes": "Routes without gateway get scope link",
            "plug eth1/routes": "Routes without gateway get scope link",
        },
    ),
    Story(
        "two bursts of announcements",
        ("garp_master_delay", "garp_master_repeat"),
        one("garp_master_delay 1", "garp_master_repeat 3"),
        (Act("start", start, 2.0), rival(200), Act("silence", SILENCE.do, 2.0), STOP),
    ),
    Story(
        "few announcements",
        ("vrrp_min_garp",),
        several(config.instance(advert_int=0.1, lines=[NOTIFY]), globals_=["vrrp_min_garp"]),
        (START, rival(200), SILENCE, STOP),
    ),
    Story(
        "both families of addresses",
        ("virtual_ipaddress_excluded",),
        one("virtual_ipaddress_excluded {", "    198.51.100.101/24", "}", family=6),
        (START, STOP),
    ),
    Story(
        "an address with a peer, and one without prefix route",
        ("peer", "noprefixroute"),
        one(addresses=[f"{VIP4}/24 noprefixroute", "198.18.0.1 peer 198.18.0.2/32 dev eth0"]),
        (START, STOP),
    ),
)
