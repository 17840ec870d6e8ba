# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of routing tables, protocols, scopes and their kin, as /etc/iproute2 gives them numbers."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from ..text.source import FILE, Reader

TABLE, PROTOCOL, SCOPE, GROUP = "table", "protocol", "scope", "group"
DSFIELD, REALM, IP_PROTOCOL = "type of service", "realm", "IP protocol"

_BUILT_IN: Dict[str, Dict[str, int]] = {
    TABLE: {"unspec": 0, "default": 253, "main": 254, "local": 255},
    PROTOCOL: {
        "none": 0,
        "redirect": 1,
        "kernel": 2,
        "boot": 3,
        "static": 4,
        "gated": 8,
        "ra": 9,
        "mrt": 10,
        "zebra": 11,
        "bird": 12,
        "dnrouted": 13,
        "xorp": 14,
        "ntk": 15,
        "dhcp": 16,
        "keepalived": 18,
        "babel": 42,
    },
    SCOPE: {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255},
    GROUP: {"default": 0},
    IP_PROTOCOL: {
        "ip": 0,
        "icmp": 1,
        "igmp": 2,
        "ipencap": 4,
        "tcp": 6,
        "egp": 8,
        "igp": 9,
        "udp": 17,
        "dccp": 33,
        "ipv6": 41,
        "rsvp": 46,
        "gre": 47,
        "esp": 50,
        "ah": 51,
        "ipv6-icmp": 58,
        "eigrp": 88,
        "ospf": 89,
        "pim": 103,
        "vrrp": 112,
        "l2tp": 115,
        "sctp": 132,
        "udplite": 136,
    },
}
_FILES = {
    TABLE: "rt_tables",
    PROTOCOL: "rt_protos",
    SCOPE: "rt_scopes",
    GROUP: "group",
    DSFIELD: "rt_dsfield",
    REALM: "rt_realms",
}
_VENDOR = ("/usr/share/iproute2", "/usr/lib/iproute2")
_LOCAL = "/etc/iproute2"
_MAX_BYTES = 1 << 20


class Names:
    """Looks names up: those that every system has at once, others in the files of this host."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._directories: Tuple[str, ...] = (*_VENDOR, _LOCAL)
        self._read: Dict[str, Dict[str, int]] = {}

    def look_in(self, vendor: str = "", local: str = "") -> None:
        """Other directories than the usual ones (iproute_usr_dir, iproute_etc_dir); later files win."""
        directories = (*((vendor.rstrip("/"),) if vendor else _VENDOR), local.rstrip("/") or _LOCAL)
        if directories != self._directories:
            self._directories = directories
            self._read.clear()

    def number(self, kind: str, text: str) -> Optional[int]:
        """The number that ``text`` is or names; None for an unknown name."""
        if text.isascii() and text.isdigit():
            return int(text)
        if text[:2].lower() == "0x":
            try:
                return int(text, 16)
            except ValueError:
                return None
        built_in = _BUILT_IN.get(kind, {}).get(text)
        if built_in is not None or kind not in _FILES:
            return built_in
        if kind not in self._read:
            self._read[kind] = self._from_files(_FILES[kind])
        return self._read[kind].get(text)

    def _from_files(self, name: str) -> Dict[str, int]:
        found: Dict[str, int] = {}
        for directory in self._directories:
            for path in (f"{directory}/{name}", *sorted(self._reader.glob(f"{directory}/{name}.d/*.conf"))):
                if self._reader.kind(path) != FILE:
                    continue
                try:
                    text = self._reader.read(path, _MAX_BYTES).decode("utf-8", "replace")
                except OSError:
                    continue
                for line in text.splitlines():
                    words = line.partition("#")[0].split()
                    if len(words) == 2:
                        try:
                            found[words[1]] = int(words[0], 0)
                        except ValueError:
                            continue
        return found
