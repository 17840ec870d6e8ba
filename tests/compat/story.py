# SPDX-License-Identifier: GPL-3.0-or-later
"""A compatibility story: one file, some acts, and what may differ between the engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from tests.compat.stage import INTERVAL_S, QUIET_S, Scene, Stage
from tests.lab.lan import Lan
from tests.lab.shell import wait_until

FIELDS = (
    "addresses",
    "routes",
    "rules",
    "links",
    "sysctls",
    "speaks",
    "resigned",
    "announced",
    "neighbour",
    "events",
    "fifo",
)
LATER_S = 0.35
"""How much later than keepalived the agent may move: a noisy machine, and looks 30 ms and more apart."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "differences.md"

Do = Callable[[Stage], object]


@dataclass(frozen=True)
class Act:
    """Something that happens. ``quiet_s`` is how long nothing may change before it counts as settled."""

    name: str
    do: Do
    quiet_s: float = QUIET_S


@dataclass(frozen=True)
class Story:
    """``words`` are the keywords it is about. ``differs`` maps "act/field" to the words of
    docs/differences.md that give the reason; a difference that is not there, and one that no longer shows,
    both fail."""

    name: str
    words: Tuple[str, ...]
    config: Callable[[Stage], str]
    acts: Sequence[Act]
    prepare: Callable[[Lan], object] = field(default=lambda _lan: None)
    """Done to the LAN before anything looks at it."""
    before_start: Do = field(default=lambda _stage: None)
    sysctls: Tuple[str, ...] = ()
    differs: Mapping[str, str] = field(default_factory=dict)
    ignore: Tuple[str, ...] = ()
    """Fields that say nothing here."""
    timed: bool = True

    def __str__(self) -> str:
        return self.name


def start(stage: Stage) -> None:
    """The engine is started, and has told its notify script that it takes part."""
    stage.engine.start()
    wait_until("the first word of the engine", stage.heard_of, 15)


def stop(stage: Stage) -> None:
    """The engine is stopped in order."""
    stage.engine.stop()


def play(story: Story, stage: Stage) -> List[Scene]:
    """Every act in turn."""
    stage.watch_sysctls = story.sysctls
    return [stage.act(act.name, act.do, act.quiet_s) for act in story.acts]


def told(lines: Sequence[str]) -> Dict[str, List[str]]:
    """Notify records by whom they are about. keepalived runs its scripts side by side, and which of two
    timers of one length runs out first is chance: so the order of what is said of one router is compared."""
    streams: Dict[str, List[str]] = {}
    for line in lines:
        words = line.split()
        one_stream = len(words) == 4 and words[0] in ("INSTANCE", "GROUP")
        streams.setdefault(" ".join(words[:2]) if one_stream else "other scripts", []).append(line)
    streams.get("other scripts", []).sort()
    return streams


def differences(story: Story, reference: Sequence[Scene], ours: Sequence[Scene]) -> Dict[str, str]:
    """What differs: "act/field" to both values."""
    found: Dict[str, str] = {}
    for theirs, mine in zip(reference, ours):
        for name in FIELDS:
            left, right = getattr(theirs, name), getattr(mine, name)
            if name in ("events", "fifo"):
                left, right = told(left), told(right)
            if name == "speaks" and not left and theirs.addresses and theirs.act.startswith("rival"):
                continue  # keepalived now and then falls silent while it refuses a rival: it stays active
            if name not in story.ignore and left != right:
                found[f"{theirs.act}/{name}"] = f"keepalived {show(left)}\n      agent      {show(right)}"
        if story.timed and theirs.act != "start":  # how long a start takes is measured by tests/bench
            late = _late(theirs, mine)
            if late:
                found[f"{theirs.act}/moved_s"] = late
    return found


def _late(theirs: Scene, mine: Scene) -> str:
    """A state that came and went between two looks was seen by chance: then there is nothing to compare."""
    if theirs.moved_s is None or mine.moved_s is None:
        return ""
    if mine.moved_s <= theirs.moved_s + INTERVAL_S + LATER_S:
        return ""
    return f"keepalived moved after {theirs.moved_s:.3f} s, agent after {mine.moved_s:.3f} s"


def tell(kind: str, scenes: Sequence[Scene]) -> None:
    """For ``pytest -rP``: what each act came to."""
    for scene in scenes:
        seen = {name: getattr(scene, name) for name in (*FIELDS, "moved_s") if getattr(scene, name)}
        print(f"{kind}, {scene.act}: " + "; ".join(f"{name} {show(value)}" for name, value in seen.items()))


def show(value: object) -> str:
    """A value in a stable order."""
    return repr(sorted(value)) if isinstance(value, frozenset) else repr(value)


def page() -> str:
    """docs/differences.md, with single blanks."""
    return " ".join(PAGE.read_text().split())
