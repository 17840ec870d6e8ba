# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""May this advert drive the election? The checks that need the configuration, in keepalived's order.

What can be told from the bytes alone (length, type, checksum, ...) is ``wire.decode``'s; which instance
an advert is for (interface, family, VRID) is found by the caller.

Where the sources disagree:

* A list of addresses that is not ours is counted and logged, never discarded: RFC 9568 7.1 says so for
  version 3. RFC 3768 7.1 wants version 2 to drop it; keepalived does not, as a group whose addresses
  are being changed node by node would have two active routers meanwhile.
* The TTL is checked for multicast only. RFC 9568 5.1.1.3 knows no unicast; there, keepalived's min_ttl
  and max_ttl of the peer count.
"""

from __future__ import annotations

from enum import Enum
from typing import Optional, Tuple

from ..conf import model
from ..wire.address import is_multicast
from ..wire.advert import AUTH_AH, AUTH_NONE, AUTH_PASS, Advert
from ..wire.discard import Discard
from .reasons import address, seconds
from .settings import OWNER

TTL = 255  # RFC 9568 5.1.1.3, 5.1.2.3: it did not come through a router


class Observation(str, Enum):
    """Something worth a counter and a line in the log; the advert is processed all the same."""

    INTERVAL_DIFFERS = "interval_differs"
    """RFC 9568 7.1: version 3 learns the interval, but the group should have one."""
    ADDRESS_LIST_DIFFERS = "address_list_differs"

    def __str__(self) -> str:
        return str(self.value)


NOTHING_SEEN: Tuple[Observation, ...] = ()


class Admission:
    """The checks of one instance. Build a new one when the configuration changes."""

    __slots__ = ("_addresses", "_auth_type", "_check_sources", "_in_order", "_instance", "_peers")

    def __init__(self, instance: model.Instance) -> None:
        self._instance = instance
        self._auth_type = instance.auth_type
        self._in_order = tuple([one.packed for one in instance.addresses])
        self._addresses = frozenset(self._in_order)
        self._peers = {peer.packed: peer for peer in instance.unicast_peers}
        limited = any(peer.min_ttl is not None or peer.max_ttl is not None for peer in instance.unicast_peers)
        # A TTL limit on one peer switches the check of sources on, as in keepalived.
        self._check_sources = instance.unicast and (instance.check_unicast_src or limited)

    def check(
        self,
        advert: Advert,
        source: bytes,
        destination: bytes,
        ttl: Optional[int],
        *,
        own_source: bytes = b"",
        effective_priority: int = 0,
    ) -> Optional[Discard]:
        """Why ``advert`` must be discarded, or None.

        ``source`` and ``destination`` are packed; ``ttl`` is the TTL or hop limit, None where the kernel
        did not tell. ``own_source`` is the address we send from, ``effective_priority`` our priority now.
        """
        instance = self._instance
        if source == own_source:
            return Discard.OWN_ADVERT
        if len(source) != (4 if instance.family == 4 else 16):
            return Discard.FAMILY
        if not instance.unicast and ttl not in (None, TTL):
            return Discard.TTL
        if advert.version != instance.version:
            return Discard.VERSION_MISMATCH
        if instance.version == 2:
            reason = self._check_v2(advert)
            if reason is not None:
                return reason
        multicast = is_multicast(destination)
        if multicast and instance.unicast:
            return Discard.UNEXPECTED_MULTICAST
        if not multicast and not instance.unicast:
            return Discard.UNEXPECTED_UNICAST
        if instance.owner_ignore_adverts and effective_priority == OWNER:
            return Discard.OWNER
        return self._check_peer(source, ttl) if self._check_sources else None

    def observe(self, advert: Advert, *, same_router: bool = False) -> Tuple[Observation, ...]:
        """What differs from our configuration in an advert that passed the checks.

        ``same_router``: it comes from the router whose list was compared before; with
        skip_check_adv_addr only the number of its addresses is looked at.
        """
        instance = self._instance
        found = NOTHING_SEEN
        if advert.interval_ns != instance.advert_int_ns:
            found = (Observation.INTERVAL_DIFFERS,)
        if self._lists_differ(advert.addresses, count_only=same_router and instance.skip_check_adv_addr):
            found = (*found, Observation.ADDRESS_LIST_DIFFERS)
        return found

    def evidence(
        self, reason: Discard, advert: Advert, source: bytes, destination: bytes, ttl: Optional[int]
    ) -> str:
        """One line for the log: what came, and what this instance expects."""
        instance = self._instance
        who = address(source)
        peer = self._peers.get(source)
        texts = {
            Discard.OWN_ADVERT: f"an advert from our own address {who} came back",
            Discard.FAMILY: f"an advert from {who}, the instance has family IPv{instance.family}",
            Discard.TTL: f"TTL {ttl} from {who}, {_ttl_range(instance, peer)} expected",
            Discard.VERSION_MISMATCH: f"version {advert.version} from {who}, ours is {instance.version}",
            Discard.AUTH_TYPE_UNKNOWN: f"authentication type {advert.auth_type} from {who} is not known",
            Discard.AUTH_TYPE_MISMATCH: f"authentication type {advert.auth_type} from {who}, "
            f"ours is {self._auth_type}",
            Discard.AUTH_FAILURE: f"wrong password from {who}",
            Discard.INTERVAL_MISMATCH: f"advert_int {seconds(advert.interval_ns)} from {who}, ours is "
            f"{seconds(instance.advert_int_ns)}; version 2 wants them equal",
            Discard.UNEXPECTED_MULTICAST: f"a multicast advert from {who} to {address(destination)}, "
            "the instance has unicast peers",
            Discard.UNEXPECTED_UNICAST: f"a unicast advert from {who}, the instance has no unicast_peer",
            Discard.UNKNOWN_PEER: f"{who} is not among the unicast peers",
            Discard.OWNER: f"an advert from {who} with priority {advert.priority}, but this router owns "
            "the addresses (owner_ignore_adverts)",
        }
        return texts.get(reason, f"{reason} from {who}")

    def difference(self, seen: Observation, advert: Advert, source: bytes) -> str:
        """One line for the log about an observation."""
        who = address(source)
        if seen is Observation.INTERVAL_DIFFERS:
            ours, theirs = seconds(self._instance.advert_int_ns), seconds(advert.interval_ns)
            return f"{who} advertises every {theirs}, our advert_int is {ours}"
        ours_only = ", ".join(sorted([address(one) for one in self._addresses.difference(advert.addresses)]))
        theirs_only = ", ".join(
            sorted([address(one) for one in frozenset(advert.addresses) - self._addresses])
        )
        return (
            f"{who} has other addresses: only here {ours_only or 'none'}; only there {theirs_only or 'none'}"
        )

    def _lists_differ(self, addresses: Tuple[bytes, ...], count_only: bool) -> bool:
        if addresses == self._in_order:
            return False
        if len(addresses) != len(self._in_order):
            return True
        return not count_only and bool(self._addresses.difference(addresses))

    def _check_v2(self, advert: Advert) -> Optional[Discard]:
        """RFC 3768 7.1: authentication, then the interval."""
        if advert.auth_type != self._auth_type:
            known = advert.auth_type in (AUTH_NONE, AUTH_PASS, AUTH_AH)
            return Discard.AUTH_TYPE_MISMATCH if known else Discard.AUTH_TYPE_UNKNOWN
        # The password travels in clear text, so the time of the comparison gives nothing away.
        password = b"" if self._auth_type == AUTH_AH else self._instance.auth_password
        if password and advert.auth_data.ljust(8, b"\0") != password.ljust(8, b"\0"):
            return Discard.AUTH_FAILURE
        if advert.interval_ns != self._instance.advert_int_ns:
            return Discard.INTERVAL_MISMATCH
        return None

    def _check_peer(self, source: bytes, ttl: Optional[int]) -> Optional[Discard]:
        """keepalived check_unicast_src, min_ttl and max_ttl."""
        peer = self._peers.get(source)
        if peer is None:
            return Discard.UNKNOWN_PEER
        if ttl is None:
            return None
        if peer.min_ttl is not None and ttl < peer.min_ttl:
            return Discard.TTL
        if peer.max_ttl is not None and ttl > peer.max_ttl:
            return Discard.TTL
        return None


def _ttl_range(instance: model.Instance, peer: Optional[model.UnicastPeer]) -> str:
    if not instance.unicast or peer is None:
        return str(TTL)
    low = 0 if peer.min_ttl is None else peer.min_ttl
    high = TTL if peer.max_ttl is None else peer.max_ttl
    return f"{low} to {high}"
