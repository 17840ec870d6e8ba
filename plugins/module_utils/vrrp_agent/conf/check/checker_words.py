# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words of the checks of a real server, each alone."""

from __future__ import annotations

import re
from typing import Iterator, List, Optional, Tuple

from ..grammar.checkers import REGEX_OPTIONS
from ..parts.patterns import OFTEN_MEANT, BadPattern, compiled
from ..problem import ERROR, WARNING, Problem
from ..tree import Node, Word
from ..values.block import text
from ..values.checks import octets, regex_options
from ..values.commands import BadCommand, unescaped

_DIGEST_LENGTH = 32
_HEXADECIMAL = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,32}")
"""What the table lets through; a longer word is its business."""
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_MAX_LABEL, _MAX_NAME = 63, 253
_REGEX_WORDS = ("regex_no_match", "regex_options", "regex_min_offset", "regex_max_offset", "regex_stack")
_LONE_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)


def check_checker(node: Node) -> Iterator[Problem]:
    """Findings about one check; none about other words of a real_server."""
    if node.name in ("HTTP_GET", "SSL_GET"):
        yield from _http(node)
    elif node.name == "DNS_CHECK":
        yield from _dns(node)
    elif node.name == "UDP_CHECK":
        yield from _udp(node)
    elif node.name == "SMTP_CHECK":
        yield from _no_blank(node, "helo_name")


def _http(node: Node) -> Iterator[Problem]:
    yield from _no_blank(node, "virtualhost")
    yield from _no_blank(node, "sni_name")
    if node.name == "HTTP_GET":
        for name in ("enable_sni", "sni_name"):
            found = node.last(name)
            if found is not None:
                message = f"{name} does nothing in HTTP_GET: there is no TLS"
                yield found.problem(WARNING, message, "write SSL_GET, or take it out")
    for url in node.all("url"):
        yield from _url(url)


def _url(url: Node) -> Iterator[Problem]:
    yield from _no_blank(url, "virtualhost")
    yield from _no_blank(url, "path")
    path = url.last("path")
    if path is not None and path.args and path.args[0][:1] not in ("/", "*"):
        message = f"path {path.args[0]} does not begin with /"
        yield path.problem(WARNING, message, f"write /{path.args[0]}", path.args[0])
    yield from _digest(url)
    yield from _regex(url)


def _digest(url: Node) -> Iterator[Problem]:
    node = url.last("digest")
    if node is None or not node.args or not _HEXADECIMAL.fullmatch(node.args[0]):
        return
    word = node.args[0]
    if len(word) < _DIGEST_LENGTH or not word.isalnum() or "x" in word.lower():
        message = f"digest is not {_DIGEST_LENGTH} hexadecimal digits: it can never match"
        hint = f"write the {_DIGEST_LENGTH} hexadecimal digits that 'curl -s URL | md5sum' shows"
        yield node.problem(ERROR, message, hint, word)


def _regex(url: Node) -> Iterator[Problem]:
    node = url.last("regex")
    if node is None:
        for name in _REGEX_WORDS:
            found = url.last(name)
            if found is not None:
                yield found.problem(WARNING, f"{name} does nothing without regex", "write regex PATTERN too")
        return
    if not node.args:
        return
    try:
        compiled(unescaped(node.args[0]), _known_options(url))
    except BadCommand as error:
        yield node.problem(ERROR, f"regex: {error}", "write two backslashes for one", node.args[0])
    except BadPattern as error:
        place = url.last("regex_options") if "regex_options" in str(error) else None
        yield (place or node).problem(ERROR, str(error), error.hint)
    else:
        yield from _backslashes(node)
    first, last = _number(url, "regex_min_offset"), _number(url, "regex_max_offset")
    place = url.last("regex_max_offset")
    if first is not None and last is not None and place is not None and first > last:
        message = f"regex_max_offset {last} is less than regex_min_offset {first}: nothing is searched"
        yield place.problem(ERROR, message, f"write {first} or more", place.args[0])


def _known_options(url: Node) -> Tuple[str, ...]:
    return tuple(option for option in regex_options(url) if option in REGEX_OPTIONS)


def _backslashes(node: Node) -> Iterator[Problem]:
    """keepalived takes one backslash off: of ``\\d`` the letter d is left."""
    for match in _LONE_BACKSLASH.finditer(node.args[0]):
        character = match.group(1)
        if character in OFTEN_MEANT:
            message = f"regex: \\{character} means {character} alone: the file takes the backslash off"
            yield node.problem(WARNING, message, f"write \\\\{character}", node.args[0])
            return


def _dns(node: Node) -> Iterator[Problem]:
    name, words = text(node, "name"), node.last("name")
    if name is None or words is None or name == ".":
        return
    labels = name.rstrip(".").split(".") if not name.endswith("..") else [""]
    reason: Optional[str] = None
    if not all(labels):
        reason = "has an empty part"
    elif any(len(label.encode("utf-8", "replace")) > _MAX_LABEL for label in labels):
        reason = f"has a part of more than {_MAX_LABEL} bytes"
    elif len(name.encode("utf-8", "replace")) > _MAX_NAME:
        reason = f"is longer than {_MAX_NAME} bytes"
    elif _BLANK.search(name):
        reason = "has a blank in it"
    if reason is not None:
        hint = "write a name as www.example.org, or . for the root"
        yield words.problem(ERROR, f"name '{name[:60]}' {reason}", hint, words.args[0])


def _udp(node: Node) -> Iterator[Problem]:
    for name, wildcards in (("payload", False), ("require_reply", True)):
        words = node.last(name)
        if words is not None:
            yield from _octets(words, wildcards)
    least, most, place = _number(node, "min_reply_length"), _number(node, "max_reply_length"), node
    limit = 255 if most is None else most
    if least is not None and least > limit:
        place = node.last("max_reply_length") or node.last("min_reply_length") or node
        message = f"min_reply_length {least} is more than max_reply_length {limit}: it would always fail"
        yield place.problem(ERROR, message, f"write max_reply_length {least} or more")


def _octets(words: Node, wildcards: bool) -> Iterator[Problem]:
    bad: List[Word] = [word for word in words.args if not _is_hexadecimal(word, wildcards)]
    if bad:
        hint = "write pairs of digits, as 00 ff 1b" + (", with x for any digit" if wildcards else "")
        yield words.problem(ERROR, f"{words.keyword}: '{bad[0][:40]}' is not hexadecimal", hint, bad[0])


def _is_hexadecimal(word: str, wildcards: bool) -> bool:
    if not word or not word.isascii() or (not wildcards and "x" in word.lower()):
        return False
    try:
        octets((word,))
    except ValueError:
        return False
    return not re.search(r"[\s_+-]", word)


def _number(block: Node, name: str) -> Optional[int]:
    """None also for what is no number, which the table has named."""
    try:
        return int(text(block, name) or "")
    except ValueError:
        return None


def _no_blank(block: Node, name: str) -> Iterator[Problem]:
    """What goes into a line of a request must not end it."""
    node = block.last(name)
    if node is not None and node.args and _BLANK.search(node.args[0]):
        hint = "write %20 for a blank" if name == "path" else "write it without blanks"
        yield node.problem(ERROR, f"{name} has a blank or a control character in it", hint, node.args[0])
