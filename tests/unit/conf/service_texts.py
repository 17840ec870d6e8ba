# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual servers as text, for the tests of their words."""

from __future__ import annotations

import textwrap

from vrrp_agent.conf.parts.balancing import RealServer, VirtualServer
from vrrp_agent.conf.parts.checks import Check

from tests.unit.conf.texts import config_of

IPVS = "global_defs {\n    agent_balance_backend ipvs\n}\n"
"""Takes away what is said about hosts without ip_vs."""


def service(
    body: str = "",
    *,
    head: str = "198.51.100.10 80",
    server: str = "198.18.0.1 80",
    checks: str = "",
    protocol: str = "protocol TCP",
) -> str:
    """A virtual_server that is right, with more words in it and in its one real_server.

    Its words begin on line 3, those of the real_server three lines behind them.
    """
    lines = [f"virtual_server {head} {{", f"    {protocol}" if protocol else ""]
    lines.append(textwrap.indent(textwrap.dedent(body), "    ").rstrip())
    if server:
        lines.append(f"    real_server {server} {{")
        lines.append(textwrap.indent(textwrap.dedent(checks), "        ").rstrip())
        lines.append("    }")
    return "\n".join([*lines, "}", ""])


def the_service(body: str = "", before: str = "", **options: str) -> VirtualServer:
    """The values of a virtual_server with more words in it."""
    config = config_of(IPVS + before + service(body, **options))
    assert len(config.services) == 1
    return config.services[0]


def the_server(words: str = "", body: str = "", **options: str) -> RealServer:
    """Its real_server, with more words in that."""
    found = the_service(body, checks=words, **options).servers
    assert len(found) == 1
    return found[0]


def the_check(kind: str, words: str = "", server: str = "", body: str = "", **options: str) -> Check:
    """The one check of a real_server with ``server`` in it, of a service with ``body`` in it."""
    text = f"{server}\n{kind} {{\n{words}\n}}"
    found = the_service(body, checks=text, **options).servers[0].checks
    assert len(found) == 1
    return found[0]
