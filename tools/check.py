# SPDX-License-Identifier: GPL-3.0-or-later
"""Run checks by name, show how long each took, and end with one line that counts them.

    check.py                  every check there is
    check.py lint unit ...    these; `check.py --list` names them

Checks that only compute run two at a time. Checks that measure time run after them and have the machine to
themselves. What a check printed is in build/logs/NAME.log, and on the screen when it fails.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

TOP = pathlib.Path(__file__).resolve().parent.parent
LOGS = TOP / "build" / "logs"


@dataclass(frozen=True)
class Check:
    """A command of this tree. `measures` marks those whose timing others would disturb."""

    name: str
    command: str
    group: str
    measures: bool = False


PYTEST = "pytest -p no:cacheprovider"

CHECKS = (
    Check("images", "tools/image bullseye bookworm trixie", "images"),
    Check("vm-image", "tools/vm", "images"),
    Check("sanity", "tools/sanity", "lint"),
    Check("ansible-lint", "tools/ansible_lint", "lint"),
    Check("mypy", "tools/mypy", "lint"),
    Check("ruff", "ruff check --no-cache .", "lint"),
    Check("yamllint", "git ls-files '*.yml' '*.yaml' | xargs yamllint --strict", "lint"),
    Check("shellcheck", "tools/shell_scripts | xargs shellcheck -x", "lint"),
    Check("unit", f"{PYTEST} -n 2 tests/unit tests/fuzz tests/simulation", "unit"),
    Check("build", f"{PYTEST} tests/build", "build"),
    Check("integration", f"{PYTEST} -n 3 tests/integration", "integration", measures=True),
    Check("interop", f"{PYTEST} -n 3 tests/interop", "interop", measures=True),
    Check("compat", f"{PYTEST} -n 3 tests/compat", "compat", measures=True),
    Check("vm", f"{PYTEST} tests/vm", "vm", measures=True),
    Check("molecule-default", "tools/molecule default", "molecule", measures=True),
    Check("molecule-mixed", "tools/molecule mixed", "molecule", measures=True),
    Check("molecule-sync_group", "tools/molecule sync_group", "molecule", measures=True),
    Check("molecule-tracking", "tools/molecule tracking", "molecule", measures=True),
    Check("molecule-ipv6", "tools/molecule ipv6", "molecule", measures=True),
    Check("molecule-load_balancer", "tools/molecule load_balancer", "molecule", measures=True),
)


@dataclass(frozen=True)
class Result:
    check: Check
    passed: bool
    seconds: float
    log: pathlib.Path

    def line(self) -> str:
        counted = re.findall(
            r"=* ?((?:\d+ (?:passed|failed|skipped|errors?)(?:, )?)+).* in [\d.]+", self.log.read_text()
        )
        told = f"  {counted[-1]}" if counted else ""
        return f"{'ok    ' if self.passed else 'FAILED'}  {self.check.name:<20}{self.seconds:7.1f} s{told}"


class Runner:
    """Runs checks in the shell that tools/env.sh sets up, and ends their children with them."""

    def __init__(self) -> None:
        self.running: set[subprocess.Popen[bytes]] = set()
        self.printing = threading.Lock()

    def say(self, text: str) -> None:
        with self.printing:
            print(text, flush=True)

    def run(self, check: Check, echo: bool = False) -> Result:
        log = LOGS / f"{check.name}.log"
        start = time.monotonic()
        if not echo:
            self.say(f"..      {check.name}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"set -o pipefail; . tools/env.sh; {check.command}"],
                cwd=TOP,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if echo else output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.running.add(process)
            if process.stdout is not None:
                for line in process.stdout:
                    output.write(line)
                    sys.stdout.buffer.write(line)
                    sys.stdout.flush()
            code = process.wait()
        self.running.discard(process)
        result = Result(check, code == 0, time.monotonic() - start, log)
        if code and not echo:
            self.say(f"\n--- {check.name}: exit {code} ---\n{log.read_text(errors='replace')}")
        self.say(result.line())
        return result

    def stop(self) -> None:
        """Interrupt what still runs, so that it cleans up behind itself."""
        for process in tuple(self.running):
            os.killpg(process.pid, signal.SIGINT)
        for process in tuple(self.running):
            process.wait()


def chosen(names: list[str]) -> list[Check]:
    known = {check.name for check in CHECKS} | {check.group for check in CHECKS}
    for name in names:
        if name not in known:
            sys.exit(f"there is no check {name!r}; there are: {', '.join(sorted(known))}")
    return [check for check in CHECKS if not names or {check.name, check.group} & set(names)]


def run(checks: list[Check], runner: Runner) -> list[Result]:
    if len(checks) == 1:
        return [runner.run(checks[0], echo=True)]
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=2)
    try:
        results = list(pool.map(runner.run, [check for check in checks if not check.measures]))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return results + [runner.run(check) for check in checks if check.measures]


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true")
    parser.add_argument("checks", nargs="*")
    args = parser.parse_args()
    if args.list:
        print("\n".join(f"{check.name:<20}{check.command}" for check in CHECKS))
        return 0
    signal.signal(signal.SIGTERM, interrupted)
    LOGS.mkdir(parents=True, exist_ok=True)
    runner = Runner()
    start = time.monotonic()
    try:
        results = run(chosen(args.checks), runner)
    except KeyboardInterrupt:
        runner.stop()
        return 130
    failed = [result for result in results if not result.passed]
    if len(results) > 1:
        print(f"\n{time.monotonic() - start:.0f} s in all, of which")
        print("\n".join(result.line() for result in results))
    print(f"checks: {len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
