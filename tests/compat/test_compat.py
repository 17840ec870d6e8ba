# SPDX-License-Identifier: GPL-3.0-or-later
"""The same file, the same faults, keepalived and the agent in turn: who holds what, when, and who was told.

keepalived is the one of Debian 13. Every difference is an error, or has its reason in docs/differences.md.
``VRRP_COMPAT_AGENT=keepalived`` compares keepalived with itself, to tell a story that is not the same twice.
"""

from __future__ import annotations

import os

import pytest

from tests.compat.stage import Stage
from tests.compat.stories import STORIES
from tests.compat.story import Story, differences, page, play, tell
from tests.lab.engines import Agent, Keepalived
from tests.lab.plugin import MakeLan, debian_root
from tests.lab.roots import Root

RELEASE = "trixie"
SECOND = Keepalived if os.environ.get("VRRP_COMPAT_AGENT") == "keepalived" else Agent


@pytest.fixture(scope="session")
def root() -> Root:
    """Debian 13, which has the newest keepalived of the three."""
    return debian_root(RELEASE)


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_the_agent_does_what_keepalived_does(story: Story, make_lan: MakeLan, root: Root) -> None:
    scenes = []
    for kind in (Keepalived, SECOND):
        lan = make_lan("d", "t", "w")
        story.prepare(lan)
        with Stage(lan, kind, root, story.config) as stage:
            story.before_start(stage)
            scenes.append(play(story, stage))
        tell(kind.kind, scenes[-1])
    found = differences(story, *scenes)
    surprises = {place: text for place, text in found.items() if place not in story.differs}
    told = "\n".join(f"  {place}:\n      {text}" for place, text in surprises.items())
    assert not surprises, f"{story.name}: not as keepalived, and no reason is known:\n{told}"
    stale = [place for place in story.differs if place not in found]
    assert not stale, f"{story.name}: these no longer differ, take them out: {stale}"


def test_every_known_difference_has_its_reason_on_the_page() -> None:
    text = page()
    reasons = {reason for story in STORIES for reason in story.differs.values()}
    assert [reason for reason in reasons if reason not in text] == []
