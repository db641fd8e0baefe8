"""A reading to an answer of exact sentences: which, how many, in what order, and what contradicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from rag.citations import CitationBook, cite_span
from rag.evidence import EvidenceSentence
from rag.figures import figures
from rag.questions import asks_for_latest, kind_of
from rag.reader import Reading
from rag.schema import Claim, Conflict, Position, RetrievedPassage, ShortAnswer
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
RIVAL_LOG_ODDS = 1.0  # of a date, place or name to be an answer, before it may contradict another
NEAR_WORDS = 8  # words on either side of a figure that tell what it counts
GENERIC = frozenset(["peopl", "person", "total", "number"])  # stems that any count may stand near
REPEATS = 0.6  # share of word pairs at which a sentence repeats one already shown


@dataclass(frozen=True, slots=True)
class Draft:
    """Claims in reading order, contradictions among their sources, and the few words that answer a plain question."""

    claims: tuple[Claim, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]
    short: ShortAnswer | None = None


@dataclass(frozen=True, slots=True)
class _Rival:
    """What one story gives as the answer: a figure, date, place or name, as its words stand in the sentence.

    `key` is equal for equal values: a number's value, else the stems of the words.
    """

    sentence: EvidenceSentence
    key: object
    words: str
    noun: str = ""
    near: frozenset[str] = frozenset()


def compose(question: str, reading: Reading, book: CitationBook) -> Draft:
    """Choose the sentences that answer `question`, and cite each in `book`.

    The best sentence leads. Others follow if they come near it and say something new: for a plain question article
    by article, the best first; for lists and for what happened in order of time. If stories of the same days give
    different figures, dates, places or names, the sentence of each is shown; if a later report gives another one, the
    newest comes first and a note says so.
    """
    if not reading.sentences:
        return Draft((), (), ())
    rivals = _rivals(question, reading.sentences)
    if rivals and asks_for_latest(question):
        claims = _claims([rivals[0].sentence], book)
        return Draft(claims, (), (), _short(question, rivals[0].sentence, book))
    if not rivals:
        chosen = _near_the_best(question, reading.sentences)
        claims = _claims(_in_reading_order(question, chosen), book)
        return Draft(claims, (), (), _short(question, reading.sentences[0], book))
    claims = _claims([rival.sentence for rival in rivals], book)
    if not _at_the_same_time(rivals):
        return Draft(claims, (), (_update_note(rivals),))
    positions = tuple(
        Position(
            value=rival.words,
            citation=claim.citations[0],
            source=rival.sentence.found.passage.source,
            published_at=rival.sentence.found.passage.published_at,
        )
        for rival, claim in zip(rivals, claims, strict=True)
    )
    return Draft(claims, (Conflict(positions),), ("The sources give different answers.",))


SHORT_WORDS = 10
SHORT_SHARE = 0.7  # of the sentence's characters: more is no short answer to it
_PLAIN = frozenset(["when", "number", "who", "where", "what"])
_NOT_PLAIN = re.compile(
    r"\b(?:what happen\w*|what (?:did|does|do|has|have|had)\b.*\b(?:do|done|say|said|mean|think|happen\w*)|how come"
    r"|how (?:do|does|did|is|are|was|were|can|could|has|have|had|will|would)|in what way"
    r"|what (?:is|was) .* (?:about|like))\b",
    re.IGNORECASE,
)


def _short(question: str, best: EvidenceSentence, book: CitationBook) -> ShortAnswer | None:
    """Return the likeliest words of the best sentence, if the question asks for a plain fact and they likely are it."""
    span = best.answer
    if span is None or span.score <= 0 or kind_of(question) not in _PLAIN or _NOT_PLAIN.search(question):
        return None
    words = best.text[span.start - best.start : span.end - best.start]
    if len(words.split()) > SHORT_WORDS or len(words) > SHORT_SHARE * len(best.text):
        return None
    passage = best.found.passage
    for citation in book.citations:
        same = (citation.article_id, citation.version) == (passage.article_id, passage.version)
        if same and citation.start <= span.start and span.end <= citation.end:
            return ShortAnswer(words, citation.number, span.start, span.end)
    return None


def _claims(chosen: Sequence[EvidenceSentence], book: CitationBook) -> tuple[Claim, ...]:
    """Quote each sentence with the one it leans on; if that is quoted just before, both make one claim."""
    quoted: list[tuple[RetrievedPassage, int, int]] = []
    shown: set[tuple[str, int]] = set()
    for sentence in chosen:
        passage = sentence.found.passage
        if (passage.article_id, sentence.start) in shown:
            continue
        found, start = sentence.found, sentence.context_start
        if start < sentence.start and (passage.article_id, start) in shown:
            before = quoted[-1]
            if before[0].passage.id == passage.id and before[1] <= start < before[2] <= sentence.start:
                start = quoted.pop()[1]
            else:
                start = sentence.start
        quoted.append((found, start, sentence.context_end))
        text = passage.text[start - passage.start : sentence.context_end - passage.start]
        shown |= {(passage.article_id, start + begin) for begin, _ in sentence_spans(text)}
    citations = [book.add(cite_span(found, start, end)) for found, start, end in quoted]
    return tuple(
        Claim(citation.quote, (citation.number,), verdict="supported", score=1.0, as_of=citation.published_at)
        for citation in citations
    )


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


def _in_reading_order(question: str, chosen: Sequence[EvidenceSentence]) -> list[EvidenceSentence]:
    """Follow the text inside an article; articles go by date if several things are asked for, else best first."""
    articles = list(dict.fromkeys(sentence.found.passage.article_id for sentence in chosen))
    by_time = kind_of(question) == "list" or bool(_NOT_PLAIN.search(question))

    def place(sentence: EvidenceSentence) -> tuple[datetime, int, int]:
        when = _published(sentence) if by_time else datetime.min.replace(tzinfo=UTC)
        return when, articles.index(sentence.found.passage.article_id), sentence.start

    return sorted(chosen, key=place)


# -- contradiction -----------------------------------------------------------------------------------


def _rivals(question: str, ranked: Sequence[EvidenceSentence]) -> list[_Rival]:
    """Return one sentence for each differing answer that stories give to the question, newest first.

    Empty unless the question asks for one number, date, place or person and at least two stories on its topic differ.
    """
    kind = kind_of(question)
    if kind not in ("number", "when", "who", "where"):
        return []
    best = ranked[0]
    by_story: dict[str, _Rival] = {}
    for sentence in ranked:
        if sentence.score < best.score * CONFLICT_SHARE or not _on_topic(question, sentence, best):
            continue
        rival = _figure(question, sentence) if kind == "number" else _named(question, sentence)
        if rival is not None:
            by_story.setdefault(sentence.found.story_id, rival)
    first = next(iter(by_story.values()), None)
    alike = [rival for rival in by_story.values() if first and _about_the_same(rival, first)]
    newest = sorted(alike, key=lambda rival: _published(rival.sentence), reverse=True)
    chosen: list[_Rival] = []
    for rival in newest:
        if not any(_same_value(rival.key, other.key) for other in chosen):
            chosen.append(rival)
    return chosen[:MAX_SENTENCES] if len(chosen) > 1 else []


def _figure(question: str, sentence: EvidenceSentence) -> _Rival | None:
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
            best, most = _Rival(sentence, found.value, words, found.noun, near), weight
    return best


def _named(question: str, sentence: EvidenceSentence) -> _Rival | None:
    """Return the likely answer span as a rival, if the network is surer than not that it answers."""
    span = sentence.answer
    if span is None or span.score < RIVAL_LOG_ODDS:
        return None
    words = sentence.text[span.start - sentence.start : span.end - sentence.start]
    key = frozenset(content_stems(words)) - frozenset(content_stems(question))
    return _Rival(sentence, key, words) if key and len(words.split()) <= SHORT_WORDS else None


def _same_value(one: object, other: object) -> bool:
    """Tell whether two answers may be one: equal numbers, or words of which some are shared."""
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return bool(one & other)
    return one == other


def _about_the_same(one: _Rival, other: _Rival) -> bool:
    """Tell whether two figures stand near the same telling word of the question and count the same thing."""
    if isinstance(one.key, frozenset):
        return True
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


def _at_the_same_time(rivals: Sequence[_Rival]) -> bool:
    dates = [rival.sentence.found.passage.published_at for rival in rivals]
    known = [date for date in dates if date is not None]
    return len(known) < len(dates) or max(known) - min(known) <= SAME_TIME


def _update_note(rivals: Sequence[_Rival]) -> str:
    """Say that the answer changed over time; between reports of one outlet, that it brought its own up to date."""
    newest, before = rivals[0].sentence.found.passage, rivals[-1].sentence.found.passage
    if newest.source and newest.source == before.source:
        return (
            f"Update: {newest.source} first gave {rivals[-1].words}, later {rivals[0].words}; the newest comes first."
        )
    return "The answer changed over time; the newest report comes first."


def _published(sentence: EvidenceSentence) -> datetime:
    return sentence.found.passage.published_at or datetime.min.replace(tzinfo=UTC)


def _repeats(one: EvidenceSentence, other: EvidenceSentence) -> bool:
    first, second = set(pairwise(tokens(one.text))), set(pairwise(tokens(other.text)))
    return len(first & second) >= REPEATS * max(1, min(len(first), len(second)))
