"""Is what somebody said still told as theirs?

News is full of claims that are somebody's: dropping "police said" makes a fact of an allegation, the gravest fault that
a study of newsroom assistants found (arXiv:2509.25498). Support (`eval.metrics.grounding`) does not see it, nor does a
citation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.evidence import QUOTED, SAYING
from rag.sentences import sentences
from rag.words import content_stems, names, stem, tokens

_NAMED_WITHIN = 3  # sentences before the source that may name "she"
_QUOTED_WORDS = 3  # fewer in quotation marks are a title or a word held at arm's length


def attribution_kept(claim: str, cited: Sequence[str]) -> bool | None:
    """Tell whether a claim keeps who said what it tells.

    Its source is the cited sentence that shares most content words with it. If that tells what somebody said, by a verb
    of saying ("said", "according to") or in quotation marks, the claim must have such a verb too. If the claim has one,
    the source must, or the sentence beside it; and people or bodies that the claim names beside its verb must be named
    there too, or in the three sentences before ("she said").

    Range: True, False, None where neither attributes anything or nothing is cited. Pitfalls: of a source that tells two
    things, one of them as said, a claim on the other counts as False; names are told by their capitals.

    Args:
        claim: One sentence without markers.
        cited: The texts that it cites.
    """
    texts = [sentences(text) for text in cited]
    wanted = set(content_stems(claim))
    places = [
        (len(wanted & set(content_stems(one))), -row, -at) for row, t in enumerate(texts) for at, one in enumerate(t)
    ]
    if not wanted or not places:
        return None
    _, row, at = (abs(part) for part in max(places))
    source, near = texts[row][at], texts[row][max(0, at - _NAMED_WITHIN) : at + 2]
    told_in_claim = _tells_as_said(claim)
    told_in_source = _tells_as_said(source) or _is_quotation(source)
    if not told_in_claim and not told_in_source:
        return None
    if not told_in_claim:
        return False
    beside = texts[row][max(0, at - 1) : at + 2]
    if not told_in_source and not any(map(_tells_as_said, beside)):
        return False
    speakers = _names_outside_quotes(claim)
    return not speakers or bool(speakers & {stem(word) for one in near for word in tokens(one)})


def attribution(claims: Sequence[str], cited: Sequence[Sequence[str]]) -> float | None:
    """Return the share of claims that keep their attribution, of those that have one to keep; None if none has.

    Args:
        claims: The answer's, without markers.
        cited: For each claim the texts that it cites.
    """
    kept = [attribution_kept(claim, texts) for claim, texts in zip(claims, cited, strict=True)]
    told = [one for one in kept if one is not None]
    return sum(told) / len(told) if told else None


def _tells_as_said(sentence: str) -> bool:
    """Tell whether it has a verb of saying outside its quotations, or quotes inside a sentence of its own."""
    bare = QUOTED.sub(" ", sentence)
    return SAYING.search(bare) is not None or (_quotes(sentence) and any(char.isalpha() for char in bare))


def _is_quotation(sentence: str) -> bool:
    return _quotes(sentence) and not any(char.isalpha() for char in QUOTED.sub(" ", sentence))


def _quotes(sentence: str) -> bool:
    return any(len(tokens(quote)) >= _QUOTED_WORDS for quote in QUOTED.findall(sentence))


def _names_outside_quotes(claim: str) -> set[str]:
    """Return the words of the names nearest to the verb of saying: of "X said Y fell", those of X."""
    bare = QUOTED.sub(" ", claim)
    verb = SAYING.search(bare)
    if verb is None:
        return set()
    clause = re.split(r"[,;:]\s", bare[: verb.start()].rstrip(" ,"))[-1]
    said_by = names(clause)[-1:] or names(re.split(r"[,;:.]\s", bare[verb.end() :])[0])[:1]
    return {stem(word) for name in said_by for word in tokens(name) if len(word) > 1}
