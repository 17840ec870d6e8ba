# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine with Debian's kernel that runs the stories of tests/vm/guest and reports how they went.

The kernel of a test host may lack ip_vs; this one has it. Everything runs in QEMU's own emulation, about
ten times slower than the host: the stories bring their own patience.
"""

from __future__ import annotations

import ast
import contextlib
import pathlib
import subprocess
import tarfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

TOP = pathlib.Path(__file__).resolve().parents[2]
GUEST = TOP / "tests" / "vm" / "guest"
AGENT = TOP / "build" / "vrrp-agent"
MODULES = TOP / "plugins" / "module_utils" / "vrrp_agent"
REAL_SERVER = TOP / "plugins" / "module_utils" / "_host" / "real_server.py"
REPORT_BYTES = 16 << 20
LIMIT_S = 345
MEMORY_MIB = 768


@dataclass
class Story:
    """How one story went. A story with parameters fails when one of its cases does."""

    seconds: float = 0.0
    cases: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """What a run of the machine has left behind."""

    stories: dict[str, Story]
    output: str
    """What pytest printed in the guest."""
    console: str
    """What the guest's kernel printed."""

    def evidence(self) -> str:
        return f"--- pytest in the guest ---\n{self.output[-20000:]}\n--- console ---\n{self.console[-4000:]}"


def story_names() -> list[str]:
    """Every story, as file::function."""
    return [
        f"{path.stem}::{node.name}"
        for path in sorted(GUEST.glob("story_*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def pack(target: pathlib.Path) -> None:
    """What the guest needs: the stories, the agent as one file, and its source for stories about a part."""

    def keep(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if "__pycache__" in member.name else member

    with tarfile.open(target, "w") as archive:
        archive.add(GUEST / "init", "init")
        archive.add(GUEST, "guest", filter=keep)
        archive.add(AGENT, "vrrp-agent")
        archive.add(MODULES, "module_utils/vrrp_agent", filter=keep)
        archive.add(REAL_SERVER, "module_utils/real_server.py")


def visit(room: pathlib.Path) -> Visit:
    """Boot, run every story, power off. ``room`` is an empty directory."""
    disks = pathlib.Path(
        subprocess.run([TOP / "tools" / "vm"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    )
    code, report = room / "code.tar", room / "report"
    pack(code)
    with report.open("wb") as file:
        file.truncate(REPORT_BYTES)
    output, console = room / "output", room / "console"
    words = "root=/dev/vda rw console=ttyS0 quiet panic=1 sysrq_always_enabled init=/sbin/start-story"
    command = [
        *(
            "qemu-system-x86_64",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "max",
            "-smp",
            "2",
            "-m",
            str(MEMORY_MIB),
        ),
        *("-kernel", str(disks / "vmlinuz"), "-initrd", str(disks / "initrd"), "-append", words),
        *("-drive", f"file={disks / 'disk.img'},if=virtio,format=raw,snapshot=on"),
        *("-drive", f"file={code},if=virtio,format=raw,readonly=on"),
        *("-drive", f"file={report},if=virtio,format=raw"),
        *("-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot"),
        *("-serial", f"file:{console}", "-serial", f"file:{output}"),
    ]
    # A machine that takes too long has no report, which fails every story; its output says where it stood.
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, check=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    told = report.read_bytes().rstrip(b"\0")
    return Visit(_stories(told), _text(output), _text(console))


def _stories(report: bytes) -> dict[str, Story]:
    stories: dict[str, Story] = {}
    if not report:
        return stories
    for case in ElementTree.fromstring(report).iter("testcase"):
        name = f"{case.attrib['classname'].rpartition('.')[2]}::{case.attrib['name'].partition('[')[0]}"
        story = stories.setdefault(name, Story())
        story.cases += 1
        story.seconds += float(case.attrib["time"])
        for bad in (*case.findall("failure"), *case.findall("error"), *case.findall("skipped")):
            story.failures.append(
                f"{case.attrib['name']}: {bad.tag}: {bad.attrib.get('message', '')}\n{bad.text or ''}"
            )
    return stories


def _text(path: pathlib.Path) -> str:
    return path.read_text(errors="replace").replace("\r", "") if path.exists() else ""
