# SPDX-License-Identifier: GPL-3.0-or-later
"""Which agent the tests run: the built artefact when it is up to date, the source tree otherwise.

``VRRP_AGENT`` names another artefact. A stale artefact is never used without being asked for.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Optional

from .roots import TREE, Root

MODULE_UTILS = TREE / "plugins" / "module_utils"
ARTEFACT = TREE / "build" / "vrrp-agent"
PYCACHE = TREE / ".cache" / "pycache"
_ENTRY = "import sys; from vrrp_agent.cli.main import main; sys.exit(main(sys.argv[1:]))"


@functools.cache
def artefact() -> Optional[Path]:
    """The artefact to run; None when the source tree is run."""
    named = os.environ.get("VRRP_AGENT")
    if named:
        return Path(named).resolve()
    if not ARTEFACT.exists():
        return None
    newest = max(path.stat().st_mtime for path in (MODULE_UTILS / "vrrp_agent").rglob("*.py"))
    return ARTEFACT if ARTEFACT.stat().st_mtime >= newest else None


def name() -> str:
    """What runs, for the head of a test report."""
    path = artefact()
    return f"artefact {path}" if path else f"source tree {MODULE_UTILS}"


@functools.cache
def _site_packages() -> Path:
    spec = importlib.util.find_spec("pyroute2")
    assert spec is not None and spec.origin, "pyroute2 is not installed beside pytest"
    return Path(spec.origin).parents[1]


def binds() -> Mapping[Path, str]:
    """The directories of the host that hold the code, and their names inside another root."""
    path = artefact()
    if path:
        return {path.parent: "/opt"}
    PYCACHE.mkdir(parents=True, exist_ok=True)
    return {MODULE_UTILS: "/opt", _site_packages(): "/srv", PYCACHE: "/media"}


def command(root: Root, seen: Mapping[Path, str]) -> List[str]:
    """The start of every command line."""
    path = artefact()
    if path:
        return [root.seen(path, seen)]
    return [sys.executable if root.path is None else "python3", "-c", _ENTRY]


def environment(root: Root, seen: Mapping[Path, str]) -> Dict[str, str]:
    """The environment in which ``command`` finds its code."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    if artefact() is None:
        places = [root.seen(MODULE_UTILS, seen), root.seen(_site_packages(), seen)]
        variables["PYTHONPATH"] = os.pathsep.join(places)
        variables["PYTHONPYCACHEPREFIX"] = root.seen(PYCACHE, seen)
    return variables
