"""Claim and cited passages to verdict, by rules that a reader can follow; pure. `rag.verifier` adds a model to them.

The checks, in order: a claim that stands there in whole sentences, word for word, is supported.
Otherwise each quotation must stand verbatim and with its speaker, each number (with unit), date,
clock time and name must occur, negation and direction words must agree with the closest sentence
(`rag.polarity`), and most content words must be found, in each part of the claim. One failed hard
check makes the claim unsupported; thin coverage of its words makes it partly supported at best.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.figure_rules import wrong_dates, wrong_figures
from rag.figures import figures
from rag.polarity import polarity
from rag.schema import Verdict
from rag.sentences import sentences
from rag.words import NUMBER_WORDS, STOP_WORDS, content_stems, names, stem, tokens

# Shares of a claim's content words that must be found in what it cites, over all and in each clause.
# Set on the table of paraphrases and corruptions in `tests/rag/test_rules.py`.
SUPPORTED_COVERAGE = 0.6
PARTLY_COVERAGE = 0.4
CLAUSE_COVERAGE = 0.34
SCRAP_WORDS = 3  # content words: too few for a part of it to count, and without any other word a mere label
CLAUSE_WORDS = 3  # a clause with fewer content words is judged with the rest

_QUOTATION = re.compile(r"[\"“«]([^\"“”«»]{2,}?)(?:[\"”»]|$)|‘(.{3,}?)’(?!\w)")
_CLAUSE = re.compile(r"[,;:—–]\s+|\s+(?=(?:and|but|because|while|after|although|which|who|as|so|to)\s)")
_SAYING = r"(?:said|says|told|called|warned|added|argued|claimed|insisted|announced|asked|stressed|replied|complained)"
_SPEAKER_AFTER = re.compile(rf"(?:\b{_SAYING}|\b[Aa]ccording to)\s+(?:the\s+)?(?P<name>[A-Z].*)")
_SPEAKER_BEFORE = re.compile(rf"(?P<name>[A-Z][^,;:]*?)(?:,[^,;]*,)?\s+(?:had\s+|has\s+|also\s+)?{_SAYING}\b")
_TITLES = frozenset("mr mrs ms dr prof professor minister prime mayor president governor judge sir captain the".split())
_COMMON_OPENERS = frozenset("nobody everybody somebody anyone everyone someone nothing everything something it".split())
_COMMON_ENDINGS = ("s", "ing", "ion", "ment", "ed", "ly", "ity", "ness", "ance", "ence")
_DEMONYM_ENDINGS = ("an", "ians", "ans", "ish", "ese", "i")
# Words that news prose exchanges freely; a claim's word is found if one of its group is.
_GROUPS = (
    "injured hurt wounded injuries", "died dead killed death deaths die kill", "buy purchase acquire bought takeover",
    "resign resignation quit stepped", "cost price paid pay", "home house residence", "begin start began launch open",
    "worker employee staff", "strike walkout", "evacuated left driven leave moved", "vote ballot poll", "big large",
    "jail prison imprisoned sentenced", "fire blaze flames", "child pupil schoolchildren", "city town municipal",
    "agreement deal accord contract", "arrested detained held", "company firm group", "boat ship vessel ferry",
    "reduce lower cut trim", "rise increase climb grow", "fall drop decline", "probe inquiry investigation",
    "lawyer counsel", "halt stop end", "happen occur", "won win victory", "get receive", "show reveal indicate",
    "use employ", "help aid", "huge large enormous", "confirm announce say", "percent per cent percentage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """Verdict on one claim.

    Attributes:
        score: Support in [0, 1].
        reasons: What is wrong, empty if nothing is.
        settled: The claim stands there word for word, or a fact in it differs, or the passages hold next to none of its
            words: no model has a say in it.
        doubted: A sign speaks against it that a true rewording may show too ("not", "fell", "Unease").
    """

    verdict: Verdict
    score: float
    reasons: tuple[str, ...]
    settled: bool = False
    doubted: bool = False


def check_by_rules(claim: str, passages: Sequence[str]) -> Check:
    """Check one claim against the texts it cites.

    Args:
        claim: One sentence without citation markers.
        passages: What it cites, in any order; none means unsupported. Each is a quote, or a headline, a
            line with outlet and date, and the text.
    """
    if not passages:
        return Check("unsupported", 0.0, ("it cites no passage",), settled=True)
    if any(_stands_in(claim, passage) for passage in passages):
        return Check("supported", 1.0, (), settled=True)
    evidence = "\n".join(passages)
    doubtful = [*wrong_figures(claim, evidence), *_names(claim, evidence), *polarity(claim, evidence)]
    hard = [*_quotations(claim, evidence), *wrong_dates(claim, passages), *(why for why, sure in doubtful if sure)]
    doubts = [why for why, sure in doubtful if not sure]
    doubts += _fractions(claim, evidence)
    hard += _scraps(claim, passages)
    coverage = _coverage(claim, evidence)
    if hard or doubts:
        reasons = tuple(dict.fromkeys([*hard, *doubts]))
        few = len(content_stems(claim)) <= SCRAP_WORDS and coverage < 1
        settled = bool(hard) or few or coverage < PARTLY_COVERAGE
        return Check("unsupported", round(coverage * 0.4, 3), reasons, settled=settled, doubted=bool(doubts))
    thin = [part for part in _clauses(claim) if _coverage(part, evidence) < CLAUSE_COVERAGE]
    if coverage >= SUPPORTED_COVERAGE and not thin:
        return Check("supported", round(coverage, 3), ())
    missing = _missing_words(" ".join(thin) if thin and coverage >= SUPPORTED_COVERAGE else claim, evidence)
    reason = "the cited passage does not mention: " + ", ".join(missing[:5])
    partly = coverage >= PARTLY_COVERAGE and len(content_stems(claim)) > SCRAP_WORDS
    verdict: Verdict = "partly" if partly else "unsupported"
    return Check(verdict, round(coverage, 3), (reason,), settled=not partly)


def _stands_in(claim: str, passage: str) -> bool:
    """Tell whether the claim is a run of whole sentences: "deaths occurred" does not stand in "no deaths occurred"."""
    said, held = ("".join(f"\n{_folded(text)}" for text in sentences(part)) for part in (claim, passage))
    return bool(said) and f"{said}\n" in f"{held}\n"


def _scraps(claim: str, passages: Sequence[str]) -> list[str]:
    """A word or a label says too little to be judged by what of it occurs: it must stand so in a passage."""
    wanted, said = content_stems(claim), tokens(claim)
    label = len(wanted) <= SCRAP_WORDS and len(said) == len(wanted)
    if len(wanted) > 1 and not label:
        return []
    words = f" {' '.join(said)} "
    stands = any(words in f" {_folded(passage)} " for passage in passages)
    return [] if stands or figures(claim) else ["these few words do not stand in the cited passage"]


# -- quotations -----------------------------------------------------------------------------------------


def _quotations(claim: str, evidence: str) -> list[str]:
    held = " ".join(tokens(evidence))
    reasons = []
    for match in _QUOTATION.finditer(claim):
        quote = match[1] or match[2]
        pieces = [" ".join(tokens(piece)) for piece in re.split(r"…|\.\.\.|\[[^\]]*\]", quote)]
        if any(piece and f" {piece} " not in f" {held} " for piece in pieces):
            reasons.append(f"the words “{quote}” are not in the cited passage")
        else:
            reasons += _speakers(claim, max(pieces, key=len), evidence)
    return reasons


def _speakers(claim: str, quote: str, evidence: str) -> list[str]:
    """Compare who says the quotation in the claim with the names around it in the passage."""
    outside = _QUOTATION.sub(" ", claim)
    said = _SPEAKER_AFTER.search(outside) or _SPEAKER_BEFORE.search(outside)
    speaker = next(iter(names(said["name"])), "") if said else ""
    parts = _name_parts(speaker)
    if not parts:
        return []
    near = _around_quote(quote, evidence)
    if not near or any(stem(word) in parts for text in near for word in tokens(text)):
        return []
    return [f"the cited passage does not give the words “{quote}” to {speaker}"]


def _around_quote(quote: str, evidence: str) -> list[str]:
    """Return the unquoted text of the sentence with the quote, and of its neighbours if that names nobody."""
    texts = sentences(evidence)
    at = next((index for index, text in enumerate(texts) if quote in " ".join(tokens(text))), None)
    if at is None:
        return []
    own = _QUOTATION.sub(" ", texts[at])
    if names(own):
        return (
            [own] if not re.match(r"\s*(?:he|she|they)\b", own, re.IGNORECASE) else [own, *texts[max(0, at - 2) : at]]
        )
    return [own, *texts[max(0, at - 3) : at], *texts[at + 1 : at + 2]]


# -- fractions ------------------------------------------------------------------------------------------


_NO_FRACTION = re.compile(r"\b(?:and a half|half past)\b", re.IGNORECASE)


def _fractions(claim: str, evidence: str) -> list[str]:
    """Look for "half" and the like; "about half" may stand for a percentage near 50."""
    said, held = set(tokens(_NO_FRACTION.sub(" ", claim))), set(tokens(evidence))
    near_half = any(figure.unit == "percent" and 40 <= figure.value <= 60 for figure in figures(evidence))
    groups = [{"half", "halved", "halves"}, {"quarter", "quarters"}, {"twice", "double", "doubled", "doubling"}]
    return [
        f"the cited passage does not say “{min(said & group)}”"
        for group in groups
        if said & group and not held & group and not ("half" in group and near_half)
    ]


# -- names ----------------------------------------------------------------------------------------------


def _names(claim: str, evidence: str) -> list[tuple[str, bool]]:
    """Each word of a name must occur, and neighbours as neighbours; so "Ms Halloran" passes for "Ines Halloran".

    Returns a reason for each that does not, and whether it is surely a name: the claim's first word may be none.
    """
    words = [stem(word) for word in tokens(evidence)]
    held = set(words)
    initials = {"".join(part[0] for part in name.split() if part[0].isupper()).lower() for name in names(evidence)}
    wrong = []
    for name in names(claim):
        parts = _name_parts(name)
        short = "".join(part[0] for part in name.split() if part[0].isupper()).lower()
        if not parts or name.lower() in initials or (len(short) > 1 and short in held) or _opens_plainly(name, claim):
            continue
        if any(not _named(part, held) for part in parts) or not _together(name, words):
            first = claim.lstrip("\"'“‘ ").startswith(name)
            sure = not (
                first and (" " not in name or name.split()[0].lower() in NUMBER_WORDS or "-" in name.split()[0])
            )
            wrong.append((f"the cited passage does not name {name}", sure))
    return wrong


def _name_parts(name: str) -> list[str]:
    return [stem(word) for word in tokens(name) if len(word) > 1 and word not in _TITLES and word not in STOP_WORDS]


def _named(part: str, held: set[str]) -> bool:
    if part in held:
        return True
    origin = part.endswith(_DEMONYM_ENDINGS)
    return any(
        len(word) >= 4 and word[:4] == part[:4] and (origin or word.endswith(_DEMONYM_ENDINGS)) and word[:1] == part[:1]
        for word in held
    )


def _together(name: str, words: Sequence[str]) -> bool:
    """Tell whether first and last name stand near each other: two people's names may not be mixed."""
    parts = [stem(word) for word in tokens(name)]
    if len(parts) != 2 or any(part in _TITLES for part in parts) or any(part not in words for part in parts):
        return True
    places = [index for index, word in enumerate(words) if word == parts[0]]
    return any(parts[1] in words[max(0, place - 3) : place + 4] for place in places)


def _may_be_opener(name: str, claim: str) -> bool:
    """Tell whether the name opens the claim with a word that may be capitalised for that alone."""
    first = name.split()[0]
    alone = " " not in name or "-" in first or first.lower().split("-")[0] in NUMBER_WORDS
    return alone and claim.lstrip("\"'“‘ ").startswith(name)


def _opens_plainly(name: str, claim: str) -> bool:
    """Tell whether one capitalised word opens the claim and looks like a common noun: "Investments rose"."""
    if " " in name or not claim.lstrip("\"'“‘ ").startswith(name):
        return False
    return name.lower() in _COMMON_OPENERS or name.lower().endswith(_COMMON_ENDINGS)


# -- coverage -------------------------------------------------------------------------------------------


def _clauses(claim: str) -> list[str]:
    parts = [part for part in _CLAUSE.split(_QUOTATION.sub(" ", claim)) if part]
    return [part for part in parts if len(content_stems(part)) >= CLAUSE_WORDS]


def _coverage(claim: str, evidence: str) -> float:
    wanted = content_stems(claim)
    held = _held(evidence)
    return sum(_found(word, held) for word in wanted) / len(wanted) if wanted else 0.0


def _missing_words(claim: str, evidence: str) -> list[str]:
    held, wanted = _held(evidence), set(content_stems(claim))
    return [word for word in dict.fromkeys(tokens(claim)) if stem(word) in wanted and not _found(stem(word), held)]


def _held(evidence: str) -> frozenset[str]:
    found = {stem(word) for word in tokens(evidence)}
    found |= {stem(part) for word in tokens(evidence) if "-" in word for part in word.split("-")}
    return frozenset(found.union(*(group for group in _SAME if group & found)))


def _found(word: str, held: frozenset[str]) -> bool:
    """Tell whether a stem is held, in its own form or a longer one: "resign", "resignation"; figures were checked."""
    if word in held or word[0].isdigit() or word in _NUMERALS:
        return True
    if "-" in word:
        return all(_found(stem(part), held) for part in word.split("-") if part not in STOP_WORDS)
    return any(_alike(word, other) for other in held)


def _alike(one: str, other: str) -> bool:
    shared = max(4, min(len(one), len(other)) - 1)
    return one[:shared] == other[:shared]


def _folded(text: str) -> str:
    return " ".join(tokens(text))


_NUMERALS = frozenset(stem(word) for word in [*NUMBER_WORDS, "hundred", "thousand", "million", "billion", "dozen"])
_SAME = tuple(frozenset(stem(word) for word in group.split()) for group in _GROUPS)
