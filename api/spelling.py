"""What hosts write, in the marketplace's spelling: "chevy" is a Chevrolet, as in an import.

The words are those of `listings.normalise`: a vehicle that a host enters and one that an import
brings stand under the same facet. Names that nobody knows stay as they are; of body, fuel and
gearbox there are only the known ones. Every function is for pydantic's `AfterValidator`.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from zoneinfo import available_timezones

from listings import normalise, places
from listings.normalise import AUTOMATIC, BODIES, FEATURES, FUELS, MANUAL, fold

# PostgreSQL does not know it, and no two machines mean the same by it.
_NO_PLACE = "localtime"


def line(text: str) -> str:
    """A name on one line, white space made plain and each accent one with its letter."""
    clean = " ".join(unicodedata.normalize("NFC", text).split()).replace(
        "\N{RIGHT SINGLE QUOTATION MARK}", "'"
    )
    if not clean:
        raise ValueError("must not be blank")
    if not clean.isprintable():
        raise ValueError("must not hold control characters")
    return clean


def name(text: str) -> str:
    """A line with a letter or a digit in it."""
    clean = line(text)
    if not any(character.isalnum() for character in clean):
        raise ValueError("must hold a letter or a digit")
    return clean


def prose(text: str) -> str:
    """A text of several lines."""
    clean = text.replace("\r\n", "\n").strip()
    if any(unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t" for each in clean):
        raise ValueError("must not hold control characters")
    return clean


def make(text: str) -> str:
    """A manufacturer."""
    return normalise.make(name(text))


def features(given: Iterable[str]) -> list[str]:
    """Features in display form, each once, in order."""
    return sorted({FEATURES.get(fold(text), text) for text in map(name, given)})


def one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    """A validator of one of the values of `words`, by one of its keys or by itself."""
    known = {fold(key): value for key, value in words.items()}
    known |= {fold(value): value for value in words.values()}
    message = f"must be one of {', '.join(sorted(set(words.values())))}"

    def spelled(text: str) -> str:
        if fold(text) not in known:
            raise ValueError(message)
        return known[fold(text)]

    return spelled


body, fuel = one_of(BODIES), one_of(FUELS)
transmission = one_of({"automatic": AUTOMATIC, "manual": MANUAL})


def country(text: str) -> str:
    """A country's name; the codes of those that imports come from are names too."""
    clean = name(text)
    return places.COUNTRIES.get(clean.casefold(), clean)


def region(text: str, of_country: str | None) -> str:
    """A state, province or island group; "HI" is Hawaii in the United States."""
    codes = {places.UNITED_STATES: places.STATES, places.CANADA: places.PROVINCES}
    return codes.get(of_country or "", {}).get(text.casefold(), text)


def time_zone(text: str) -> str:
    """An IANA name."""
    if text not in _zones():
        raise ValueError("must be an IANA time zone, such as Pacific/Honolulu")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {_NO_PLACE})
