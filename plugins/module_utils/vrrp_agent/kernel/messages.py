# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The message classes of pyroute2, and nothing else of it.

The classes encode; sockets, loops and the few decoders that must be quick are ours.
``import pyroute2`` costs 25 MiB and a fifth of a second because its ``__init__`` imports everything;
naming an empty package under that name first lets the message modules be imported alone, for less
than 1 MiB and 30 ms.
"""

from __future__ import annotations

import importlib
import importlib.util
import struct
import sys
import types
from typing import Any, Dict, Sequence, Tuple

from .errors import KernelError, MissingLibrary

NLM_F_REQUEST = 0x001
NLM_F_ACK = 0x004
NLM_F_DUMP = 0x300
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTM_NEWRULE, RTM_DELRULE = 32, 33

_CLASSES: Dict[str, Any] = {}


def library(name: str, hollow: Sequence[Tuple[str, Sequence[str]]] = ()) -> Any:
    """The module of that name in pyroute2, imported without what it does not need.

    ``hollow`` names its packages whose ``__init__`` is not to be run, and the classes that are asked of each:
    an empty package with empty classes stands in. Raises MissingLibrary.
    """
    try:
        for package, classes in (("", ()), *hollow):
            _hollow("pyroute2" + package, classes)
        return importlib.import_module("pyroute2" + name)
    except ImportError as error:
        raise MissingLibrary(str(error)) from error


def _hollow(name: str, classes: Sequence[str]) -> None:
    """An empty package under this name, unless it is there. Raises ImportError."""
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("no such package")
    package = types.ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    for one in classes:
        setattr(package, one, type(one, (), {}))
    sys.modules[name] = package


def _message_class(name: str) -> Any:
    """The pyroute2 class of that name. Raises MissingLibrary."""
    found = _CLASSES.get(name)
    if found is None:
        module = library(".netlink.rtnl." + name)
        _CLASSES[name] = found = getattr(module, name)
    return found


def preload() -> None:
    """Import every class now, so that no first use is slow. Raises MissingLibrary."""
    for name in ("ifaddrmsg",):
        _message_class(name)


def encode(
    name: str,
    kind: int,
    flags: int,
    fields: Dict[str, Any],
    attributes: Sequence[Tuple[str, Any]] = (),
    sequence: int = 0,
) -> bytes:
    """One netlink request as bytes: message class ``name``, type ``kind``, fixed fields and attributes.

    Raises KernelError for a value that has no place in the message, MissingLibrary.
    """
    message = _message_class(name)()
    for key, value in fields.items():
        message[key] = value
    message["attrs"] = list(attributes)
    message["header"]["type"] = kind
    message["header"]["flags"] = flags | NLM_F_REQUEST
    message["header"]["sequence_number"] = sequence
    try:
        message.encode()
    except (struct.error, LookupError, TypeError, ValueError, OSError) as error:
        raise KernelError(f"no {name} can say {fields} {list(attributes)}: {error}") from error
    return bytes(message.data)
