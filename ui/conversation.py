"""One reader's conversation with the archive: question in, growing page out; knows no Gradio."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rag.errors import NotFoundError, PressmarkError
from rag.schema import Answer, Citation, ClaimShown, Query, Stage, TimeWindow, Turn
from ui.render import ArticleKey, failure_html, turn_html

if TYPE_CHECKING:
    from rag.chain import AnswerChain
    from rag.schema import Article

_log = logging.getLogger(__name__)
_KEPT_TURNS = 30  # exchanges that stay on the page; a session's memory must not grow without end
_STOPPED = "Stopped before the answer was complete."


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one session has said so far; lives in that session's state and nowhere else.

    Attributes:
        turns: Answered exchanges, oldest first, for follow-up questions.
        pages: Rendered exchanges that are finished, oldest first.
        page: The rendered latest exchange, finished or not.
        draft: The answer in progress; None when none is.
    """

    turns: tuple[Turn, ...] = ()
    pages: tuple[str, ...] = ()
    page: str = ""
    draft: Answer | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """How the reader narrowed the search: days inclusive, as the page shows them."""

    first_day: str = ""
    last_day: str = ""
    infer_window: bool = True
    sources: tuple[str, ...] = ()

    def window(self) -> TimeWindow | None:
        """Return the time window, None if the reader gave no day.

        Raises:
            ValueError: A day is not a date, or they are the wrong way round.
        """
        since, last = _day(self.first_day), _day(self.last_day)
        if since is None and last is None:
            return None
        if since and last and last < since:
            raise ValueError("The first day is after the last: swap them.")
        return TimeWindow(since, last + timedelta(days=1) if last else None)


def _day(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
        day + timedelta(days=1)  # the last day of the calendar has none after it
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no date: write it as 2025-06-30.") from error
    return day


def converse(chain: AnswerChain, question: str, conversation: Conversation, scope: Scope) -> Iterator[Conversation]:
    """Yield the conversation as the answer grows; the last item holds the finished answer."""
    pages = (*conversation.pages, conversation.page) if conversation.page else conversation.pages
    asked = replace(conversation, pages=pages[-_KEPT_TURNS:], page="", draft=None)
    try:
        query = Query(
            question=question,
            turns=asked.turns,
            window=scope.window(),
            infer_window=scope.infer_window,
            sources=scope.sources,
        )
        yield from _follow(chain, query, asked)
    except (PressmarkError, ValueError) as error:
        yield replace(asked, page=failure_html(question, str(error)))
    except Exception:
        # A reader gets no internals; the operator's log has them.
        _log.exception("The question could not be answered")
        message = "Something went wrong on the server. Try again; its log has the details."
        yield replace(asked, page=failure_html(question, message))


def _follow(chain: AnswerChain, query: Query, asked: Conversation) -> Iterator[Conversation]:
    shown: list[ClaimShown] = []
    stage = Stage("understanding")
    yield _drafted(chain, query, asked, shown, stage)
    for event in chain.stream(query):
        if isinstance(event, Answer):
            turns = (*asked.turns, Turn(query.question, event.text))
            page = turn_html(event, cited_articles(chain, event))
            yield replace(asked, turns=turns[-_KEPT_TURNS:], page=page, draft=None)
            return
        if isinstance(event, Stage):
            stage = event
        else:
            shown.append(event)
        yield _drafted(chain, query, asked, shown, stage)


def _drafted(
    chain: AnswerChain, query: Query, asked: Conversation, shown: Sequence[ClaimShown], stage: Stage
) -> Conversation:
    draft = draft_answer(query.question, shown)
    return replace(asked, page=turn_html(draft, cited_articles(chain, draft), stage=stage), draft=draft)


def draft_answer(question: str, shown: Sequence[ClaimShown]) -> Answer:
    """Make an answer of the claims that came so far, so that draft and answer are rendered alike."""
    citations: dict[int, Citation] = {c.number: c for item in shown for c in item.citations}
    return Answer(
        id="draft",
        question=question,
        search_query=question,
        window=None,
        status="answered",
        claims=tuple(item.claim for item in shown),
        text="",
        raw_text="",
        citations=tuple(citations[number] for number in sorted(citations)),
        retrieved=(),
        conflicts=(),
        notes=(),
        confidence=0.0,
        model="builtin",
        timings_ms={},
        created_at=datetime.now(UTC),
    )


def stopped(chain: AnswerChain, conversation: Conversation) -> Conversation:
    """Close a conversation whose answer was stopped: what was shown stays, and says so."""
    if conversation.draft is None:
        return conversation
    draft = replace(conversation.draft, notes=(_STOPPED,))
    # Numbered, for a second stopped answer must not share its anchors.
    draft = replace(draft, id=f"stopped-{len(conversation.pages)}")
    return replace(conversation, page=turn_html(draft, cited_articles(chain, draft)), draft=None)


def cited_articles(chain: AnswerChain, answer: Answer) -> dict[ArticleKey, Article]:
    """Return the cited articles that the archive still has, in the versions cited."""
    found: dict[ArticleKey, Article] = {}
    for key in {(citation.article_id, citation.version) for citation in answer.citations}:
        try:
            found[key] = chain.store.archive.article(*key)
        except NotFoundError:
            continue  # deleted meanwhile: the card shows the stored quote alone
    return found
