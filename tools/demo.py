# SPDX-License-Identifier: GPL-3.0-or-later
"""Roll out a pair of containers, kill the active one, and tell what a client saw.

KEEP=1 in the environment leaves the containers up and says how to enter them.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any, Iterator

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from tests.containers.lab import SITE, Instance, Lab, Node, Report  # noqa: E402

INVENTORY = TOP / "molecule" / "demo" / "inventory" / "hosts.yml"
# What a busy machine may add to a takeover in containers.
SLACK_MS = 100.0


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(f"{what} ...", flush=True)
    start = time.monotonic()
    yield
    print(f"  done in {time.monotonic() - start:.1f} s", flush=True)


def play(playbook: pathlib.Path, shown: tuple[str, ...]) -> None:
    """Run a playbook; show the lines of its output that begin with these words, or all when it fails."""
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(INVENTORY), str(playbook)]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
    lines: list[str] = []
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line.startswith(shown) and "Validating arguments" not in line:
                print("  " + line.rstrip(" *\n"), flush=True)
    if process.returncode:
        sys.exit("".join(lines))


def written() -> str:
    """The lines that a person writes, as they stand in the inventory."""
    text = INVENTORY.read_text().split("all that a person writes.\n")[1].split("      hosts:\n")[0]
    return "".join(line[4:] for line in text.splitlines(keepends=True))


def tell(before: list[Node], after: list[Node], instance: Instance, report: Report) -> bool:
    """Print what the client saw; true when the protocol was kept."""
    outage, limit = report.outage_ms(instance.address), instance.down_ms(after[0])
    lost = report.lost(instance.address)
    sent = report.data["probes"][instance.address]["sent"]
    print(f"""
  address             {instance.address}
  active before       {", ".join(map(str, before))}
  active after        {", ".join(map(str, after))}
  outage              {outage:.0f} ms, as the client saw it ({lost} of {sent} pings lost)
  the protocol allows {limit:.0f} ms: Master_Down_Interval, three adverts of {instance.advert_int_s:g} s
                      and the skew of priority {after[0].priority}, {instance.skew_ms(after[0]):.0f} ms
""")
    return len(before) == len(after) == 1 and before != after and outage <= limit + SLACK_MS


def fail_over(lab: Lab) -> bool:
    (instance,) = lab.instances
    with step("Waiting until one node is active"):
        lab.settle()
    before = lab.holders(instance.address)
    what = f"A client pings {instance.address} every 5 ms. Killing {before[0]}, the active node"
    with lab.watch() as watch, step(what):
        watch.event(before[0].crash)
        lab.settle(among=[node for node in lab.nodes if node not in before])
        report = watch.report
    return tell(before, lab.holders(instance.address), instance, report)


def stop(*_: Any) -> None:
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, stop)
    keep = os.environ.get("KEEP", "") not in ("", "0")
    shared = TOP / "molecule" / "shared"
    start = time.monotonic()
    try:
        with step("Starting two nodes and a client as containers"):
            play(shared / "create.yml", ())
        lab = Lab(INVENTORY)
        print(f"\nThis is rolled out by ansible-playbook linuxha.vrrp.site:\n\n{written()}")
        with step("Running the playbook"):
            play(SITE, ("PLAY [", "TASK [", "changed:", "fatal:"))
        kept = fail_over(lab)
        if keep:
            for node in lab.nodes:
                if not node.pid:
                    node.start()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        keep = kept = False
    finally:
        if keep:
            print("The containers are up. Enter one with: tools/lab enter demo n1   (n2, client)")
            print("There `vrrp-agent status` tells the state and why. To remove them: tools/lab down demo")
        else:
            with step("Removing the containers"):
                play(shared / "destroy.yml", ())
    verdict = "The pair failed over within the limit" if kept else "FAILED"
    print(f"{verdict}; {time.monotonic() - start:.0f} s in all.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
