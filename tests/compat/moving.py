# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes and goes with the active router besides its addresses."""

from __future__ import annotations

from tests.compat.faults import second_interface
from tests.compat.story import Story
from tests.compat.words import SILENCE, START, STOP, cable, ip, one, rival
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

STORIES = (
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
)
