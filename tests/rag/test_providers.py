import itertools
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag.chain import AnswerChain
from rag.errors import ChatModelError
from rag.providers import chat_model
from rag.settings import Settings

REPLY = "The fire was put out. [1] The ferry was built on the Moon in 1492. [1]"


class OpenAIServer(BaseHTTPRequestHandler):
    """Streams REPLY as an OpenAI-compatible server does; the path says how it fails instead."""

    asked = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        OpenAIServer.asked += 1
        kind = self.path.split("/")[1]
        if kind.isdigit() or (kind == "busy" and OpenAIServer.asked == 1):
            self.send_response(int(kind) if kind.isdigit() else 429)
            self.send_header("retry-after-ms", "1")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        try:
            for word in itertools.repeat("and") if kind == "endless" else REPLY.split(" "):
                self._say(word + " ")
            if kind == "malformed":
                self.wfile.write(b'data: {"choices": [{"delta": {"content": "half\n\n')
            self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            OpenAIServer.left = True

    left = False

    def _say(self, text):
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), OpenAIServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def settings(model, **values):
    return Settings(_env_file=None, chat_model=model, **values)


def test_without_a_name_there_is_no_chat_model():
    assert chat_model(settings("")) is None


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("gpt-4o", "provider:model"),
        ("anthropic:claude-sonnet-4-5", r"pip install 'pressmark\[anthropic\]'"),
        ("nobody:model", "PRESSMARK_CHAT_MODEL"),
        ("openai:gpt-4o", "PRESSMARK_CHAT_API_KEY"),
    ],
)
def test_what_is_missing_is_named_with_its_cure(name, cure, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ChatModelError, match=cure):
        chat_model(settings(name))


def test_an_openai_compatible_server_writes_and_its_lie_is_withheld(address, sample_store):
    chosen = settings("openai:any", chat_base_url=f"{address}/v1", chat_api_key="x")
    answer = AnswerChain(sample_store, chosen, chat_model(chosen)).invoke("Was the fire on the ferry Solenne put out?")
    assert answer.model == "openai:any"
    assert answer.raw_text.split() == REPLY.split()
    assert "Moon" not in answer.text
    assert any("withheld" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("500", "OpenAIAPIError"),
        ("429", "RateLimitError"),
        ("401", "AuthenticationError"),
        ("malformed", "JSONDecodeError"),
        ("endless", "wrote on after 32 tokens"),
    ],
)
def test_a_server_that_fails_leaves_the_readers_evidence_and_says_why(address, sample_store, kind, reason):
    chosen = settings("openai:any", chat_base_url=f"{address}/{kind}", chat_api_key="x", chat_answer_tokens=32)
    answer = AnswerChain(sample_store, chosen, chat_model(chosen)).invoke("Who put out the fire on the ferry Solenne?")
    assert any(reason in note for note in answer.notes)
    assert answer.claims
    assert "1492" not in answer.text


def test_a_server_that_is_not_there_leaves_the_readers_evidence(sample_store):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chosen = settings("openai:any", chat_base_url=f"http://127.0.0.1:{port}/v1", chat_api_key="x")
    answer = AnswerChain(sample_store, chosen, chat_model(chosen)).invoke("Who put out the fire on the ferry Solenne?")
    assert any("OpenAIConnectionError" in note for note in answer.notes)
    assert answer.claims


def test_a_transient_fault_is_tried_once_more(address, sample_store):
    OpenAIServer.asked = 0
    chosen = settings("openai:any", chat_base_url=f"{address}/busy", chat_api_key="x")
    answer = AnswerChain(sample_store, chosen, chat_model(chosen)).invoke("Was the fire on the ferry Solenne put out?")
    assert OpenAIServer.asked == 2
    assert answer.raw_text.split() == REPLY.split()
