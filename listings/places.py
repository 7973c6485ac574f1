"""Places in display form: cities, states, countries, and the time zone of a spot in the US."""

import re
from decimal import Decimal
from typing import NamedTuple

from listings.normalise import fold

UNITED_STATES, CANADA, FRANCE = "United States", "Canada", "France"
COUNTRIES = {"us": UNITED_STATES, "ca": CANADA, "fr": FRANCE}
PROVINCES = {
    "ab": "Alberta", "bc": "British Columbia", "mb": "Manitoba", "nb": "New Brunswick",
    "nl": "Newfoundland and Labrador", "ns": "Nova Scotia", "nt": "Northwest Territories",
    "nu": "Nunavut", "on": "Ontario", "pe": "Prince Edward Island", "qc": "Québec",
    "sk": "Saskatchewan", "yt": "Yukon",
}  # fmt: skip

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
)  # fmt: skip
_STATES = {
    "al": ("Alabama", CENTRAL), "ak": ("Alaska", "America/Anchorage"),
    "az": ("Arizona", "America/Phoenix"), "ar": ("Arkansas", CENTRAL),
    "ca": ("California", PACIFIC), "co": ("Colorado", MOUNTAIN), "ct": ("Connecticut", EASTERN),
    "de": ("Delaware", EASTERN), "dc": ("District of Columbia", EASTERN),
    "fl": ("Florida", EASTERN), "ga": ("Georgia", EASTERN), "hi": ("Hawaii", "Pacific/Honolulu"),
    "id": ("Idaho", "America/Boise"), "il": ("Illinois", CENTRAL),
    "in": ("Indiana", "America/Indiana/Indianapolis"), "ia": ("Iowa", CENTRAL),
    "ks": ("Kansas", CENTRAL), "ky": ("Kentucky", EASTERN), "la": ("Louisiana", CENTRAL),
    "me": ("Maine", EASTERN), "md": ("Maryland", EASTERN), "ma": ("Massachusetts", EASTERN),
    "mi": ("Michigan", "America/Detroit"), "mn": ("Minnesota", CENTRAL),
    "ms": ("Mississippi", CENTRAL), "mo": ("Missouri", CENTRAL), "mt": ("Montana", MOUNTAIN),
    "ne": ("Nebraska", CENTRAL), "nv": ("Nevada", PACIFIC), "nh": ("New Hampshire", EASTERN),
    "nj": ("New Jersey", EASTERN), "nm": ("New Mexico", MOUNTAIN), "ny": ("New York", EASTERN),
    "nc": ("North Carolina", EASTERN), "nd": ("North Dakota", CENTRAL), "oh": ("Ohio", EASTERN),
    "ok": ("Oklahoma", CENTRAL), "or": ("Oregon", PACIFIC), "pa": ("Pennsylvania", EASTERN),
    "ri": ("Rhode Island", EASTERN), "sc": ("South Carolina", EASTERN),
    "sd": ("South Dakota", CENTRAL), "tn": ("Tennessee", CENTRAL), "tx": ("Texas", CENTRAL),
    "ut": ("Utah", MOUNTAIN), "vt": ("Vermont", EASTERN), "va": ("Virginia", EASTERN),
    "wa": ("Washington", PACIFIC), "wv": ("West Virginia", EASTERN), "wi": ("Wisconsin", CENTRAL),
    "wy": ("Wyoming", MOUNTAIN),
}  # fmt: skip
STATES = {code: name for code, (name, _) in _STATES.items()}
_ZONES = dict(_STATES.values())


class _Part(NamedTuple):
    """A part of a state, in degrees, that keeps another time than the rest."""

    zone: str
    west: float = -180
    east: float = 180
    south: float = -90
    north: float = 90


# Straight lines for borders that follow counties: right but for a strip beside the border, where
# the clock is an hour off, which a rental by the day does not notice.
_SPLIT = {
    "Florida": (_Part(CENTRAL, east=-85.1, south=29.6),),
    "Idaho": (_Part(PACIFIC, south=45.5),),
    "Indiana": (
        _Part(CENTRAL, east=-86.7, south=40.9),
        _Part(CENTRAL, east=-86.8, north=38.5),
    ),
    "Kansas": (_Part(MOUNTAIN, east=-101.5),),
    "Kentucky": (_Part(CENTRAL, east=-86.3), _Part(CENTRAL, east=-84.9, north=37.3)),
    "Michigan": (_Part(CENTRAL, east=-87.6, south=45.1, north=46.6),),
    "Nebraska": (_Part(MOUNTAIN, east=-101.3),),
    "North Dakota": (_Part(MOUNTAIN, east=-101.3, north=47.5),),
    "Oregon": (_Part("America/Boise", west=-118.2, north=44.5),),
    "South Dakota": (_Part(MOUNTAIN, east=-100.4),),
    "Tennessee": (_Part(EASTERN, west=-85.4, north=35.4), _Part(EASTERN, west=-84.9)),
    "Texas": (_Part(MOUNTAIN, east=-104.9),),
}


def us_time_zone(state: str | None, lat: Decimal | None, lon: Decimal | None) -> str:
    """The time zone of a spot in `state` (its full name); UTC where that cannot be told."""
    if state is None or state not in _ZONES:
        return "UTC"
    parts = _SPLIT.get(state, ())
    if not parts:
        return _ZONES[state]
    if lat is None or lon is None:
        return "UTC"
    for part in parts:
        if part.west <= lon < part.east and part.south <= lat < part.north:
            return part.zone
    return _ZONES[state]


_CITIES = {
    (country, fold(name)): name
    for country, names in {
        UNITED_STATES: ("Land O' Lakes", "Wheat Ridge"),
        CANADA: ("Montréal", "Québec", "Lévis", "Trois-Rivières", "Côte Saint-Luc"),
    }.items()
    for name in names
}
_SMALL_WORDS = frozenset({"of", "in", "the", "on", "by", "and", "de", "del", "la", "las", "los",
                          "du", "des", "le", "les", "sur", "sous", "'n'"})  # fmt: skip
_SHOUTED = 4


def city(text: str, country: str | None) -> str:
    """A city's name with its accents and capitals: `FAIRBANKS`, `denver`, `West palm Beach`.

    Capitals inside a word (McAllen, DeLand, SeaTac) are the name's own and stay.
    """
    known = _CITIES.get((country or "", fold(text)))
    if known is not None:
        return known
    shouted = text.isupper() and len(fold(text)) >= _SHOUTED
    words = (text.lower() if shouted else text).split(" ")
    return " ".join(
        word if word in _SMALL_WORDS and n > 0 else _capitalised(word)
        for n, word in enumerate(words)
    )


def _capitalised(word: str) -> str:
    """A word without any capital gets those of a name: Winston-Salem, O'Fallon, McAllen."""
    if word != word.lower():
        return word
    word = "-".join(part[:1].upper() + part[1:] for part in word.split("-"))
    return re.sub(r"^(Mc|O')(\w)", lambda match: match[1] + match[2].upper(), word)
