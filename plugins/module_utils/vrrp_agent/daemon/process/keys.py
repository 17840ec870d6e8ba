# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys and passwords that stand in files of their own: read beside the configuration, in the same child.

A file is named by its path, or as ``credential:NAME`` for a file in $CREDENTIALS_DIRECTORY, where systemd
puts what LoadCredential= and LoadCredentialEncrypted= name.  It holds what would otherwise stand in the
configuration; a line end behind it does not count, as in keepalived.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import List, Mapping, Optional, Tuple

from ...conf.model import Config, HmacKey, Instance
from ...conf.problem import ERROR, WARNING, Problem
from ...conf.values.security import (
    CREDENTIAL,
    FILE,
    LEAST_KEY_BYTES,
    MOST_KEY_BYTES,
    PASSWORD_BYTES,
    decode_key,
    padded,
)

CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"
_MOST_BYTES = len("hex:") + 2 * MOST_KEY_BYTES + len("\r\n")


class _Unreadable(Exception):
    """A file that gives no secret. ``hint`` says how to mend it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def read_keys(
    config: Config, environment: Optional[Mapping[str, str]] = None, unreadable: str = ERROR
) -> Tuple[Config, Tuple[Problem, ...]]:
    """The configuration with every secret that stands in a file, and what is wrong with these files.

    ``unreadable`` is the severity of a file that is not there or may not be read: a warning where the
    configuration is only looked at, perhaps on another host.
    """
    reading = _Reading(os.environ if environment is None else environment, unreadable)
    instances = tuple(reading.instance(instance) for instance in config.instances)
    return replace(config, instances=instances), tuple(reading.problems)


class _Reading:
    def __init__(self, environment: Mapping[str, str], unreadable: str) -> None:
        self.problems: List[Problem] = []
        self._environment = environment
        self._unreadable = unreadable

    def instance(self, instance: Instance) -> Instance:
        """One instance with its secrets."""
        if instance.auth_password_file:
            password = self._password(instance)
            instance = replace(instance, auth_password=password)
        hmac = instance.auth_hmac
        if hmac is not None and any(key.file for key in hmac.keys):
            keys = tuple(self._key(instance.name, key) for key in hmac.keys)
            instance = replace(instance, auth_hmac=replace(hmac, keys=keys))
        return instance

    def _password(self, instance: Instance) -> bytes:
        what, path = f"{instance.name}: password", self._path(instance.auth_password_file)
        data = self._read(what, path)
        if data is None:
            return b""
        if not data:
            self._note(ERROR, f"{what}: the file is empty", "write the password into it", path)
        elif len(data) > PASSWORD_BYTES:
            line = f"{what} is longer than {PASSWORD_BYTES} bytes: keepalived cuts it to {PASSWORD_BYTES}"
            self._note(ERROR, line, f"write at most {PASSWORD_BYTES} bytes", path)
        return padded(data)

    def _key(self, name: str, key: HmacKey) -> HmacKey:
        if not key.file:
            return key
        what, path = f"{name}: key {key.id}", self._path(key.file)
        data = self._read(what, path)
        if data is None:
            return key
        secret = decode_key(data.decode("utf-8", "surrogateescape"))
        if not LEAST_KEY_BYTES <= len(secret) <= MOST_KEY_BYTES:
            line = f"{what} has {len(secret)} bytes; {LEAST_KEY_BYTES} to {MOST_KEY_BYTES} are needed"
            hint = "make one with 'openssl rand -hex 32', and write 'hex:' before it"
            self._note(ERROR, line, hint, path)
        return replace(key, secret=secret)

    def _path(self, text: str) -> str:
        """The path of a file; empty for a credential when there is no directory of them."""
        if not text.startswith(CREDENTIAL):
            return text[len(FILE) :] if text.startswith(FILE) else text
        directory = self._environment.get(CREDENTIALS_DIRECTORY, "")
        return os.path.join(directory, text[len(CREDENTIAL) :]) if directory else ""

    def _read(self, what: str, path: str) -> Optional[bytes]:
        """The file without a line end behind it; None when it cannot be read."""
        try:
            data, mode = _contents(path)
        except _Unreadable as error:
            self._note(self._unreadable, f"{what} cannot be read: {error}", error.hint, path)
            return None
        if mode & 0o077:
            line = f"{what}: the file is open to its group or to others"
            self._note(WARNING, line, f"chmod 600 {path}", path)
        return data.rstrip(b"\r\n")

    def _note(self, severity: str, message: str, hint: str, path: str) -> None:
        self.problems.append(Problem(severity, message, hint, file=path))


def _contents(path: str) -> Tuple[bytes, int]:
    """What a file holds, and its mode. Raises _Unreadable."""
    if not path:
        raise _Unreadable(
            "there are no credentials of systemd here",
            "write LoadCredential=NAME:PATH in the unit, or name the file with file:PATH",
        )
    try:
        # Neither a pipe nor a device may keep the reading waiting.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise _Unreadable(str(reason), "check the path, its owner and its mode") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _Unreadable("it is no regular file", "name an ordinary file")
        data = os.read(descriptor, _MOST_BYTES + 1)
    except OSError as error:
        raise _Unreadable(error.strerror or str(error), "check the file") from error
    finally:
        os.close(descriptor)
    if len(data) > _MOST_BYTES:
        raise _Unreadable(f"it has more than {_MOST_BYTES} bytes", "this is hardly a key")
    return data, stat.S_IMODE(mode)
