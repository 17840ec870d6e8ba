# SPDX-License-Identifier: GPL-3.0-or-later
"""agent_balance_backend: which back end is taken, and what is said when none can be."""

from __future__ import annotations

from typing import Dict, Optional, cast

import pytest
from vrrp_agent.balance.backend import Backend
from vrrp_agent.balance.choose import Opener, choose
from vrrp_agent.conf.parts.balancing import Balancing
from vrrp_agent.kernel.errors import KernelError


def openers(**problems: Optional[str]) -> Dict[str, Opener]:
    def opener(name: str, problem: Optional[str]) -> Opener:
        def open_it(balancing: Balancing) -> Backend:
            if problem is not None:
                raise KernelError(problem, f"mend {name}")
            return cast(Backend, name)

        return open_it

    return {name: opener(name, problem) for name, problem in problems.items()}


@pytest.mark.parametrize(
    ("word", "ipvs", "nftables", "expected"),
    [
        ("auto", None, None, "ipvs"),
        ("auto", "no ip_vs", None, "nftables"),
        ("auto", "no ip_vs", "no nf_tables", None),
        ("ipvs", None, None, "ipvs"),
        ("ipvs", "no ip_vs", None, None),
        ("nftables", None, None, "nftables"),
        ("nftables", None, "no nf_tables", None),
    ],
)
def test_the_word_and_the_kernel_decide(
    word: str, ipvs: Optional[str], nftables: Optional[str], expected: Optional[str]
) -> None:
    choice = choose(Balancing(backend=word), openers(ipvs=ipvs, nftables=nftables))
    assert choice.backend == expected
    assert bool(choice.problem) is (expected is None)
    if expected is None:
        for name, problem in (("ipvs", ipvs), ("nftables", nftables)):
            if problem is not None and word in ("auto", name):
                assert f"{name}: {problem} (mend {name})" in choice.problem
