# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told, in which words."""

from __future__ import annotations

from tests.compat.faults import second_interface
from tests.compat.stage import Stage
from tests.compat.story import Story
from tests.compat.words import NOTIFY_ALL, SILENCE, START, STOP, cable, instance, one, rival, several

FIFO = ('notify_fifo "/mnt/fifo"', "script_user root")

STORIES = (
    Story(
        "every script",
        ("notify", "notify_master", "notify_backup", "notify_fault", "notify_stop"),
        one(*NOTIFY_ALL[1:]),
        (START, rival(200), SILENCE, cable("eth0", False), cable("eth0", True), STOP),
    ),
    Story(
        "the pipe",
        ("notify_fifo",),
        one(globals_=FIFO),
        (START, rival(200), SILENCE, cable("eth0", False), cable("eth0", True), STOP),
        before_start=Stage.read_fifo,
    ),
    Story(
        "the pipe hears of priorities",
        ("notify_priority_changes", "vrrp_notify_priority_changes"),
        one("track_interface {", "    eth1 weight -30", "}", "notify_priority_changes", globals_=FIFO),
        (START, cable("eth1", False), cable("eth1", True), STOP),
        prepare=second_interface,
        before_start=Stage.read_fifo,
    ),
    Story(
        "the pipe of two routers",
        ("vrrp_notify_fifo",),
        several(
            instance("VI_1"),
            instance("VI_2", vrid=52, addresses=["198.51.100.101/24"]),
            globals_=[
                'vrrp_notify_fifo "/mnt/fifo"',
                "script_user root",
            ],
        ),
        (START, rival(200), SILENCE, STOP),
        before_start=Stage.read_fifo,
    ),
)
