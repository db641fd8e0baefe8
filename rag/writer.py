"""The chat-model writer: passages into a prompt, the model's stream into sentences."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import ChatModelError
from rag.prompts import answer_prompt
from rag.schema import RetrievedPassage
from rag.sentences import sentence_spans

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk


_TOKEN_CHARS = 12  # more than a token ever has on average
# What must follow a sentence before nothing can move its end: a complete word, and no marker half arrived.
_SETTLED = re.compile(
    r"\s*(?!\[[\d, ]*$)(?:[\"'“‘«(\[]*[\w’'-]+[^\w’'-]|[^\s\w\"'’“‘«()\[\].!?…。！？”»）」』-][\s\S])"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a writer may take: `context` and `answer` in tokens, `seconds` from first to last piece."""

    context: int
    answer: int
    seconds: float


def write(
    question: str,
    found: Sequence[RetrievedPassage],
    texts: Sequence[str],
    model: BaseChatModel,
    limits: Limits,
    spent: Counter[str] | None = None,
) -> Iterator[str]:
    """Yield the sentences of the model's answer as they are completed, with their markers.

    Closing the iterator closes the model's stream.

    Args:
        question: Standalone.
        found: The passages.
        texts: What the model is shown of them, from `rag.prompts.fitting`.
        model: Any chat model.
        limits: What was yielded before one was passed stays.
        spent: Is told the tokens of the "prompt" and those "written", if the model's server counts them.

    Raises:
        ChatModelError: The model failed, before or while it wrote, or went past a limit.
    """
    try:
        with closing(model.stream(answer_prompt(question, found, texts))) as stream:  # type: ignore[type-var]  # typed as an iterator, a generator in fact
            yield from cut_sentences(_limited(_texts(stream, Counter() if spent is None else spent), limits))
    except ChatModelError:
        raise
    except Exception as error:  # each provider raises its own classes
        raise ChatModelError(f"The chat model failed: {type(error).__name__}: {error}") from error


def _texts(stream: Iterable[AIMessageChunk], spent: Counter[str]) -> Iterator[str]:
    for chunk in stream:
        if chunk.usage_metadata:  # in the last chunk, or in several that add up
            spent["prompt"] += chunk.usage_metadata["input_tokens"]
            spent["written"] += chunk.usage_metadata["output_tokens"]
        yield str(chunk.text)


def _limited(pieces: Iterable[str], limits: Limits) -> Iterator[str]:
    """Pass the pieces on; a server that minds neither its token limit nor the clock is left."""
    began, size = time.monotonic(), 0
    for piece in pieces:
        yield piece
        size += len(piece)
        if size > limits.answer * _TOKEN_CHARS:
            raise ChatModelError(f"The chat model was stopped: it wrote on after {limits.answer} tokens.")
        if time.monotonic() - began > limits.seconds:
            raise ChatModelError(
                f"The chat model was stopped after {limits.seconds:g} seconds; PRESSMARK_CHAT_TIMEOUT_S allows more."
            )


def cut_sentences(pieces: Iterable[str]) -> Iterator[str]:
    """Yield whole sentences from a stream of text, each with the markers that follow it.

    A sentence is held back until the word after it is complete: "Fact. [1]" puts its marker after
    the full stop, and whether "U.S." ends a sentence is told by the next word. So the sentences are
    the same however the stream is cut into pieces.
    """
    text = ""
    n_shown = 0
    for piece in pieces:
        text += piece
        spans = marked_spans(text)
        while n_shown < len(spans) - 1 and _SETTLED.match(text, spans[n_shown][1]):
            yield text[slice(*spans[n_shown])]
            n_shown += 1
    for start, end in marked_spans(text)[n_shown:]:
        yield text[start:end]


def marked_spans(text: str) -> list[tuple[int, int]]:
    """Return sentence spans in which markers that open a sentence belong to the one before."""
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        cut = _leading_markers(text, start, end)
        if cut > start and spans:
            spans[-1] = (spans[-1][0], cut)
            start = cut
            while start < end and text[start].isspace():
                start += 1
        if start < end:
            spans.append((start, end))
    return spans


def _leading_markers(text: str, start: int, end: int) -> int:
    """Return where the run of markers that opens [start, end) ends; `start` if there is none."""
    position = start
    while position < end and text[position] == "[":
        close = text.find("]", position, end)
        inside = text[position + 1 : close] if close > 0 else ""
        if not inside or not all(character.isdigit() or character in ", " for character in inside):
            break
        position = close + 1
        following = position
        while following < end and text[following] == " ":
            following += 1
        if following < end and text[following] == "[":
            position = following
    if position < end and text[position] in ".!?" and position > start:
        position += 1
    return position
