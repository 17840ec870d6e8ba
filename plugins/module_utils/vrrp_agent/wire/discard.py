# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every reason for which a received packet is discarded, and the error that carries one.

The value of a member is the name of its counter in ``status`` and of the verdict in ``sniff``.
"""

from __future__ import annotations

from enum import Enum


class Discard(str, Enum):
    """A reason for a discard. Section numbers are those of RFC 9568 unless another RFC is named."""

    # Seen in the bytes alone.
    IP_HEADER = "ip_header"  # 7.1: the IP header is short, inconsistent, or a fragment
    TTL = "ttl"  # 5.1.1.3, 5.1.2.3: TTL or hop limit is not 255
    LENGTH = "length"  # 7.1: shorter or longer than the count of addresses says
    VERSION = "version"  # 5.2.1: neither 2 nor 3, or version 2 over IPv6
    TYPE = "type"  # 5.2.2: not an advertisement
    CHECKSUM = "checksum"  # 5.2.8, RFC 3768 5.3.8
    VRID_ZERO = "vrid_zero"  # 5.2.3
    COUNT_ZERO = "count_zero"  # 5.2.5 (erratum 8299)
    INTERVAL_ZERO = "interval_zero"  # 5.2.7 (erratum 8301), RFC 3768 5.3.7
    AH_HEADER = "ah_header"  # RFC 2338 5.3.6.3: an authentication header that VRRP does not use

    # Seen beside the configuration.
    FAMILY = "family"  # 5.2.9: addresses of the other family
    UNKNOWN_VRID = "unknown_vrid"  # 5.2.3: not configured on this interface
    VERSION_MISMATCH = "version_mismatch"  # 5.2.1: a known version, but not this router's
    AUTH_TYPE_UNKNOWN = "auth_type_unknown"  # RFC 3768 5.3.6
    AUTH_TYPE_MISMATCH = "auth_type_mismatch"  # RFC 3768 7.1
    AUTH_FAILURE = "auth_failure"  # RFC 2338 7.1: wrong password, wrong or repeated authentication header
    AUTH_EXT_MISSING = "auth_ext_missing"  # keepalived auth_hmac: no trailer, though mode is enforce
    AUTH_EXT_MALFORMED = "auth_ext_malformed"  # keepalived auth_hmac: a trailer of an unknown type
    AUTH_EXT_UNKNOWN_KEY = "auth_ext_unknown_key"  # keepalived auth_hmac: no key of that id
    AUTH_EXT_INVALID_HMAC = "auth_ext_invalid_hmac"  # keepalived auth_hmac: another key, or not its bytes
    AUTH_EXT_STALE = "auth_ext_stale"  # keepalived auth_hmac: made too long ago, or in the future
    AUTH_EXT_REPLAY = "auth_ext_replay"  # keepalived auth_hmac: heard before
    INTERVAL_MISMATCH = "interval_mismatch"  # RFC 3768 7.1: version 2 only
    ADDRESS_LIST = "address_list"  # RFC 3768 7.1
    UNEXPECTED_UNICAST = "unexpected_unicast"  # a multicast group got a packet for one host
    UNEXPECTED_MULTICAST = "unexpected_multicast"  # a unicast group got a packet for 224.0.0.18 or ff02::12
    UNKNOWN_PEER = "unknown_peer"  # keepalived check_unicast_src
    OWN_ADVERT = "own_advert"  # our own packet came back
    OWNER = "owner"  # 7.1, RFC 3768 7.1: the address owner hears nobody (owner_ignore_adverts)

    def __str__(self) -> str:
        return str(self.value)


class DecodeError(ValueError):
    """The bytes break a rule: ``reason`` names it, ``detail`` gives the evidence."""

    def __init__(self, reason: Discard, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
