"""What kind of answer a question wants, and whether a sentence holds a candidate of that kind; pure."""

from __future__ import annotations

import re
from typing import Literal

from rag.figures import Figure, figures
from rag.words import MONTHS, WEEKDAYS, names, numbers, stem, tokens

Kind = Literal["when", "number", "who", "where", "why", "list", "yes-no", "what"]
KINDS: tuple[Kind, ...] = ("when", "number", "who", "where", "why", "list", "yes-no", "what")

_WHICH = r"\b(?:what|which) (?:(?:is|was|are|were) )?(?:the )?(?:\w+ )?"  # "what was the final (toll)"
_AMOUNTS = (
    "percentage|share|price|fee|sum|number|figure|proportion|age|amount|turnout|score|magnitude|total|length|rate"
    "|temperature|cost|losses|toll"
)
_MEASURES = "many|much|long|high|large|big|old|far|often|tall|deep|fast|wide|heavy|strong|late"
_PLACES = (
    "city|town|place|country|street|square|port|harbour|village|island|region|district|hospital|school|building"
    "|station|river|prison|stadium|venue|beach"
)
_PEOPLE = (
    "person|man|woman|minister|politician|candidate|coach|player|company|firm|party|team|club|bank|agency|outlet"
    "|newspaper|official|member|judge|scientist|engineer|author|writer|director|university|institute|union|group|name"
)
_NO_PLURAL = "(?!is|was|does|has|this)"
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("list", rf"^(?:list|name)\b|\b(?:what|which|who) (?:are|were) the \w+s\b"
             rf"|\bwhich {_NO_PLURAL}(?:[a-z]+ )??{_NO_PLURAL}[a-z]{{2,}}[^\Ws]s\b"),
    ("when", rf"\bwhen\b|{_WHICH}(?:date|day|year|month|time)\b|\bhow soon\b|\bsince when\b"),
    ("number", rf"\bhow (?:{_MEASURES})\b|{_WHICH}(?:{_AMOUNTS})\b|\bby how\b"
               r"|\bwhat (?:did|does|will|would) .* cost\b"),
    ("why", rf"\bwhy\b|\bwhat (?:caused|led|made|prompted|explains)\b|{_WHICH}(?:reason|cause)s?\b|\bhow come\b"),
    ("where", rf"\bwhere\b|\b(?:what|which) (?:\w+ )?(?:{_PLACES})\b"),
    ("who", rf"\bwho(?:m|se)?\b|{_WHICH}(?:{_PEOPLE})\b|\bby whom\b"),
    ("yes-no", r"^(?:and |but |so )?(?:did|does|do|is|was|were|are|has|have|had|will|would|can|could|should|may)\b"),
    ("what", r"\b(?:what|how)\b"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)
_DATE = re.compile(
    r"\b(?:" + "|".join([*MONTHS, *WEEKDAYS]) + r"|yesterday|today|tomorrow|tonight|overnight|noon|midnight"
    r"|(?:last|next|this) (?:week|month|year|spring|summer|autumn|winter|night)|(?:19|20)\d\d|\d{1,2}[:.]\d\d"
    r"|\d{1,2} ?[ap]\.?m)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|due to|owing to|caused|cause|led to|blamed?|reasons?|so that|in order to|as a result|since|after"
    r"|thanks to|therefore|attributed|prompted|to (?:avoid|prevent|protect|allow|make|give|keep|save|ease)"
    r"|fear(?:s|ed)?)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:in|at|near|off|on|from|to|outside|between|along|through|into|towards?)\s+(?:the\s+)?[A-Z]")
_LATEST = re.compile(
    r"\b(?:latest|newest|current|currently|final|finally|now|most recent|so far|to date|at present|in the end|still|"
    r"at last count|today|eventually|up to now|by the end)\b",
    re.IGNORECASE,
)


def kind_of(question: str) -> Kind:
    """Return the kind of answer that the wording asks for; "what" if nothing tells.

    The first question word decides: "How many were hurt when it sank?" asks for a number.
    """
    found = [(match.start(), kind) for kind, pattern in _COMPILED if (match := pattern.search(question))]
    if any(kind == "list" for _, kind in found):
        return "list"
    return min(found, key=lambda pair: pair[0])[1] if found else "what"  # of equals, the first pattern


def asks_for_latest(question: str) -> bool:
    """Tell whether the question speaks of the present state or the final figure."""
    return bool(_LATEST.search(question))


def has_candidate(kind: Kind, sentence: str, question: str) -> bool:
    """Tell whether the sentence holds something of the kind asked for that the question does not name."""
    if kind == "when":
        return bool(_DATE.search(sentence))
    if kind == "number":
        known = set(numbers(question))
        return any(found.value not in known and _fits(question, found) for found in figures(sentence))
    if kind in ("who", "list"):
        return bool(_new_names(sentence, question))
    if kind == "where":
        return bool(_PLACE.search(sentence)) and bool(_new_names(sentence, question))
    if kind == "why":
        return bool(_REASON.search(sentence))
    return True


_PERCENT = re.compile(r"\b(?:percentage|per cent|share|proportion|turnout)\b", re.IGNORECASE)
_MONEY = re.compile(r"\b(?:costs?|price|fee|sum|paid|pay|worth|money|losses|salary|fined?)\b", re.IGNORECASE)
_EXTENT = re.compile(r"\bhow (?:long|high|tall|deep|far|wide|late)\b|\blength\b", re.IGNORECASE)
_EXTENT_NOUNS = frozenset(
    stem(word)
    for word in "metres meters kilometres centimetres millimetres miles feet inches seconds minutes hours days weeks "
    "months years degrees nautical".split()
)


def _fits(question: str, figure: Figure) -> bool:
    """Tell whether a figure is of the measure asked for: a share, money, an extent; any if none is named."""
    if _PERCENT.search(question):
        return figure.unit == "percent"
    if _MONEY.search(question):
        return figure.unit == "money" or figure.value >= 100_000
    if _EXTENT.search(question):
        return figure.noun in _EXTENT_NOUNS
    return True


def _new_names(sentence: str, question: str) -> list[str]:
    known = {stem(word) for word in tokens(question)}
    return [name for name in names(sentence) if any(stem(word) not in known for word in tokens(name))]
