"""Whether claim and passage agree in yes and no, up and down; pure, English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rag.sentences import sentences
from rag.words import content_stems, tokens

_NOT = re.compile(
    r"\b(?:not|\w+n't|no|never|none|nobody|nothing|neither|nor|cannot|without)\b"
    r"(?!\s+(?:only|fewer|less|more|later|doubt|wonder|earlier)\b)"
)
# Words that say no in their own way: they answer for a "not" on the other side.
_DENIAL = re.compile(
    r"\b(?:refus\w+|reject\w+|den(?:y|ied|ies|ying)|fail\w*|declin\w+|unable|unlikely|lack\w*|ruled out|turned down"
    r"|abandon\w*|barred|banned|hardly|free of|cleared|acquitted|instead of|rather than|short of"
    r"|un(?!der|ion|it|til|ti|i|less)\w{4,})\b"
)
_CLAUSE_END = re.compile(r"[,;:.!?]|\bbut\b|\bthough\b|\balthough\b")
_REACH = 200  # characters
_NEGATED_WORDS = 3  # "no deaths were reported": so many content words after the "no" belong to it
# A sentence takes part in the comparison if it shares at least this much of what the closest one shares.
_CLOSE = 0.75

_OPPOSITES = (
    ("rise rises rose risen rising increase increases increased increasing grow grows grew grown growing gain gained "
     "climb climbed up higher raise raised soared doubled widened",
     "fall falls fell fallen falling decrease decreases decreased drop drops dropped decline declined shrink shrinks "
     "shrank shrunk cut cuts lower lowered down reduce reduced plunged halved narrowed"),
    ("more", "fewer less"),
    ("win wins won victory", "lose loses lost defeat defeated"),
    ("accept accepts accepted approve approved approves back backed backs support supported supports",
     "reject rejected rejects oppose opposed opposes refuse refused refuses"),
    ("open opens opened opening start starts started begin begins began begun",
     "close closes closed closing shut shuts end ends ended stop stopped"),
    ("confirm confirmed confirms", "deny denied denies"),
    ("guilty convicted", "innocent acquitted cleared"),
    ("arrested jailed detained", "released freed"),
    ("survived survive", "died killed"),
    ("allow allowed allows permit permitted", "ban banned bans forbid forbidden"),
    ("north northern", "south southern"),
    ("east eastern", "west western"),
    ("largest biggest", "smallest"),
    ("highest", "lowest"),
    ("oldest", "youngest"),
    ("cheaper", "dearer costlier"),
    ("profit", "loss"),
    ("above", "below"),
    ("early earlier earliest", "late later latest"),
    ("warmer warm hotter", "colder cold cooler"),
    ("faster", "slower"),
    ("strengthened stronger", "weakened weaker"),
    ("first", "last"),
    ("before", "after"),
)  # fmt: skip
_DIRECTIONS = tuple((frozenset(one.split()), frozenset(other.split())) for one, other in _OPPOSITES)
# Time words change places in an honest paraphrase ("A after B", "B before A"): they must be absent altogether.
_LOOSE = frozenset("before after first last early late earlier later latest earliest more".split())
_FOR = re.compile(r"\bvot\w+ (?:for|in favour)|\bin favour\b")
_AGAINST = re.compile(r"\bvot\w+ against|\bagainst\b")


def polarity(claim: str, evidence: str) -> list[tuple[str, bool]]:
    """Return reasons why the claim says the contrary of the sentences of `evidence` closest to it; empty if none.

    With each stands whether it is sure: "rose" for "fell" nearly always is, while a "not" may come in by rewording.
    """
    claim, evidence = claim.replace("’", "'"), evidence.replace("’", "'")
    near = _closest(claim, evidence)
    sure = [*_withdrawn(claim, near, evidence), *_directions(claim, near, evidence), *_votes(claim, near)]
    return [*((reason, False) for reason in _negation(claim, near)), *((reason, True) for reason in sure)]


def _closest(claim: str, evidence: str) -> list[str]:
    wanted = set(content_stems(claim))
    shared = [(len(wanted & set(content_stems(text))), text) for text in sentences(evidence)]
    best = max((count for count, _ in shared), default=0)
    return [text for count, text in shared if best and count >= _CLOSE * best]


def _negation(claim: str, near: Sequence[str]) -> list[str]:
    said = claim.lower()
    denial = _NOT.search(said) or _DENIAL.search(said)
    held = [text.lower() for text in near]
    if denial and held and not any(_NOT.search(text) or _DENIAL.search(text) for text in held):
        return [f"the claim denies something (“{denial.group()}”), the cited passage does not"]
    if _NOT.search(said) and _contradicted(said, held):
        return [f"the cited passage does not deny it: “{_shortened(near[0])}”"]
    if denial is None and held:
        wanted = set(content_stems(claim))
        plain = {word for text in held for word in set(content_stems(text)) - _negated(text)}
        hit = [stem_ for text in held for stem_ in sorted(_negated(text)) if stem_ in wanted and stem_ not in plain]
        if hit:
            source = next(text for text in near if set(hit) & _negated(text.lower()))
            return [f"the cited passage denies it: “{_shortened(source)}”"]
    return []


_REPORTED = re.compile(r"\b(?:reported|said|claimed|alleged|accused|wrongly|mistakenly|according|rumou?rs?)\b")
_TAKEN_BACK = re.compile(
    r"[\"“']?(?:(?:he|she|it|they|that|this|i|we) (?:had|has|have|was|were|is|are|did|does|do|would|will|could|can)"
    r"(?: not|n't)\b.{0,12}$"
    r"|(?:that|this|it|the (?:report|claim|story)) (?:was|is) (?:wrong|false|untrue|incorrect|not true)\b)",
    re.IGNORECASE,
)


def _withdrawn(claim: str, near: Sequence[str], evidence: str) -> list[str]:
    """Find what the next sentence takes back: "…had been paid by the firm. He had not."."""
    low = claim.lower()
    if not near or _NOT.search(low) or _DENIAL.search(low) or _REPORTED.search(low):
        return []
    for text, following in pairwise(sentences(evidence)):
        if text in near and _TAKEN_BACK.match(following):
            return [f"the cited passage takes it back: “{_shortened(following)}”"]
    return []


def _contradicted(said: str, held: Sequence[str]) -> bool:
    """Tell whether what the claim negates stands plain in the close sentences, which negate something else."""
    mine, text = _negated(said), "\n".join(held)
    if {match.group() for match in _DENIAL.finditer(text)} - {match.group() for match in _DENIAL.finditer(said)}:
        return False  # "was not convicted", "was acquitted"
    negated = {word for sentence in held for word in _negated(sentence)}
    plain = set(content_stems(text)) - negated
    return bool(mine) and not mine & negated and 2 * len(mine & plain) > len(mine)


def _negated(text: str) -> set[str]:
    """Return the stems of the words that a "not" of the text governs; "not until June" governs none."""
    found: set[str] = set()
    for match in _NOT.finditer(text):
        clause = _CLAUSE_END.split(text[match.end() : match.end() + _REACH], maxsplit=1)[0]
        if "until" in tokens(clause):
            continue
        found.update(content_stems(clause)[:_NEGATED_WORDS])
    return found


def _directions(claim: str, near: Sequence[str], evidence: str) -> list[str]:
    said, every, held = (_words(text) for text in (claim, evidence, " ".join(near)))
    reasons = []
    for one, other in _DIRECTIONS:
        for mine, theirs in ((one, other), (other, one)):
            if not said & mine or said & theirs or not held & theirs or held & mine:
                continue
            if said & mine <= _LOOSE and every & mine:
                continue
            reasons.append(f"the claim says “{min(said & mine)}”, the cited passage “{min(held & theirs)}”")
    return reasons


def _votes(claim: str, near: Sequence[str]) -> list[str]:
    for mine, theirs in ((_FOR, _AGAINST), (_AGAINST, _FOR)):
        said = mine.search(claim)
        if said and not theirs.search(claim) and not any(mine.search(text) for text in near):
            held = next((found for text in near if (found := theirs.search(text))), None)
            if held:
                return [f"the claim says “{said.group()}”, the cited passage “{held.group()}”"]
    return []


def _words(text: str) -> set[str]:
    return {part for word in tokens(text) for part in (word, *word.split("-"))}


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:117].rsplit(" ", 1)[0] + "…"
