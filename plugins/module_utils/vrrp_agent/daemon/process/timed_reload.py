# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""reload_time_file: a reload at the time that a file holds. A process beside the agent looks at the file."""

from __future__ import annotations

import calendar
import contextlib
import os
import re
import time
from typing import Any, Callable, Iterable, NamedTuple, Optional, Tuple

from ...conf.parts.operations import ReloadFiles
from ...loop.alarm import Alarm
from ...loop.channel import Channel
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.side import Side, Worker

_LOOK_NS = 1_000_000_000
"""How often the file is looked at; keepalived is told of changes by the kernel."""
_MOST_BYTES = 64
_TIME = re.compile(r"(?:(\d{2}|\d{4})-(\d{2})-(\d{2}) )?(\d{2}):(\d{2}):(\d{2})(Z?)\Z", re.ASCII)
_DAY_S = 86400


class When(NamedTuple):
    """A time to reload at."""

    wall_s: int
    """Seconds since 1970."""
    dated: bool
    """A date is given too, so that it does not come again."""


class BadTime(ValueError):
    """What the file holds is no time, or no time to come. The text says what is wrong."""


def read_time(text: str, now_s: int) -> When:
    """``HH:MM:SS``, ``YY-MM-DD HH:MM:SS`` or ``YYYY-MM-DD HH:MM:SS``, with a Z at the end for UTC.

    A time without a date is the next one. Raises BadTime.
    """
    match = _TIME.match(text)
    if match is None:
        raise BadTime(f"{text!r} is no time: write HH:MM:SS or YYYY-MM-DD HH:MM:SS, with Z for UTC")
    utc = bool(match.group(7))
    now = time.gmtime(now_s) if utc else time.localtime(now_s)
    dated = match.group(2) is not None
    day: Tuple[int, int, int] = (now.tm_year, now.tm_mon, now.tm_mday)
    if dated:
        year = int(match.group(1))
        # strptime's rule for years of two digits: 69 to 99 are of the last century
        year += 0 if year >= 100 else 1900 if year >= 69 else 2000
        day = (year, int(match.group(2)), int(match.group(3)))
    clock = (int(match.group(4)), int(match.group(5)), int(match.group(6)))
    moment = _moment(day, clock, utc)
    if moment is None:
        raise BadTime(f"there is no such time as {text!r}")
    if moment <= now_s:
        if dated:
            raise BadTime(f"{text!r} is over")
        tomorrow = time.gmtime(calendar.timegm((*day, 12, 0, 0)) + _DAY_S)
        moment = _moment((tomorrow.tm_year, tomorrow.tm_mon, tomorrow.tm_mday), clock, utc)
        if moment is None:
            raise BadTime(f"there is no such time as {text!r} tomorrow")
    return When(moment, dated)


def _moment(day: Tuple[int, int, int], clock: Tuple[int, int, int], utc: bool) -> Optional[int]:
    """Seconds since 1970; None for the 30th of February, and for an hour that summer time leaves out."""
    whole = (*day, *clock, 0, 0, -1)
    try:
        moment = calendar.timegm(whole) if utc else int(time.mktime(whole))
        back = time.gmtime(moment) if utc else time.localtime(moment)
    except (OverflowError, ValueError, OSError):
        return None
    return moment if tuple(back)[:6] == (*day, *clock) else None


class Clerk(Worker):
    """The process that looks at the file."""

    def __init__(self, loop: Loop, channel: Channel, log: Log) -> None:
        self._loop = loop
        self._channel = channel
        self._log = log
        self._files = ReloadFiles()
        self._text = ""
        self._when: Optional[When] = None
        self._alarm = Alarm(loop, self._look)

    def take(self, value: Any) -> None:
        """The settings of the present configuration."""
        self._files, self._text, self._when = value, "", None
        self._look()

    def _look(self) -> None:
        if not self._files.time_file:
            return
        now_s = time.time()
        text = self._read()
        if text != self._text:
            self._text = text
            self._decide(int(now_s))
        when = self._when
        if when is not None and now_s >= when.wall_s:
            self._fire(when)
            when = None
        until_ns = _LOOK_NS if when is None else max(int((when.wall_s - now_s) * 1e9), 1_000_000)
        self._alarm.set_in(min(until_ns, _LOOK_NS))

    def _read(self) -> str:
        try:
            with open(self._files.time_file, "rb") as stream:
                first = stream.read(_MOST_BYTES).split(b"\n", 1)[0]
        except OSError:
            return ""
        return first.decode("utf-8", "replace").strip("\0\r")

    def _decide(self, now_s: int) -> None:
        before, self._when = self._when, None
        if self._text:
            try:
                self._when = read_time(self._text, now_s)
            except BadTime as error:
                self._log.warning(f"reload_time_file {self._files.time_file}: {error}")
        if self._when is not None:
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._when.wall_s))
            self._log.notice(f"a reload is set for {stamp}")
        elif before is not None:
            self._log.notice("the reload that was set is taken back")

    def _fire(self, when: When) -> None:
        self._when, self._text = None, ""
        if not self._files.repeat or when.dated:
            with contextlib.suppress(OSError):
                os.unlink(self._files.time_file)
        self._channel.send(None)


class TimedReload:
    """What the agent has of it: no process unless reload_time_file is given."""

    def __init__(self, loop: Loop, log: Log, reload: Callable[[], None]) -> None:
        self._files = ReloadFiles()
        self._reload = reload
        self._side = Side("reload-time", Clerk, loop, log, self._hello, self._due)

    def apply(self, files: ReloadFiles) -> None:
        """The present configuration says this; nothing is done when it said so before."""
        if (files.time_file, files.repeat) == (self._files.time_file, self._files.repeat):
            return
        self._files = files
        if not files.time_file:
            self._side.retire()
        elif self._side.running:
            self._side.send(files)
        else:
            self._side.start()

    def stop(self, patience_ns: int) -> None:
        """The agent ends."""
        self._side.stop(patience_ns)

    def _hello(self) -> Iterable[Any]:
        return (self._files,)

    def _due(self, _value: Any) -> None:
        self._reload()
