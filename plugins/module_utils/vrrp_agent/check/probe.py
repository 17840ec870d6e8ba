# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One try of a check: the small interface between the timing of checks and what each kind asks."""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional, Protocol, runtime_checkable

from ..conf.parts.checks import Check, TlsFiles
from ..conf.parts.tracking import ScriptPolicy
from ..loop.log import Log
from ..loop.loop import Loop


class Outcome(NamedTuple):
    """What a try has found."""

    good: bool
    why: str
    """For a person: ``connected``, ``connection refused``, ``status 503``."""
    weight: Optional[int] = None
    """The weight that the server is to have (misc_dynamic), or None.

    CheckResult.added_weight is it minus Order.weight; None adds nothing.
    """
    settled: bool = True
    """False: good so far, but the check has more to ask (the next url) before it counts as good."""
    at_once: bool = False
    """With ``settled`` False: the next try follows at once (fast_recovery), not after delay_loop.

    For a check that is not good (bad, or not known yet); one that is good keeps to delay_loop.
    """
    asked: bool = True
    """False: this host could not ask (connect.CannotAsk). The state stays as it is; ``good`` says nothing."""


def not_asked(why: str) -> Outcome:
    """This host could not ask; ``why`` says what was in the way."""
    return Outcome(False, why, asked=False)


class Context(NamedTuple):
    """What every probe may use."""

    loop: Loop
    log: Log
    policy: ScriptPolicy
    tls: TlsFiles


Done = Callable[[Outcome], None]


class Probe(Protocol):
    """Makes tries of one check, one after the other. When to try and how long is not its business.

    Sockets come from connect.py. Its CannotAsk becomes ``done(not_asked(str(error)))``.
    """

    limit_ns: int
    """How long a try may last; then it is stopped and counts as failed (``timed out``)."""

    def start(self) -> None:
        """Begin a try. ``done`` is called once, perhaps before this returns, unless ``stop`` comes first."""

    def stop(self) -> None:
        """Give the try up and its descriptors back. ``done`` is not called. No harm without a try."""


@runtime_checkable
class Lasting(Protocol):
    """A probe whose try may not be over with ``stop``: its check keeps it, so that no two tries overlap."""

    def renew(self, check: Check, context: Context) -> None:
        """Ask the same from now on, with other timing or settings. It has been stopped."""


MakeProbe = Callable[[Check, Context, Done], Probe]
"""kinds.py has one for each kind of check."""
