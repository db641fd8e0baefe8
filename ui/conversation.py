"""One reader's conversation with the archive: question in, growing page out; knows no Gradio."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rag.errors import NotFoundError, PressmarkError
from rag.schema import Answer, Citation, ClaimShown, Query, Stage, TimeWindow, Turn
from ui.problems import reason
from ui.render import failure_html, results_html, turn_html
from ui.render_sources import ArticleKey

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.schema import Article
    from ui.desk import Desk

_log = logging.getLogger(__name__)
_KEPT_TURNS = 30  # exchanges that stay on the page; a session's memory must not grow without end
_STOPPED = "Stopped before the answer was complete."


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one session has said so far; lives in that session's state and nowhere else.

    Attributes:
        id: Under which the reader's browser keeps it.
        turns: Answered exchanges, oldest first, for follow-up questions.
        answers: Ids of the answers on the page, oldest first.
        pages: Rendered exchanges that are finished, oldest first.
        page: The rendered latest exchange, finished or not.
        query: What was asked in the latest exchange; None if that was a search or a failure.
        draft: The answer in progress; None when none is.
    """

    id: str = ""
    turns: tuple[Turn, ...] = ()
    answers: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    page: str = ""
    query: Query | None = None
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
        return window_of_days(self.first_day, self.last_day)


def window_of_days(first_day: str, last_day: str) -> TimeWindow | None:
    """Return the window from a first to a last day, both inside, as 2025-06-30; None if both are empty.

    Raises:
        ValueError: A day is not a date, or they are the wrong way round.
    """
    since, last = _day(first_day), _day(last_day)
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


# -- asking --------------------------------------------------------------------------------------


def converse(desk: Desk, question: str, conversation: Conversation, scope: Scope) -> Iterator[Conversation]:
    """Yield the conversation as the answer grows; the last item holds the finished answer."""
    asked = _turned(conversation)
    yield from _told(
        asked,
        question,
        lambda: _follow(
            desk,
            Query(
                question=question,
                turns=asked.turns,
                window=scope.window(),
                infer_window=scope.infer_window,
                sources=scope.sources,
            ),
            asked,
        ),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What the reader changed of the latest question.

    Attributes:
        question: To be searched as it stands; "" leaves it.
        dates: "all" for no window, "set" for the days given, "" leaves it.
    """

    question: str = ""
    dates: str = ""
    first_day: str = ""
    last_day: str = ""


def converse_again(desk: Desk, conversation: Conversation, change: Change) -> Iterator[Conversation]:
    """Yield the conversation while its latest question is answered anew, with other dates or in other words."""
    query = conversation.query
    if query is None:
        return
    asked = replace(
        conversation,
        turns=query.turns,
        answers=conversation.answers[:-1] if conversation.draft is None else conversation.answers,
        page="",
        query=None,
        draft=None,
    )
    yield from _told(asked, query.question, lambda: _follow(desk, _changed(query, change), asked))


def _changed(query: Query, change: Change) -> Query:
    if change.question.strip():
        query = replace(query, question=change.question.strip(), turns=())
    if change.dates == "all":
        query = replace(query, window=None, infer_window=False)
    elif change.dates == "set":
        query = replace(query, window=window_of_days(change.first_day, change.last_day), infer_window=False)
    return query


def find(desk: Desk, question: str, conversation: Conversation, scope: Scope) -> Iterator[Conversation]:
    """Yield the conversation with the passages found for a question, without an answer."""
    asked = _turned(conversation)

    def searched() -> Iterator[Conversation]:
        found = desk.chain.retriever.retrieve(question, window=scope.window(), sources=scope.sources)
        yield replace(asked, page=results_html(question, found))

    yield from _told(asked, question, searched)


def _turned(conversation: Conversation) -> Conversation:
    """Move the latest exchange to the finished ones."""
    pages = (*conversation.pages, conversation.page) if conversation.page else conversation.pages
    return replace(
        conversation,
        id=conversation.id or uuid.uuid4().hex[:16],
        pages=pages[-_KEPT_TURNS:],
        page="",
        query=None,
        draft=None,
    )


def _told(asked: Conversation, question: str, steps: Callable[[], Iterator[Conversation]]) -> Iterator[Conversation]:
    """Yield the steps; a failure is told on the page, without what only the log should say."""
    try:
        yield from steps()
    except (PressmarkError, ValueError) as error:
        yield replace(asked, page=failure_html(question, reason(error)))
    except Exception:
        _log.exception("The question could not be answered")
        message = "Something went wrong on the server. Try again; its log has the details."
        yield replace(asked, page=failure_html(question, message))


def _follow(desk: Desk, query: Query, asked: Conversation) -> Iterator[Conversation]:
    asked = replace(asked, query=query)
    shown: list[ClaimShown] = []
    stage = Stage("understanding")
    yield _drafted(desk, query, asked, shown, stage)
    for event in desk.stream(query, "window"):
        if isinstance(event, Answer):
            yield _answered(desk, query, event, asked)
            return
        if isinstance(event, Stage):
            stage = event
        else:
            shown.append(event)
        yield _drafted(desk, query, asked, shown, stage)


def _answered(desk: Desk, query: Query, answer: Answer, asked: Conversation) -> Conversation:
    return replace(
        asked,
        turns=(*asked.turns, Turn(query.question, answer.text))[-_KEPT_TURNS:],
        answers=(*asked.answers, answer.id)[-_KEPT_TURNS:],
        page=turn_html(answer, cited_articles(desk.archive, answer)),
        draft=None,
    )


def _drafted(desk: Desk, query: Query, asked: Conversation, shown: Sequence[ClaimShown], stage: Stage) -> Conversation:
    draft = draft_answer(query.question, shown)
    return replace(asked, page=turn_html(draft, cited_articles(desk.archive, draft), stage=stage), draft=draft)


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


def stopped(desk: Desk, conversation: Conversation) -> Conversation:
    """Close a conversation whose answer was stopped: what was shown stays, and says so."""
    if conversation.draft is None:
        return conversation
    draft = replace(conversation.draft, notes=(_STOPPED,))
    # Numbered, for a second stopped answer must not share its anchors.
    draft = replace(draft, id=f"stopped-{len(conversation.pages)}")
    return replace(conversation, page=turn_html(draft, cited_articles(desk.archive, draft)), draft=None)


# -- again, later --------------------------------------------------------------------------------


def replayed(archive: Archive, answer_ids: Sequence[str], conversation_id: str = "") -> Conversation:
    """Return stored answers as a conversation that can go on; those that are gone are left out.

    Raises:
        NotFoundError: None of them is stored.
    """
    found = []
    for answer_id in answer_ids[-_KEPT_TURNS:]:
        try:
            found.append(archive.answers.get(answer_id))
        except NotFoundError:
            continue
    if not found:
        raise NotFoundError("The archive does not have this answer any more.")
    pages = [turn_html(answer, cited_articles(archive, answer)) for answer in found]
    turns = tuple(Turn(answer.question, answer.text) for answer in found)
    last = found[-1]
    return Conversation(
        id=conversation_id,
        turns=turns,
        answers=tuple(answer.id for answer in found),
        pages=tuple(pages[:-1]),
        page=pages[-1],
        query=Query(last.question, turns=turns[:-1], window=None if _inferred(last) else last.window),
    )


def _inferred(answer: Answer) -> bool:
    return answer.window is not None and bool(answer.window.inferred_from)


def cited_articles(archive: Archive, answer: Answer) -> dict[ArticleKey, Article]:
    """Return the cited articles that the archive still has, in the versions cited."""
    found: dict[ArticleKey, Article] = {}
    for key in {(citation.article_id, citation.version) for citation in answer.citations}:
        try:
            found[key] = archive.article(*key)
        except NotFoundError:
            continue  # deleted meanwhile: the card shows the stored quote alone
    return found
