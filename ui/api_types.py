"""What goes into the HTTP API and, beside the types of `rag.schema`, what comes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rag.feedback import Rating
from rag.ingests import IngestRecord
from rag.schema import ArticleKind, Query, RetrievedPassage, TimeWindow, Turn


def _moment(value: object) -> datetime | None:
    """Read an ISO date or time as aware UTC; a date is its midnight."""
    if value is None or isinstance(value, datetime):
        return value
    try:
        # Not pydantic's own reading: it takes "5" for five seconds after 1970.
        moment = datetime.fromisoformat(str(value).strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("write an ISO date or time, such as 2025-06-30 or 2025-06-30T12:00:00Z") from error
    if not 1600 <= moment.year <= 2400:  # far from the ends of the calendar, where adding a day fails
        raise ValueError("the year must lie between 1600 and 2400")
    return moment


Moment = Annotated[datetime, BeforeValidator(_moment)]
Since = Annotated[
    Moment | None,
    Field(
        description="Earliest publication time, as ISO date or time between 1600 and 2400; UTC if it names no zone.",
        examples=["2025-06-01"],
    ),
]
Until = Annotated[
    Moment | None,
    Field(description="Publication before this time (exclusive), as ISO date or time.", examples=["2025-07-01"]),
]
Outlets = Annotated[
    list[Annotated[str, Field(max_length=300)]],
    Field(max_length=100, description="Outlets to search, by exact name; empty for all."),
]


class Exchange(BaseModel):
    """One earlier exchange of the dialogue."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=20_000, examples=["Who leads the port authority?"])
    answer: str = Field(default="", max_length=20_000, description="The `text` of the answer given.")


class Ask(BaseModel):
    """A question to the archive."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(
        min_length=1,
        description="In words; the server's limit on characters is `PRESSMARK_QUESTION_CHARS`.",
        examples=["What did the council decide in June?"],
    )
    history: list[Exchange] = Field(
        default=[], max_length=50, description="Earlier exchanges, oldest first, for follow-up questions."
    )
    since: Since = None
    until: Until = None
    infer_window: bool = Field(
        default=True, description='Take publication dates from the question ("in June") unless since or until is given.'
    )
    sources: Outlets = []
    now: Moment | None = Field(default=None, description='The moment "last week" counts from; the present if left out.')
    stream: bool = Field(
        default=False, description="Send server-sent events (stage, claim, answer, error) as the answer grows."
    )

    def query(self) -> Query:
        """Return the question as the chain takes it."""
        return Query(
            question=self.question,
            turns=tuple(Turn(turn.question, turn.answer) for turn in self.history),
            window=window_between(self.since, self.until),
            infer_window=self.infer_window,
            sources=tuple(self.sources),
            now=self.now,
        )


class Opinion(BaseModel):
    """What a reader thought of an answer."""

    model_config = ConfigDict(extra="forbid")

    rating: Rating
    reason: str = Field(default="", max_length=2000, description="In the reader's words.")


class Addition(BaseModel):
    """A text or an address to add; with `text` alone the text may be a pasted page of several articles."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(default=None, max_length=1_900_000, description="The article's text; or give `url`.")
    url: str | None = Field(default=None, max_length=2000, description="A page or feed to fetch, in place of a text.")
    title: str = Field(default="", max_length=1000)
    source: str = Field(default="", max_length=300, description="The outlet.")
    article_url: str = Field(default="", max_length=2000, description="Where the text stands, for readers to open.")
    published_at: Moment | None = Field(default=None, description="As ISO date or time; UTC if it names no zone.")


class SearchResults(BaseModel):
    """Passages found, best first."""

    query: str
    passages: list[RetrievedPassage]


class ArticleCard(BaseModel):
    """An article without its text."""

    id: str
    version: str
    title: str
    source: str
    url: str
    published_at: datetime | None
    section: str
    kind: ArticleKind
    language: str
    truncated: bool
    correction: str | None


class ArticleList(BaseModel):
    """Articles by publication time, newest first, unknown dates last."""

    articles: list[ArticleCard]
    total: int = Field(description="How many there are without a limit.")
    limit: int
    offset: int


class ArticlePage(ArticleCard):
    """An article with its text."""

    text: str
    authors: list[str]
    modified_at: datetime | None
    title_inferred: bool
    versions: list[str] = Field(default=[], description="Versions kept, newest first.")
    also_in: list[str] = Field(default=[], description="Other outlets that carry the same report.")


class IngestList(BaseModel):
    """Ingests, newest first."""

    ingests: list[IngestRecord]


class Ready(BaseModel):
    """Whether questions can be answered."""

    ready: bool
    articles: int


class Health(BaseModel):
    """What serves and how fresh it is."""

    status: str = Field(examples=["ok"])
    version: str
    articles: int
    passages: int
    pending: int = Field(description="Articles that an interrupted ingest left unindexed.")
    newest_at: datetime | None
    newest_title: str
    last_ingest_at: datetime | None
    embedding_model: str
    chat_model: str = Field(description='"builtin" for the built-in reader.')


def window_between(since: datetime | None, until: datetime | None) -> TimeWindow | None:
    """Return the window between two moments, None if both are open.

    Raises:
        ValueError: They are the wrong way round.
    """
    if since is None and until is None:
        return None
    if since and until and until <= since:
        raise ValueError("`until` must be later than `since`; it is exclusive.")
    return TimeWindow(since, until)
