"""How far words are from each other, by the letters that are wrong."""

LONG = 8  # letters from which on two may be wrong


def wrong_letters(word: str) -> int:
    """How many letters of a word may be wrong."""
    return 2 if len(word) >= LONG else 1


def likeness(word: str, known: str) -> float:
    """The share of right letters, of the shorter of two words that are near each other."""
    wrong = distance(word, known, wrong_letters(word)) or 0
    return 1 - wrong / min(len(word), len(known))


def distance(one: str, other: str, most: int) -> int | None:
    """How many letters are wrong, missing, too many or swapped with the next; None above `most`."""
    same = 0
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            break
        same += 1
    one, other = one[same:], other[same:]
    if not one or not other:
        rest = len(one) + len(other)
        return rest if rest <= most else None
    if not most:
        return None
    ways = [(one[1:], other[1:]), (one[1:], other), (one, other[1:])]
    if one[:2] == other[1::-1]:
        ways.append((one[2:], other[2:]))
    edits = [distance(*way, most - 1) for way in ways]
    return min((1 + each for each in edits if each is not None), default=None)
