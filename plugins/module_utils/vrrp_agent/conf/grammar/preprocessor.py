# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is written between the keywords: the lexer's rules and the words that are handled before parsing.

These rows are for the reference page; ``conf/source.py``, ``macros.py`` and ``includes.py`` do what they say.
"""

from __future__ import annotations

from typing import Tuple

from ..words import Arg, Keyword, Section, Type

_FILE = (Arg("FILE", Type.PATH),)


def _rule(name: str, meaning: str, since: str = "1.1.0") -> Keyword:
    return Keyword(name, meaning, supported=True, since=since)


def _include(name: str, meaning: str, since: str = "2.2.0") -> Keyword:
    return Keyword(name, meaning, args=_FILE, repeatable=True, supported=True, since=since)


PREPROCESSOR: Tuple[Section, ...] = (
    Section(
        "(lexer)",
        "How a line is read.",
        keywords=(
            _rule("# !", "Begin a comment outside double quotes, to the end of the line."),
            _rule("line", "One statement stands on one line of at most 1023 bytes."),
            _rule("{ }", "Open and close a block, wherever they stand on the line outside quotes."),
            _rule('"..."', "One word that keeps its blanks; there are no escapes inside."),
            _rule(
                "'...' \"...\" \\x",
                "In commands, words are quoted as a shell does.",
                "2.0.0",
            ),
            Keyword(
                "\\escape",
                "In regex, \\a \\b \\E \\f \\n \\r \\t \\v \\nnn \\xXX \\cC are control characters.",
                supported=True,
                since="2.0.7",
            ),
            _rule("\\ at the end of a line", "Continues a definition of several lines.", "1.4.0"),
            _rule("BOOL", "true, on or yes; false, off or no; a missing word is true.", "1.2.20"),
            _rule("TIMER", "Seconds with an optional fraction, kept to the microsecond.", "1.3.7"),
            _rule("number errors", "Anything but a number in the range is an error.", "2.0.0"),
            _rule("unknown keyword", "An error; --lenient makes it a warning and skips its block whole."),
        ),
    ),
    Section(
        "(preprocessor) definitions",
        "Text that stands for other text.",
        keywords=(
            _rule("$NAME=VALUE", "Defines a macro, to the end of the line.", "1.4.0"),
            _rule(
                "$NAME= \\ (several lines)",
                "Defines a macro of several lines, each but the last ended by a backslash.",
                "1.4.0",
            ),
            _rule(
                "$NAME ${NAME}",
                "Uses a macro; a name that is not defined stays as it stands.",
                "1.4.0",
            ),
            _rule("${_PWD}", "Directory of the file being read.", "1.4.3"),
            _rule("${_INSTANCE}", "Value of the keyword instance.", "2.0.1"),
            _rule(
                "${_RANDOM [MIN [MAX]]}",
                "A random whole number, from 0 to 32767 without limits.",
                "2.0.15",
            ),
            _rule("${_ENV VAR}", "Value of an environment variable.", "2.4.0"),
            _rule("${_HASH}", "A # that begins no comment.", "2.1.4"),
            _rule("${_BANG}", "A ! that begins no comment.", "2.1.4"),
            _rule(
                "~SEQ(VAR, [START, [STEP,]] END) TEXT",
                "Repeats the text for every number of a sequence.",
                "2.0.9",
            ),
            _rule("~SEQx(VAR, ...) TEXT", "The same with hexadecimal numbers.", "2.1.0"),
            _rule("~LST(VAR, V1, V2, ...) TEXT", "Repeats the text for every word of a list.", "2.1.0"),
            _rule(
                "~LST({A,B}, {1,2}, {3,4}) TEXT",
                "The same with several variables in every round.",
                "2.1.0",
            ),
        ),
    ),
    Section(
        "(preprocessor) conditional",
        "Lines for some hosts only.",
        keywords=(
            _rule(
                "@ID LINE",
                "Uses the line only if ID is the config id, or else the first label of the host name.",
                "1.3.0",
            ),
            _rule("@^ID LINE", "Uses the line only if ID is not the config id.", "1.3.7"),
        ),
    ),
    Section(
        "(preprocessor) include",
        "Other files, wherever a keyword may stand.",
        keywords=(
            _include(
                "include",
                "Reads the files that match, in sorted order; include_check says which problems are errors.",
                "1.1.14",
            ),
            _include("includer", "The same; a file that cannot be read is an error."),
            _include("includem", "The same; a plain name that matches nothing is an error."),
            _include("includew", "The same; a wildcard that matches nothing is an error."),
            _include("includeb", "The same; a brace alternative that matches nothing is an error."),
            _include("includea", "The same; all of these problems are errors."),
        ),
    ),
)
