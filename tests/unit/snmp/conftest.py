# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.unit.snmp.master import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A loop without a master yet."""
    found = World(tmp_path)
    yield found
    found.close()
