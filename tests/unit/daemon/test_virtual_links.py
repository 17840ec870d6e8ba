# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual links on a host without a kernel: their names, what is made and removed, and what is wrong."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from vrrp_agent.conf.model import Address, Config, GlobalSettings, Instance, VirtualLink
from vrrp_agent.conf.parts.link_names import links_of
from vrrp_agent.daemon.host.interfaces import Interfaces
from vrrp_agent.daemon.host.virtual_links import VirtualLinks
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.links import Link, LinkEvent, decode_link
from vrrp_agent.kernel.netlink import Refusal, sequence_of

from tests.unit.daemon.host import UP, Lines, link_message

VMAC = bytes.fromhex("00005e000133")
BASE = Link(2, "eth0", UP, bytes.fromhex("020000000002"), 1500)
OTHER_BASE = Link(5, "eth1", UP, bytes.fromhex("020000000005"), 1500)
RTM_NEWLINK, RTM_DELLINK = 16, 17
IFLA_IFNAME = 3


def router(base: str = "eth0", name: str = "", **words: Any) -> Instance:
    """An instance with use_vmac, or with use_vmac and the link's name."""
    link = VirtualLink(name or "vrrp.51", "" if name else "vrrp", base, 4, 51, mac=VMAC, **words)
    address = Address(bytes((198, 51, 100, 100)), 24)
    return Instance("VI_1", base, 51, 4, 3, addresses=(address,), virtual_link=link)


class Route:
    """A kernel that makes and removes links, or refuses."""

    def __init__(self, *links: Link) -> None:
        self.links: Dict[int, Link] = {link.index: link for link in links}
        self.refuses = 0
        self.made: List[str] = []
        self.removed: List[str] = []
        self.refuses_names = 0
        """The errno for a link that is up and shall have another name: Linux before 6.2."""

    def submit(self, requests: List[bytes]) -> List[Refusal]:
        """Only what makes, marks and removes a link is looked at."""
        refusals: List[Refusal] = []
        for request in requests:
            kind = int.from_bytes(request[4:6], "little")
            index = int.from_bytes(request[20:24], "little")
            if kind == RTM_DELLINK and index not in self.links:
                refusals.append(Refusal(sequence_of(request), errno.ENODEV))
            elif kind == RTM_DELLINK:
                self.removed.append(self.links.pop(index).name)
            elif not index and self.refuses:
                refusals.append(Refusal(sequence_of(request), self.refuses))
            elif not index:
                self._make(request)
            elif int.from_bytes(request[34:36], "little") == IFLA_IFNAME and self.refuses_names:
                refusals.append(Refusal(sequence_of(request), self.refuses_names))
            elif int.from_bytes(request[34:36], "little") == IFLA_IFNAME:
                name = request[36:].split(b"\0")[0].decode()
                self.links[index] = replace(self.links[index], name=name)
            else:
                self._mark(index, request)
        return refusals

    def _make(self, request: bytes) -> None:
        event = decode_link(RTM_NEWLINK, request + bytes((8, 0, 4, 0, 0xDC, 5, 0, 0)))
        assert event is not None
        link = event.link
        index = max(self.links) + 1
        self.links[index] = Link(
            index, link.name, UP, link.mac, 1500, 1, link.parent, 0, link.group, link.kind, link.mode
        )
        self.made.append(link.name)

    def _mark(self, index: int, request: bytes) -> None:
        at = request.find(b"vrrp-agent ")
        if at >= 0:
            alias = request[at : request.index(b"\0", at) if b"\0" in request[at:] else None].decode()
            self.links[index] = Link(**{**vars(self.links[index]), "alias": alias})

    def dump(self, request: bytes) -> List[Tuple[int, bytes]]:
        """Everything there is."""
        return []


class Stand:
    """Virtual links on eth0."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, *links: Link) -> None:
        self.route = Route(BASE, *links)
        self.log = Lines()
        self.interfaces = Interfaces()
        self.interfaces.replace([BASE, *links], [])
        monkeypatch.setattr(
            "vrrp_agent.daemon.host.virtual_links.list_links", lambda route: list(route.links.values())
        )
        monkeypatch.setattr("vrrp_agent.daemon.host.virtual_links.submit_aside", self._submit_aside)
        monkeypatch.setattr("vrrp_agent.kernel.sysctl._ROOT", f"{directory}/none/")
        arguments: Any = (self.route, self.interfaces, self.log, str(directory), self._no_firewall)
        self.links = VirtualLinks(*arguments)
        self.mark = f"vrrp-agent {directory}"
        self.aside: List[bytes] = []

    def _submit_aside(self, requests: List[bytes]) -> bool:
        self.aside += requests
        return True

    def finish_removals(self) -> List[str]:
        """The kernel has removed what it was asked to remove, and tells; names of links that are affected."""
        before = dict(self.route.links)
        self.route.submit(self.aside)
        self.aside = []
        gone = [LinkEvent(link, True) for index, link in before.items() if index not in self.route.links]
        names = self.interfaces.apply(list(gone), ()).names
        return sorted(self.links.interfaces_changed(names, lambda: self.links.apply(self.config, [])))

    @staticmethod
    def _no_firewall() -> Any:
        raise KernelError("no nf_tables", "load it")

    def apply(self, *instances: Instance) -> Config:
        """Name and make the links of these, as a reload does."""
        config = self.config = self.links.named(Config(GlobalSettings(), instances))
        self.links.apply(config, [])
        self.links.remove_unused()
        return config


def test_a_link_is_made_marked_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(tmp_path, monkeypatch)
    config = stand.apply(router())
    link = stand.interfaces.get("vrrp.51")
    assert link is not None and (link.mac, link.parent, link.alias) == (VMAC, 2, stand.mark)
    assert stand.links.problem(config.instances[0]) == ""
    stand.apply()
    stand.finish_removals()
    assert stand.route.removed == ["vrrp.51"]


def test_a_second_configuration_that_wants_the_same_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(tmp_path, monkeypatch)
    stand.apply(router())
    stand.apply(router())
    assert (stand.route.made, stand.route.removed) == (["vrrp.51"], [])


def test_a_link_of_a_predecessor_is_used_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """keepalived's, for instance: same base, same MAC, private."""
    old = Link(3, "old0", UP, VMAC, 1500, 1, parent=2, kind="macvlan", mode=1)
    stand = Stand(tmp_path, monkeypatch, old)
    config = stand.apply(router())
    assert [one.name for one in links_of(config.instances[0])] == ["old0"]
    assert stand.route.made == []
    assert stand.route.links[3].alias == stand.mark, "it is ours now, and goes when we go"


@pytest.mark.parametrize(
    "other",
    [
        Link(3, "vrrp.51", UP, VMAC, 1500, 1, parent=9, kind="macvlan", mode=1),
        Link(3, "vrrp.51", UP, VMAC, 1500, 1, parent=2, kind="macvlan", mode=4),
        Link(3, "vrrp.51", UP, bytes(6), 1500, 1, kind="bridge"),
    ],
    ids=["another base", "bridge mode", "a bridge"],
)
def test_another_link_of_that_name_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Link
) -> None:
    stand = Stand(tmp_path, monkeypatch, other)
    config = stand.apply(router())
    assert [one.name for one in links_of(config.instances[0])] == ["vrrp1.51"]
    assert stand.route.removed == []


def test_a_link_of_a_killed_agent_that_nobody_wants_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Link(3, "gone0", UP, VMAC, 1500, 1, 2, 0, 0, "macvlan", 1, f"vrrp-agent {tmp_path}")
    other = Link(4, "other0", UP, VMAC, 1500, 1, 5, 0, 0, "macvlan", 1, "vrrp-agent /run/another")
    stand = Stand(tmp_path, monkeypatch, ours, other)
    stand.apply()
    stand.finish_removals()
    assert stand.route.removed == ["gone0"]


@pytest.mark.parametrize(
    "number, reason", [(errno.EOPNOTSUPP, "does this kernel have macvlan"), (errno.EBUSY, "bridge")]
)
def test_a_link_that_the_kernel_refuses_is_a_problem_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    stand = Stand(tmp_path, monkeypatch)
    stand.route.refuses = number
    config = stand.apply(router())
    assert reason in stand.links.problem(config.instances[0])
    assert stand.log.having("cannot make the virtual link vrrp.51")


def test_a_deleted_link_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(tmp_path, monkeypatch)
    config = stand.apply(router())
    link = stand.interfaces.get("vrrp.51")
    assert link is not None
    del stand.route.links[link.index]
    event = decode_link(RTM_DELLINK, link_message(link, RTM_DELLINK))
    assert event is not None
    stand.interfaces.apply([event], ())
    assert stand.links.problem(config.instances[0]) == "the virtual link vrrp.51 does not exist"
    touched = stand.links.interfaces_changed({"vrrp.51"}, lambda: stand.links.apply(config, []))
    assert touched == {"vrrp.51"}
    assert stand.route.made == ["vrrp.51"] * 2
    assert stand.links.problem(config.instances[0]) == ""


def test_news_of_other_interfaces_are_none_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(tmp_path, monkeypatch)
    stand.apply(router())
    assert stand.links.interfaces_changed({"eth7"}, lambda: pytest.fail("nothing to do")) == frozenset()


def test_a_base_that_is_no_ethernet_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(tmp_path, monkeypatch)
    stand.interfaces.replace([Link(2, "eth0", UP, b"", 1500, 65534)], [])
    config = stand.apply(router())
    assert "no Ethernet" in stand.links.problem(config.instances[0])


def test_missing_nf_tables_is_said_once_and_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """keepalived logs and goes on as well: an address that answers is better than none."""
    stand = Stand(tmp_path, monkeypatch)
    config = stand.apply(router())
    stand.apply(router())
    assert len(stand.log.having("no nf_tables")) == 1
    assert stand.links.firewall.problem
    assert stand.links.problem(config.instances[0]) == ""


def test_what_happens_to_other_links_meanwhile_is_left_to_the_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the news would tell nothing new, and nobody would hear that a carrier is lost."""
    stand = Stand(tmp_path, monkeypatch, OTHER_BASE)
    cut = stand.route.links[5] = replace(OTHER_BASE, flags=1)
    stand.apply(router())
    assert stand.interfaces.up("eth1")
    assert stand.interfaces.apply([LinkEvent(cut)], ()).names == {"eth1"}


def test_a_link_with_another_name_is_renamed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A removal takes 16 ms and more, in which the process could send no adverts."""
    stand = Stand(tmp_path, monkeypatch)
    stand.apply(router())
    before = stand.interfaces.get("vrrp.51")
    stand.apply(router(name="front"))
    after = stand.interfaces.get("front")
    assert before is not None and after is not None and after.index == before.index
    assert (stand.route.made, stand.aside) == (["vrrp.51"], [])
    assert stand.interfaces.get("vrrp.51") is None


def test_a_link_that_cannot_be_renamed_is_made_when_the_old_one_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux before 6.2; two links with one MAC cannot be up on one interface."""
    stand = Stand(tmp_path, monkeypatch)
    stand.apply(router())
    stand.route.refuses_names = errno.EBUSY
    config = stand.apply(router(name="front"))
    assert stand.links.problem(config.instances[0]) == ""
    assert "front" in " ".join(stand.links.waiting(config.instances[0]))
    assert (stand.route.made, stand.route.removed) == (["vrrp.51"], [])
    assert stand.finish_removals() == ["front"]
    assert (stand.route.made, stand.route.removed) == (["vrrp.51", "front"], ["vrrp.51"])
    assert stand.links.waiting(config.instances[0]) == ()


def test_a_link_that_moves_to_another_interface_stays_until_its_instance_has_said_farewell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(tmp_path, monkeypatch, OTHER_BASE)
    stand.apply(router())
    config = stand.config = stand.links.named(Config(GlobalSettings(), (router("eth1"),)))
    stand.links.apply(config, [])
    old = stand.interfaces.get("vrrp.51")
    assert old is not None and old.parent == 2, "the old instance sends its priority 0 by it"
    stand.links.remove_unused()
    assert stand.route.removed == [], "nothing is waited for"
    assert stand.links.waiting(config.instances[0])
    assert stand.finish_removals() == ["vrrp.51"]
    new = stand.interfaces.get("vrrp.51")
    assert new is not None and (new.parent, new.alias) == (5, stand.mark)


def test_a_link_that_is_wanted_again_while_it_is_removed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts for nothing any more, and what it lacks is no fault."""
    stand = Stand(tmp_path, monkeypatch)
    stand.apply(router())
    stand.apply()
    assert stand.interfaces.get("vrrp.51") is None
    config = stand.apply(router())
    assert stand.route.made == ["vrrp.51"]
    assert (stand.links.problem(config.instances[0]), len(stand.links.waiting(config.instances[0]))) == (
        "",
        1,
    )
    assert stand.finish_removals() == ["vrrp.51"]
    assert stand.route.made == ["vrrp.51"] * 2
    assert (stand.links.problem(config.instances[0]), stand.links.waiting(config.instances[0])) == ("", ())
    stand.apply(router())
    assert (len(stand.route.made), stand.aside) == (2, [])


def test_an_agent_that_ends_leaves_no_link_whose_removal_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(tmp_path, monkeypatch)
    stand.apply(router())
    stand.apply()
    stand.links.remove_all()
    assert stand.route.removed == ["vrrp.51"]
