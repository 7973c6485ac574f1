"""Words as people type them against the values of a facet: prefixes, accents aside, small typos.

The subfield `words` of a facet holds its values' words, lower-cased and without accents but not
stemmed, so that the beginning of a word is the beginning of a term. The same rules are here in
Python, for what Elasticsearch's answer cannot say: which letters to mark, and which of a vehicle's
several features was meant.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

MOST_WORDS = 8
# Shorter words are too near to each other: with a typo allowed, "fit" would be a Fiat.
SHORTEST_TYPO = 4  # letters
# Of a longer word, the beginning decides: a pattern costs Elasticsearch about 0.1 ms a letter.
LONGEST_TYPO = 10
_WORD = re.compile(r"[^\W_]+(?:['\u2019.][^\W_]+)*")  # "John's" and "3.5" are one word
# What separates words for us as for the index; a point stays, as that of "2.5" does there.
_APART = re.compile(r"[^-\u2010-\u2015\s/,&+()]+")
_INSIDE = re.compile(r"[^\W_](?:.*[^\W_])?")
_PARTS = re.compile(r"\d+|\D+")
_LETTER = "[a-z0-9]"
# What loses nothing when decomposed, and is still written without.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th"}
    | {"\u0131": "i", "\u2019": "'"}  # an i without its dot, an apostrophe
)


def fold(text: str) -> str:
    """In lower case and without accents, as the analyzer `words` does it."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_PLAIN))
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def split(text: str) -> list[str]:
    """The words, as they were written; what has no letter and no digit is none."""
    return [text[start:end] for start, end in spans(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Where the words of `split` stand."""
    inside = (_INSIDE.search(text, *part.span()) for part in _APART.finditer(text))
    return [found.span() for found in inside if found]


def words(text: str) -> tuple[str, ...]:
    """The distinct words of a text, folded; the first 8."""
    return _words_of(text)[:MOST_WORDS]


@lru_cache(maxsize=20_000)  # values of facets: the same ones again and again
def _words_of(text: str) -> tuple[str, ...]:
    found = (fold(each) for each in _WORD.findall(unicodedata.normalize("NFC", text)))
    return tuple(dict.fromkeys(found))


def clause(field: str, word: str, *, typos: bool = False) -> dict[str, Any]:
    """That a word of the field's value begins with `word`; "f150" also finds "F-150"."""
    name = f"{field}.words"
    if typos and may_have_typo(word):
        return {"regexp": {name: {"value": _nearly(word)}}}
    begins: dict[str, Any] = {"prefix": {name: word}}
    parts = _PARTS.findall(word)
    if len(parts) == 1:
        return begins
    apart = {"bool": {"filter": [{"prefix": {name: part}} for part in parts]}}
    return {"bool": {"should": [begins, apart]}}


def matches(value: str, asked: Sequence[str], *, typos: bool = False) -> bool:
    """Whether every asked word is one of the value's by the rule of `clause`."""
    own = _words_of(value)
    return all(_found(own, word, typos=typos) for word in asked)


def _found(own: Sequence[str], word: str, *, typos: bool) -> bool:
    if typos and may_have_typo(word):
        return any(re.fullmatch(_nearly(word), each) for each in own)

    def begins(part: str) -> bool:
        return any(each.startswith(part) for each in own)

    return begins(word) or all(begins(part) for part in _PARTS.findall(word))


def may_have_typo(word: str) -> bool:
    """Only words of at least four plain letters: in a number every digit counts."""
    return len(word) >= SHORTEST_TYPO and word.isascii() and word.isalpha()


def _every_rest(word: str) -> str:
    if not word:
        return f"{_LETTER}?"
    choices = [f"{word[0]}({_every_rest(word[1:])})", _LETTER + word, _LETTER + word[1:], word[1:]]
    if len(word) > 1:
        choices.append(word[1] + word[0] + word[2:])
    return "|".join(choice or "()" for choice in dict.fromkeys(choices))


@lru_cache(maxsize=100)
def _nearly(word: str) -> str:
    """A pattern, both Lucene's and Python's, for words that begin with `word` but for one typo.

    One letter is wrong, missing, too many, or swapped with the next; the first is always right.
    """
    return f"{word[0]}({_every_rest(word[1:LONGEST_TYPO])}).*"


def mark(value: str, asked: Sequence[str]) -> str:
    """The value as HTML, what was typed of it between `<em>` and `</em>`."""
    parts = [part for word in asked for part in (word, *_PARTS.findall(word))]
    text = unicodedata.normalize("NFC", value)
    marked, end = [], 0
    for found in _WORD.finditer(text):
        whole = fold(found[0])
        typed = max((part for part in parts if whole.startswith(part)), key=len, default="")
        if typed:
            stop = found.start() + _letters(found[0], len(typed))
            marked.append(escape(text[end : found.start()]))
            marked.append(f"<em>{escape(text[found.start() : stop])}</em>")
            end = stop
    return "".join(marked) + escape(text[end:])


def _letters(word: str, folded: int) -> int:
    """How many letters of a word make so many of the folded one."""
    if word.isascii():
        return folded
    return next(n for n in range(1, len(word) + 1) if len(fold(word[:n])) >= folded)
