"""Text as tokens that know where they stood, and as one folded line that grammars match."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from copy import copy
from functools import lru_cache
from itertools import accumulate
from typing import Self

from msgspec import Struct

# Letters that do not decompose into a base letter and an accent.
_LETTERS = str.maketrans({"ħ": "h", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})
_TOKEN = re.compile(r"\d+(?:[.,]\d+)+(?![^\W_])|[^\W_]+|[^\w\s]")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u02bb\u2018\u00b4`", "'"))


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    return bare.translate(_LETTERS)


@lru_cache(maxsize=20_000)
def key(text: str) -> str:
    """Letters and digits only: `F-150`, `f 150` and `f150` are one key."""
    return "".join(character for character in fold(text) if character.isalnum())


class Span(Struct, frozen=True, gc=False):
    """Where something stands in a line of tokens: from `first` up to, without, `end`."""

    first: int
    end: int

    def __len__(self) -> int:
        """The number of tokens."""
        return self.end - self.first


class Line:
    """A text as tokens; `folded` has one blank between any two of them, signs included."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = _TOKEN.finditer(text.translate(_APOSTROPHES))
        # Of an accent that stands alone nothing is left.
        tokens = [(match.span(), word) for match in found if (word := fold(match.group()))]
        self.places = [place for place, _ in tokens]
        self.tokens = [word for _, word in tokens]
        self._keep(range(len(self.tokens)))

    def _keep(self, kept: Iterable[int]) -> None:
        self._kept = [*kept, len(self.tokens)]
        words = [self.tokens[index] for index in self._kept[:-1]]
        self.folded = " ".join(words)
        self._starts = [0, *accumulate(len(word) + 1 for word in words)]

    def without(self, pattern: re.Pattern[str]) -> Self:
        """The line for grammars to which the pattern's group `skip` says nothing.

        A span that ends before what is skipped takes it in, and so does one from before to after.
        """
        skipped = {
            index
            for match in pattern.finditer(self.folded)
            for span in [self.span(*match.span("skip"))]
            for index in range(span.first, span.end)
        }
        if not skipped:
            return self
        line = copy(self)
        line._keep(index for index in self._kept[:-1] if index not in skipped)  # noqa: SLF001
        return line

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Span]]:
        """Matches of a pattern over `folded`, each with the tokens it covers."""
        for match in pattern.finditer(self.folded):
            yield match, self.span(match.start(), match.end())

    def span(self, start: int, end: int) -> Span:
        """The tokens of a part of `folded`."""
        return Span(*(self._kept[bisect_left(self._starts, at)] for at in (start, end)))

    def offsets(self, span: Span) -> tuple[int, int]:
        """Where the span's words stand in the text."""
        return self.places[span.first][0], self.places[span.end - 1][1]

    def in_capitals(self, index: int) -> bool:
        """Whether a word was written in capitals in a text that is not all capitals."""
        start, end = self.places[index]
        return self.text[start:end].isupper() and not self.text.isupper()
