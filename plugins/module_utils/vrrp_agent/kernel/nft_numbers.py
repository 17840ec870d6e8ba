# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The numbers of nf_tables messages, as in linux/netfilter/nf_tables.h: for all who pack or read them."""

from __future__ import annotations

import struct

NEW_TABLE, GET_TABLE, DELETE_TABLE = 0, 1, 2
NEW_CHAIN, GET_CHAIN, DELETE_CHAIN = 3, 4, 5
NEW_RULE, GET_RULE, DELETE_RULE = 6, 7, 8
NEW_SET, DELETE_SET = 9, 11
NEW_ELEMENTS, GET_ELEMENTS, DELETE_ELEMENTS = 12, 13, 14
NEW_OBJECT, GET_OBJECT, DELETE_OBJECT = 18, 19, 20
IS_MAP = 0x8
"""A flag of sets."""
TYPE_BITS = 6
"""Of each part in the type of a concatenated key, for ``nft list``."""
NFGENMSG = struct.Struct("!BBH")
"""What stands before the attributes: family, version, resource."""
HOST_ORDER_KEY = b"\x00\x04" + struct.pack("=I", 1)
HOST_ORDER_DATA = b"\x01\x04" + struct.pack("=I", 1)
"""For ``nft list``: keys and values are numbers as the host writes them."""
