"""Do the citations point at the evidence?

A claim is one shown sentence, given as the citation numbers it bears; `articles` holds the article
of each number that exists. A number without an article is invalid: it counts against precision and
has its own rate. (ALCE's code leaves such numbers out of precision and reads [0] as the last
passage; `evaluation_anchors.md` 8.1.) The same number twice in one claim counts once, so that
repeating a good citation gains nothing. Every figure lies in [0, 1] and is None where it does not
apply: an answer without claims (a refusal) has no recall, one without citations no precision.

Pitfall of all: copying a sentence with its marker scores 1.0. These figures say nothing on whether
the question was answered; read them beside `contains_gold` and the trivial systems.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rag.schema import Citation, Verdict

Claims = Sequence[Sequence[int]]
Articles = Mapping[int, str]


def citation_recall(claims: Claims, articles: Articles, gold: Collection[str]) -> float | None:
    """Return the share of claims with at least one citation from a gold article or its copy."""
    good = [any(articles.get(number) in gold for number in numbers) for numbers in claims]
    return _share(good)


def citation_precision(claims: Claims, articles: Articles, gold: Collection[str]) -> float | None:
    """Return the share of citations that are from a gold article or its copy.

    Pitfall: an article that also holds the answer but was not listed as evidence counts as wrong,
    so this is a lower bound.
    """
    return _share([articles.get(number) in gold for number in _cited(claims)])


def invalid_share(claims: Claims, articles: Articles) -> float | None:
    """Return the share of citations whose number names no source."""
    return _share([number not in articles for number in _cited(claims)])


def quote_exact(citation: Citation, article_text: str) -> bool:
    """Tell whether the stored text at the citation's span is its quote, character for character.

    Offsets outside the text are wrong: a negative one would count from the end.
    """
    inside = 0 <= citation.start < citation.end <= len(article_text)
    return inside and article_text[citation.start : citation.end] == citation.quote


def supported_claims(verdicts: Sequence[Verdict]) -> float | None:
    """Return the share of claims with the verdict "supported"; "partly" counts 0.

    The judge is the system's own verifier, which also decided what to show: near 1 by design, a
    guard against decay and no proof of truth.
    """
    return _share([verdict == "supported" for verdict in verdicts])


def _cited(claims: Claims) -> list[int]:
    """Return the citation numbers, once for each claim."""
    return [number for numbers in claims for number in dict.fromkeys(numbers)]


def _share(good: Sequence[bool]) -> float | None:
    return sum(good) / len(good) if good else None
