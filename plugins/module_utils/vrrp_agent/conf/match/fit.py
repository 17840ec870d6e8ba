# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 linuxha.vrrp contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fits the words of a line to the arguments and options that the grammar gives them."""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..tree import Word
from ..words import Arg, Keyword, Section, Type
from .judge import describe, judge


class Flaw(NamedTuple):
    """A word that does not fit, or None for one that is missing."""

    word: Optional[Word]
    message: str
    hint: str


class Option(NamedTuple):
    """An option met on a line: its word, its keyword, and its own arguments and options."""

    word: Word
    keyword: Keyword
    fit: Fit


class Fit(NamedTuple):
    """Words by argument name, options in order, and the first flaw (nothing after it is looked at)."""

    values: Dict[str, Tuple[Word, ...]]
    options: Tuple[Option, ...] = ()
    flaw: Optional[Flaw] = None

    def value(self, name: str) -> Optional[Word]:
        """The word given for an argument, or None."""
        words = self.values.get(name)
        return words[0] if words else None

    def option(self, name: str) -> Optional[Option]:
        """The last option that means ``name``."""
        found = None
        for option in self.options:
            if (option.keyword.alias_of or option.keyword.name) == name:
                found = option
        return found

    def flag(self, name: str) -> bool:
        """True when the option stands on the line."""
        return self.option(name) is not None


NOTHING_FITS = Fit({})
NO_WORDS: Mapping[str, Keyword] = {}


def fit_keyword(keyword: Keyword, words: Sequence[Word], sections: Mapping[str, Section]) -> Fit:
    """Fits what follows a keyword in a block of keywords."""
    best_used, best = -1, NOTHING_FITS
    stop = sections[keyword.options].index if keyword.options else NO_WORDS
    for args in (keyword.args, *keyword.forms):
        used, fit = _arguments(args, words, stop)
        if fit.flaw is None and keyword.options:
            used, fit = _pairs(sections[keyword.options], words, used, fit, sections, NO_WORDS)
        if fit.flaw is None and used < len(words):
            fit = fit._replace(flaw=_left_over(keyword, args, words[used], sections))
        if fit.flaw is None:
            return fit
        if used > best_used:
            best_used, best = used, fit
    return best


def fit_line(section: Section, words: Sequence[Word], sections: Mapping[str, Section]) -> Fit:
    """Fits a line of a LINES block: its item words, then options (anywhere, if the item is unordered)."""
    values: Dict[str, Tuple[Word, ...]] = {}
    options: List[Option] = []
    pending = list(section.item)
    index = 0
    while index < len(words):
        word = words[index]
        keyword = section.index.get(word)
        may_option = section.unordered_item or not pending or all(arg.optional for arg in pending)
        if keyword is not None and may_option:
            index, option = _option(keyword, words, index, sections, section.index)
            options.append(option)
            if keyword.fills:
                for name, given in option.fit.values.items():
                    values[keyword.fills if name == keyword.args[-1].name else name] = given
                pending = [arg for arg in pending if arg.name != keyword.fills]
            if option.fit.flaw is not None:
                return Fit(values, tuple(options), option.fit.flaw)
            continue
        if not pending:
            return Fit(values, tuple(options), _unknown_option(word, section))
        used, fit = _arguments(pending, words[index:], section.index)
        values.update(fit.values)
        if fit.flaw is not None:
            return Fit(values, tuple(options), fit.flaw)
        pending = []
        if used == 0:
            return Fit(values, tuple(options), _unknown_option(word, section))
        index += used
    missing = next((arg for arg in pending if not arg.optional), None)
    flaw = Flaw(None, f"{missing.name} is missing", f"write {describe(missing)}") if missing else None
    return Fit(values, tuple(options), flaw)


def _arguments(args: Sequence[Arg], words: Sequence[Word], stop: Mapping[str, Keyword]) -> Tuple[int, Fit]:
    """Fits words to arguments in order. Returns how many were used, and the fit."""
    values: Dict[str, Tuple[Word, ...]] = {}
    index = 0
    for position, arg in enumerate(args):
        has_word = index < len(words) and (words[index] not in stop or words[index] in arg.choices)
        if not has_word:
            if arg.optional:
                continue
            message = f"{arg.name} is missing"
            return index, Fit(values, flaw=Flaw(None, message, f"write {describe(arg)}"))
        if arg.type is Type.TEXT:
            values[arg.name] = tuple(words[index:])
            index = len(words)
            continue
        misfit = judge(arg, words[index])
        if misfit is not None:
            if arg.optional and (position + 1 < len(args) or arg.type is Type.CHOICE):
                continue
            return index, Fit(values, flaw=Flaw(words[index], *misfit))
        start = index
        index += 1
        while arg.many and index < len(words) and words[index] not in stop:
            misfit = judge(arg, words[index])
            if misfit is not None:
                return index, Fit(values, flaw=Flaw(words[index], *misfit))
            index += 1
        values[arg.name] = tuple(words[start:index])
    return index, Fit(values)


def _pairs(
    section: Section,
    words: Sequence[Word],
    index: int,
    fit: Fit,
    sections: Mapping[str, Section],
    outer: Mapping[str, Keyword],
) -> Tuple[int, Fit]:
    """Fits the ``word value`` pairs of an OPTIONS section, as far as they go."""
    options = list(fit.options)
    while index < len(words):
        keyword = section.index.get(words[index])
        if keyword is None:
            break
        index, option = _option(keyword, words, index, sections, {**outer, **section.index})
        options.append(option)
        if option.fit.flaw is not None:
            return index, Fit(fit.values, tuple(options), option.fit.flaw)
    return index, Fit(fit.values, tuple(options))


def _option(
    keyword: Keyword,
    words: Sequence[Word],
    index: int,
    sections: Mapping[str, Section],
    stop: Mapping[str, Keyword],
) -> Tuple[int, Option]:
    """Fits one option that starts at ``index``. Returns where the next word stands."""
    word = words[index]
    index += 1
    used, fit = _arguments(keyword.args, words[index:], stop)
    if fit.flaw is not None and fit.flaw.word is None:
        fit = fit._replace(flaw=Flaw(word, f"{word}: {fit.flaw.message}", fit.flaw.hint))
    index += used
    if fit.flaw is None and keyword.options:
        index, fit = _pairs(sections[keyword.options], words, index, fit, sections, stop)
    return index, Option(word, keyword, fit)


def _left_over(keyword: Keyword, args: Sequence[Arg], word: Word, sections: Mapping[str, Section]) -> Flaw:
    if keyword.options:
        return _unknown_option(word, sections[keyword.options])
    if not args:
        return Flaw(
            word, f"{keyword.name} takes no argument, but '{word}' follows", f"write '{keyword.name}' alone"
        )
    form = " ".join(f"[{arg.name}]" if arg.optional else arg.name for arg in args)
    optional = args[-1]
    if optional.optional:
        misfit = judge(optional, word)
        if misfit is not None:
            return Flaw(word, *misfit)
    return Flaw(
        word,
        f"'{word}' is one word too many",
        f"write '{keyword.name} {form}'; put words with blanks in \"\"",
    )


def _unknown_option(word: Word, section: Section) -> Flaw:
    from .lookup import nearest  # only met when something is wrong

    near = nearest(word, list(section.index))
    if near:
        return Flaw(word, f"unknown word '{word}'", f"did you mean '{near}'?")
    known = ", ".join(section.index)
    return Flaw(word, f"unknown word '{word}'", f"possible here: {known}" if known else "one item per line")
