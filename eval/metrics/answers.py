"""Right or wrong: is the expected answer in the words shown?

Known limits, which no match on words can lift: "not in Tampa" contains "Tampa", and a long answer
that names every candidate contains the right one. Read these figures beside `answer_words` and
the grounded version, which also asks for a citation of the right article.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from rag.figures import days, figures

AnswerGroups = Sequence[Sequence[str]]

# Before NFKC, which would turn the thin spaces of "12 000" into plain ones, equal to word spaces.
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?![\d])")
_NOT_DIGIT = re.compile(r"\D")
_FOLDED = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–−", "-"),
        **dict.fromkeys("—―", " "),  # a long dash parts clauses, also without spaces
        "\u00ad": None,  # soft hyphen
    }
)
_DIGIT_THEN_WORD = re.compile(r"(?<=\d)-(?=[a-z])")
_ARTICLES = frozenset(["a", "an", "the"])
_MARKER = re.compile(r"\s*\[\d{1,3}(?:\s*[,-]\s*\d{1,3})*\]")


def tokens(text: str) -> list[str]:
    """Return the normalised tokens of `text`, in order.

    Lower case, Unicode NFKC, typographic quotes and dashes folded, thousands separators inside a
    number removed (12,000 = 12000), punctuation and possessive 's at token edges dropped. Inside a
    token punctuation stays: "5.4" is not "54". A currency or per cent sign is a token of its own
    and a minus sign stays, so "12%" is not "12" and "-3" is not "3". A number is parted from the
    unit it is hyphenated with ("34-metre"); other hyphenated words are one token, so that "one" is
    not in "forty-one".
    """
    text = _THOUSANDS.sub(lambda found: _NOT_DIGIT.sub("", found.group()), text)
    text = unicodedata.normalize("NFKC", text).translate(_FOLDED).lower()
    text = _DIGIT_THEN_WORD.sub(" ", text)
    parts = "".join(f" {char} " if _is_unit_sign(char) else char for char in text).split()
    return [token for part in parts if (token := _bare(part))]


def normalise(text: str) -> str:
    """Return the normalised tokens of `text`, one space between them (see `tokens`)."""
    return " ".join(tokens(text))


def contains_gold(text: str, answers: AnswerGroups) -> bool | None:
    """Tell whether every expected part of the answer is in `text`.

    Definition: each group of `answers` has an alias that occurs in `text` as a run of whole tokens
    (RGB's multi-part rule, arXiv:2309.01431, on tokens instead of substrings: "7" is not in
    "170"). Number words equal digits only where an alias says so. The bare aliases "yes" and "no"
    count only as the first word of `text`, and a group with one of them fails where `text` opens
    with the other: else "Yes no" is right for every such question, and "no" in any sentence.

    Returns:
        None if nothing is expected.
    """
    if not answers:
        return None
    shown = tokens(text)
    return all(_group_found(shown, [tokens(alias) for alias in group]) for group in answers)


def list_recall(text: str, answers: AnswerGroups) -> float | None:
    """Return the share of the expected parts that are in `text`, in [0, 1]; a part is a group of aliases.

    For lists and for conflicts, whose sides are the parts. Pitfall: naming more than was asked costs nothing; read it
    beside `answer_words`.

    Returns:
        None if fewer than two parts are expected: then it says no more than `contains_gold`.
    """
    if len(answers) < 2:
        return None
    shown = tokens(text)
    found = [_group_found(shown, [tokens(alias) for alias in group]) for group in answers]
    return sum(found) / len(found)


def number_match(text: str, golds: Sequence[str], *, tolerance: float = 0.0) -> float | None:
    """Return 1.0 if a number of `text` is the expected one in value and unit, else 0.0.

    "4,700" and "4.7 thousand", "14" and "fourteen" are one value. A gold without a unit accepts any.

    Args:
        text: What was shown; "" for a refusal.
        golds: Aliases of one part.
        tolerance: Largest relative difference that counts as equal, from 0; 0.01 accepts 99 to 101 for 100.

    Returns:
        None if no gold holds exactly one number.
    """
    expected = [figure for gold in golds for figure in figures(gold)[:1] if len(figures(gold)) == 1]
    if not expected:
        return None
    near = [
        abs(shown.value - wanted.value) <= tolerance * abs(wanted.value)
        and (not wanted.unit or not shown.unit or shown.unit == wanted.unit)
        for shown in figures(text)
        for wanted in expected
    ]
    return float(any(near))


def date_match(text: str, golds: Sequence[str]) -> float | None:
    """Return 1.0 if a date of `text` agrees with an expected one, else 0.0.

    "14 July", "July 14, 2025" and "2025-07-14" agree: what one leaves out does not matter. Pitfall: a bare month agrees
    with every day in it.

    Returns:
        None if no gold is a date.
    """
    expected = [day for gold in golds for day in days(gold)]
    if not expected:
        return None
    return float(any(shown.agrees(wanted) for shown in days(text) for wanted in expected))


def exact_match(text: str, golds: Sequence[str]) -> float | None:
    """Return 1.0 if `text` equals one of the golds after normalisation, else 0.0.

    SQuAD's definition (Rajpurkar et al. 2016, evaluate-v2.0.py): lower case, without punctuation
    and a/an/the. Differs on purpose: our tokens, since SQuAD's make "$5.4" equal "54" and keep
    typographic quotes. Meant for the short answer; a full sentence scores 0 even when right. Give
    "" for a refusal.

    Returns:
        None if there is no gold.
    """
    if not golds:
        return None
    found = _without_articles(text)
    return float(any(found == _without_articles(gold) for gold in golds))


def token_f1(text: str, golds: Sequence[str]) -> float | None:
    """Return the harmonic mean of token precision and recall, best over the golds, in [0, 1].

    SQuAD's definition with our tokens (see `exact_match`): overlap counts each token as often as
    both hold it. A right sentence scores low, as its other words cost precision: compare systems,
    do not read it as a share of right answers.

    Returns:
        None if there is no gold.
    """
    if not golds:
        return None
    found = _without_articles(text)
    return max(_f1(found, _without_articles(gold)) for gold in golds)


def without_markers(text: str) -> str:
    """Return `text` without citation markers; a year in brackets, "[2024]", is text and stays."""
    return _MARKER.sub("", text)


def _is_unit_sign(char: str) -> bool:
    return len(char) == 1 and (char in "%‰°" or unicodedata.category(char) == "Sc")


def _bare(part: str) -> str:
    """Drop punctuation at the edges and a possessive 's; keep the minus of a number."""
    if _is_unit_sign(part):
        return part
    negative = re.match(r"[^\w-]*-\d", part)
    start, end = 0, len(part)
    while start < end and not part[start].isalnum():
        start += 1
    while end > start and not part[end - 1].isalnum():
        end -= 1
    token = part[start:end].removesuffix("'s")
    return f"-{token}" if negative else token


def _group_found(shown: list[str], aliases: list[list[str]]) -> bool:
    opening = shown[:1]
    bare = [alias for alias in aliases if alias in (["yes"], ["no"])]
    if len(bare) == 1 and opening in (["yes"], ["no"]) and opening not in bare:
        return False
    return any(opening == alias if alias in bare else _has_run(shown, alias) for alias in aliases)


def _has_run(shown: list[str], alias: list[str]) -> bool:
    width = len(alias)
    return width > 0 and any(shown[i : i + width] == alias for i in range(len(shown) - width + 1))


def _without_articles(text: str) -> list[str]:
    return [token for token in tokens(text) if token not in _ARTICLES]


def _f1(found: list[str], gold: list[str]) -> float:
    if not found or not gold:
        return float(found == gold)
    common = sum((Counter(found) & Counter(gold)).values())
    return 2 * common / (len(found) + len(gold))
