"""A GGUF file as a chat model, in this process: llama.cpp through xllamacpp, the only module that knows it.

The library's own OpenAI-style server runs inside the process, bound to loopback on a free port and closed to whoever
lacks a key made at random; LangChain's OpenAI client talks to it. It starts with the first question.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from rag.errors import ChatModelError

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

_MAGIC = b"GGUF"


class LocalChatModel(BaseChatModel):
    """The chat model in a GGUF file; its server starts at the first call and ends with the process or `close`.

    Attributes:
        path: The file.
        context_tokens: Prompt and answer together; memory grows with it.
        answer_tokens: Longest answer.
        threads: Of the processor.
        timeout_s: To wait for the next piece.
    """

    path: Path
    context_tokens: int
    answer_tokens: int
    threads: int
    timeout_s: float
    _server: Any = PrivateAttr(default=None)
    _client: Any = PrivateAttr(default=None)
    _starting: Lock = PrivateAttr(default_factory=Lock)

    @property
    def _llm_type(self) -> str:
        return "pressmark-gguf"

    def close(self) -> None:
        """Stop the server, if it runs; the next call starts it again."""
        with self._starting:
            self._server = self._client = None

    def _opened(self) -> ChatOpenAI:
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        with self._starting:
            if self._client is None:
                key = secrets.token_urlsafe(24)
                self._server = _serve(self, key)
                self._client = ChatOpenAI(
                    model="local",
                    base_url=f"{self._server.listening_address}/v1",
                    api_key=SecretStr(key),
                    temperature=0,
                    timeout=self.timeout_s,
                    max_retries=0,
                    max_completion_tokens=self.answer_tokens,
                    stream_usage=True,
                )
            client: ChatOpenAI = self._client
            return client

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._opened()._generate(messages, stop, run_manager, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from self._opened()._stream(messages, stop, run_manager, **kwargs)


def check_file(path: Path) -> None:
    """Look at the file and for the packages, without starting anything.

    Raises:
        ChatModelError: There is no such GGUF file, or a package is missing; the message has the cure.
    """
    from importlib.util import find_spec

    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ChatModelError(
            f"PRESSMARK_CHAT_MODEL names the file {path}, which cannot be read ({error.strerror}): "
            "write gguf:/path/to/model.gguf."
        ) from error
    if magic != _MAGIC:
        raise ChatModelError(f"{path} is no GGUF file: download the model in GGUF form, as llama.cpp reads it.")
    if find_spec("xllamacpp") is None or find_spec("langchain_openai") is None:
        raise ChatModelError("The packages for GGUF files are not installed: pip install 'pressmark[local]'")


def _serve(model: LocalChatModel, key: str) -> Any:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model.path)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.n_ctx = model.context_tokens
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = model.threads
    parameters.cpuparams_batch.n_threads = model.threads
    parameters.verbosity = -1
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:  # the library raises RuntimeError, ValueError or its own
        raise ChatModelError(
            f"{model.path} cannot be loaded by llama.cpp ({error}): try another file or a smaller "
            "PRESSMARK_CHAT_CONTEXT."
        ) from error
