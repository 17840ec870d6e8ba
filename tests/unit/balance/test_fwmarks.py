# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables_ipvs: which mark a group gets, and that it keeps it."""

from __future__ import annotations

from typing import Any, List, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vrrp_agent.balance.expand import keys_of
from vrrp_agent.balance.fwmark_table import FwmarkKeeper
from vrrp_agent.balance.fwmarks import assign, entries_of, marked, marks_of
from vrrp_agent.conf.parts.balancing import TCP, UDP, Balancing, Member, VirtualServer
from vrrp_agent.kernel.errors import KernelError
from vrrp_agent.kernel.nft_marks import Entry, Marks, MarkTable
from vrrp_agent.loop.log import Log


def member(number: int, port: int = 80, count: int = 1) -> Member:
    return Member(4, bytes((198, 51, 100, number)), count, port)


def group(name: str, *members: Member, protocol: int = TCP) -> VirtualServer:
    return VirtualServer(f"[{name}]", 4, protocol, members, group=name)


WEB = group("web", member(1, count=3), member(9, 443))
MAIL = group("mail", member(20, 25))


def test_a_group_becomes_one_service_for_each_family() -> None:
    both = group("both", member(1, count=50), Member(6, bytes(16), 10, 80))
    assigned = assign([WEB, both], {}, 1000)
    assert assigned == {("web", TCP): 1000, ("both", TCP): 1001}
    assert [key.fwmark for key in keys_of(marked(WEB, assigned))] == [1000]
    assert [(key.family, key.fwmark) for key in keys_of(marked(both, assigned))] == [(4, 1001), (6, 1001)]
    marks = marks_of([WEB, both], assigned)
    assert marks[Entry(4, TCP, bytes((198, 51, 100, 2)), 80)] == 1000
    assert len([one for one in marks if one.family == 6]) == 10


def test_a_group_has_a_mark_for_each_protocol() -> None:
    dns = [group("dns", member(53, 53), protocol=protocol) for protocol in (TCP, UDP)]
    assigned = assign(dns, {}, 7)
    assert assigned == {("dns", TCP): 7, ("dns", UDP): 8}
    assert sorted(marks_of(dns, assigned).values()) == [7, 8]


def test_marks_of_the_file_are_nobody_elses() -> None:
    own = group("own", Member(4, fwmark=1000), member(3))
    alone = VirtualServer("FWM 1001", 4, 0, (Member(4, fwmark=1001),))
    plain = VirtualServer("[198.51.100.3]:tcp:80", 4, TCP, (member(3),))
    services = [WEB, own, alone, plain]
    assigned = assign(services, {}, 1000)
    assert assigned == {("web", TCP): 1002}
    for service in (own, alone, plain):
        assert marked(service, assigned) is service
    assert set(marks_of(services, assigned)) == set(entries_of(WEB))


def test_a_group_keeps_its_mark_when_others_come_before_it_or_go() -> None:
    marks = marks_of([WEB, MAIL], assign([WEB, MAIL], {}, 1000))
    first = group("first", member(40))
    assert assign([first, WEB, MAIL], marks, 1000) == {
        ("web", TCP): 1000,
        ("mail", TCP): 1001,
        ("first", TCP): 1002,
    }
    assert assign([MAIL], marks, 1000) == {("mail", TCP): 1001}


def test_a_group_keeps_its_mark_when_it_is_renamed_or_a_member_changes() -> None:
    marks = marks_of([WEB], assign([WEB], {}, 1000))
    renamed = group("www", member(77), *WEB.members[1:])
    assert assign([MAIL, renamed], marks, 1000) == {("www", TCP): 1000, ("mail", TCP): 1001}


members = st.builds(member, st.integers(1, 9), st.sampled_from([0, 80]), st.integers(1, 3))
groups = st.lists(st.lists(members, min_size=1, max_size=3), max_size=4).map(
    lambda many: [group(str(number), *one) for number, one in enumerate(many)]
)


@given(groups, groups)
def test_no_two_groups_share_a_mark_and_a_plan_is_stable(
    old: List[VirtualServer], new: List[VirtualServer]
) -> None:
    before = marks_of(old, assign(old, {}, 5))
    assigned = assign(new, before, 5)
    assert len(set(assigned.values())) == len(assigned) == len(new)
    marks = marks_of(new, assigned)
    if len(marks) == sum(len(set(entries_of(service))) for service in new):  # nothing belongs to two
        assert assign(new[::-1], marks, 99) == assigned


@given(
    st.dictionaries(
        st.builds(
            Entry,
            st.just(4),
            st.sampled_from([6, 17]),
            st.binary(min_size=4, max_size=4),
            st.integers(0, 65535),
        ),
        st.integers(1, 0xFFFFFFFF),
        max_size=300,
    )
)
def test_what_is_added_to_the_table_is_read(marks: Marks) -> None:
    table = MarkTable(4, "marks")
    assert table.read_marks(table.add(marks)) == marks


class Tables:
    """FwmarkTables without a kernel."""

    name = "marks"

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.closed = False

    def reach(self, marks: Marks, look: bool = False) -> None:
        self.marks = dict(marks)

    def remove(self) -> None:
        self.marks = {}

    def close(self) -> None:
        self.closed = True


class Quiet(Log):
    def __init__(self) -> None:
        super().__init__()
        self.lines: List[str] = []

    def write(self, level: int, text: str) -> None:
        self.lines.append(text)


ON = Balancing(fwmark_table="marks", fwmark_priority=-1)


def services_of(planned: Sequence[VirtualServer]) -> List[int]:
    return [key.fwmark for service in planned for key in keys_of(service)]


def test_marks_are_given_after_the_services_are_there_and_taken_when_the_word_goes() -> None:
    made: List[Tables] = []

    def opener(balancing: Balancing) -> Any:
        made.append(Tables({}))
        return made[-1]

    keeper = FwmarkKeeper(Quiet(), opener)
    assert services_of(keeper.plan(ON, [WEB, MAIL])) == [1000, 1001]
    assert made[0].marks == {}, "not before IPVS has the services"
    keeper.settle()
    assert set(made[0].marks.values()) == {1000, 1001}
    assert services_of(keeper.plan(ON, [MAIL])) == [1001]
    keeper.settle()
    assert set(made[0].marks.values()) == {1001} and len(made) == 1
    assert keeper.plan(Balancing(), [WEB]) == (WEB,)
    keeper.settle()
    assert made[0].marks == {} and made[0].closed


def test_a_table_by_another_name_keeps_the_marks() -> None:
    made: List[Tables] = []

    def opener(balancing: Balancing) -> Any:
        made.append(Tables({}))
        return made[-1]

    keeper = FwmarkKeeper(Quiet(), opener)
    keeper.plan(ON, [WEB, MAIL])
    keeper.settle()
    other = Balancing(fwmark_table="other", fwmark_priority=-1)
    assert services_of(keeper.plan(other, [MAIL, WEB])) == [1001, 1000]
    keeper.settle()
    assert made[0].closed and set(made[1].marks.values()) == {1000, 1001}


def test_a_table_that_a_predecessor_left_by_another_name_goes_and_its_marks_stay() -> None:
    old, new = Tables(marks_of([MAIL], {("mail", TCP): 1007})), Tables({})

    def opener(balancing: Balancing) -> Any:
        return old if balancing.fwmark_table == "old" else new

    log = Quiet()
    keeper = FwmarkKeeper(log, opener)
    keeper.recall(Balancing(fwmark_table="old"))
    assert old.marks == {} and old.closed
    assert log.lines == ["the nftables table old that was left is taken away"]
    assert services_of(keeper.plan(ON, [WEB, MAIL])) == [1000, 1007]
    keeper.settle()
    assert set(new.marks.values()) == {1000, 1007}


def test_without_nftables_each_address_has_its_service() -> None:
    def opener(balancing: Balancing) -> Any:
        raise KernelError("no nf_tables", "modprobe nf_tables")

    log = Quiet()
    keeper = FwmarkKeeper(log, opener)
    assert keeper.plan(ON, [WEB]) == (WEB,)
    keeper.settle()
    keeper.plan(ON, [WEB])
    assert keeper.problem == "nftables_ipvs: no nf_tables (modprobe nf_tables)"
    assert log.lines == [keeper.problem], "it is said once"


@pytest.mark.parametrize("family", [4, 6])
def test_all_messages_of_a_table_can_be_made(family: int) -> None:
    assert len(MarkTable(family, "marks").make_all("owner", -1)) == 6
