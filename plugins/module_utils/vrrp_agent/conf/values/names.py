# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of routing tables, protocols and scopes, as /etc/iproute2 gives them numbers."""

from __future__ import annotations

from typing import Dict, Optional

from ..text.source import FILE, Reader

TABLE, PROTOCOL, SCOPE = "table", "protocol", "scope"

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
}
_FILES = {TABLE: "rt_tables", PROTOCOL: "rt_protos", SCOPE: "rt_scopes"}
_DIRECTORIES = ("/usr/share/iproute2", "/usr/lib/iproute2", "/etc/iproute2")
_MAX_BYTES = 1 << 20


class Names:
    """Looks names up: those that every system has at once, others in the files of this host."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._read: Dict[str, Dict[str, int]] = {}

    def number(self, kind: str, text: str) -> Optional[int]:
        """The number that ``text`` is or names; None for an unknown name."""
        if text.isascii() and text.isdigit():
            return int(text)
        if text[:2].lower() == "0x":
            try:
                return int(text, 16)
            except ValueError:
                return None
        built_in = _BUILT_IN[kind].get(text)
        if built_in is not None:
            return built_in
        if kind not in self._read:
            self._read[kind] = self._from_files(_FILES[kind])
        return self._read[kind].get(text)

    def _from_files(self, name: str) -> Dict[str, int]:
        found: Dict[str, int] = {}
        for directory in _DIRECTORIES:
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
