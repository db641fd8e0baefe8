"""Words, names, numbers and dates as reader, verifier and dialogue see them; pure, English first."""

from __future__ import annotations

import re
from functools import lru_cache

STOP_WORDS = frozenset(
    "a about after all also am an and any are as at be because been before being but by can could did do does doing "
    "during each for from further had has have having he her here hers him his how i if in into is it its itself just "
    "many may me might more most much must my no nor not now of off on once only or other our out over own same shall "
    "she should so some such than that the their theirs them then there these they this those through to too under up "
    "upon us very was we were what when where whether which while who whom whose why will with would you your "
    "s t re ve ll d m".split()
)
# Verbs of asking and telling: they shape a question, and name nothing in the archive.
ASKING_WORDS = frozenset("say says said tell told give gave name named describe explain happen happened".split())

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+(?:[’'-]\w+)*")
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBER_WORDS = {word: value for value, word in enumerate(_UNITS)} | {
    word: 20 + 10 * index for index, word in enumerate(_TENS)
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_NAME = re.compile(
    r"\b[^\W\d_a-z][\w’'.-]*[\w](?:(?:\s+(?:of|the|de|van|von|al|bin|da|del))?\s+[^\W\d_a-z][\w’'-]*\w|\s+[A-Z]\.)*"
    r"|[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]{2,}"
)
MONTHS = (
    "january february march april may june july august september october november december".split()
)  # fmt: skip
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_CALENDAR = frozenset([*MONTHS, *WEEKDAYS])


def tokens(text: str) -> list[str]:
    """Return the words and numbers of `text`, lower case, in order."""
    return [match.group().lower().replace("’", "'") for match in _TOKEN.finditer(text)]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return a crude stem: enough to bring "killed", "kills" and "killing" together."""
    word = word.removesuffix("'s").replace(",", "")
    if len(word) <= 3 or not word.isalpha():
        return word
    for ending, put in (("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _undouble(word[: len(word) - len(ending)] + put)
    if word.endswith("es") and len(word) > 4 and word[-3] in "sxzh":
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


def content_stems(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, each once, in order."""
    kept = (word for word in tokens(text) if word not in STOP_WORDS and word not in ASKING_WORDS)
    return list(dict.fromkeys(stem(word) for word in kept))


def numbers(text: str) -> list[float]:
    """Return the values of the numbers in `text`, in order: digits, words, and scales ("4.6 million")."""
    found: list[float] = []
    words = tokens(text)
    index = 0
    while index < len(words):
        value, used = _number_at(words, index)
        if value is not None:
            found.append(value)
        index += max(used, 1)
    return found


def names(text: str) -> list[str]:
    """Return the capitalised names in `text`, each once, in order; sentence openers that are no names are left out."""
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        name = _trim_name(match.group(), starts=_opens_sentence(text, match.start()))
        if name:
            found.setdefault(name)
    return list(found)


def _trim_name(name: str, *, starts: bool) -> str:
    parts = name.removesuffix("'s").removesuffix("’s").rstrip(".-'’").split()
    while parts and (
        parts[0].lower() in STOP_WORDS
        or parts[0].lower() in _OPENERS
        or (len(parts) > 1 and parts[0].lower() in _CALENDAR)
    ):
        parts = parts[1:]
        starts = False
    if not parts:
        return ""
    word = parts[0].lower()
    if len(parts) == 1 and (word in _CALENDAR or word in NUMBER_WORDS):
        return ""
    if len(parts) == 1 and starts and not parts[0].isupper() and word in _COMMON_OPENERS:
        return ""
    return " ".join(parts)


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'“‘«([")
    return not before or before[-1] in ".!?\n:"


def _undouble(word: str) -> str:
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


def _number_at(words: list[str], index: int) -> tuple[float | None, int]:
    """Read one number that begins at `index`; return (value or None, words used)."""
    word = words[index]
    value = _digits(word)
    used = 1
    if value is None:
        value, used = _number_words(words, index)
        if value is None:
            return None, 1
    while index + used < len(words) and words[index + used] in _SCALES:
        value *= _SCALES[words[index + used]]
        used += 1
    return value, used


def _digits(word: str) -> float | None:
    if not word[0].isdigit():
        return None
    plain = word
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", word):
        plain = word.replace(",", "")
    plain = re.sub(r"(?<=\d)(st|nd|rd|th|s|m|bn|km|kg|pm|am)$", "", plain).rstrip(".,")
    try:
        return float(plain)
    except ValueError:
        return None


def _number_words(words: list[str], index: int) -> tuple[float | None, int]:
    parts = words[index].split("-")
    if len(parts) == 2 and parts[0] in _TENS and parts[1] in NUMBER_WORDS:
        return float(NUMBER_WORDS[parts[0]] + NUMBER_WORDS[parts[1]]), 1
    word = words[index]
    if word not in NUMBER_WORDS:
        return None, 1
    value, used = float(NUMBER_WORDS[word]), 1
    following = words[index + 1] if index + 1 < len(words) else ""
    if word in _TENS and NUMBER_WORDS.get(following, 99) < 10:
        value, used = value + NUMBER_WORDS[following], 2
    return value, used


_OPENERS = frozenset(
    "however meanwhile according although despite since until yesterday today tomorrow earlier later last next "
    "nearly almost around both either neither every several few many another still yet even".split()
)
_COMMON_OPENERS = _OPENERS | frozenset(
    "officials police people residents experts critics prosecutors investigators doctors workers scientists teachers "
    "passengers engineers researchers ministers voters officers witnesses lawyers divers schools pupils parents "
    "organisers authorities firefighters analysts shares prices figures asked speaking under between within among "
    "tell give name list describe explain".split()
)
