"""Questions and answers over HTTP: whole, or as server-sent events while the answer grows."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from pydantic import TypeAdapter

import rag.schema as schema
from rag.answers import answers_adapter
from rag.errors import PressmarkError
from rag.feedback import Feedback
from rag.schema import Answer, ClaimShown, Stage
from ui.api_types import Ask, Opinion
from ui.problems import PROBLEM_RESPONSES, Problem, problem_of

if TYPE_CHECKING:
    from ui.desk import Desk

_log = logging.getLogger(__name__)
_EVENT_SCHEMA = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["stage", "claim", "answer", "error"]},
        "data": {"type": "string", "description": "JSON: a Stage, a ClaimShown, an Answer or a Problem."},
    },
}


def answer_routes(desk: Desk) -> APIRouter:
    """Return the routes under `/api/answers`."""
    routes = APIRouter(prefix="/api/answers", tags=["answers"], responses=PROBLEM_RESPONSES)

    @routes.post(
        "",
        summary="Ask a question",
        response_model=Answer,
        responses={200: {"content": {"text/event-stream": {"schema": _EVENT_SCHEMA}}}},
    )
    def ask(body: Ask) -> Response:
        """Answer from the archive, with `stream` as server-sent events: stage, claim, answer, error."""
        check_length(body.question, desk.settings.question_chars)
        if body.stream:
            return event_stream(desk.stream(body.query(), "api"), _event_text, _error_text)
        return _answered(desk.invoke(body.query(), "api"))

    @routes.get("/{answer_id}", summary="Read a stored answer", response_model=Answer)
    def replay(answer_id: str) -> Response:
        """Return an answer as it was given."""
        return _answered(desk.archive.answers.get(answer_id))

    @routes.post("/{answer_id}/feedback", summary="Say whether an answer was good", status_code=204)
    def rate(answer_id: str, body: Opinion) -> None:
        """Keep a thumb up or down with its reason; `pressmark eval import-feedback` makes eval questions of them."""
        desk.archive.feedback.add(Feedback(answer_id, body.rating, body.reason.strip(), datetime.now(UTC)))

    return routes


def check_length(question: str, limit: int, where: str = "question") -> None:
    """Refuse a question that is too long, as a body that does not fit: the limit is a setting, no constant of it."""
    if len(question) > limit:
        message = f"String should have at most {limit} characters"
        raise RequestValidationError([{"type": "string_too_long", "loc": ("body", where), "msg": message}])


def event_stream(
    events: Iterator[schema.Event],
    text_of: Callable[[schema.Event], str],
    error_text: Callable[[Problem], str],
    *,
    end: str = "",
) -> StreamingResponse:
    """Return events as a stream; a question refused at the door is still a plain error with its own status."""
    first = next(events)
    return StreamingResponse(
        _lines(first, events, text_of, error_text, end),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _lines(
    first: schema.Event,
    events: Iterator[schema.Event],
    text_of: Callable[[schema.Event], str],
    error_text: Callable[[Problem], str],
    end: str,
) -> Iterator[str]:
    try:
        yield text_of(first)
        for event in events:
            yield text_of(event)
        if end:
            yield end
    except Exception as error:
        # The status line is long gone: the failure is told as the last event.
        if not isinstance(error, (PressmarkError, ValueError)):
            _log.exception("An answer failed while it was sent")
        yield error_text(problem_of(error))


def _answered(answer: Answer) -> Response:
    return Response(answers_adapter().dump_json(answer), media_type="application/json")


def _event_text(event: schema.Event) -> str:
    if isinstance(event, Stage):
        return f"event: stage\ndata: {json.dumps(asdict(event), ensure_ascii=False)}\n\n"
    if isinstance(event, ClaimShown):
        return f"event: claim\ndata: {_CLAIMS.dump_json(event).decode()}\n\n"
    return f"event: answer\ndata: {answers_adapter().dump_json(event).decode()}\n\n"


def _error_text(problem: Problem) -> str:
    return f"event: error\ndata: {problem.model_dump_json()}\n\n"


_CLAIMS: TypeAdapter[ClaimShown] = TypeAdapter(ClaimShown)
