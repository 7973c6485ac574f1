"""Which words of a text may be misspelt: those that nothing is described by."""

from collections.abc import Container

from search.aliases import also_called
from search.understand.aliases import OPTIONAL
from search.understand.date_patterns import MONTHS
from search.words import SHORTEST_TYPO, fold, split


def misspelt(text: str, known: Container[str]) -> tuple[str, ...]:
    """The words of `text`, folded, that may be misspelt: letters only, four or more, not known.

    A short word or a digit is one letter away from another name: `fit` from Fiat, `cx5` from X5.
    `known` are the words of a vocabulary.
    """
    words = dict.fromkeys(fold(word) for word in split(text))
    return tuple(word for word in words if may_be_misspelt(word) and not is_known(word, known))


def may_be_misspelt(word: str) -> bool:
    """Whether a folded word is long and plain enough."""
    # The plural of a short word is short, too. A month is one letter away from a Juke or a Mach-E.
    letters = len(word.removesuffix("s"))
    plain = word.isalpha() and word not in OPTIONAL and word not in MONTHS
    return letters >= SHORTEST_TYPO and plain


def is_known(word: str, known: Container[str]) -> bool:
    """Whether a folded word, or the one that it is the plural of, means something."""
    return bool(also_called(word)) or word in known or word.removesuffix("s") in known
