"""A reading to an answer of exact sentences: which, how many, in what order, and what contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from rag.citations import CitationBook, cite_span
from rag.evidence import EvidenceSentence
from rag.figures import figures
from rag.questions import asks_for_latest, kind_of
from rag.reader import Reading
from rag.schema import Claim, Conflict, Position
from rag.sentences import sentence_spans
from rag.words import content_stems, numbers, stem, tokens

MAX_SENTENCES = 3
MAX_LIST_SENTENCES = 4
# A further sentence is shown if its chance is at least this share of the best one's. On sample `dev` shares of
# 0.5, 0.25 and 0.15 answered 33, 37 and 41 of 54 with 43, 60 and 67 words; lower ones only added words.
KEEP_SHARE = 0.15
# Reports up to this far apart speak of the same moment; later ones are news, not contradiction.
SAME_TIME = timedelta(days=2)
# Sentences that take part in a conflict must be this near to the best one.
CONFLICT_SHARE = 0.3
# Share of the best passage's topic words that a rival's passage must hold.
SAME_TOPIC = 0.75
NEAR_WORDS = 8  # words on either side of a figure that tell what it counts
GENERIC = frozenset(["peopl", "person", "total", "number"])  # stems that any count may stand near
REPEATS = 0.6  # share of word pairs at which a sentence repeats one already shown


@dataclass(frozen=True, slots=True)
class Draft:
    """Claims in reading order, and the contradictions among their sources."""

    claims: tuple[Claim, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Figure:
    """A quantity for the thing asked, and the words of the question that stand near it."""

    sentence: EvidenceSentence
    value: float
    words: str
    noun: str
    near: frozenset[str]


def compose(question: str, reading: Reading, book: CitationBook) -> Draft:
    """Choose the sentences that answer `question`, and cite each in `book`.

    The best sentence leads. Others follow if they come near it and say something new, article by
    article in order of the text. If outlets give different figures at the same time, the sentence
    of each is shown; if a later report gives another figure, the newest comes first and a note says so.
    """
    if not reading.sentences:
        return Draft((), (), ())
    rivals = _differing_figures(question, reading.sentences)
    if rivals and asks_for_latest(question):
        return Draft(_claims([rivals[0].sentence], book), (), ())
    if not rivals:
        return Draft(_claims(_in_reading_order(_near_the_best(question, reading.sentences)), book), (), ())
    claims = _claims([figure.sentence for figure in rivals], book)
    if not _at_the_same_time(rivals):
        return Draft(claims, (), ("The figure changed over time; the newest report comes first.",))
    positions = tuple(
        Position(
            value=figure.words,
            citation=claim.citations[0],
            source=figure.sentence.found.passage.source,
            published_at=figure.sentence.found.passage.published_at,
        )
        for figure, claim in zip(rivals, claims, strict=True)
    )
    return Draft(claims, (Conflict(positions),), ("The outlets give different figures.",))


def _claims(chosen: Sequence[EvidenceSentence], book: CitationBook) -> tuple[Claim, ...]:
    """Quote each sentence, with the one it leans on unless that is shown already."""
    claims = []
    shown: set[tuple[str, int]] = set()
    for sentence in chosen:
        article_id = sentence.found.passage.article_id
        if (article_id, sentence.start) in shown:
            continue
        start = sentence.start if (article_id, sentence.context_start) in shown else sentence.context_start
        citation = book.add(cite_span(sentence.found, start, sentence.context_end))
        shown |= {(article_id, start + begin) for begin, _ in sentence_spans(citation.quote)}
        claims.append(Claim(text=citation.quote, citations=(citation.number,), verdict="supported", score=1.0))
    return tuple(claims)


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


def _differing_figures(question: str, ranked: Sequence[EvidenceSentence]) -> list[_Figure]:
    """Return one figure for each differing value that stories give for the thing asked, newest first.

    Empty unless the question asks for a number and at least two stories on its topic differ.
    """
    if kind_of(question) != "number":
        return []
    best = ranked[0]
    by_story: dict[str, _Figure] = {}
    for sentence in ranked:
        if sentence.score < best.score * CONFLICT_SHARE or not _on_topic(question, sentence, best):
            continue
        figure = _figure(question, sentence)
        if figure is not None:
            by_story.setdefault(sentence.found.story_id, figure)
    first = next(iter(by_story.values()), None)
    alike = [figure for figure in by_story.values() if first and _counts_the_same(figure, first)]
    newest = sorted(alike, key=lambda figure: _published(figure.sentence), reverse=True)
    chosen: dict[float, _Figure] = {}
    for figure in newest:
        chosen.setdefault(figure.value, figure)
    return list(chosen.values())[:MAX_SENTENCES] if len(chosen) > 1 else []


def _figure(question: str, sentence: EvidenceSentence) -> _Figure | None:
    """Return the quantity in the sentence that stands for the thing asked.

    The thing asked is the question's first content words ("how many marchers…"): the quantity whose
    neighbourhood shares most of them wins; without any shared word there is none.
    """
    wanted = {word: 1.0 / (1 + place) for place, word in enumerate(content_stems(question))}
    known = set(numbers(question))
    best, most = None, 0.0
    for found in figures(sentence.text):
        before = sentence.text[: found.start].split()[-NEAR_WORDS:]
        after = sentence.text[found.start :].split()[: NEAR_WORDS + len(found.words.split())]
        near = frozenset(content_stems(" ".join(before + after))) & set(wanted)
        weight = sum(wanted[word] for word in near)
        if weight > most and found.value not in known:
            words = " ".join(after[: len(found.words.split()) + 1]).strip(" .,;:")
            best, most = _Figure(sentence, found.value, words, found.noun, near), weight
    return best


def _counts_the_same(one: _Figure, other: _Figure) -> bool:
    """Tell whether both stand near the same telling word of the question and count the same thing."""
    alike = one.noun == other.noun or not one.noun or not other.noun
    return alike and bool((one.near & other.near) - GENERIC)


def _on_topic(question: str, sentence: EvidenceSentence, best: EvidenceSentence) -> bool:
    """Tell whether the sentence's passage speaks of what is asked about as much as the best one's does."""
    return _topic_share(question, sentence) >= SAME_TOPIC * _topic_share(question, best)


def _topic_share(question: str, sentence: EvidenceSentence) -> float:
    passage = sentence.found.passage
    held = {stem(word) for word in tokens(f"{passage.title} {passage.text}")}
    wanted = content_stems(question)
    return sum(word in held for word in wanted) / len(wanted) if wanted else 0.0


def _at_the_same_time(rivals: Sequence[_Figure]) -> bool:
    dates = [figure.sentence.found.passage.published_at for figure in rivals]
    known = [date for date in dates if date is not None]
    return len(known) < len(dates) or max(known) - min(known) <= SAME_TIME


def _published(sentence: EvidenceSentence) -> datetime:
    return sentence.found.passage.published_at or datetime.min.replace(tzinfo=UTC)


def _repeats(one: EvidenceSentence, other: EvidenceSentence) -> bool:
    first, second = set(pairwise(tokens(one.text))), set(pairwise(tokens(other.text)))
    return len(first & second) >= REPEATS * max(1, min(len(first), len(second)))
