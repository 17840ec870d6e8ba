# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HMAC (RFC 2104) with a key made ready beforehand, cut to the length that a protocol carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict

if TYPE_CHECKING:
    import hmac

MD5, SHA256 = "md5", "sha256"


class Keyed:
    """A key, and perhaps the beginning of what is to be signed. ``repr`` shows neither."""

    __slots__ = ("_begun", "_length", "_same")

    def __init__(self, secret: bytes, algorithm: str, length: int) -> None:
        """``algorithm`` is MD5 or SHA256; ``length`` is that of the result in bytes."""
        import hashlib
        import hmac  # with libcrypto three megabytes, which an agent without keys does not need

        def md5(data: bytes = b"") -> hashlib._Hash:
            # All that the old protocol has, also on a host that otherwise forbids it.
            return hashlib.md5(data, usedforsecurity=False)

        makers: Dict[str, Callable[..., hashlib._Hash]] = {MD5: md5, SHA256: hashlib.sha256}
        self._begun: hmac.HMAC = hmac.new(secret, digestmod=makers[algorithm])
        self._length = length
        self._same: Callable[[bytes, bytes], bool] = hmac.compare_digest

    def begun(self, *pieces: bytes) -> Keyed:
        """The same key, with these pieces taken in already."""
        other = Keyed.__new__(Keyed)
        other._begun = self._begun.copy()
        for piece in pieces:
            other._begun.update(piece)
        other._length, other._same = self._length, self._same
        return other

    def mac(self, *pieces: bytes) -> bytes:
        """The HMAC of what was taken in and these pieces behind it."""
        work = self._begun.copy()
        for piece in pieces:
            work.update(piece)
        return work.digest()[: self._length]

    def matches(self, mac: bytes, *pieces: bytes) -> bool:
        """True when ``mac`` is that of these pieces; how long it takes does not tell where it differs."""
        return self._same(self.mac(*pieces), mac)
