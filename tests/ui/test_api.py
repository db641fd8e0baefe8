from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from rag.answers import answers_adapter
from rag.errors import ChatModelError, StoreError
from rag.schema import TimeWindow, Turn
from rag.settings import Settings
from tests.ui.conftest import ARTICLE, FakeChain, answer_of
from ui.api import build_api
from ui.desk import Desk


@pytest.fixture
def client(chain: FakeChain, settings: Settings) -> Iterator[TestClient]:
    # A failure must come out as a response, as it does behind a real server.
    with TestClient(build_api(Desk(chain, settings)), raise_server_exceptions=False) as opened:
        yield opened


def events_of(text: str) -> list[tuple[str, object]]:
    blocks = [block.split("\n", 1) for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def assert_problem(response: object, status: int, words: str = "") -> dict[str, object]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert words in body["detail"]
    assert "Traceback" not in response.text
    return body


def test_answer_is_the_answer_object(client: TestClient) -> None:
    response = client.post("/api/answers", json={"question": "Why?"})
    assert response.status_code == 200
    assert answers_adapter().validate_json(response.content) == answer_of()


def test_streamed_answer_is_the_answer_not_streamed(client: TestClient) -> None:
    plain = client.post("/api/answers", json={"question": "Why?"}).json()
    response = client.post("/api/answers", json={"question": "Why?", "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    assert [name for name, _ in events] == ["stage", "claim", "answer"]
    assert events[0][1] == {"name": "searching", "detail": "1 articles"}
    assert events[1][1]["claim"] == plain["claims"][0]
    assert events[1][1]["citations"] == plain["citations"]
    assert events[2][1] == plain


def test_body_becomes_the_query(client: TestClient, chain: FakeChain) -> None:
    body = {
        "question": "And then?",
        "history": [{"question": "Why?", "answer": "So."}],
        "since": "2025-06-01",
        "until": "2025-07-01T00:00:00+02:00",
        "infer_window": False,
        "sources": ["The Courier"],
        "now": "2025-07-04T12:00:00Z",
    }
    assert client.post("/api/answers", json=body).status_code == 200
    query = chain.queries[-1]
    assert query.turns == (Turn("Why?", "So."),)
    assert query.window == TimeWindow(
        datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 6, 30, 22, tzinfo=UTC)
    )  # fmt: skip
    assert (query.infer_window, query.sources) == (False, ("The Courier",))
    assert query.now == datetime(2025, 7, 4, 12, tzinfo=UTC)


def test_answer_is_replayed_by_id(client: TestClient) -> None:
    given = client.post("/api/answers", json={"question": "Why?"}).json()
    assert client.get(f"/api/answers/{given['id']}").json() == given


@pytest.mark.parametrize("path", ["/api/answers/none", "/api/articles/none", "/api/articles/a1?version=v9", "/nowhere"])
def test_what_is_not_there_is_a_404_problem(client: TestClient, path: str) -> None:
    assert assert_problem(client.get(path), 404)["title"] == "Not Found"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": ""},
        {"question": 5},
        {"question": "x" * 2001},
        {"question": "Why?", "colour": "red"},
        {"question": "Why?", "since": "June"},
        {"question": "Why?", "since": 5},
        {"question": "Why?", "until": "9999-12-31"},
        {"question": "Why?", "since": "0001-01-01T00:00:00+14:00"},
        {"question": "Why?", "history": [{"answer": "So."}]},
        {"question": "Why?", "history": [{"question": "a", "role": "user"}]},
        {"question": "Why?", "k": True},
        [],
        None,
    ],
)
def test_body_that_does_not_fit_is_a_422_problem(client: TestClient, body: object) -> None:
    problem = assert_problem(client.post("/api/answers", json=body), 422)
    assert problem["errors"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"question": "\\ud800"}', b'{"question": NaN}'])
def test_broken_json_is_a_422_problem(client: TestClient, content: bytes) -> None:
    response = client.post("/api/answers", content=content, headers={"content-type": "application/json"})
    assert_problem(response, 422)


def test_body_that_is_no_text_is_a_400_problem(client: TestClient) -> None:
    response = client.post("/api/answers", content=b"\xff", headers={"content-type": "application/json"})
    assert_problem(response, 400)


def test_window_the_wrong_way_round_is_a_400_problem(client: TestClient) -> None:
    body = {"question": "Why?", "since": "2025-07-01", "until": "2025-06-01"}
    assert_problem(client.post("/api/answers", json=body), 400, "`until` must be later")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        (ValueError("The question is empty."), 400, "The question is empty."),
        (StoreError("The archive is damaged."), 503, "cannot be used at the moment"),
        (ChatModelError("No key."), 502, "No key."),
        (RuntimeError("secret internals"), 500, "Something went wrong"),
    ],
)
def test_failure_has_its_status_and_no_internals(
    client: TestClient, chain: FakeChain, failure: Exception, status: int, words: str, streamed: bool
) -> None:
    chain.failure = failure
    response = client.post("/api/answers", json={"question": "Why?", "stream": streamed})
    assert_problem(response, status, words)
    assert "secret" not in response.text


def test_failure_in_mid_stream_is_its_last_event(client: TestClient, chain: FakeChain) -> None:
    chain.failure, chain.fails_late = ChatModelError("No key."), True
    response = client.post("/api/answers", json={"question": "Why?", "stream": True})
    name, data = events_of(response.text)[-1]
    assert (name, data["status"], data["detail"]) == ("error", 502, "No key.")


def test_search_returns_passages_in_a_window(client: TestClient, chain: FakeChain) -> None:
    response = client.get("/api/search?q=bridge&k=1&until=2025-07-01&source=A&source=B")
    assert [found["passage"]["article_id"] for found in response.json()["passages"]] == ["a1"]
    assert chain.searches == [("bridge", TimeWindow(None, datetime(2025, 7, 1, tzinfo=UTC)), ("A", "B"))]


@pytest.mark.parametrize(
    "path",
    ["/api/search", "/api/search?q=", "/api/search?q=x&k=0", "/api/search?q=x&k=51", "/api/search?q=x&since=soon",
     "/api/articles?limit=0", "/api/articles?offset=-1", "/api/articles?offset=99999999999999999999"],
)  # fmt: skip
def test_parameter_that_does_not_fit_is_a_422_problem(client: TestClient, path: str) -> None:
    assert_problem(client.get(path), 422)


def test_articles_are_listed_without_and_read_with_text(client: TestClient) -> None:
    listed = client.get("/api/articles?search=bridge").json()
    assert (listed["limit"], listed["offset"]) == (50, 0)
    assert listed["articles"][0]["title"] == ARTICLE.title
    assert "text" not in listed["articles"][0]
    read = client.get("/api/articles/a1?version=v1").json()
    assert (read["text"], read["published_at"]) == (ARTICLE.text, "2025-07-03T09:00:00Z")


def test_health_tells_freshness_and_models(client: TestClient) -> None:
    health = client.get("/health").json()
    assert health["status"] == "ok"
    assert (health["articles"], health["newest_title"]) == (1, ARTICLE.title)
    assert (health["embedding_model"], health["chat_model"]) == ("mini", "builtin")


def test_schema_describes_body_answer_and_problems(client: TestClient) -> None:
    spec = client.get("/openapi.json").json()
    ask = spec["paths"]["/api/answers"]["post"]
    assert ask["responses"]["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Answer"}
    assert "text/event-stream" in ask["responses"]["200"]["content"]
    assert "application/problem+json" in ask["responses"]["422"]["content"]
    assert spec["components"]["schemas"]["Ask"]["additionalProperties"] is False
    assert spec["components"]["schemas"]["Answer"]["description"]


def test_docs_page_tells_every_route_and_loads_nothing(client: TestClient) -> None:
    page = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
