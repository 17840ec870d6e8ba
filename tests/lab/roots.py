# SPDX-License-Identifier: GPL-3.0-or-later
"""Root file systems of other Debian releases, to run programs of those releases in a node.

``VRRP_ROOTFS`` names the directory that holds them; without it, ``.cache/rootfs`` of the work tree.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional

TREE = Path(__file__).resolve().parents[2]
RELEASES = ("bullseye", "bookworm", "trixie")

# ``ip netns exec`` has made a mount namespace of its own, so all this goes away with the program.
_ENTER = """
set -e
root=$1; shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Root:
    """The file system of one Debian release. ``path`` None is the host's own."""

    name: str
    path: Optional[Path] = None

    def command(self, argv: List[str], binds: Mapping[Path, str]) -> List[str]:
        """``argv`` made to run inside, where each directory of ``binds`` is seen under its second name."""
        if self.path is None:
            return argv
        mounts = [word for outside, inside in binds.items() for word in (str(outside), inside)]
        return ["sh", "-c", _ENTER, "sh", str(self.path), *mounts, "--", *argv]

    def seen(self, path: Path, binds: Mapping[Path, str]) -> str:
        """The name of ``path`` inside."""
        if self.path is None:
            return str(path)
        for outside, inside in binds.items():
            if path == outside or outside in path.parents:
                return str(Path(inside) / path.relative_to(outside))
        raise ValueError(f"{path} is under none of {', '.join(map(str, binds))}")


HOST = Root("host")


def directory() -> Path:
    """Where the root file systems are."""
    return Path(os.environ.get("VRRP_ROOTFS") or TREE / ".cache" / "rootfs")


def release(name: str) -> Root:
    """The Debian release ``name``; FileNotFoundError says how to get it."""
    path = directory() / name
    if not (path / "usr" / "sbin" / "keepalived").exists():
        raise FileNotFoundError(f"no keepalived of Debian {name} at {path}: run `make images`")
    return Root(name, path)
