# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a manager may write (RFC 2741 7.2.4): base priority and preempt of a virtual router, and the weight of
a real server.

They hold until the configuration is read again, as in keepalived. A test changes nothing; a commit asks
the agent, and is answered when the agent has done it.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple

from ..loop.channel import Channel
from . import agentx, facts, keepalived, keepalived_names, keepalived_services
from .agentx import Pdu
from .picture import Pair, Picture
from .session import Session
from .values import INTEGER, Binding

_PREEMPT, _NO_PREEMPT = 1, 2
_HIGHEST_PRIORITY = 254
"""255 would make the router the owner of the addresses, which no manager can decide."""
_HIGHEST_WEIGHT = (1 << 31) - 1
_MOST_SETS = 64
_KINDS = (agentx.TEST_SET, agentx.COMMIT_SET, agentx.UNDO_SET, agentx.CLEANUP_SET)


class _Planned(NamedTuple):
    """One object of a set request: what it will be, and what it is now."""

    new: facts.Change
    old: facts.Change


class Sets:
    """The set requests that are under way, by their transaction."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._session: Optional[Session] = None
        self._planned: Dict[int, List[_Planned]] = {}
        self._number = 0
        self._open: Dict[int, Pdu] = {}
        """Requests to be answered when the change of this number is done."""
        self._left: Dict[int, int] = {}

    def use(self, session: Session) -> None:
        """Answer here from now on."""
        self._session = session

    def forget(self) -> None:
        """The session is another one."""
        self._planned, self._open, self._left = {}, {}, {}

    def take(self, pdu: Pdu, picture: Picture) -> bool:
        """Deal with one of the four requests of a set; False for any other."""
        if pdu.kind not in _KINDS or self._session is None:
            return False
        if pdu.kind == agentx.TEST_SET:
            self._test(pdu, picture)
        elif pdu.kind == agentx.CLEANUP_SET:
            self._planned.pop(pdu.transaction, None)  # RFC 2741 7.2.4.4: without an answer
        else:
            planned = self._planned.get(pdu.transaction, [])
            self._order(pdu, [one.new if pdu.kind == agentx.COMMIT_SET else one.old for one in planned])
        return True

    def done(self, value: facts.ChangeDone) -> None:
        """The agent has made a change, or cannot."""
        pdu = self._open.pop(value.number, None)
        if pdu is None or self._session is None:
            return
        self._left[pdu.packet] -= 1
        if value.problem:
            failed = agentx.COMMIT_FAILED if pdu.kind == agentx.COMMIT_SET else agentx.UNDO_FAILED
            self._open = {number: one for number, one in self._open.items() if one is not pdu}
            self._left.pop(pdu.packet)
            self._session.answer(pdu, error=failed, index=1)
        elif not self._left[pdu.packet]:
            self._left.pop(pdu.packet)
            self._session.answer(pdu)

    def _test(self, pdu: Pdu, picture: Picture) -> None:
        planned: List[_Planned] = []
        error = 0
        for binding in pdu.bindings:
            error, plan = _plan(binding, picture)
            if plan is None:
                break
            planned.append(plan)
        if self._session is None:
            return
        if error:
            self._session.answer(pdu, error=error, index=len(planned) + 1)
            return
        if len(self._planned) >= _MOST_SETS:
            self._planned.clear()  # a master that never cleans up
        self._planned[pdu.transaction] = planned
        self._session.answer(pdu)

    def _order(self, pdu: Pdu, changes: List[facts.Change]) -> None:
        if not changes and self._session is not None:
            self._session.answer(pdu)
            return
        self._left[pdu.packet] = len(changes)
        for change in changes:
            self._number += 1
            self._open[self._number] = pdu
            self._channel.send(change._replace(number=self._number))


def _plan(binding: Binding, picture: Picture) -> Tuple[int, Optional[_Planned]]:
    """An error number and nothing, or 0 and what is to be done."""
    name, value = binding
    if name[: len(keepalived_services.WEIGHT)] == keepalived_services.WEIGHT:
        return _plan_weight(binding, picture)
    pair = _pair_of(binding, picture)
    if pair is None:
        writable = name[:-1] in (keepalived.BASE_PRIORITY, keepalived.PREEMPT)
        return (agentx.NO_CREATION if writable else agentx.NOT_WRITABLE), None
    if value.kind != INTEGER or not isinstance(value.data, int):
        return agentx.WRONG_TYPE, None
    who = pair.instance.name
    if name[:-1] == keepalived.BASE_PRIORITY:
        if not 1 <= value.data <= _HIGHEST_PRIORITY or pair.router.base_priority > _HIGHEST_PRIORITY:
            return agentx.WRONG_VALUE, None
        new = facts.Change(0, who, priority=value.data)
        return 0, _Planned(new, facts.Change(0, who, priority=pair.router.base_priority))
    if value.data not in (_PREEMPT, _NO_PREEMPT):
        return agentx.WRONG_VALUE, None
    new = facts.Change(0, who, preempt=value.data == _PREEMPT)
    return 0, _Planned(new, facts.Change(0, who, preempt=pair.router.preempt))


def _plan_weight(binding: Binding, picture: Picture) -> Tuple[int, Optional[_Planned]]:
    """The same for realServerWeight: the weight of the file, to which checks may add."""
    name, value = binding
    found = keepalived_services.server_at(picture, name[len(keepalived_services.WEIGHT) :])
    if found is None:
        return agentx.NO_CREATION, None
    if value.kind != INTEGER or not isinstance(value.data, int):
        return agentx.WRONG_TYPE, None
    if not 0 <= value.data <= _HIGHEST_WEIGHT:
        return agentx.WRONG_VALUE, None
    service, server = found
    old = server.status.get("configured_weight", server.config.weight)
    who = facts.Change(0, service=service.config.key, server=server.config.key)
    return 0, _Planned(who._replace(weight=value.data), who._replace(weight=old))


def _pair_of(binding: Binding, picture: Picture) -> Optional[Pair]:
    """The virtual router that a writable object belongs to."""
    name = binding.name
    if name[:-1] not in (keepalived.BASE_PRIORITY, keepalived.PREEMPT):
        return None
    for index, pair in keepalived_names.numbered(picture.pairs):
        if index == name[-1:]:
            found: Pair = pair
            return found
    return None
