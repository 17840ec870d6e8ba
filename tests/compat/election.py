# SPDX-License-Identifier: GPL-3.0-or-later
"""Who becomes active, when, and who gives way."""

from __future__ import annotations

from tests.compat.story import Act, Story, start
from tests.compat.words import SILENCE, START, STOP, instance, one, rival, several, stall

STORIES = (
    Story("a lone router", ("state", "priority", "advert_int"), one(), (START, STOP)),
    Story("an owner", ("priority 255", "state MASTER"), one(priority=255, state="MASTER"), (START, STOP)),
    Story(
        "state MASTER is only a wish",
        ("state",),
        one(priority=150, state="MASTER"),
        (START, rival(200), SILENCE, STOP),
    ),
    Story("the higher priority wins", ("priority",), one(), (START, rival(200), SILENCE, rival(50), STOP)),
    Story(
        "the higher address wins at equal priority",
        ("priority",),
        one(priority=100),
        (START, rival(100), SILENCE, STOP),
    ),
    Story("a resigning rival", ("priority",), one(), (START, rival(200), rival(0), STOP)),
    Story(
        "nopreempt",
        ("nopreempt", "preempt"),
        one("nopreempt", priority=150),
        (Act("rival first", lambda stage: stage.rival(50)), START, SILENCE, rival(50), rival(200), STOP),
    ),
    Story(
        "preempt_delay",
        ("preempt_delay",),
        one("preempt_delay 2", priority=150),
        (
            Act("rival first", lambda stage: stage.rival(50)),
            Act("start", start, 2.6),
            rival(200),
            Act("rival lower", lambda stage: stage.rival(50), 2.6),
            STOP,
        ),
    ),
    Story(
        "a startup delay",
        ("vrrp_startup_delay",),
        one(globals_=("vrrp_startup_delay 2",)),
        (Act("start", start, 3.5), STOP),
    ),
    Story(
        "no answer to a lower priority",
        ("lower_prio_no_advert", "garp_lower_prio_repeat"),
        one("lower_prio_no_advert", "garp_lower_prio_repeat 2", "garp_lower_prio_delay 0"),
        (START, Act("one lower", lambda stage: stage.tester.send(priority=50, vrid=51)), STOP),
    ),
    Story(
        "notice of a lower priority",
        ("notify_master_rx_lower_pri", "higher_prio_send_advert"),
        one(
            'notify_master_rx_lower_pri "/mnt/record lower"',
            "higher_prio_send_advert",
            "garp_lower_prio_repeat 0",
        ),
        (START, Act("one lower", lambda stage: stage.tester.send(priority=50, vrid=51)), rival(200), STOP),
    ),
    Story(
        "two owners",
        ("priority 255", "owner_ignore_adverts"),
        one(priority=255, state="MASTER"),
        (START, rival(255), SILENCE, STOP),
        differs={"rival 255/events": "An owner that steps down tells its new priority, 254"},
    ),
    Story(
        "an owner that ignores others",
        ("owner_ignore_adverts",),
        one("owner_ignore_adverts", priority=255, state="MASTER"),
        (START, rival(255), SILENCE, STOP),
        ignore=("announced",),
    ),
    Story(
        "more adverts may be missing",
        ("down_timer_adverts",),
        one("down_timer_adverts 6"),
        (
            Act("start", start, 2.5),
            Act("rival 200", lambda s: s.rival(200)),
            Act("silence", lambda s: s.silence(), 2.5),
            STOP,
        ),
    ),
    Story(
        "a stall",
        ("timer_expired_backup",),
        one("timer_expired_backup 254"),
        (START, stall(1.5), STOP),
        ignore=("announced", "resigned"),
        timed=False,
    ),
    Story(
        "strict",
        ("vrrp_strict", "strict_mode"),
        one(globals_=("vrrp_strict",)),
        (START, rival(50), SILENCE, rival(200), SILENCE, STOP),
    ),
    Story(
        "version 2",
        ("version",),
        one(version=2, advert_int=1),
        (Act("start", start, 5), STOP),
    ),
    Story(
        "two routers on one interface",
        ("virtual_router_id",),
        several(instance("VI_1"), instance("VI_2", vrid=52, priority=120, addresses=["198.51.100.101/24"])),
        (START, rival(200), Act("rival for both", lambda s: s.rival(200, vrid=52)), SILENCE, STOP),
    ),
)
