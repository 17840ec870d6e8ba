# SPDX-License-Identifier: GPL-3.0-or-later
"""One file, served by keepalived and by the agent in turn: a manager sees the same objects and values."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Tuple

import pytest

from tests.lab import config
from tests.lab import snmp as net_snmp
from tests.lab.engines import Agent, Engine, Keepalived
from tests.lab.lan import Lan
from tests.lab.plugin import MakeLan, debian_root
from tests.lab.shell import wait_until
from tests.lab.snmp import KEEPALIVED, RFC2787, RFC6527, NetSnmp, Object

ROOTS = (KEEPALIVED, RFC2787, RFC6527)
INSTANCE = f"{KEEPALIVED}.2.3.1"

DIFFERENT = {
    r"9586\.100\.5\.1\.1\.0": "the version",
    r"9586\.100\.5\.1\.3\.[1-6]\.0": "no mail server: keepalived shows what it has not initialised",
    r"9586\.100\.5\.1\.[679]\.0": "LVS and D-Bus, which the agent does not have",
    r"9586\.100\.5\.2\.3\.1\.11\.": "keepalived shows whether anything is in track_interface",
    r"9586\.100\.5\.2\.6\.1\.11\.": "keepalived gets it wrong after the first instance",
    r"9586\.100\.5\.2\.11\.1\.6\.": "keepalived shows a weight only where one is written",
    r"9586\.100\.5\.(1\.12\.0|2\.3\.1\.36\.)": "v3ChecksumAsV2 is newer than Debian's keepalived",
    r"2\.1\.68\.1\.3\.1\.7\.": "keepalived's active router has no address of its own",
    r"2\.1\.68\.1\.3\.1\.10\.": "keepalived has no vrrpOperAuthKey",
    r"2\.1\.68\.1\.3\.1\.13\.": "a moment",
    r"2\.1\.207\.1\.1\.1\.1\.12\.": "a span of time",
    r"2\.1\.207\.1\.1\.2\.1\.2\.": "keepalived leaves the length of the address out of the index",
}
"""docs/differences.md has all of these."""


def file(lan: Lan, snmp: NetSnmp) -> str:
    """Something of everything that needs no script."""
    words = ["enable_snmp_vrrp", "enable_snmp_rfc", "enable_traps", snmp.words_by_tcp]
    routes = config.block(
        "virtual_routes",
        [
            "198.18.0.0/16 via 198.51.100.9 dev eth0 metric 7 mtu 1400",
            "198.19.0.0/16 nexthop via 198.51.100.7 weight 3 nexthop via 198.51.100.8 weight 2",
            "blackhole 192.0.2.0/24",
        ],
    )
    rules = config.block("virtual_rules", ["from 198.51.100.60 table 100 priority 500"])
    password = config.block("authentication", ["auth_type PASS", "auth_pass secret"])
    return config.file(
        lan.a,
        config.block("vrrp_sync_group G1", [config.block("group", ["VI_1", "VI_2"])]),
        config.block("static_ipaddress", ["198.51.100.77/24 dev eth0"]),
        config.block("static_routes", ["203.0.113.0/24 via 198.51.100.5 dev eth0"]),
        config.instance(version=2, advert_int=1, state="MASTER", priority=120, lines=[password]),
        config.instance(
            "VI_2",
            vrid=52,
            advert_int=0.5,
            addresses=["198.51.100.60/24"],
            lines=[routes, rules, config.block("virtual_ipaddress_excluded", ["198.51.100.62/32"])],
        ),
        config.instance("VI_3", vrid=53, family=6, advert_int=0.5, lines=["nopreempt"]),
        global_lines=words,
    )


def walk(engine: Engine, snmp: NetSnmp) -> Dict[str, Object]:
    """All that ``engine`` serves once every router is active."""
    engine.start()
    for number in (1, 2, 3):
        snmp.wait_for(f"{INSTANCE}.4.{number}", "2", 30)
    wait_until("all MIBs", lambda: all(snmp.walk(root) for root in ROOTS), 15, 0.2)
    found = {f"{root}.{name}": value for root in ROOTS for name, value in snmp.walk(root).items()}
    engine.stop()
    wait_until("nothing to be served", lambda: not any(snmp.walk(root) for root in ROOTS), 15, 0.2)
    return found


def differences(theirs: Dict[str, Object], ours: Dict[str, Object]) -> Iterator[Tuple[str, str]]:
    """Objects that only one has, or that are not the same."""
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            yield name, f"keepalived {theirs.get(name)}, agent {ours.get(name)}"


@pytest.mark.parametrize("debian", ["bookworm", "trixie"])
def test_both_serve_the_same_objects(make_lan: MakeLan, debian: str) -> None:
    if net_snmp.missing():
        pytest.skip(f"SNMP stories need the programs {net_snmp.missing()}")
    root = debian_root(debian)
    lan = make_lan("a", "b")
    snmp = NetSnmp(lan.a)
    snmp.start()
    text = file(lan, snmp)
    theirs = walk(Keepalived(lan.a, text, root), snmp)
    ours = walk(Agent(lan.a, text), snmp)
    assert len(theirs) > 250
    unexplained: List[str] = [
        f"{name}: {what}"
        for name, what in differences(theirs, ours)
        if not any(re.search(pattern, name) for pattern in DIFFERENT)
    ]
    assert not unexplained, "\n".join(unexplained)
