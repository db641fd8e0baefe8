"""The data that passes between modules: frozen, without behaviour but derived properties.

All times are aware UTC. All offsets are half-open and count characters (Unicode code points) of
the text they point into.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

ArticleKind = Literal["article", "teaser", "brief"]
Verdict = Literal["supported", "partly", "unsupported"]
Status = Literal["answered", "partial", "abstained"]
RETRACTED = "Retracted"  # how the note of a withdrawn article begins


@dataclass(frozen=True, slots=True)
class Article:
    """One news article in one version.

    Attributes:
        id: Stable over versions: the record's own id, else from the canonical URL, else from the
            source path and the position in it.
        version: Hash of what a reader sees (title, text, date, correction).
        title: Headline; never empty.
        text: Body without headline, captions and page furniture; offsets point into it.
        source: Outlet, as shown to readers; "" if unknown.
        url: As stored; "" if the source had none. Never made up.
        published_at: Aware UTC, or None if unknown.
        section: As the outlet names it ("Opinion"), or "".
        kind: "teaser" for a text that only announces a longer one, "brief" for a short item.
        truncated: The text breaks off before its end.
        correction: The outlet's correction or retraction note, or None.
        title_inferred: The title was made from the text.
        modified_at: When the outlet last changed it, as far as it says so; aware UTC.
    """

    id: str
    version: str
    title: str
    text: str
    source: str = ""
    url: str = ""
    published_at: datetime | None = None
    authors: tuple[str, ...] = ()
    section: str = ""
    language: str = "en"
    kind: ArticleKind = "article"
    truncated: bool = False
    correction: str | None = None
    title_inferred: bool = False
    modified_at: datetime | None = None

    @property
    def retracted(self) -> bool:
        """True if the outlet withdrew the article: it is kept, but is no evidence."""
        return bool(self.correction) and str(self.correction).lower().startswith(RETRACTED.lower())


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one article: `article.text[start:end] == text`."""

    id: str
    article_id: str
    version: str
    index: int
    start: int
    end: int
    text: str
    title: str
    source: str = ""
    url: str = ""
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """A passage found for a question.

    Attributes:
        score: Fused score, higher is better; comparable only within one search.
        rank: 1-based place in the result: the search's, or the reader's where the passages were read.
        dense_rank: 1-based place in the vector search, or None if not found by it.
        bm25_rank: 1-based place in the full-text search, or None if not found by it.
        similarity: Cosine of question and passage in [-1, 1], or None if not found by vectors.
        story_id: Id of the group of copies this article belongs to.
        also_in: Other outlets that carry the same story.
        instructed: Parts of its text that speak to the program and are no evidence (`rag.instructions`).
    """

    passage: Passage
    score: float
    rank: int
    dense_rank: int | None = None
    bm25_rank: int | None = None
    similarity: float | None = None
    story_id: str = ""
    also_in: tuple[str, ...] = ()
    section: str = ""
    correction: str | None = None
    truncated: bool = False
    instructed: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Publication times asked for: `since <= published_at < until`; None is open.

    `inferred_from` holds the words of the question it was read from, "" if given by the reader.
    """

    since: datetime | None = None
    until: datetime | None = None
    inferred_from: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A relative phrase at [start, end) of a text, its words, and the time it means in words ("January 2025")."""

    start: int
    end: int
    words: str
    means: str


@dataclass(frozen=True, slots=True)
class Citation:
    """One exact quote: the stored text of (article_id, version) at [start, end) is `quote`.

    Attributes:
        anchors: Relative words for time in the quote, with what they mean; offsets count from the quote's start.
    """

    number: int
    article_id: str
    version: str
    start: int
    end: int
    quote: str
    title: str
    source: str = ""
    url: str = ""
    published_at: datetime | None = None
    truncated: bool = False
    correction: str | None = None
    section: str = ""
    also_in: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer with the citations it stands on and the verdict of the check.

    Attributes:
        text: Without citation markers.
        citations: Numbers into `Answer.citations`, 1-based.
        score: Support in [0, 1].
        reasons: What a reader should know about the verdict ("the passage says 300, not 3,000").
        as_of: Publication of the newest article it cites: it may have changed since. None if none is known.
    """

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    score: float
    reasons: tuple[str, ...] = ()
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """What one outlet says in a conflict: the differing value and the citation that holds it."""

    value: str
    citation: int
    source: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two or more outlets that give different values for the same thing; newest first."""

    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """The few words that answer a plain question: characters [start, end) of the article that `citation` quotes."""

    text: str
    citation: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of the dialogue."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What the chain is asked.

    Attributes:
        turns: Earlier exchanges, oldest first.
        window: Given by the reader; None lets the chain infer one from the question.
        infer_window: False searches all times unless `window` is given.
        sources: Outlets to search, empty for all.
        now: The moment "last week" counts from; None is the present.
    """

    question: str
    turns: tuple[Turn, ...] = ()
    window: TimeWindow | None = None
    infer_window: bool = True
    sources: tuple[str, ...] = ()
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the chain has begun: understanding, searching, reading, writing or checking."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """A claim that passed the check, with the citations it brings, as it joins the answer."""

    claim: Claim
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer; the same object behind every door.

    Attributes:
        id: For replay: the archive keeps the answer under it.
        search_query: The standalone question that was searched.
        window: The time window used, or None.
        text: Rendered from the claims, with markers like [1].
        raw_text: As generated by the writer, before any check; for audit.
        citations: In order of number, 1-based; each is used by a claim or a conflict.
        retrieved: The passages given to reader or writer, best first.
        notes: Lines for the reader: sentences withheld, a window that was empty, a fallback.
        confidence: Probability that the passages answer the question, in [0, 1].
        model: "builtin" or the chat model's name.
        timings_ms: Milliseconds by stage.
        created_at: When the answer was made.
        short: The words of a quote that answer a plain question; None for other questions and from a writer.
        withheld: Sentences of a chat model that were not shown.
        tokens: What the chat model read ("prompt") and wrote ("written") for this answer, as its server counts them;
            empty without one, or where it does not count.
    """

    id: str
    question: str
    search_query: str
    window: TimeWindow | None
    status: Status
    claims: tuple[Claim, ...]
    text: str
    raw_text: str
    citations: tuple[Citation, ...]
    retrieved: tuple[RetrievedPassage, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]
    confidence: float
    model: str
    timings_ms: dict[str, float]
    created_at: datetime
    short: ShortAnswer | None = None
    withheld: int = 0
    tokens: dict[str, int] = field(default_factory=dict)


Event = Stage | ClaimShown | Answer


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """What the archive holds: counts of current articles and passages, and its freshness."""

    articles: int
    passages: int
    stories: int
    pending: int
    sources: tuple[str, ...]
    newest_at: datetime | None
    newest_title: str
    last_ingest_at: datetime | None
