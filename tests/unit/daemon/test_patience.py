# SPDX-License-Identifier: GPL-3.0-or-later
"""How long virtual routers are held back: after the start, and after the boot; the longer one counts."""

from __future__ import annotations

import pytest
from vrrp_agent.conf.model import GlobalSettings
from vrrp_agent.daemon.patience import Patience, uptime_ns

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("start_s", "boot_s", "uptime_s", "held_s"),
    [
        (0, 0, 100, 0),
        (5, 0, 100, 5),
        (0, 30, 10, 20),
        (0, 30, 30, 0),
        (0, 30, 500, 0),
        (5, 30, 10, 20),
        (25, 30, 10, 25),
        (5, 30, 500, 5),
    ],
)
def test_the_longer_delay_counts(start_s: int, boot_s: int, uptime_s: int, held_s: int) -> None:
    settings = GlobalSettings(startup_delay_ns=start_s * SECOND, delay_after_boot_ns=boot_s * SECOND)
    patience = Patience(lambda: uptime_s * SECOND)
    assert patience.left_ns(settings, 7 * SECOND) == held_s * SECOND


def test_what_a_reload_adds_is_held_back_as_long_as_what_was_there_at_the_start() -> None:
    patience = Patience(lambda: SECOND)
    settings = GlobalSettings(startup_delay_ns=10 * SECOND)
    assert patience.left_ns(settings, 0) == 10 * SECOND
    assert patience.left_ns(settings, 4 * SECOND) == 6 * SECOND
    assert patience.left_ns(GlobalSettings(startup_delay_ns=3 * SECOND), 4 * SECOND) == 0
    assert patience.left_ns(settings, 20 * SECOND) == 0


def test_the_boot_is_not_in_the_future() -> None:
    assert uptime_ns() > 0
