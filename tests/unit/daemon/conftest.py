# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.unit.daemon.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An agent without a configuration yet."""
    found = Stage(tmp_path)
    yield found
    found.close()
