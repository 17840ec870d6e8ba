# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""startup_script and shutdown_script: a program that runs once while nothing else does.

They run before the first advert and after the last one, so the agent may wait for them; but never longer
than their time limit and the few seconds that it takes to kill a program.
"""

from __future__ import annotations

from typing import List

from ...conf.model import ScriptPolicy
from ...conf.parts.operations import OnceCommand
from ...kernel import program
from ...kernel.errors import KernelError
from ...kernel.executable import examine
from ...kernel.program import Ended
from ...loop.alarm import Alarm
from ...loop.log import Log
from ...loop.loop import Loop
from ...loop.running import Running
from . import systemd

SECOND_NS = 1_000_000_000
PATIENCE_NS = 14 * SECOND_NS
"""keepalived: SIGTERM, SIGKILL 2 s later, and 12 s more for a program that the kernel will not end."""


def run_once(what: str, once: OnceCommand, policy: ScriptPolicy, log: Log) -> bool:
    """Run the program and wait for its end. True when it ended well; failures are in the log.

    A failure keeps nobody from going on, as in keepalived.
    """
    limit_ns = once.timeout_ns
    systemd.allow(limit_ns + PATIENCE_NS)
    name = once.command.argv[0]
    try:
        executable = examine(once.command, policy)
        for warning in executable.warnings:
            log.warning(f"{what}: {warning}")
        started = program.start(executable.path, executable.argv, executable.identity, umask=policy.umask)
    except KernelError as error:
        log.error(f"{what}: {error}" + (f"; {error.hint}" if error.hint else ""))
        return False
    log.info(f"{what}: running {name}")
    ends: List[Ended] = []
    loop = Loop()

    def ended(how: Ended, told: bool) -> None:
        ends.append(how)
        if told:
            log.warning(f"{what}: {name} took longer than {limit_ns / SECOND_NS:g} s and was ended")
        elif not how.good:
            log.warning(f"{what}: {name}: {how}")
        loop.stop()

    Running(started, loop, limit_ns, ended)
    Alarm(loop, loop.stop).set_in(limit_ns + PATIENCE_NS)
    loop.run()
    loop.close()
    if not ends:
        log.error(f"{what}: {name} (process {started.pid}) cannot be killed; going on without it")
        return False
    return ends[0].good
