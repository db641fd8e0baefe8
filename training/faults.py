"""Pairs made by script: true sentences of paragraphs, compressed or reworded, and faults planted into them.

The faults of `bench.claims` are made apart, with other words: what is measured is not what was taught.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.figures import figures
from rag.sentences import sentences
from rag.words import MONTHS, WEEKDAYS, content_stems, names
from training.claim_sets import Label, Pair

_OPPOSITES_TEXT = """
    rose fell|increased decreased|increase decrease|rise fall|higher lower|more fewer|more less|before after|won lost
    first last|north south|east west|accepted rejected|approved rejected|opened closed|largest smallest|best worst
    confirmed denied|oldest youngest|always never|all some|most few|gained lost|up down|early late|start end
    began ended|above below|with without|because although|join leave|support oppose|supported opposed|bought sold
    allowed banned|arrived left|major minor|public private|local national|old new|male female|father son|long short
"""
_OPPOSITES = {
    word: other
    for pair in _OPPOSITES_TEXT.replace("\n", "|").split("|")
    if len(words := pair.split()) == 2
    for word, other in (tuple(words), tuple(reversed(words)))
}
_BE = re.compile(r"\b(is|are|was|were|will|would|can|could|has|have|had|did|does|should|must)\b(?! not)")
_CLAUSE = re.compile(r",\s[^,.;:“”\"]{12,120}(?:,|(?=[.;]$))")
_LEADING = re.compile(r"^(?:However|Meanwhile|In addition|Also|Then|Later|Today|Additionally|Moreover|Finally),\s+(\w)")
_MADE_WORDS = range(8, 45)
ALWAYS_SHARE = 0.3  # of the faults are of the kinds that any sentence can have


def made(paragraphs: list[tuple[str, str]], rng: random.Random) -> Iterator[Pair]:
    """Yield claims made from the sentences of (group, paragraph): compressions, and corruptions of them."""
    for number, (group, paragraph) in enumerate(paragraphs):
        fit = [text for text in sentences(paragraph) if len(text.split()) in _MADE_WORDS]
        if len(fit) < 2:
            continue
        other = paragraphs[rng.randrange(len(paragraphs))][1]
        for sentence in rng.sample(fit, min(3, len(fit))):
            claim = reworded(compressed(sentence, rng), rng)
            yield Pair("made", f"made:{group}", claim, paragraph, "supported")
            wrong = corrupted(claim, paragraph, other, rng)
            if wrong:
                yield Pair("made", f"made:{group}", wrong[0], paragraph, wrong[1])
        if number % 2 == 0:
            sentence = rng.choice(fit)
            claim = reworded(compressed(sentence, rng), rng)
            yield Pair("made", f"made:{group}", claim, paragraph.replace(sentence, " "), "neither")


def compressed(sentence: str, rng: random.Random) -> str:
    """Return the sentence without one of its clauses, where it has one that can go; else as it is."""
    sentence = _LEADING.sub(lambda match: match[1].upper(), sentence)
    clauses = list(_CLAUSE.finditer(sentence))
    if clauses and rng.random() < 0.7:
        chosen = rng.choice(clauses)
        cut = sentence[: chosen.start()] + sentence[chosen.end() :]
        if len(cut.split()) >= 6:
            sentence = re.sub(r"\s+([.,])", r"\1", cut)
    return sentence


_SAME_TEXT = """
    rose increased|fell declined|began started|ended finished|built constructed|bought purchased|said stated
    about approximately|large big|many numerous|became turned into|got received|died passed away|wrote authored
    showed demonstrated|near close to|often frequently|mainly mostly|used employed
    helped assisted|killed left dead|moved relocated|founded established|located situated
    city town|film movie|children kids|almost nearly|before prior to
    whole entire|several a number of|during in the course of|created made|chose selected
    returned came back|left departed|asked requested|allowed permitted|needed required|area region|money funds
    main chief|tried attempted|happened took place|quickly fast
"""
_SAME = [
    pair for part in _SAME_TEXT.replace("\n", "|").split("|") if len(pair := tuple(part.strip().split(" ", 1))) == 2
]


def reworded(claim: str, rng: random.Random) -> str:
    """Return the claim with some words exchanged for others that say the same; half of the time as it is."""
    if rng.random() < 0.5:
        return claim
    found = [pair for pair in _SAME if re.search(rf"\b{pair[0]}\b", claim)]
    for old, new in rng.sample(found, min(2, len(found))):
        claim = re.sub(rf"\b{old}\b", new, claim, count=1)
    return claim


def corrupted(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> tuple[str, Label] | None:
    """Return the claim with one fault, and its label; None if no fault could be made."""
    kinds, always = [_number, _name, _date, _direction, _negation, _unit, _speaker], [_appended, _cause, _fused]
    rng.shuffle(kinds)
    rng.shuffle(always)
    kinds = [*always, *kinds] if rng.random() < ALWAYS_SHARE else [*kinds, *always]
    for kind in kinds:
        wrong = kind(claim, paragraph, elsewhere, rng)
        if wrong and wrong != claim and wrong not in paragraph:
            return wrong, _LABEL_OF.get(kind, "contradicted")
    return None


def _number(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    found = list(re.finditer(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])", claim))
    if not found:
        return None
    match = rng.choice(found)
    others = [
        m.group() for m in re.finditer(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w)", paragraph) if m.group() != match.group()
    ]
    if others and rng.random() < 0.4:
        new = rng.choice(others)
    else:
        digits = list(match.group())
        places = [place for place, sign in enumerate(digits) if sign.isdigit()]
        place = rng.choice(places[:2])
        digits[place] = rng.choice([sign for sign in "123456789" if sign != digits[place]])
        new = "".join(digits)
    return claim[: match.start()] + new + claim[match.end() :]


def _name(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    own = names(claim)
    pool = [name for name in [*names(paragraph), *names(elsewhere)] if name not in claim]
    if not own or not pool:
        return None
    old = rng.choice(own)
    like = [name for name in pool if name.count(" ") == old.count(" ")] or pool
    return claim.replace(old, rng.choice(like), 1)


def _date(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    for group in (MONTHS, WEEKDAYS):
        known = [word for word in group if re.search(rf"\b{word.capitalize()}\b", claim)]
        if known:
            old = rng.choice(known)
            new = rng.choice([word for word in group if word != old and len(word) > 3])
            return re.sub(rf"\b{old.capitalize()}\b", new.capitalize(), claim, count=1)
    return None


def _direction(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    found = [word for word in re.findall(r"\w+", claim) if word in _OPPOSITES]
    if not found:
        return None
    word = rng.choice(found)
    return re.sub(rf"\b{word}\b", _OPPOSITES[word], claim, count=1)


def _negation(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    for pattern in (r"\b(not|never) ", r"n’t\b", r"n't\b"):
        if re.search(pattern, claim):
            return re.sub(pattern, "", claim, count=1)
    match = _BE.search(claim)
    return f"{claim[: match.end()]} not{claim[match.end() :]}" if match else None


def _appended(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    clauses = [match.group().strip(" ,") for match in _CLAUSE.finditer(elsewhere)]
    clauses = [clause for clause in clauses if not figures(clause) and clause not in paragraph]
    return f"{claim.rstrip('.')}, {rng.choice(clauses)}." if clauses else None


_UNITS_TEXT = """
    percent people|metres kilometres|feet miles|hours days|days weeks|weeks months|years months|minutes hours
    million thousand|billion million|dollars euros|pounds dollars|tons pounds|acres miles|people households
    centuries decades|kilograms tonnes|inches feet|students teachers|votes seats
"""
_UNITS = [
    words for line in _UNITS_TEXT.strip().replace("\n", "|").split("|") if len(words := line.split()) == 2
]  # fmt: skip


def _unit(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    found = [
        (one, other)
        for a, b in _UNITS
        for one, other in ((a, b), (b, a))
        if re.search(rf"\d[\d,.]* {one}\b", claim) and other not in paragraph
    ]
    if not found:
        return None
    old, new = rng.choice(found)
    return re.sub(rf"(\d[\d,.]* ){old}\b", rf"\g<1>{new}", claim, count=1)


_SAID = re.compile(
    r"\b(?:said|says|told|argued|claimed|stated|wrote|announced|according to|suggested|noted|believed)\b"
)


def _speaker(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    """Another name of the same paragraph says it."""
    own = names(claim)
    others = [name for name in names(paragraph) if name not in claim and " " in name]
    if not own or not others or not _SAID.search(claim):
        return None
    return claim.replace(own[0], rng.choice(others), 1)


_CAUSE = re.compile(r"\b(?:because|since|due to|owing to|thanks to|so that|in order to|after|despite|although)\b")
_CAUSES = ("because of", "as a result of", "in protest against", "in spite of", "thanks to", "shortly before")


def _cause(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    """A cause, or what it happened in spite of, is made up of something else that the paragraph names."""
    own = set(content_stems(claim))
    things = [name for name in names(paragraph) if not own & set(content_stems(name))]
    if not things or _CAUSE.search(claim):
        return None
    return f"{claim.rstrip('.')} {rng.choice(_CAUSES)} {rng.choice(things)}."


_TAILS = (
    "which the government welcomed", "and the decision was later reversed", "although few people noticed",
    "despite strong criticism", "and more than half of them agreed", "to the surprise of experts", "to avoid a scandal",
    "and nobody has been able to explain it", "because there was no other choice", "which led to a court case",
    "and it was the first of its kind", "under pressure from the public", "for reasons that were never given",
    "and several people were hurt", "without telling anyone", "and has since been copied in other countries",
    "in order to save money", "as its founders had planned", "with support from the army", "after long negotiations",
)  # fmt: skip


def _fused(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    """A tail that sounds like news and says what the paragraph does not."""
    tail = rng.choice(_TAILS)
    comma = "" if tail.split()[0] in ("to", "in", "without", "under", "for", "with") else ","
    return f"{claim.rstrip('.')}{comma} {tail}."


_LABEL_OF: dict[object, Label] = {
    _name: "other", _speaker: "other", _unit: "other", _appended: "neither", _cause: "neither", _fused: "neither",
}  # fmt: skip


def faulty(pairs: Sequence[Pair], faults: int, rng: random.Random) -> Iterator[Pair]:
    """Yield our true sentences once more, some words exchanged, and each with so many faults, one at a time."""
    true = [pair for pair in pairs if pair.source == "own" and pair.label == "supported"]
    for pair in true:
        yield replace(pair, claim=reworded(pair.claim, rng))
        for _ in range(faults):
            wrong = corrupted(pair.claim, pair.text, rng.choice(true).text, rng)
            if wrong:
                yield replace(pair, claim=wrong[0], label=wrong[1])
