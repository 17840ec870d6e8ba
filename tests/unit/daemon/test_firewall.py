# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent wants of nftables, and when it touches them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Optional

from vrrp_agent.conf.model import Address, Config, Firewall, GlobalSettings, Instance, VirtualLink
from vrrp_agent.daemon.host.firewall import OWNER_COMMENT, FirewallTables, tables, wanted_of
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.kernel import nftables as nft
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.links import Link

from tests.unit.daemon.host import UP, Lines, packed

VIP, VIP6, LOCAL6 = packed("198.51.100.100"), packed("2001:db8::100"), packed("fe80::100")
BASE = Link(2, "eth0", UP, bytes(6), 1500)
VMAC = Link(3, "vrrp.51", UP, bytes(6), 1500, parent=2, kind="macvlan", mode=1)


def router(accept: bool = True, vmac: bool = False, family: int = 4, **words: Any) -> Instance:
    """An instance on eth0."""
    vips = (VIP,) if family == 4 else (LOCAL6, VIP6)
    addresses = tuple(Address(one, 24 if family == 4 else 64) for one in vips)
    link = VirtualLink("vrrp.51", "vrrp", "eth0", family, 51) if vmac else None
    return Instance(
        "VI_1", "eth0", 51, family, 3, addresses=addresses, accept=accept, virtual_link=link, **words
    )


def config(*instances: Instance, **words: Any) -> Config:
    return Config(GlobalSettings(firewall=Firewall(**words)), instances)


class Kernel:
    """Keeps what was committed."""

    def __init__(self, owner: Optional[str] = None) -> None:
        self.commits: List[int] = []
        self.error: Optional[KernelError] = None
        self.comment = owner
        self.flushed = False
        """There are no tables: only what makes sure of them first is taken."""

    def commit(self, messages: List[bytes]) -> None:
        if self.error is not None:
            raise self.error
        if self.flushed and len(messages) < 4:
            raise KernelError("nf_tables refused: No such file or directory")
        self.flushed = False
        self.commits.append(len(messages))

    def owner(self, _family: int, _name: str) -> Optional[str]:
        return self.comment

    def close(self) -> None:
        """Nothing to give back."""


class Stand:
    """Tables on a host with eth0 and its virtual link."""

    def __init__(self, owner: Optional[str] = None) -> None:
        self.kernel = Kernel(owner)
        self.log = Lines()
        self.interfaces = Interfaces()
        self.interfaces.replace([BASE, VMAC], [])
        self.tables = FirewallTables(self.interfaces, self.log, self._open)

    def _open(self) -> Any:
        return self.kernel


def test_a_router_that_accepts_wants_nothing() -> None:
    stand = Stand()
    stand.tables.apply(config(router()), set())
    stand.tables.activate(router())
    stand.tables.stand_by(router())
    stand.tables.remove()
    assert stand.kernel.commits == []


def test_an_owner_accepts_whatever_it_says() -> None:
    assert wanted_of(config(router(accept=False, priority=255)), Stand().interfaces) is None


def test_what_is_the_same_is_not_touched() -> None:
    stand = Stand()
    stand.tables.apply(config(router(accept=False)), set())
    stand.tables.apply(config(router(accept=False, preempt=False)), set())
    assert len(stand.kernel.commits) == 1


def test_a_takeover_changes_one_set_in_both_families() -> None:
    stand = Stand()
    stand.tables.apply(config(router(vmac=True)), set())
    stand.tables.activate(router(vmac=True))
    stand.tables.activate(router(vmac=True))
    stand.tables.stand_by(router(vmac=True))
    stand.tables.stand_by(router(vmac=True))
    assert stand.kernel.commits[1:] == [2, 2], "once each way"


def test_the_link_of_an_active_router_stays_open_over_a_reload() -> None:
    stand = Stand()
    wanted = wanted_of(config(router(vmac=True)), stand.interfaces)
    assert wanted is not None
    key = nft.key_of(nft.TYPE_IFNAME, b"vrrp.51")
    (closed, _six) = tables(wanted, {"vrrp.51": key})
    (opened, _six) = tables(wanted, {})
    assert next(one.elements for one in closed.sets if one.name == "standby") == ((key, b""),)
    assert next(one.elements for one in opened.sets if one.name == "standby") == ()


def test_the_addresses_are_in_the_sets_of_their_family() -> None:
    wanted = wanted_of(config(router(accept=False, family=6)), Stand().interfaces)
    assert wanted is not None
    (four, six) = tables(wanted, {})
    sets = {one.name: one.elements for one in six.sets}
    assert sets["vips"] == ((VIP6, b""),)
    assert sets["vips_link_local"] == ((LOCAL6 + nft.key_of(nft.TYPE_IFNAME, b"eth0"), b""),)
    assert next(one.elements for one in four.sets if one.name == "vips") == ()


def test_by_index_and_with_counters() -> None:
    stand = Stand()
    plain = wanted_of(config(router(accept=False, family=6)), stand.interfaces)
    counted = wanted_of(
        config(router(accept=False, family=6), by_index=True, counters=True), stand.interfaces
    )
    assert plain is not None and counted is not None
    (_four, six) = tables(counted, {})
    sets = {one.name: one.elements for one in six.sets}
    assert sets["vips_link_local"] == ((LOCAL6 + b"\2\0\0\0", b""),)
    expressions = [len(rule.expressions) for rule in six.rules]
    assert expressions == [len(rule.expressions) + 1 for rule in tables(plain, {})[1].rules]


def test_without_local_igmp_there_is_no_rule_for_it() -> None:
    stand = Stand()
    wanted = wanted_of(config(router(vmac=True)), stand.interfaces)
    assert wanted is not None
    without = wanted._replace(settings=replace(wanted.settings, local_igmp=False))
    assert len(tables(without, {})[0].rules) == len(tables(wanted, {})[0].rules) - 1


def test_a_table_of_a_predecessor_is_cleared_only_when_it_is_ours() -> None:
    for owner, commits in ((OWNER_COMMENT, 1), ("", 0), (None, 0)):
        stand = Stand(owner)
        stand.tables.apply(config(router()), set())
        assert len(stand.kernel.commits) == commits, owner


def test_a_table_that_gets_another_name_is_removed_under_its_old_one() -> None:
    stand = Stand()
    stand.tables.apply(config(router(accept=False)), set())
    first = stand.kernel.commits[0]
    stand.tables.apply(config(router(accept=False), table="other"), set())
    assert stand.kernel.commits[1] == first + 4, "one more table of each family to make sure of and remove"


def test_a_change_of_addresses_or_links_changes_elements_only() -> None:
    """A table that is replaced would hold up adverts."""
    stand = Stand()
    stand.tables.apply(config(router(accept=False)), set())
    more = replace(router(accept=False), excluded_addresses=(Address(packed("198.51.100.120"), 24),))
    stand.tables.apply(config(more), set())
    stand.tables.apply(config(router(accept=False)), set())
    stand.tables.apply(config(replace(router(accept=False), accept=False, preempt=False)), set())
    assert stand.kernel.commits[1:] == [1, 1]


def test_tables_that_somebody_has_flushed_are_made_again_at_once() -> None:
    """nft flush ruleset: the elements have no set to go to."""
    stand = Stand()
    stand.tables.apply(config(router(accept=False)), set())
    stand.kernel.flushed = True
    more = replace(router(accept=False), excluded_addresses=(Address(packed("198.51.100.120"), 24),))
    stand.tables.apply(config(more), set())
    assert (stand.tables.problem, stand.log.lines) == ("", [])
    assert stand.kernel.commits[1] == stand.kernel.commits[0], "whole tables"


def test_an_error_is_said_once_and_tried_again() -> None:
    stand = Stand()
    stand.kernel.error = KernelError("nf_tables refused", "load it")
    stand.tables.apply(config(router(accept=False)), set())
    stand.tables.apply(config(router(accept=False)), set())
    assert "nf_tables refused" in stand.tables.problem
    assert len(stand.log.having("nf_tables refused")) == 1
    stand.kernel.error = None
    stand.tables.apply(config(router(accept=False)), set())
    assert stand.tables.problem == "" and len(stand.kernel.commits) == 1
