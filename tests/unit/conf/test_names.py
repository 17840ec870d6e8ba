# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of routing tables, protocols and scopes."""

from __future__ import annotations

from typing import Optional

import pytest
from vrrp_agent.conf.values.names import PROTOCOL, SCOPE, TABLE, Names

from tests.unit.conf.texts import Files

HOST = Files(
    {
        "/usr/share/iproute2/rt_tables": "100 old\n",
        "/etc/iproute2/rt_tables": "# a comment\n100\tmine # of mine\n101 old\nbroken\nx y\n",
        "/etc/iproute2/rt_tables.d/more.conf": "0x70 hex\n",
    }
)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (TABLE, "main", 254),
        (TABLE, "local", 255),
        (TABLE, "77", 77),
        (TABLE, "0x10", 16),
        (TABLE, "mine", 100),
        (TABLE, "old", 101),
        (TABLE, "hex", 112),
        (TABLE, "nobody", None),
        (TABLE, "0xyz", None),
        (PROTOCOL, "static", 4),
        (PROTOCOL, "keepalived", 18),
        (SCOPE, "link", 253),
        (SCOPE, "global", 0),
        (SCOPE, "nowhere", 255),
    ],
)
def test_a_name_or_number(kind: str, text: str, expected: Optional[int]) -> None:
    assert Names(HOST).number(kind, text) == expected


def test_names_that_every_system_knows_need_no_file() -> None:
    files = Files({"/etc/iproute2/rt_tables": "254 other\n"})
    Names(files).number(TABLE, "main")
    assert files.read_paths == []
