import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag.chain import AnswerChain
from rag.errors import ChatModelError
from rag.providers import chat_model
from rag.settings import Settings

REPLY = "The fire was put out. [1] The ferry was built on the Moon in 1492. [1]"


class OpenAIServer(BaseHTTPRequestHandler):
    """Streams REPLY as an OpenAI-compatible server does; on the path /broken it fails."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if self.path.startswith("/broken"):
            self.send_response(500)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for word in REPLY.split(" "):
            choice = {"index": 0, "delta": {"role": "assistant", "content": word + " "}, "finish_reason": None}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

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


def test_a_server_that_fails_leaves_the_readers_evidence(address, sample_store):
    chosen = settings("openai:any", chat_base_url=f"{address}/broken", chat_api_key="x")
    answer = AnswerChain(sample_store, chosen, chat_model(chosen)).invoke("Who put out the fire on the ferry Solenne?")
    assert any("The chat model failed" in note for note in answer.notes)
    assert "1492" not in answer.text
