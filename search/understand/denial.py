"""What a text says is not wanted: "no SUV", "anything but a Toyota", "I don't need a child seat"."""

from search.understand.words import Line

_NOT = frozenset(
    ["no", "not", "without", "except", "excluding", "avoid", "non", "never", "nor", "dont"]
)
# What may stand between a denial and what it denies: "don't want to be in Hilo", "not only a Jeep".
_BETWEEN = frozenset(
    ["a", "an", "the", "any", "in", "at", "to", "of", "for", "near", "around", "from", "with",
     "be", "pay", "spend", "anything", "want", "need", "like", "have", "get", "rent", "drive", "see", "show", "me", "interested",
     "only", "just", "necessarily", "really"]
)  # fmt: skip
_ARTICLES = frozenset(["a", "an", "any", "want", "need"])
_ALL = frozenset(["any", "anything", "every", "everything", "all"])


def denied_from(line: Line, first: int, *, described: bool = False) -> int | None:
    """Where the words begin that deny what stands at `first`; None if nothing does.

    `described`: any one word may stand before what is denied, as in "don't want a big SUV".
    """
    tokens = line.tokens
    at = first
    if described and at > 1 and tokens[at - 1].isalpha() and tokens[at - 2] in _ARTICLES:
        at -= 1
    while at and tokens[at - 1] in _BETWEEN:
        at -= 1
    if at > 1 and tokens[at - 2 : at] == ["non", "-"]:
        at -= 1
    match tokens[max(at - 3, 0) : at]:
        case [*_, "'", "t"]:  # don't
            return max(at - 3, 0)
        case [*_, ("other" | "rather"), "than"] | [*_, ("don" | "isn" | "doesn"), "t"]:
            return at - 2
        case [*before, "but"] if not _ALL.isdisjoint(before):  # not "small but automatic"
            return at - 1
        case [*_, word] if word in _NOT:
            return at - 1
    return None
