# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SSL: keys and certificates of SSL_GET."""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section
from .args import PATH

SECTIONS: Tuple[Section, ...] = (
    Section(
        "SSL",
        "Keys and certificates of SSL_GET.",
        keywords=(
            Keyword(
                "password",
                "Password of the key.",
                args=(Arg("PASSWORD"),),
                secret=True,
                supported=True,
                since="1.1.0",
            ),
            Keyword(
                "ca", "File of the certificate authorities.", args=(PATH,), supported=True, since="1.1.0"
            ),
            Keyword(
                "certificate", "File of the client certificate.", args=(PATH,), supported=True, since="1.1.0"
            ),
            Keyword("key", "File of the client key.", args=(PATH,), supported=True, since="1.1.0"),
        ),
    ),
)
