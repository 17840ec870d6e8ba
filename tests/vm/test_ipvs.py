# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent on a kernel with ip_vs. The stories themselves are in guest/, and run inside the machine."""

from __future__ import annotations

import pytest

from tests.vm.machine import Visit, story_names


@pytest.mark.parametrize("name", story_names())
def test_story(name: str, machine: Visit) -> None:
    story = machine.stories.get(name)
    assert story is not None, f"the story was not told\n{machine.evidence()}"
    print(f"{story.cases} cases, {story.seconds:.1f} s in the guest")
    assert not story.failures, "\n".join(story.failures)
