from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from ingest.indexer import index_articles
from rag.chain import AnswerChain
from rag.errors import AnswerTimeoutError, BusyError, SettingsError
from rag.schema import Answer, Query
from rag.settings import Settings
from rag.store import Store
from tests.conftest import make_article
from ui.api import build_api
from ui.conversation import Conversation, Scope, converse
from ui.desk import Desk
from ui.logs import set_up_logs, set_up_tracing
from ui.server import build_server

QUESTION = "How did the council vote on the bridge?"
QUOTE = "The council voted 9 to 4 on Tuesday to close the bridge."
UNANSWERED = "Which team won the basketball championship in Chicago in 1998?"
DEADLINE_S = 30
ARTICLES = [
    make_article(text=f"Harbour Street will be quiet. {QUOTE} Work begins in August."),
    make_article("a2", "The ferry Solenne carried 212 passengers.", title="Ferry on fire",
                 published_at=datetime(2025, 7, 3, tzinfo=UTC)),
]  # fmt: skip


class Held(GenericFakeChatModel):
    """A chat model that answers when it is let go, or after `longest_s`."""

    released: threading.Event
    longest_s: float = DEADLINE_S

    def _generate(self, *args, **kwargs):
        self.released.wait(self.longest_s)
        return super()._generate(*args, **kwargs)


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> Iterator[AnswerChain]:
    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("desk"))
    store = Store.open(settings)
    index_articles(ARTICLES, store, passage_tokens=128)
    yield AnswerChain(store, settings)
    store.close()


def written(chain: AnswerChain, reply: str, model: type[GenericFakeChatModel] = GenericFakeChatModel, **fields):
    """The chain with a chat model that says `reply` to everything."""
    settings = Settings(_env_file=None, home=chain.settings.home, chat_model="fake:model")
    return AnswerChain(chain.store, settings, model(messages=iter([AIMessage(content=reply)] * 9), **fields))


def desk_of(chain: AnswerChain, **settings: object) -> Desk:
    values = {"home": chain.settings.home, "answer_timeout_s": DEADLINE_S} | settings
    return Desk(chain, Settings(_env_file=None, **values))


def client_of(desk: Desk) -> TestClient:
    return TestClient(build_api(desk), base_url="http://127.0.0.1", raise_server_exceptions=False)


def ask(client: TestClient | httpx.Client, question: str = QUESTION, **body: object):
    return client.post("/api/answers", json={"question": question} | body)


@contextmanager
def taken(desk: Desk) -> Iterator[None]:
    """Hold one of the desk's places: a question that is half answered."""
    events = desk.stream(Query(QUESTION), "api")
    next(events)
    try:
        yield
    finally:
        events.close()


def figures_of(text: str) -> dict[tuple[str, ...], float]:
    """Every sample of the counters by its name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figures(desk: Desk) -> dict[tuple[str, ...], float]:
    return figures_of(desk.metrics.text().decode())


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.01)


# -- a busy desk ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/answers", {"question": QUESTION}),
        ("/api/answers", {"question": QUESTION, "stream": True}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}], "stream": True}),
    ],
)
def test_a_busy_desk_says_when_to_come_back(chain, path: str, body: dict[str, object]) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0)
    client = client_of(desk)
    with taken(desk):
        refused = client.post(path, json=body)
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) > 0
    assert "try again in a few seconds" in refused.json()["detail"]
    assert client.post(path, json=body).status_code == 200
    assert figures(desk)["pressmark_busy_total",] == 1


def test_a_busy_desk_is_told_on_the_page_and_over_mcp(chain) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0)
    call = {"name": "ask", "arguments": {"question": QUESTION}}
    with client_of(desk) as client, taken(desk):
        *_, shown = converse(desk, QUESTION, Conversation(), Scope())
        told = client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
            headers={"Accept": "application/json, text/event-stream"},
        ).json()["result"]
    assert "try again in a few seconds" in shown.page
    assert told["isError"]
    assert "try again in a few seconds" in told["content"][0]["text"]


def test_what_needs_no_answer_is_served_while_all_places_are_taken(chain) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0)
    client = client_of(desk)
    with taken(desk):
        statuses = [
            client.get(path).status_code for path in ("/health", "/ready", "/api/articles", "/api/search?q=ferry")
        ]
    assert statuses == [200] * 4


def test_a_question_that_waits_is_answered_when_a_place_is_free(chain) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=1)
    client = client_of(desk)
    with ThreadPoolExecutor() as pool:
        with taken(desk):
            # One of the two finds the one place to wait at taken: then the other stands in it.
            asked = [pool.submit(ask, client) for _ in range(2)]
            (refused,), (waiting,) = wait(asked, DEADLINE_S, return_when=FIRST_COMPLETED)
            assert refused.result().status_code == 503
            assert not waiting.done()
        answered = waiting.result(DEADLINE_S)
    assert answered.status_code == 200
    assert answered.json()["status"] == "answered"


def test_as_many_are_answered_at_once_as_there_are_places(chain) -> None:
    desk = desk_of(chain, answers_at_once=2, answers_waiting=0)
    with taken(desk):
        assert desk.invoke(Query(QUESTION), "api").status == "answered"
        with taken(desk), pytest.raises(BusyError):
            desk.invoke(Query(QUESTION), "api")


# -- an answer that takes too long ---------------------------------------------------------------


def test_a_question_that_waited_too_long_is_given_up_with_its_place(chain) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=1, answer_timeout_s=0.05)
    client = client_of(desk)
    with taken(desk):
        late = [ask(client) for _ in range(3)]
    # Never 503: who gave up no longer waits.
    assert [response.status_code for response in late] == [504] * 3
    assert late[0].headers["content-type"] == "application/problem+json"
    assert "PRESSMARK_ANSWER_TIMEOUT_S allows more" in late[0].json()["detail"]
    assert figures(desk)["pressmark_late_total",] == 3


def test_an_answer_that_takes_too_long_is_given_up_with_its_place(chain) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0, answer_timeout_s=0.1)
    idle = threading.Event()
    for _ in range(2):
        with pytest.raises(AnswerTimeoutError):
            [idle.wait(0.15) for _ in desk.stream(Query(QUESTION), "api")]


def test_a_stream_that_takes_too_long_ends_with_the_problem(chain) -> None:
    slow = written(chain, f"{QUOTE} [1]", Held, released=threading.Event(), longest_s=0.6)
    told = ask(client_of(desk_of(slow, answer_timeout_s=0.5)), stream=True)
    *_, last = told.text.strip().split("\n\n")
    assert told.status_code == 200
    assert last.startswith("event: error\ndata: ")
    assert json.loads(last.split("data: ", 1)[1])["status"] == 504


# -- giving a place back -------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_stream_that_is_closed_gives_its_place_back(chain, steps: int) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0)
    events = desk.stream(Query(QUESTION), "api")
    for _ in range(steps):
        next(events)
    events.close()
    assert desk.invoke(Query(QUESTION), "api").status == "answered"


def test_a_conversation_that_is_stopped_gives_its_place_back(chain) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0)
    steps = converse(desk, QUESTION, Conversation(), Scope())
    for _ in range(3):
        next(steps)
    steps.close()
    assert desk.invoke(Query(QUESTION), "api").status == "answered"


@pytest.mark.parametrize("wrong", ["", "?!", "x" * 2001])
def test_a_question_that_fails_gives_its_place_back(chain, wrong: str) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"empty|characters"):
            desk.invoke(Query(wrong), "api")
    assert desk.invoke(Query(QUESTION), "api").status == "answered"


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serve over a real connection: only there a client can hang up."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def test_who_hangs_up_gives_the_place_back(chain) -> None:
    released = threading.Event()
    held = written(chain, f"{QUOTE} [1]", Held, released=released)
    desk = desk_of(held, answers_at_once=1, answers_waiting=0)
    with listening(build_api(desk)) as address, httpx.Client(base_url=address, timeout=DEADLINE_S) as client:
        with client.stream("POST", "/api/answers", json={"question": QUESTION, "stream": True}) as told:
            assert any('"writing"' in line for line in told.iter_lines())
        released.set()
        eventually(lambda: ask(client).status_code == 200)
    # The one that nobody waited for was not answered.
    assert figures(desk)["pressmark_answers_total", "api", "answered"] == 1


# -- counting ------------------------------------------------------------------------------------


def test_answers_are_counted_by_door_and_by_what_came_of_them(chain) -> None:
    desk = desk_of(chain)
    with client_of(desk) as client:
        ask(client)
        ask(client, UNANSWERED)
        ask(client, stream=True)
        client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": QUESTION}]})
        call = {"name": "ask", "arguments": {"question": QUESTION}}
        client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
            headers={"Accept": "application/json, text/event-stream"},
        )
        list(converse(desk, QUESTION, Conversation(), Scope()))
        counted = figures_of(client.get("/metrics").text)
    answers = {labels[1:]: value for labels, value in counted.items() if labels[0] == "pressmark_answers_total"}
    assert answers == {
        ("api", "answered"): 2, ("api", "abstained"): 1, ("openai", "answered"): 1, ("mcp", "answered"): 1,
        ("window", "answered"): 1,
    }  # fmt: skip
    assert counted["pressmark_claims_total", "supported"] == 5
    assert counted["pressmark_answer_seconds_count", "api"] == 3
    assert counted["pressmark_withheld_sentences_total",] == 0


def test_sentences_that_were_withheld_are_counted(chain) -> None:
    desk = desk_of(written(chain, f"{QUOTE} [1] The council voted 7 to 6 on Monday to sell the harbour. [1]"))
    answer = desk.invoke(Query(QUESTION), "api")
    counted = figures(desk)
    assert (answer.status, answer.withheld) == ("partial", 1)
    assert counted["pressmark_withheld_sentences_total",] == 1
    assert counted["pressmark_answers_total", "api", "partial"] == 1


def test_the_archive_s_size_and_age_are_told(chain) -> None:
    told = figures(desk_of(chain))
    assert told["pressmark_archive_articles",] == 2
    assert told["pressmark_archive_passages",] >= 2
    assert told["pressmark_archive_pending",] == 0
    age = datetime.now(UTC) - datetime(2025, 7, 3, tzinfo=UTC)
    assert told["pressmark_newest_article_age_seconds",] == pytest.approx(age.total_seconds(), abs=60)


@pytest.fixture(scope="module")
def server(chain) -> Iterator[TestClient]:
    async def build() -> FastAPI:
        return build_server(chain, Settings(_env_file=None, home=chain.settings.home))

    with TestClient(asyncio.run(build()), base_url="http://127.0.0.1") as client:
        yield client


def requests_counted(server: TestClient) -> dict[tuple[str, ...], float]:
    counted = figures_of(server.get("/metrics").text)
    return {labels[1:]: value for labels, value in counted.items() if labels[0] == "pressmark_http_requests_total"}


def test_requests_are_counted_by_route_and_not_by_address(server: TestClient) -> None:
    for name in ("one", "two", "three"):
        server.get(f"/api/answers/{name}")
    assert requests_counted(server)["GET", "/api/answers/{answer_id}", "404"] == 3


def test_made_up_methods_and_addresses_do_not_make_the_counters_grow(server: TestClient) -> None:
    before = len(requests_counted(server))
    for place in range(10):
        for path in ("/", "/config", "/api/answers", f"/made/up/{place}", f"/api/made/up/{place}"):
            server.request(f"BREW{place}", path)
            server.get(f"{path}{place}")
    assert len(requests_counted(server)) - before <= 10


# -- the log -------------------------------------------------------------------------------------


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Set the server's log up as `serve` does, and take what it says."""
    root, ours = logging.root, logging.getLogger("pressmark")
    handlers, levels = root.handlers, (root.level, ours.level)
    root.handlers = []  # setting up closes those that are there: pytest needs them
    told = io.StringIO()
    try:
        with redirect_stderr(told):
            set_up_logs()
            yield told
    finally:
        root.handlers = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])


def test_the_log_holds_answers_by_their_ids_and_no_question(chain) -> None:
    desk = desk_of(chain, answers_at_once=1, answers_waiting=0)
    client = client_of(desk)
    with logged() as log:
        answer = ask(client, f"Secretword: {QUESTION}").json()
        client.get("/api/search", params={"q": "secretword"})
        ask(client, "secretword" * 300)
        with taken(desk):
            ask(client, "secretword?")
            list(converse(desk, "secretword?", Conversation(), Scope()))
        client.get("/api/answers/secretword")
    text = log.getvalue()
    (line,) = [json.loads(line) for line in text.splitlines()]
    assert (line["event"], line["level"], line["answer"]) == ("answered", "info", answer["id"])
    assert (line["door"], line["status"], line["model"]) == ("api", answer["status"], "builtin")
    assert datetime.fromisoformat(line["at"]).tzinfo is not None
    assert "secretword" not in text.lower()


def test_the_log_holds_questions_if_the_setting_says_so(chain) -> None:
    with logged() as log:
        ask(client_of(desk_of(chain, log_questions=True)), f'{QUESTION}\n{{"level": "error"}}')
    (line,) = log.getvalue().splitlines()  # one line whatever the question holds
    assert json.loads(line)["question"].startswith(QUESTION)


def test_a_failure_nobody_foresaw_is_in_the_log_on_one_line() -> None:
    failure = RuntimeError("inner\nthings")
    with logged() as log:
        logging.getLogger("ui.ingests").error("An ingest failed", exc_info=failure)
    (line,) = log.getvalue().splitlines()
    assert "RuntimeError: inner\nthings" in json.loads(line)["error"]


# -- traces --------------------------------------------------------------------------------------


def test_a_trace_of_each_answer_goes_to_the_console(chain, monkeypatch, capsys) -> None:
    instrumentor = pytest.importorskip("openinference.instrumentation.langchain").LangChainInstrumentor()
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")  # milliseconds; five seconds otherwise
    set_up_tracing(Settings(_env_file=None, tracing="console"))
    told = []
    try:
        answer = desk_of(chain).invoke(Query(QUESTION), "api")

        def exported() -> bool:
            told.append(capsys.readouterr().err)
            return answer.id in "".join(told)

        eventually(exported)
    finally:
        instrumentor.uninstrument()
    assert '"service.name": "pressmark"' in "".join(told)
    assert QUESTION in "".join(told)


@pytest.mark.parametrize("place", ["here", "ftp://collector.example", "Console", "localhost:4318"])
def test_a_place_where_no_trace_can_go_is_explained(place: str) -> None:
    pytest.importorskip("openinference.instrumentation.langchain")
    with pytest.raises(
        SettingsError, match=r"is no place for traces: write console, or the address of an OTLP"
    ) as refused:
        set_up_tracing(Settings(_env_file=None, tracing=place))
    assert place in str(refused.value)


def test_without_the_packages_the_way_to_them_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openinference.instrumentation.langchain", None)
    with pytest.raises(SettingsError, match=r"pip install 'pressmark\[tracing\]'"):
        set_up_tracing(Settings(_env_file=None, tracing="console"))


def test_no_trace_is_made_unless_the_setting_names_a_place(chain, capsys) -> None:
    set_up_tracing(Settings(_env_file=None))
    assert isinstance(desk_of(chain).invoke(Query(QUESTION), "api"), Answer)
    assert "trace_id" not in capsys.readouterr().err
