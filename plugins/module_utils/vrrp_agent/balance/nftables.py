# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Virtual servers on nf_tables, for kernels without ip_vs.

NAT lives in tables of the families ip and ip6 (DNAT, where packets come in and where programs of this host
send them), DR in a table of the family netdev (packets are handed on where they come in). All have one
name and an owner in their comment. What they hold is read back from comments of rules.
"""

from __future__ import annotations

import itertools
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

from ..conf.parts import nft_limits
from ..conf.parts.balancing import SyncDaemon, Timeouts
from ..kernel import nft_changes, sysctl
from ..kernel import nft_steer as steer
from ..kernel import nftables as nft
from ..kernel.errors import KernelError
from . import nft_connections
from .backend import Change, Counted, Refusal, ServiceKey, ServiceWords, Table
from .nft_devices import Devices
from .nft_plan import difference, is_direct, lost_servers, plan
from .nft_service import ANY_PORT, MARKS, SERVICES, ServiceWriter, dispatch, family_of, map_name, map_types
from .nft_words import read_table

TABLE = "vrrp_agent_balance"
OWNER = "vrrp-agent balance 2"
"""The comment of the tables; the number changes when their form does."""
_NAT_PRIORITY = -110  # before others that translate destinations: what is balanced was asked for by name
_HOOK_PREROUTING, _HOOK_OUTPUT = 0, 3
_DISPATCH = "dispatch"
_MOST_BYTES = 128 * 1024
"""Of one transaction, in whole services. The process that sends adverts waits for one that is under way."""
_PLACES = (nft.NFPROTO_IPV4, nft.NFPROTO_IPV6, nft_changes.NFPROTO_NETDEV)
_FORWARDING = {4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding"}
_HINT = (
    "load the kernel modules nf_tables, nft_chain_nat, nft_nat, nft_numgen, nft_hash, nft_fib, nft_reject, "
    "nf_conntrack, and nft_fwd_netdev for DR (modprobe)"
)


class _Piece(NamedTuple):
    """Messages that belong together: those of one service, or of no service."""

    service: Optional[ServiceKey]
    messages: List[bytes]


class NftablesBackend:
    """The back end (``backend.py``). ``problem`` says what keeps it from working well, if anything does."""

    name = "nftables"

    def __init__(self) -> None:
        self.replaced: Optional[Timeouts] = None
        self._socket = nft.NftSocket("the virtual servers")
        self._changes = {place: nft_changes.TableChanges(place, TABLE) for place in _PLACES}
        self._devices = Devices(self._socket, self._changes[nft_changes.NFPROTO_NETDEV], _DISPATCH)
        self._table: Table = {}
        """What the kernel holds, as far as is known."""
        self._wanted: Table = {}
        """The same with what other programs have removed since: the next change brings it back."""
        self._read = False
        self._kept: Set[int] = set()
        """Families of the tables that are wanted."""
        self._damaged: Set[int] = set()
        """Families of the tables that somebody else has changed beyond reading."""
        self._culprit: Optional[ServiceKey] = None
        self._problems: Dict[str, str] = {}

    @property
    def problem(self) -> str:
        """All that is wrong, in one line."""
        return "; ".join(text for text in (*self._problems.values(), self._devices.problem) if text)

    def read(self) -> Table:
        """The own tables as they stand; one of another owner or form counts as none."""
        self._look_again()
        self._wanted, self._read = dict(self._table), True
        return dict(self._table)

    def _look_again(self) -> None:
        table: Table = {}
        self._devices.known, self._damaged = {}, set()
        for place in _PLACES:
            if self._socket.owner(place, TABLE) != OWNER:
                continue
            answers = self._socket.dump(self._changes[place].list_rules())
            found = read_table(nft_changes.comments(answers))
            if found.damaged:
                self._damaged.add(place)
                continue
            table.update(found.table)
            self._devices.known.update(found.devices)
        self._table = table

    def apply(self, changes: Sequence[Change]) -> List[Refusal]:
        """By difference, in transactions of whole services."""
        if not self._read:
            self.read()
        wanted, refusals = plan(self._wanted, changes)
        self._look()  # what another program has removed is made again
        return refusals + self._become(wanted, changes)

    def flush(self) -> None:
        """Remove the own tables."""
        self._look()
        self._become({}, ())

    def counters(self) -> Dict[ServiceKey, Counted]:
        """New connections (NAT) or packets (DR) of each server, and the connections that live (NAT)."""
        self._look()
        self._follow_devices()
        self._note_forwarding()
        counts: Dict[int, Dict[str, nft_changes.Count]] = {}
        for place in {self._place(key, self._table) for key in self._table}:
            answers = self._socket.dump(self._changes[place].list_counters())
            counts[place] = nft_changes.counts(answers)
        places = {key: self._place(key, self._table) for key in self._table}
        return nft_connections.counted(self._table, {key: counts[place] for key, place in places.items()})

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """The times of connections are those of conntrack."""

    def start_sync(self, daemon: SyncDaemon, sends: bool) -> None:
        """Raises KernelError: nf_tables copies no connections."""
        raise KernelError(
            "nftables cannot copy connections to another director (lvs_sync_daemon)",
            "use a kernel with ip_vs, or conntrackd beside the agent",
        )

    def stop_sync(self, sends: bool) -> None:
        """None runs."""

    def sync_daemons(self) -> Dict[bool, SyncDaemon]:
        """None runs."""
        return {}

    def fitted(self, words: ServiceWords) -> ServiceWords:
        """The nearest scheduler, and the flags that it has here."""
        used = nft_limits.scheduler(words.scheduler)
        return words._replace(scheduler=used, flags=nft_limits.flags(used, words.flags))

    def close(self) -> None:
        """The tables stay."""
        self._socket.close()
        self._devices.close()

    def _look(self) -> None:
        """Read the tables the first time, and when another program has removed one."""
        needed = {self._place(key, self._table) for key in self._table}
        if not self._read:
            self.read()
        elif any(self._socket.owner(place, TABLE) != OWNER for place in needed):
            self._look_again()

    @staticmethod
    def _place(key: ServiceKey, table: Table) -> int:
        """The family of the table where a service is."""
        if is_direct(table[key]):
            return nft_changes.NFPROTO_NETDEV
        return nft.NFPROTO_IPV4 if key.family == 4 else nft.NFPROTO_IPV6

    def _become(self, wanted: Table, changes: Sequence[Change]) -> List[Refusal]:
        """Make the table what is wanted; what the kernel refuses of it stays as it is and is returned."""
        refusals: List[Refusal] = []
        before = dict(self._table)
        moved = self._devices.look(wanted)
        while True:
            touched = difference(self._table, wanted)
            if not touched:
                break
            try:
                self._carry_out(touched, wanted)
            except nft.Refused as error:
                culprit = self._culprit
                if culprit is None:
                    raise KernelError(str(error), _HINT, error.errno) from error
                refusals += [Refusal(change, str(error)) for change in changes if change.service == culprit]
                if culprit in self._table:
                    wanted[culprit] = self._table[culprit]
                else:
                    wanted.pop(culprit, None)
        self._wanted = dict(self._table)
        self._follow_devices(moved)
        self._note_forwarding()
        self._forget(before)
        return refusals

    def _carry_out(self, touched: Sequence[ServiceKey], wanted: Table) -> None:
        """Raises Refused, and then ``_culprit`` is the service that was refused, or None."""
        numbers = itertools.count(1)
        batch: List[_Piece] = [_Piece(None, self._tables(wanted, numbers))]
        size = 0
        done: List[ServiceKey] = []
        for key in touched:
            piece = _Piece(key, self._service(key, wanted, numbers))
            length = sum(map(len, piece.messages))
            if done and size + length > _MOST_BYTES:
                self._commit(batch, done, wanted)
                size, done, batch = 0, [], []
            size += length
            batch.append(piece)
            done.append(key)
        batch.append(_Piece(None, self._unused(wanted)))
        self._commit(batch, done, wanted)

    def _commit(self, batch: Sequence[_Piece], done: Sequence[ServiceKey], wanted: Table) -> None:
        messages = [message for piece in batch for message in piece.messages]
        try:
            self._socket.commit(messages)
        except nft.Refused as error:
            self._culprit = _owner_of(batch, error.step)
            raise
        self._damaged = set()
        for key in done:
            if key in wanted:
                self._table[key] = wanted[key]
            else:
                del self._table[key]

    def _service(self, key: ServiceKey, wanted: Table, numbers: Iterator[int]) -> List[bytes]:
        old, new = self._table.get(key), wanted.get(key)
        devices = self._devices.of(key)
        before = self._place(key, self._table) if old is not None else None
        after = self._place(key, wanted) if new is not None else None
        messages: List[bytes] = []
        if before is not None and before != after:
            if before in self._kept:
                messages += self._writer(before, numbers).messages(key, old, None, devices)
            old = None
        if after is not None:
            messages += self._writer(after, numbers).messages(key, old, new, devices)
        return messages

    def _writer(self, place: int, numbers: Iterator[int]) -> ServiceWriter:
        return ServiceWriter(self._changes[place], place == nft_changes.NFPROTO_NETDEV, numbers)

    def _tables(self, wanted: Table, numbers: Iterator[int]) -> List[bytes]:
        """Tables that are missing, with what leads to services."""
        self._kept = {self._place(key, wanted) for key in wanted}
        messages: List[bytes] = []
        for place in sorted(self._kept):
            owner = self._socket.owner(place, TABLE)
            if owner == OWNER and place not in self._damaged:
                continue
            changes = self._changes[place]
            if owner is not None:
                messages.append(changes.remove())
            messages += [changes.make(OWNER), changes.chain(_DISPATCH)]
            direct = place == nft_changes.NFPROTO_NETDEV
            for family in (4, 6) if direct else (family_of(place),):
                for kind in (SERVICES, ANY_PORT) if direct else (SERVICES, ANY_PORT, MARKS):
                    name, number = map_name(kind, family, direct), next(numbers)
                    messages.append(changes.chain_map(name, map_types(kind, family), number))
                messages += dispatch(changes, _DISPATCH, family, direct)
            if not direct:
                messages += _nat_hooks(changes)
        return messages

    def _unused(self, wanted: Table) -> List[bytes]:
        """Tables that hold nothing any more."""
        used = {self._place(key, self._table) for key in self._table}
        return [self._changes[place].remove() for place in sorted(used - self._kept)]

    def _follow_devices(self, moved: Sequence[ServiceKey] = ()) -> None:
        """DR: hang the table onto the devices that there are now, and follow servers to other devices.

        ``moved``: services that are known to have servers on other devices now.
        """
        direct = {key: placed for key, placed in self._table.items() if is_direct(placed)}
        if not direct:
            return
        numbers = itertools.count(1)
        writer = self._writer(nft_changes.NFPROTO_NETDEV, numbers)
        batches: List[List[bytes]] = [[]]
        size = 0
        for key in dict.fromkeys((*moved, *self._devices.look(direct))):
            placed = direct.get(key)
            if placed is None:
                continue
            messages = writer.messages(key, placed, placed, self._devices.of(key), moved=True)
            length = sum(map(len, messages))
            if size and size + length > _MOST_BYTES:
                batches.append([])
                size = 0
            size += length
            batches[-1] += messages
        self._devices.settle(batches)

    def _note_forwarding(self) -> None:
        families = {key.family for key, placed in self._table.items() if not is_direct(placed)}
        off = [_FORWARDING[family].replace("/", ".") for family in families if _is_zero(_FORWARDING[family])]
        self._problems["forwarding"] = (
            f"{' and '.join(sorted(off))} is 0: no packet gets to servers by NAT (set it to 1)" if off else ""
        )

    def _forget(self, before: Table) -> None:
        """End connections to servers that are gone, so that clients are not led to them for ever."""
        lost = lost_servers(before, self._table)
        fresh = [key for key in self._table if key not in before and not is_direct(self._table[key])]
        self._problems["connections"] = nft_connections.forget(lost, fresh)


def _nat_hooks(changes: nft_changes.TableChanges) -> List[bytes]:
    messages = []
    for name, hook in (("prerouting", _HOOK_PREROUTING), ("output", _HOOK_OUTPUT)):
        messages.append(changes.base_chain(nft_changes.BaseChain(name, "nat", hook, _NAT_PRIORITY)))
        local = steer.address_is_local(True)
        messages.append(changes.rule(name, local, steer.to_chain(_DISPATCH, steer.JUMP)))
    return messages


def _owner_of(batch: Sequence[_Piece], step: int) -> Optional[ServiceKey]:
    """The service whose message has this place in the transaction."""
    for piece in batch:
        if step < len(piece.messages):
            return piece.service if step >= 0 else None
        step -= len(piece.messages)
    return None


def _is_zero(name: str) -> bool:
    return sysctl.read(name) == "0"
