# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From words to values: authentication, auth_hmac, checksums and buffers of an instance."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from ...wire.advert import message_length
from ..model import SECOND_NS, AuthHmac, HmacKey
from ..tree import Node
from .defaults import Defaults

PASSWORD_BYTES = 8
FILE, CREDENTIAL, HEX = "file:", "credential:", "hex:"
LEAST_KEY_BYTES, MOST_KEY_BYTES = 32, 64

_IP_HEADER = {4: 20, 6: 40}
_HEADER_BYTES, _TRAILER_BYTES = 24, 28


def password_words(block: Optional[Node], version: int, strict: bool, hmac: bool) -> Dict[str, Any]:
    """auth_password, auth_password_file and auth_header of an instance.

    As in keepalived, version 3, strict mode and auth_hmac each leave the old authentication out.
    """
    if block is None or version != 2 or strict or hmac:
        return {}
    kind, password, file = (block.last(name) for name in ("auth_type", "auth_pass", "agent_auth_pass_file"))
    if kind is None or (password is None and file is None):
        return {}
    return {
        "auth_password": padded(password.args[0].encode("utf-8", "replace")) if password is not None else b"",
        "auth_password_file": str(file.args[0]) if file is not None and password is None else "",
        "auth_header": kind.args[0] == "AH",
    }


def padded(password: bytes) -> bytes:
    """A password as it stands in an advert: 8 bytes, more are cut, zeros fill it up (RFC 2338 5.3.6.2)."""
    return password[:PASSWORD_BYTES].ljust(PASSWORD_BYTES, b"\0")


def auth_hmac(block: Optional[Node], strict: bool) -> Optional[AuthHmac]:
    """The auth_hmac block; None when there is none."""
    if block is None:
        return None
    active, window = block.last("active_key"), block.last("time_window")
    replay, mode = block.last("anti_replay"), block.last("mode")
    return AuthHmac(
        keys=tuple(hmac_key(int(node.args[0]), str(node.args[1])) for node in block.all("key")),
        active_key=int(active.args[0]) if active is not None else 0,
        time_window_ns=int(window.args[0]) * SECOND_NS if window is not None else None,
        anti_replay=str(replay.args[0]) if replay is not None else "time",
        mode=str(mode.args[0]) if mode is not None and not strict else "enforce",
    )


def hmac_key(number: int, text: str) -> HmacKey:
    """One key. A text that is no hexadecimal after hex: has no bytes; the check says so."""
    if text.startswith((FILE, CREDENTIAL)):
        return HmacKey(number, file=text)
    return HmacKey(number, decode_key(text))


def decode_key(text: str) -> bytes:
    """The bytes of a key as it stands in the configuration or in a file; empty when it is no key."""
    if not text.startswith(HEX):
        return text.encode("utf-8", "surrogateescape")
    try:
        return bytes.fromhex(text[len(HEX) :])
    except ValueError:
        return b""


def receive_buffer(
    own: str, defaults: Defaults, family: int, version: int, count: int, more: int
) -> Tuple[int, int]:
    """receive_buffer_bytes and receive_buffer_mtus of an instance with ``count`` addresses.

    ``more``: bytes that its protection adds to an advert.
    """
    if own and int(own):
        return int(own), 0
    policy = [word.upper() for word in defaults.words.get("vrrp_rx_bufs_policy", ())]
    multiplier = int(defaults.text("vrrp_rx_bufs_multiplier", "3"))
    sizes = [int(word) for word in policy if word.isdecimal()]
    if sizes:
        return sizes[-1], 0
    if "MTU" in policy:
        return 0, multiplier
    if "ADVERT" in policy:
        width = 4 if family == 4 else 16
        # keepalived counts the IPv4 header, and no header over IPv6, as its sockets see them
        header = _IP_HEADER[4] if family == 4 else 0
        return multiplier * (header + message_length(version, count, width) + more), 0
    return 0, 0


def protection_bytes(header: bool, hmac: Optional[AuthHmac]) -> int:
    """Bytes that an authentication header or a trailer adds to an advert."""
    if hmac is not None:
        return 0 if hmac.mode == "receive-only" else _TRAILER_BYTES
    return _HEADER_BYTES if header else 0


def netlink_buffers(defaults: Defaults) -> Dict[str, Any]:
    """Of GlobalSettings: the receive buffers of netlink."""
    return {
        "netlink_command_buffer_bytes": defaults.number("vrrp_netlink_cmd_rcv_bufs") or 0,
        "netlink_command_buffer_force": defaults.flag("vrrp_netlink_cmd_rcv_bufs_force"),
        "netlink_monitor_buffer_bytes": defaults.number("vrrp_netlink_monitor_rcv_bufs") or 0,
        "netlink_monitor_buffer_force": defaults.flag("vrrp_netlink_monitor_rcv_bufs_force"),
    }
