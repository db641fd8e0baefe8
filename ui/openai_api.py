"""The archive as an OpenAI-compatible chat model: `/v1/models` and `/v1/chat/completions`.

The last user message is the question, earlier ones its dialogue. Citations stand in the text as [1], as `annotations`
(url_citation, with offsets of the marker in the text), and in the extension field `pressmark` as the whole `Answer`; in
both modes they are the same. A sentence is sent only after it was checked.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

import rag.schema as schema
from rag.answers import answers_adapter
from rag.citations import marker_spans, with_markers
from rag.schema import Answer, ClaimShown, Turn
from ui.api_answers import check_length, event_stream
from ui.problems import PROBLEM_RESPONSES, Problem

if TYPE_CHECKING:
    from ui.desk import Desk

MODEL = "pressmark"
_KEPT_TURNS = 50  # of a long dialogue the last are read
_CHUNK_SCHEMA = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "string", "description": "JSON: a chat.completion.chunk, an error; or [DONE]."}},
}
_DONE = "data: [DONE]\n\n"


class TextPart(BaseModel):
    """A part of a message; other kinds than text cannot be asked about."""

    model_config = ConfigDict(extra="ignore")

    type: str = Field(default="text", max_length=100)
    text: str = Field(default="", max_length=20_000)

    @field_validator("type")
    @classmethod
    def _only_text(cls, value: str) -> str:
        if value != "text":
            raise ValueError(f"{value} cannot be asked about: send text parts only")
        return value


class Message(BaseModel):
    """A message of the dialogue; system messages are taken and not followed: the answer comes from the archive."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[str, Field(max_length=200_000)] | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The words of the message."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or [])


class Completion(BaseModel):
    """What a client of a chat model sends; sampling settings are taken and have no effect."""

    model_config = ConfigDict(extra="ignore")

    messages: list[Message] = Field(min_length=1, max_length=2000)
    model: Annotated[str, Field(max_length=200)] | None = MODEL
    stream: bool | None = False

    def query(self, longest: int) -> schema.Query:
        """Return the last user message as the question, and the exchanges before it.

        Raises:
            ValueError: The last message is not the user's.
            RequestValidationError: It is too long.
        """
        last = self.messages[-1]
        if last.role != "user" or not last.text.strip():
            raise ValueError("The last message must be the user's question.")
        check_length(last.text, longest, f"messages.{len(self.messages) - 1}.content")
        return schema.Query(last.text, turns=_turns(self.messages[:-1]))


class ModelCard(BaseModel):
    """One model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = MODEL


class ModelList(BaseModel):
    """The models: there is one."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class UrlCitation(BaseModel):
    """Where a marker stands in the text, half-open, and what it cites; `url` is "" if none is stored."""

    start_index: int
    end_index: int
    url: str
    title: str


class Annotation(BaseModel):
    """A citation as OpenAI's clients know it."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class Reply(BaseModel):
    """The answer as a message."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: str | None = None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The one choice there is."""

    index: int = 0
    message: Reply
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Usage(BaseModel):
    """Tokens of the chat model behind, as its server counts them; 0 from the built-in reader."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class ChatCompletion(BaseModel):
    """A whole answer; `pressmark` is the same as from `POST /api/answers`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    usage: Usage = Usage()
    pressmark: Answer


def openai_routes(desk: Desk) -> APIRouter:
    """Return the routes under `/v1`."""
    routes = APIRouter(prefix="/v1", tags=["openai"], responses=PROBLEM_RESPONSES)
    began = int(time.time())

    @routes.get("/models", summary="List models")
    def models() -> ModelList:
        """Return the one model there is."""
        return ModelList(data=[ModelCard(id=MODEL, created=began)])

    @routes.get("/models/{model}", summary="Read a model")
    def model(model: str) -> ModelCard:
        """Return the model, whatever name it is asked for by."""
        return ModelCard(id=model, created=began)

    @routes.post(
        "/chat/completions",
        summary="Ask as a chat client",
        response_model=ChatCompletion,
        responses={200: {"content": {"text/event-stream": {"schema": _CHUNK_SCHEMA}}}},
    )
    def complete(body: Completion) -> Response:
        """Answer the last user message, with `stream` as chunks, the last of which holds annotations and answer."""
        query = body.query(desk.settings.question_chars)
        if body.stream:
            chunks = _Chunks()
            return event_stream(desk.stream(query, "openai"), chunks.text_of, _error_text, end=_DONE)
        return Response(_completion(desk.invoke(query, "openai")), media_type="application/json")

    return routes


def _completion(answer: Answer) -> bytes:
    reply = Reply(content=answer.text, annotations=citations_of(answer))
    read, wrote = answer.tokens.get("prompt", 0), answer.tokens.get("written", 0)
    whole = ChatCompletion(
        id=_id(answer),
        created=_created(answer),
        choices=[Choice(message=reply)],
        usage=Usage(prompt_tokens=read, completion_tokens=wrote, total_tokens=read + wrote),
        pressmark=answer,
    )
    return whole.model_dump_json().encode()


def citations_of(answer: Answer) -> list[Annotation]:
    """Return what each marker in the answer's text cites, in their order."""
    cited = {citation.number: citation for citation in answer.citations}
    return [
        Annotation(
            url_citation=UrlCitation(start_index=start, end_index=end, url=cited[number].url, title=cited[number].title)
        )
        for number, start, end in marker_spans(answer)
    ]


class _Chunks:
    """The chunks of one streamed answer: their deltas joined are the answer's text.

    A chat model's sentences go out as they pass the check. The reader's come all at once with the answer, which may
    have a short answer before them.
    """

    def __init__(self) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex[:16]}"
        self._created = int(time.time())
        self._sent = ""
        self._stage = ""

    def text_of(self, event: schema.Event) -> str:
        """Return an event as lines of the stream; a stage as a comment, which keeps the connection awake."""
        if isinstance(event, Answer):
            return self._last(event)
        if isinstance(event, ClaimShown):
            return self._sentence(event) if self._stage == "writing" else ""
        first = "" if self._stage else self._chunk({"role": "assistant", "content": ""})
        self._stage = event.name
        return f"{first}: {event.name}\n\n"

    def _sentence(self, shown: ClaimShown) -> str:
        text = with_markers(shown.claim.text, shown.claim.citations)
        delta = f" {text}" if self._sent else text
        self._sent += delta
        return self._chunk({"content": delta})

    def _last(self, answer: Answer) -> str:
        rest = answer.text.removeprefix(self._sent)
        lines = self._chunk({"content": rest}) if rest else ""
        cited = [item.model_dump() for item in citations_of(answer)]
        whole = answers_adapter().dump_python(answer, mode="json")
        return lines + self._chunk({"annotations": cited}, finish="stop", pressmark=whole)

    def _chunk(self, delta: dict[str, Any], *, finish: str | None = None, **more: object) -> str:
        chunk = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": MODEL,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}],
            **more,
        }
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def _error_text(problem: Problem) -> str:
    told = {"error": {"message": problem.detail, "type": problem.title, "code": problem.status}}
    return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"


def _turns(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """Pair each user message with the answer that follows it."""
    return tuple(_pairs([message for message in messages if message.role in ("user", "assistant")]))[-_KEPT_TURNS:]


def _pairs(messages: Sequence[Message]) -> Iterator[Turn]:
    for message, following in zip(messages, [*messages[1:], None], strict=False):
        if message.role == "user" and message.text.strip():
            answered = following is not None and following.role == "assistant"
            yield Turn(message.text, following.text if answered and following else "")


def _id(answer: Answer) -> str:
    return f"chatcmpl-{answer.id}"


def _created(answer: Answer) -> int:
    return int(answer.created_at.timestamp())
