# SPDX-License-Identifier: GPL-3.0-or-later
"""One visit to the virtual machine serves all tests of this directory."""

from __future__ import annotations

import shutil

import pytest

from tests.vm.machine import Visit, visit

collect_ignore = ["guest"]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86 is not installed; make bootstrap does it")
    return visit(tmp_path_factory.mktemp("machine"))
