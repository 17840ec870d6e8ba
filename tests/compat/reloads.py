# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that changes while the engine runs."""

from __future__ import annotations

from tests.compat.groups import GROUP, INSIDE, inside
from tests.compat.moving import ROUTES, RULES
from tests.compat.story import Story
from tests.compat.words import SILENCE, START, STOP, instance, one, reload, rival, several
from tests.lab.lan import VIP4

TWO = [f"{VIP4}/24", "198.51.100.101/24"]
TWO_SIDES = (instance("VI_1"), instance("VI_2", **INSIDE))
SECOND = instance("VI_2", vrid=52, addresses=["198.51.100.102/24"])

# How long a reload takes is the time of reading a file beside the adverts: nothing waits for it.
STORIES = (
    Story(
        "an address more, an address less",
        ("virtual_ipaddress",),
        one(),
        (START, reload("more", one(addresses=TWO)), reload("less", one()), STOP),
        differs={"more/announced": "A reload announces new addresses only"},
        timed=False,
    ),
    Story(
        "another priority",
        ("priority",),
        one(),
        (START, reload("lower", one(priority=80)), rival(90), SILENCE, STOP),
        timed=False,
    ),
    Story(
        "a router more, a router less",
        ("vrrp_instance", "notify_deleted"),
        several(instance("VI_1")),
        (
            START,
            reload("more", several(instance("VI_1"), SECOND)),
            reload("less", several(instance("VI_1"))),
            STOP,
        ),
        timed=False,
    ),
    Story(
        "a router is deleted, and says so",
        ("notify_deleted",),
        several(
            instance("VI_1"), instance("VI_2", "notify_deleted", vrid=52, addresses=["198.51.100.102/24"])
        ),
        (START, reload("less", several(instance("VI_1"))), STOP),
        timed=False,
    ),
    Story(
        "nothing changes",
        ("vrrp_instance",),
        one(),
        (START, reload("again", one()), STOP),
        timed=False,
    ),
    Story(
        "a route and a rule more and less",
        ("virtual_routes", "virtual_rules"),
        one(),
        (
            START,
            reload("more", one(*ROUTES, *RULES)),
            reload("fewer", one(*RULES)),
            reload("none", one()),
            STOP,
        ),
        timed=False,
    ),
    Story(
        "routers join a group",
        ("vrrp_sync_group",),
        several(*TWO_SIDES),
        (
            START,
            reload("group", several(GROUP, *TWO_SIDES)),
            rival(200),
            SILENCE,
            reload("no group", several(*TWO_SIDES)),
            STOP,
        ),
        prepare=inside,
        differs={"group/events": "A group that a reload makes of active routers says that it is active"},
        timed=False,
    ),
    Story(
        "preemption is forbidden later",
        ("nopreempt",),
        one(),
        (START, reload("nopreempt", one("nopreempt")), rival(200), SILENCE, rival(50), STOP),
        timed=False,
    ),
)
