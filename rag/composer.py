"""A reading to an answer of exact sentences: which, how many, in what order, and what contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from rag.citations import CitationBook, cite_span
from rag.questions import asks_for_latest, kind_of
from rag.reader import EvidenceSentence, Reading
from rag.schema import Claim, Conflict, Position
from rag.words import content_stems, quantities, tokens

MAX_SENTENCES = 3
MAX_LIST_SENTENCES = 4
# A further sentence is shown if its chance is at least this share of the best one's. Of 0.3 to 0.9,
# 0.5 kept 9 in 10 of the right sentences that stand second or third on sample `dev`.
KEEP_SHARE = 0.5
# Reports up to this far apart speak of the same moment; later ones are news, not contradiction.
SAME_TIME = timedelta(days=2)
# Sentences that take part in a conflict must be this near to the best one.
CONFLICT_SHARE = 0.3
REPEATS = 0.6  # share of word pairs at which a sentence repeats one already shown


@dataclass(frozen=True, slots=True)
class Draft:
    """Claims in reading order, and the contradictions among their sources."""

    claims: tuple[Claim, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]


def compose(question: str, reading: Reading, book: CitationBook) -> Draft:
    """Choose the sentences that answer `question`, and cite each in `book`.

    The best sentence leads. Others follow if they come near it and say something new, article by
    article in order of the text. If outlets give different figures at the same time, the sentence
    of each is shown; if a later report gives another figure, the newest comes first and a note says so.
    """
    if not reading.sentences:
        return Draft((), (), ())
    rivals = _differing_figures(question, reading.sentences)
    chosen = rivals or _near_the_best(question, reading.sentences)
    ordered = chosen if rivals else _in_reading_order(chosen)
    claims = []
    numbers: dict[tuple[str, int], int] = {}
    for sentence in ordered:
        citation = book.add(cite_span(sentence.found, sentence.context_start, sentence.end))
        numbers[_key(sentence)] = citation.number
        claims.append(
            Claim(text=citation.quote, citations=(citation.number,), verdict="supported", score=1.0, reasons=())
        )
    if not rivals:
        return Draft(tuple(claims), (), ())
    positions = tuple(
        Position(
            value=_figure(question, sentence)[1],
            citation=numbers[_key(sentence)],
            source=sentence.found.passage.source,
            published_at=sentence.found.passage.published_at,
        )
        for sentence in ordered
    )
    if _at_the_same_time(ordered):
        return Draft(tuple(claims), (Conflict(positions),), ("The outlets give different figures.",))
    return Draft(tuple(claims), (), ("The figure changed over time; the newest report comes first.",))


def _near_the_best(question: str, ranked: Sequence[EvidenceSentence]) -> list[EvidenceSentence]:
    limit = MAX_LIST_SENTENCES if kind_of(question) == "list" else MAX_SENTENCES
    best = ranked[0]
    chosen = [best]
    for sentence in ranked[1:]:
        if len(chosen) >= limit or sentence.score < KEEP_SHARE * best.score:
            break
        if not any(_repeats(sentence, other) for other in chosen):
            chosen.append(sentence)
    return chosen


def _in_reading_order(chosen: Sequence[EvidenceSentence]) -> list[EvidenceSentence]:
    """Keep the order in which articles first appear; inside an article follow the text."""
    articles = list(dict.fromkeys(sentence.found.passage.article_id for sentence in chosen))
    return sorted(chosen, key=lambda s: (articles.index(s.found.passage.article_id), s.start))


def _differing_figures(question: str, ranked: Sequence[EvidenceSentence]) -> list[EvidenceSentence]:
    """Return one sentence for each differing figure that stories give for the thing asked, newest first.

    Empty unless the question asks for a number and at least two stories differ.
    """
    if kind_of(question) != "number" or not ranked:
        return []
    floor = ranked[0].score * CONFLICT_SHARE
    by_story: dict[str, tuple[EvidenceSentence, float]] = {}
    for sentence in ranked:
        value, _ = _figure(question, sentence)
        if sentence.score < floor or value is None:
            continue
        by_story.setdefault(sentence.found.story_id, (sentence, value))
    if len({value for _, value in by_story.values()}) < 2:
        return []
    newest = sorted(by_story.values(), key=lambda pair: _published(pair[0]), reverse=True)
    if asks_for_latest(question):
        return []
    chosen: dict[float, EvidenceSentence] = {}
    for sentence, value in newest:
        chosen.setdefault(value, sentence)
    return list(chosen.values())[:MAX_SENTENCES]


def _figure(question: str, sentence: EvidenceSentence) -> tuple[float | None, str]:
    """Return the quantity in the sentence that stands for the thing asked: its value and its words.

    The thing asked is the question's first content words ("how many marchers…"): the quantity whose
    neighbourhood shares most of them wins; without any shared word there is none.
    """
    wanted = content_stems(question)
    best: tuple[float, float | None, str] = (0.0, None, "")
    for found in quantities(sentence.text):
        near = set(content_stems(found.neighbourhood))
        weight = sum(1.0 / (1 + index) for index, word in enumerate(wanted) if word in near)
        if weight > best[0]:
            best = (weight, found.value, found.words)
    return best[1], best[2]


def _at_the_same_time(chosen: Sequence[EvidenceSentence]) -> bool:
    dates = [sentence.found.passage.published_at for sentence in chosen]
    known = [date for date in dates if date is not None]
    return len(known) < len(dates) or max(known) - min(known) <= SAME_TIME


def _published(sentence: EvidenceSentence) -> datetime:
    return sentence.found.passage.published_at or datetime.min.replace(tzinfo=UTC)


def _repeats(one: EvidenceSentence, other: EvidenceSentence) -> bool:
    first, second = set(pairwise(tokens(one.text))), set(pairwise(tokens(other.text)))
    return len(first & second) >= REPEATS * max(1, min(len(first), len(second)))


def _key(sentence: EvidenceSentence) -> tuple[str, int]:
    return sentence.found.passage.article_id, sentence.start
