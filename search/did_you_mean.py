"""What a text with unknown words was probably meant to be: known words that are near.

Near is what a search takes for a similar word as well: four letters or more, no digit, the first
one right, one wrong, missing, too many or swapped, from eight on two. A last word may also be the
beginning of one: "jeep wr".
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from itertools import pairwise

from search.letters import distance, wrong_letters
from search.query.text import is_optional
from search.typos import is_known, may_be_misspelt, misspelt
from search.words import fold, spans, split

MOST = 3  # texts that are proposed; the first that finds something is shown
MOST_WORDS = 3  # that are looked up
_SURE = 6  # letters of a word that is hardly near another one by chance
# A word of fewer letters than that with another letter in it may well be a word of its own, as
# "sale" is beside Salt: what it is taken for must be this common beside the commonest word.
_COMMON = 0.01
_SHORTEST_HALF = 3  # letters of each of two words that were written as one
MOST_BEGUN = 10  # words that one may become
_SHORTEST_BEGUN = 2  # letters that say what is begun
MOST_REMEMBERED = 100  # words that were looked up last, of several texts at once


Ends = Callable[[str], Sequence[str]]  # of a folded word


@dataclass(frozen=True, slots=True)
class Replaced:
    """What stood from `start` to `end` of a text, and what it gave way to."""

    start: int
    end: int
    words: str
    meant: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A text as it was probably meant."""

    text: str
    replaced: tuple[Replaced, ...]


class NearWords:
    """Known words by their first letter and length, each with the set of its letters as bits.

    One edit changes at most two bits, so nearly all words are ruled out by one operation. Of 10,000
    words a look-up takes about a tenth of a millisecond.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = words
        self._common = max(words.values(), default=0) * _COMMON
        self._sorted = sorted(words)
        # Where nothing is found, each search that is tried instead asks for the same words.
        self._remembered = lru_cache(MOST_REMEMBERED)(self._look_up)
        self._alike: dict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
        for word in words:
            if word.isalpha() and len(word) >= _SHORTEST_HALF:
                self._alike[word[0], len(word)].append((_letters(word), word))

    def near(self, word: str) -> list[str]:
        """The nearest first, of equally near ones the one that more vehicles have."""
        return [*self._remembered(word)]

    def _look_up(self, word: str) -> list[str]:
        if not may_be_misspelt(word):
            return []
        most = wrong_letters(word)
        own = _letters(word)
        found = []
        for length in range(len(word) - most, len(word) + most + 1):
            for letters, known in self._alike.get((word[0], length), ()):
                if (letters ^ own).bit_count() <= 2 * most:
                    edits = distance(word, known, most)
                    if edits is not None and not self._by_chance(word, known):
                        found.append((edits, -self._words[known], known))
        return [known for _, _, known in sorted(found)[:MOST]]

    def begun(self, word: str) -> tuple[str, ...]:
        """The words that begin with a folded one, the most common first; none if it is whole."""
        if is_known(word, self._words):
            return ()
        first = bisect_left(self._sorted, word)
        end = bisect_left(self._sorted, word + "\U0010ffff")
        longer = self._sorted[first:end]
        return tuple(nsmallest(MOST_BEGUN, longer, key=lambda each: (-self._words[each], each)))

    def _by_chance(self, word: str, known: str) -> bool:
        other_letter = len(word) == len(known) and sorted(word) != sorted(known)
        return len(word) < _SURE and other_letter and self._words[known] < self._common


def _letters(word: str) -> int:
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits


def similar(text: str, words: Mapping[str, int], near: NearWords) -> dict[str, tuple[str, ...]]:
    """The words of a text that may be misspelt, folded, each with the near ones that there are."""
    return {word: tuple(near.near(word)) for word in misspelt(text, words)}


def corrections(
    text: str, unknown: str, words: Mapping[str, int], near: NearWords, ends: Ends | None = None
) -> list[Correction]:
    """Up to three texts that may have been meant, the likeliest first.

    `unknown` is the part of the text that nothing was understood of; `ends` says what the last word
    may be the beginning of.
    """
    suspects = misspelt(unknown, words)[:MOST_WORDS]
    choices = _choices(text, suspects, words, near)
    if ends and not choices:
        choices = _ended(text, unknown, words, ends)
    if not choices:
        return []
    texts: dict[str, Correction] = {}
    for rank in range(MOST):
        chosen = [options[min(rank, len(options) - 1)] for options in choices]
        correction = _correct(text, chosen)
        texts.setdefault(correction.text, correction)
    return list(texts.values())


def surest(text: str, likeliest: Correction) -> str:
    """The text with the long words of its likeliest correction only."""
    long = [each for each in likeliest.replaced if len(each.words) >= _SURE]
    return _correct(text, long).text


def _choices(
    text: str, suspects: Collection[str], words: Mapping[str, int], near: NearWords
) -> list[list[Replaced]]:
    """For each suspect of the text with something near, what may have been meant, best first."""
    places = spans(text)
    folded = [fold(text[start:end]) for start, end in places]
    found = []
    for index, word in enumerate(folded):
        if word not in suspects:
            continue
        start, end = places[index]
        written = text[start:end]
        options = [*_joined(text, places, index, words)]
        options += [Replaced(start, end, written, known) for known in near.near(word)]
        options += [Replaced(start, end, written, two) for two in _apart(word, words)]
        if options:
            found.append(options)
    return found


def _ended(text: str, unknown: str, words: Collection[str], ends: Ends) -> list[list[Replaced]]:
    """The last word as the names that it begins, if it alone is unknown: of a request, not of talk.

    Of talk any last word may begin a name: "Thanks a lot" is not about a Lotus.
    """
    places, left = spans(text), [fold(each) for each in split(unknown)]
    if not left or fold(text[slice(*places[-1])]) != left[-1]:
        return []
    *others, word = left
    if is_optional(word) or not word.isalpha() or len(word) < _SHORTEST_BEGUN:
        return []
    said = [each for each in others if not is_optional(each)]
    asks = said or len(left) < len(places)  # as does what was understood
    if not (asks or len(places) == 1) or not all(is_known(each, words) for each in said):
        return []
    start, end = places[-1]
    options = [Replaced(start, end, text[start:end], name) for name in ends(word)[:MOST]]
    return [options] if options else []


def _joined(
    text: str, places: list[tuple[int, int]], index: int, words: Mapping[str, int]
) -> Iterator[Replaced]:
    """The word with a neighbour, where they are one: "mustan g"."""
    for left, right in pairwise(places[max(index - 1, 0) : index + 2]):
        whole = fold(text[slice(*left)] + text[slice(*right)])
        if whole in words:
            yield Replaced(left[0], right[1], text[left[0] : right[1]], whole)


def _apart(word: str, words: Mapping[str, int]) -> Iterator[str]:
    """The word as two, where both are known: "jeephawaii"."""
    for middle in range(_SHORTEST_HALF, len(word) - _SHORTEST_HALF + 1):
        left, right = word[:middle], word[middle:]
        if left in words and right in words:
            yield f"{left} {right}"


def _correct(text: str, chosen: list[Replaced]) -> Correction:
    parts, at, kept = [], 0, []
    for each in sorted(chosen, key=lambda each: each.start):
        if each.start < at:
            continue  # its neighbour has been joined with it
        parts += [text[at : each.start], each.meant]
        at = each.end
        kept.append(each)
    return Correction("".join([*parts, text[at:]]), tuple(kept))
