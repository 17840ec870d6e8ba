# SPDX-License-Identifier: GPL-3.0-or-later
"""Short ways to write the files and the acts of compatibility stories."""

from __future__ import annotations

import os
import signal
from typing import Any, Callable, Iterable, Sequence

from tests.compat.stage import INTERVAL_S, Stage
from tests.compat.story import Act, start, stop
from tests.lab import config

NOTIFY = 'notify "/mnt/record"'
NOTIFY_ALL = (
    NOTIFY,
    'notify_master "/mnt/record script master"',
    'notify_backup "/mnt/record script backup"',
    'notify_fault "/mnt/record script fault"',
    'notify_stop "/mnt/record script stop"',
)
QUIET = ("garp_master_delay 0", "garp_lower_prio_repeat 0")
"""Without it the second burst, 5 s later, falls into another act, and every lower advert brings one."""

START, STOP = Act("start", start), Act("stop", stop)


def instance(name: str = "VI_1", *lines: str, **words: Any) -> str:
    """A vrrp_instance at the stories' interval, with a notify script and one burst of announcements."""
    words.setdefault("advert_int", INTERVAL_S)
    return config.instance(name, lines=[NOTIFY, *QUIET, *lines], **words)


def one(
    *lines: str, globals_: Sequence[str] = (), before: Sequence[str] = (), **words: Any
) -> Callable[[Stage], str]:
    """A file with one instance. ``before`` are blocks that stand before it."""

    def text(stage: Stage) -> str:
        return config.file(stage.d, *before, instance("VI_1", *lines, **words), global_lines=list(globals_))

    return text


def several(*parts: str, globals_: Iterable[str] = ()) -> Callable[[Stage], str]:
    """A file of these parts."""

    def text(stage: Stage) -> str:
        return config.file(stage.d, *parts, global_lines=list(globals_))

    return text


def rival(priority: int, **words: Any) -> Act:
    """t speaks with this priority from now on."""
    return Act(f"rival {priority}", lambda stage: stage.rival(priority, **words))


SILENCE = Act("silence", lambda stage: stage.silence())


def cable(name: str, up: bool) -> Act:
    """The cable of an interface is pulled or plugged in."""
    word = "plug" if up else "pull"
    return Act(
        f"{word} {name}",
        lambda stage: stage.d.plug_cable(name) if up else stage.d.pull_cable(name),
    )


def ip(name: str, *words: str) -> Act:
    """Somebody runs ``ip`` on d."""
    return Act(name, lambda stage: stage.d.ip(*words))


def write(name: str, file: str, text: str, mode: int = 0o644) -> Act:
    """A file of the engine's directory is replaced."""
    return Act(name, lambda stage: stage.write(file, text, mode))


def reload(name: str, text: Callable[[Stage], str]) -> Act:
    """The file is replaced and SIGHUP sent."""
    return Act(name, lambda stage: stage.engine.reload(text(stage)))


def stall(seconds: float) -> Act:
    """The engine does not get the CPU for a while."""

    def do(stage: Stage) -> None:
        import time

        from tests.lab.engines import family_of

        processes = family_of(stage.engine.pid)
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        time.sleep(seconds)  # the stall itself
        for process in processes:
            os.kill(process, signal.SIGCONT)

    return Act("stall", do)
