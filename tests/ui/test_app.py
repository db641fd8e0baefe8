from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rag.answers import answers_adapter
from rag.errors import ChatModelError, SettingsError
from rag.schema import TimeWindow, Turn
from rag.settings import Settings
from tests.ui.conftest import QUOTE, FakeChain, answer_of
from ui.conversation import Conversation, Scope, converse, stopped
from ui.desk import Desk
from ui.server import build_server, page_address, serve

SAMPLES = ("Why is the bridge closed?", "Who voted?")


def built(chain: FakeChain, settings: Settings, samples: tuple[str, ...] = SAMPLES) -> TestClient:
    # Inside a loop: outside of one, Gradio makes event loops for its locks and never closes them.
    async def build() -> FastAPI:
        return build_server(chain, settings, samples)

    return TestClient(asyncio.run(build()), base_url="http://127.0.0.1", raise_server_exceptions=False)


@pytest.fixture(scope="module")
def served() -> FakeChain:
    return FakeChain(answer_of())


@pytest.fixture(scope="module")
def client(served: FakeChain) -> Iterator[TestClient]:
    with built(served, Settings(_env_file=None)) as opened:  # once: building a page takes half a second
        yield opened


def call_ask(client: TestClient, question: str) -> tuple[str, object]:
    """Call the page's endpoint as gradio_client does; return the last event and its data."""
    event_id = client.post("/gradio_api/call/ask", json={"data": [question]}).json()["event_id"]
    lines = client.get(f"/gradio_api/call/ask/{event_id}").text.strip().splitlines()
    return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


def last(chain: FakeChain, question: str, conversation: Conversation | None = None, scope: Scope | None = None):
    desk = Desk(chain, Settings(_env_file=None))
    return list(converse(desk, question, conversation or Conversation(), scope or Scope()))[-1]


def test_server_shows_page_and_api(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "Pressmark" in page.text
    assert client.get("/health").json()["articles"] == 1
    assert client.get("/docs").status_code == 200
    assert client.post("/api/answers", json={"question": "Why?"}).json()["id"] == "f00d"


def test_page_offers_the_sample_questions(client: TestClient) -> None:
    labels = [part["props"].get("value") for part in client.get("/config").json()["components"]]
    assert [label for label in labels if label in SAMPLES] == list(SAMPLES)


def test_page_offers_no_samples_for_an_archive_of_ones_own(chain: FakeChain, settings: Settings) -> None:
    with built(chain, settings, ()) as client:
        parts = client.get("/config").json()["components"]
    assert not [part for part in parts if part["props"].get("elem_classes") == ["pm-sample"]]


def test_ask_is_the_only_public_endpoint(client: TestClient) -> None:
    assert list(client.get("/gradio_api/info").json()["named_endpoints"]) == ["/ask"]


def test_ask_endpoint_returns_the_answer_object(client: TestClient) -> None:
    event, data = call_ask(client, "Why?")
    assert event == "complete"
    assert answers_adapter().validate_python(data[0], strict=False) == answer_of()


def test_ask_endpoint_explains_our_errors(
    client: TestClient, served: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "failure", ChatModelError("No key: set OPENAI_API_KEY."))
    event, data = call_ask(client, "Why?")
    assert event == "error"
    assert "No key" in str(data)


def test_ask_endpoint_hides_what_we_did_not_foresee(
    client: TestClient, served: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "failure", RuntimeError("secret internals"))
    event, data = call_ask(client, "Why?")
    assert event == "error"
    assert "secret" not in str(data)


@pytest.mark.parametrize("path", ["/", "/health", "/api/nothing"])
def test_every_response_has_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/nothing", 404), ("DELETE", "/api/articles", 405)])
def test_unknown_api_path_is_a_problem_and_not_the_page(
    client: TestClient, method: str, path: str, status: int
) -> None:  # fmt: skip
    response = client.request(method, path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


def test_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/").text
    assert 'src="http' not in page
    assert "fonts.googleapis.com/css" not in page


# -- the conversation ----------------------------------------------------------------------------


def test_answer_grows_claim_by_claim(desk: Desk) -> None:
    pages = [step.page for step in converse(desk, "Why?", Conversation(), Scope())]
    assert ["pm-stage" in page for page in pages] == [True, True, True, False]
    assert [QUOTE in page for page in pages] == [False, False, True, True]
    assert "pm-colophon" in pages[-1]


def test_follow_up_carries_the_earlier_turns(chain: FakeChain) -> None:
    first = last(chain, "Why?")
    second = last(chain, "And then?", first)
    assert chain.queries[-1].turns == (Turn("Why?", f"{QUOTE} [1]"),)
    assert second.pages == (first.page,)


def test_one_reader_s_conversation_is_not_changed_by_another_s(chain: FakeChain) -> None:
    empty = Conversation()
    last(chain, "Why?", empty)
    last(chain, "Other?", empty)
    assert chain.queries[-1].turns == ()
    assert empty == Conversation()


def test_our_error_is_told_calmly_and_leaves_the_conversation(chain: FakeChain) -> None:
    first = last(chain, "Why?")
    chain.failure = ChatModelError("No key.")
    failed = last(chain, "And then?", first)
    assert "No key." in failed.page
    assert failed.turns == first.turns
    assert failed.draft is None


def test_other_error_shows_no_internals(chain: FakeChain, caplog: pytest.LogCaptureFixture) -> None:
    chain.failure = RuntimeError("secret internals")
    assert "secret" not in last(chain, "Why?").page
    assert "secret internals" in caplog.text


def test_stopped_answer_keeps_what_was_shown(desk: Desk) -> None:
    growing = list(converse(desk, "Why?", Conversation(), Scope()))[2]
    kept = stopped(desk, growing)
    assert QUOTE in unescape(kept.page)
    assert "Stopped before" in kept.page
    assert "pm-stage" not in kept.page
    assert stopped(desk, kept) == kept


def test_days_given_are_inclusive(chain: FakeChain) -> None:
    last(chain, "Why?", scope=Scope("2025-06-01", "2025-06-30", infer_window=False, sources=("The Courier",)))
    query = chain.queries[-1]
    assert query.window == TimeWindow(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
    assert (query.infer_window, query.sources) == (False, ("The Courier",))


@pytest.mark.parametrize(
    ("first", "to", "words"),
    [("June", "", "write it as 2025-06-30"), ("2025-06-30", "2025-06-01", "swap"), ("", "9999-12-31", "is no date")],
)
def test_day_that_is_none_is_explained(chain: FakeChain, first: str, to: str, words: str) -> None:
    assert words in last(chain, "Why?", scope=Scope(first, to)).page
    assert not chain.queries


# -- serving -------------------------------------------------------------------------------------


def test_port_in_use_is_explained(chain: FakeChain) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port} .*--port or PRESSMARK_PORT"):
            serve(None, Settings(_env_file=None, port=port))


def test_host_of_another_machine_is_explained() -> None:
    with pytest.raises(SettingsError, match="PRESSMARK_HOST"):
        serve(None, Settings(_env_file=None, host="203.0.113.7"))


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:7860"), ("0.0.0.0", "http://127.0.0.1:7860"), ("::1", "http://[::1]:7860")],
)
def test_address_can_be_opened(host: str, address: str) -> None:
    assert page_address(Settings(_env_file=None, host=host)) == address
