# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the agent and pyroute2 into one executable file, build/vrrp-agent.

The file is a zip archive behind a few lines of shell that pick the host's Python. Beside each module lies its
byte code, compiled by the Python that builds (Debian 12's); another Python takes the source. Built twice from
the same tree, the bytes are the same.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import io
import marshal
import os
import pathlib
import re
import subprocess
import sys
import zipfile

TOP = pathlib.Path(__file__).resolve().parent.parent
AGENT = TOP / "plugins" / "module_utils" / "vrrp_agent"

# The distribution's Python first: another one on the path may be a wrapper that takes its time.
PRELUDE = b"""#!/bin/sh
# vrrp-agent: a zip archive of Python modules. Needs Python 3.9 or later and nothing else.
for python in /usr/bin/python3 python3; do
    command -v "$python" >/dev/null && exec "$python" -IS "$0" "$@"
done
echo "vrrp-agent needs Python 3.9 or later, and found none" >&2
exit 127
"""

MAIN = """\
# SPDX-License-Identifier: GPL-3.0-or-later
import sys

if sys.version_info < (3, 9):
    sys.exit("vrrp-agent needs Python 3.9 or later, and this is " + sys.version.split()[0])

from vrrp_agent.cli.main import main

sys.exit(main())
"""

# The parts of pyroute2 that the kernel layer uses. Its __init__ imports every part, so ours stands in for it.
PYROUTE2_PARTS = ("common.py", "config", "netlink")


def python_files(root: pathlib.Path, name: str) -> dict[str, bytes]:
    """Every module below root, by its path in the archive."""
    return {f"{name}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in root.rglob("*.py")}


def agent_files() -> dict[str, bytes]:
    files = python_files(AGENT, "vrrp_agent")
    galaxy = re.search(r"^version: (\S+)$", (TOP / "galaxy.yml").read_text(), re.MULTILINE)
    module = re.search(rb'^VERSION = "(\S+)"$', files["vrrp_agent/version.py"], re.MULTILINE)
    if galaxy is None or module is None or galaxy[1] != module[1].decode():
        sys.exit("galaxy.yml and vrrp_agent/version.py must name the same version")
    return files


def pyroute2_files() -> dict[str, bytes]:
    """The pinned pyroute2 of the virtual environment, with its licences."""
    spec = importlib.util.find_spec("pyroute2")
    if spec is None or spec.origin is None:
        sys.exit("pyroute2 is not installed: run `make bootstrap`, and this with .venv/bin/python")
    everything = python_files(pathlib.Path(spec.origin).parent, "pyroute2")
    files = {name: data for name, data in everything.items() if name.split("/")[1] in PYROUTE2_PARTS}
    distribution = importlib.metadata.distribution("pyroute2")
    files["pyroute2/__init__.py"] = (
        "# Stands in for pyroute2's own, which imports every part; the agent names the parts it uses.\n"
        f'__version__ = "{distribution.version}"\n'
    ).encode()
    for entry in distribution.files or ():
        if "licenses" in entry.parts or entry.name == "METADATA":
            files[f"pyroute2/{entry.name}"] = pathlib.Path(str(distribution.locate_file(entry))).read_bytes()
    return files


def byte_code(name: str, source: bytes) -> bytes:
    """An unchecked hash-based .pyc (PEP 552): its loader looks at neither clock nor source."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little") + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def archive(files: dict[str, bytes]) -> bytes:
    packed = dict(files)
    for name, data in files.items():
        if name.endswith(".py") and name != "__main__.py":
            packed[name + "c"] = byte_code(name, data)
    buffer = io.BytesIO()
    buffer.write(PRELUDE)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name in sorted(packed):
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, packed[name])
    return buffer.getvalue()


def build() -> bytes:
    if not (AGENT / "cli" / "main.py").exists():
        sys.exit("there is no vrrp_agent/cli/main.py to run")
    files = {"__main__.py": MAIN.encode(), **agent_files(), **pyroute2_files()}
    files["LICENSE"] = (TOP / "LICENSE").read_bytes()
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    files["vrrp_agent/build_id.txt"] = digest.hexdigest()[:12].encode()
    return archive(files)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, default=TOP / "build" / "vrrp-agent")
    args = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of constants in a set literal's byte code hangs on the hash seed.
        return subprocess.call(
            [sys.executable, __file__, *sys.argv[1:]], env={**os.environ, "PYTHONHASHSEED": "0"}
        )
    data = build()
    if not args.output.exists() or args.output.read_bytes() != data:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        fresh = args.output.with_name(args.output.name + ".new")
        fresh.write_bytes(data)
        fresh.chmod(0o755)
        fresh.replace(args.output)
    print(f"{os.path.relpath(args.output)}: {len(data) // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
