"""Words as search compares them: cut at spaces and hyphens, without case or accents."""

import re
from unicodedata import combining, normalize

# What separates words for us as for the index; a point stays, as that of "2.5" does there.
_BETWEEN = re.compile(r"[-\u2010-\u2015\s/,&+()]+")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def split(text: str) -> list[str]:
    """The words, as they were written; what has no letter and no digit is none."""
    words = (_EDGES.sub("", part) for part in _BETWEEN.split(text))
    return [word for word in words if word]


def fold(word: str) -> str:
    """The word in lower case and without accents."""
    apart = normalize("NFKD", word.casefold())
    return "".join(character for character in apart if not combining(character))
