from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rag.chain import AnswerChain
from rag.ingests import IngestRecord
from rag.settings import Settings
from rag.store import Store
from ui.api import build_api
from ui.desk import Desk
from ui.ingests import IngestDesk, Pasted
from ui.server import build_server

DEADLINE_S = 30
UPLOAD_MB = 3
MCP = {"Accept": "application/json, text/event-stream"}
_places = count(1)


def an_article(headline: str) -> bytes:
    place = next(_places)  # no two alike: copies of one report count once
    text = f"The council of district {place} met on Monday and voted on item {place * 7}, clerks said."
    return f"{headline}\n\n{text}\n".encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Where the home lies: a file that leaves the home lands here, or above."""
    return tmp_path_factory.mktemp("ingests")


@pytest.fixture(scope="module")
def chain(place: Path) -> Iterator[AnswerChain]:
    settings = Settings(_env_file=None, home=place / "deep" / "home", upload_mb=UPLOAD_MB)
    store = Store.open(settings)
    yield AnswerChain(store, settings)
    store.close()


@contextmanager
def serving(chain: AnswerChain, **settings: object) -> Iterator[TestClient]:
    async def build() -> FastAPI:
        changed = Settings(_env_file=None, home=chain.settings.home, upload_mb=UPLOAD_MB, **settings)
        return build_server(chain, changed)

    with TestClient(asyncio.run(build()), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def client(chain: AnswerChain) -> Iterator[TestClient]:
    with serving(chain) as opened:
        yield opened


def upload(client: TestClient, *files: tuple[str, bytes]):
    return client.post("/api/articles/upload", files=[("files", file) for file in files])


def finished(client: TestClient, taken) -> dict[str, Any]:
    """What came of an ingest that was taken."""
    assert taken.status_code == 202, taken.text
    until = time.monotonic() + DEADLINE_S
    while (record := client.get(taken.headers["location"]).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until, record
        time.sleep(0.01)
    return record


def counts(record: dict[str, Any]) -> tuple[str, int, int, int]:
    return record["state"], record["added"], record["updated"], record["unchanged"]


def named(client: TestClient, headline: str) -> list[dict[str, Any]]:
    return client.get("/api/articles", params={"search": headline}).json()["articles"]


def assert_problem(response, status: int, words: str = "") -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert words in response.json()["detail"]


# -- what can be added ---------------------------------------------------------------------------


def test_an_upload_is_read_and_found(client: TestClient) -> None:
    taken = upload(client, ("lighthouse.txt", an_article("Lighthouse reopens")))
    assert taken.json()["state"] == "waiting"
    assert taken.json()["id"] in taken.headers["location"]
    record = finished(client, taken)
    assert counts(record) == ("done", 1, 0, 0)
    assert (record["what"], record["done"], record["articles"]) == ("lighthouse.txt", 1.0, 1)
    assert record["report"].startswith("1 added, 0 updated, 0 unchanged")
    assert client.get("/api/ingests?limit=1").json()["ingests"] == [record]
    (card,) = named(client, "Lighthouse reopens")
    found = client.get("/api/search", params={"q": "lighthouse reopens", "k": 1}).json()["passages"]
    assert [item["passage"]["article_id"] for item in found] == [card["id"]]


def test_several_files_are_one_ingest(client: TestClient) -> None:
    files = [("one.txt", an_article("First of three")), ("two.md", an_article("Second of three"))]
    rows = json.dumps([{"title": "Third of three", "text": "The third text.", "source": "Post"}]).encode()
    record = finished(client, upload(client, *files, ("three.json", rows)))
    assert counts(record) == ("done", 3, 0, 0)
    assert record["what"] == "one.txt, two.md, three.json"
    assert len(named(client, "of three")) == 3


def test_a_text_without_headline_is_read_as_a_page(client: TestClient) -> None:
    text = "The ferry Solenne sailed on Friday for the first time since the fire, its owner said."
    taken = client.post("/api/articles", json={"text": f"Ferry returns to service\n\n{text}"})
    assert counts(finished(client, taken)) == ("done", 1, 0, 0)
    assert [card["title"] for card in named(client, "Ferry returns")] == ["Ferry returns to service"]


def test_a_text_with_headline_is_one_article_with_all_that_was_told_of_it(client: TestClient) -> None:
    told = {
        "text": "First paragraph of the text.\n\nSecond paragraph of the text.",
        "title": "A “quoted” headline",
        "source": "Selwyn Courier",
        "article_url": "https://courier.example/quoted",
        "published_at": "2025-06-30T12:00:00Z",
    }
    record = finished(client, client.post("/api/articles", json=told))
    assert (record["what"], *counts(record)) == (told["title"], "done", 1, 0, 0)
    (card,) = named(client, "quoted")
    article = client.get(f"/api/articles/{card['id']}").json()
    assert (article["title"], article["source"], article["url"]) == (told["title"], told["source"], told["article_url"])
    assert article["published_at"] == told["published_at"]
    assert "Second paragraph" in article["text"]


def test_two_texts_under_one_headline_are_two_articles(client: TestClient) -> None:
    for text in ("It rained all morning in the north.", "It snowed all evening in the south."):
        taken = client.post("/api/articles", json={"title": "Weather report", "text": text})
        assert counts(finished(client, taken)) == ("done", 1, 0, 0)
    assert len(named(client, "Weather report")) == 2


def test_the_same_file_again_is_known(client: TestClient) -> None:
    content = an_article("Known already")
    assert counts(finished(client, upload(client, ("known.txt", content)))) == ("done", 1, 0, 0)
    assert counts(finished(client, upload(client, ("known.txt", content)))) == ("done", 0, 0, 1)
    assert len(named(client, "Known already")) == 1


def test_two_files_of_one_name_keep_their_own_articles(client: TestClient) -> None:
    for headline in ("Budget of spring", "Budget of autumn"):
        assert counts(finished(client, upload(client, ("news.txt", an_article(headline))))) == ("done", 1, 0, 0)
    assert len(named(client, "Budget of")) == 2


def test_an_ingest_nobody_asked_for_is_not_there(client: TestClient) -> None:
    assert_problem(client.get("/api/ingests/none"), 404, "No ingest has the id")


# -- what cannot be added ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.exe", b"MZ", "a.exe is of no kind that can be read (.txt, "),
        ("noending", b"text", "noending is of no kind that can be read"),
        ("..", b"text", "is of no kind that can be read"),
        ("empty.txt", b"", "empty.txt is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_at_once_with_its_fellows(
    client: TestClient, name: str, content: bytes, words: str
) -> None:
    assert_problem(upload(client, ("good.txt", an_article("Fellow of a bad file")), (name, content)), 400, words)
    assert named(client, "Fellow of a bad file") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.json", b'{"title": '),
        ("broken.zip", b"PK\x03\x04 no zip"),
        ("bytes.csv", b"\x00\xff" * 50),
        ("blank.txt", b" \n"),
    ],
)
def test_a_file_that_turns_out_unreadable_is_told_in_the_report(client: TestClient, name: str, content: bytes) -> None:
    record = finished(client, upload(client, (name, content)))
    assert counts(record) == ("failed", 0, 0, 0)
    assert name in record["report"]
    assert record["problems"][0].startswith(f"rejected: {name}")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "give either text, for an article, or url alone"),
        ({"text": "A text.", "url": "https://a.example/"}, 422, "give either text"),
        ({"text": " \n"}, 400, "The text is empty"),
        ({"text": "A text.", "published_at": "yesterday"}, 422, "write an ISO date or time"),
        ({"text": "A text.", "colour": "red"}, 422, "colour"),
        ({"url": "ftp://a.example/"}, 400, "is no web address: it begins with http:// or https://"),
        ({"url": "file:///etc/passwd"}, 400, "is no web address"),
        ({"url": "/etc/passwd"}, 400, "is no web address"),
        ({"url": "https://a.example/ https://b.example/"}, 400, "is no web address"),
    ],
)
def test_a_text_or_address_that_is_none_is_refused(
    client: TestClient, body: dict[str, str], status: int, words: str
) -> None:
    assert_problem(client.post("/api/articles", json=body), status, words)


def test_no_files_and_too_many_files_are_refused(client: TestClient) -> None:
    assert_problem(client.post("/api/articles/upload", data={"other": "field"}), 422, "files")
    assert_problem(upload(client, *[(f"{n}.txt", b"text") for n in range(51)]), 422, "put more into an archive")


# -- addresses that lead inside ------------------------------------------------------------------


@pytest.fixture(scope="module")
def inside() -> Iterator[tuple[int, list[str]]]:
    """A server that only this machine reaches; its port, and what was asked of it."""
    asked: list[str] = []

    class Secrets(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Secret of the inside\n\nThe password of the router is hunter2, its page says.")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Secrets)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with urlopen(f"http://127.0.0.1:{server.server_port}/there") as there:
        assert b"hunter2" in there.read()
    asked.clear()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


def leads_home(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: resolve("127.0.0.1" if host == name else host, *rest, **more)
    )


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]",
     "[64:ff9b::7f00:1]",
     "169.254.169.254", "10.0.0.1", "192.168.0.1", "100.64.0.1", "[fe80::1]", "[fd00::1]", "leads.home.example"],
)  # fmt: skip
def test_an_address_inside_is_not_fetched_and_the_report_says_why(
    client: TestClient, inside: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    leads_home(monkeypatch, "leads.home.example")
    port, asked = inside
    record = finished(client, client.post("/api/articles", json={"url": f"http://{host}:{port}/secret"}))
    assert counts(record) == ("failed", 0, 0, 0)
    assert "no public address" in record["report"]
    assert asked == []
    assert named(client, "Secret of the inside") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("addresses.txt", "{address}\n"),
        (
            "sitemap.xml",
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{address}</loc></url></urlset>',
        ),
    ],
)
def test_a_file_of_addresses_leads_nowhere_inside_either(
    client: TestClient, inside: tuple[int, list[str]], name: str, content: str
) -> None:
    port, asked = inside
    address = f"http://127.0.0.1:{port}/secret"
    record = finished(client, upload(client, (name, content.format(address=address).encode())))
    assert counts(record) == ("failed", 0, 0, 0)
    assert "no public address" in record["report"]
    assert asked == []


def press(
    client: TestClient, element: str, data: list[Any], event: str = "click", said: object = None
) -> dict[str, Any]:
    """Do on the page what a button does; return what the page was told last."""
    config = client.get("/config").json()
    place = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == element)
    wired = next(found["id"] for found in config["dependencies"] if [place, event] in found["targets"])
    session = f"s{next(_places)}"
    body = {"fn_index": wired, "data": data, "event_data": said, "session_hash": session}
    assert client.post("/gradio_api/queue/join", json=body).status_code == 200
    lines = client.get("/gradio_api/queue/data", params={"session_hash": session}).text.splitlines()
    messages = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    return next(message for message in messages if message["msg"] == "process_completed")


def picked(path: str) -> dict[str, Any]:
    return {"path": path, "orig_name": "a.txt", "meta": {"_type": "gradio.FileData"}}


def test_the_page_takes_a_file_that_was_uploaded(client: TestClient) -> None:
    (path,) = client.post("/gradio_api/upload", files={"files": ("a.txt", an_article("Sent through the page"))}).json()
    assert press(client, "pm-upload", [0, [picked(path)]])["success"]
    assert len(named(client, "Sent through the page")) == 1


@pytest.mark.parametrize("path", ["/etc/passwd", "{home}/archive.sqlite", "http://127.0.0.1:{port}/secret.txt"])
def test_the_page_takes_no_file_that_was_not_uploaded(
    client: TestClient, chain: AnswerChain, inside: tuple[int, list[str]], path: str
) -> None:
    port, asked = inside
    before = client.get("/api/ingests").json()
    asked_for = picked(path.format(home=chain.settings.folder, port=port))
    assert not press(client, "pm-upload", [0, [asked_for]])["success"]
    assert asked == []
    assert client.get("/api/ingests").json() == before


# -- names of files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.txt", "..\\..\\x.txt", "..\\\\x.txt", "{place}/absolute.txt", "C:\\Windows\\x.txt",
     "....//....//x.txt",
     ".hidden.txt", "..x.txt", "%2e%2e%2fx.txt", "~/x.txt", "a;rm -rf $HOME.txt", "-rf.txt", "x.txt.",
     "x" * 300 + ".txt",
     "橋" * 300 + ".txt", "x." + "y" * 300 + ".txt", "[a-z]*.txt", "ü\u202e\u200f.txt", "archive.sqlite.txt"],
)  # fmt: skip
def test_a_file_stays_in_the_uploads_whatever_its_name(
    client: TestClient, chain: AnswerChain, place: Path, name: str
) -> None:
    uploads, text = chain.settings.folder / "uploads", chain.settings.folder / "text"

    def elsewhere() -> set[Path]:
        own = {path for folder in (uploads, text) for path in folder.rglob("*")}
        return set(place.parent.rglob("*")) - own

    before = elsewhere()
    headline = f"Named strangely {next(_places)}"
    record = finished(client, upload(client, (name.replace("{place}", str(place)), an_article(headline))))
    assert counts(record) == ("done", 1, 0, 0)
    assert len(named(client, headline)) == 1
    assert {path.name for path in elsewhere() - before} <= {
        "archive.sqlite-wal",
        "archive.sqlite-shm",
        "uploads",
        "text",
    }
    kept = [path for path in uploads.rglob("*") if path.is_file() and path.read_bytes().startswith(headline.encode())]
    assert len(kept) == 1
    assert not kept[0].name.startswith(".")
    assert kept[0].parent.parent == uploads


@pytest.mark.parametrize("name", [b"nul\x00.txt", b"line\tbreak.txt", b"\xff\xfe.txt", b"caf\xe9.txt"])
def test_bytes_that_are_no_name_do_no_harm(client: TestClient, name: bytes) -> None:
    head = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="' + name + b'"\r\n\r\n'
    body = head + an_article("Named by bytes") + b"\r\n--cut--\r\n"
    taken = client.post(
        "/api/articles/upload", content=body, headers={"Content-Type": "multipart/form-data; boundary=cut"}
    )
    assert counts(finished(client, taken)) == ("done", 1, 0, 0)


# -- too much ------------------------------------------------------------------------------------


def in_pieces(content: bytes) -> Iterator[bytes]:
    """A body whose length is not told before."""
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


@pytest.mark.parametrize("told_before", [True, False])
@pytest.mark.parametrize("path", ["/api/answers", "/api/articles", "/v1/chat/completions", "/mcp"])
def test_a_body_that_is_too_large_is_refused(client: TestClient, path: str, told_before: bool) -> None:
    content = json.dumps({"question": "x" * 2_100_000}).encode()
    response = client.post(
        path, content=content if told_before else in_pieces(content), headers=MCP | {"Content-Type": "application/json"}
    )
    assert_problem(response, 413)


@pytest.mark.parametrize("told_before", [True, False])
def test_an_upload_that_is_too_large_is_refused(client: TestClient, told_before: bool) -> None:
    content = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="big.txt"\r\n\r\n' + b"x" * 4_200_000
    content += b"\r\n--cut--\r\n"
    response = client.post(
        "/api/articles/upload",
        content=content if told_before else in_pieces(content),
        headers={"Content-Type": "multipart/form-data; boundary=cut"},
    )
    assert_problem(response, 413)


def test_the_page_takes_uploads_as_large_as_the_setting_allows(client: TestClient) -> None:
    def sent(size: int) -> int:
        return client.post("/gradio_api/upload", files={"files": ("big.txt", b"x" * size)}).status_code

    assert sent(2_500_000) == 200
    assert sent(UPLOAD_MB * 1024**2 + 1_000_000) == 413


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    "content",
    [DEEP, DEEP + b"]" * 100_000, b'{"question": ' + DEEP + b"]" * 100_000 + b"}", b'{"question": ' * 100_000],
    ids=["open", "closed", "in a field", "objects"],
)
@pytest.mark.parametrize(
    "path",
    ["/api/answers", "/api/articles", "/api/answers/none/feedback", "/v1/chat/completions", "/mcp",
     "/gradio_api/call/ask",
     "/gradio_api/queue/join"],
)  # fmt: skip
def test_a_body_nested_without_end_is_the_caller_s_fault(client: TestClient, path: str, content: bytes) -> None:
    response = client.post(path, content=content, headers=MCP | {"Content-Type": "application/json"})
    assert 400 <= response.status_code < 500


def test_a_file_nested_without_end_is_told_in_the_report(client: TestClient) -> None:
    record = finished(client, upload(client, ("deep.json", DEEP + b"]" * 100_000)))
    assert counts(record) == ("failed", 0, 0, 0)
    assert "deep.json" in record["report"]


# -- a server that changes nothing ---------------------------------------------------------------


def test_where_nothing_may_be_changed_no_door_changes_it(client: TestClient, chain: AnswerChain) -> None:
    finished(client, upload(client, ("stays.txt", an_article("Stays where it is"))))
    (card,) = named(client, "Stays where it is")
    kept = sorted((chain.settings.folder / "uploads").rglob("*"))
    with serving(chain, allow_writes=False) as locked:
        for response in (
            locked.post("/api/articles", json={"text": "A text."}),
            locked.post("/api/articles", json={"url": "https://a.example/"}),
            upload(locked, ("a.txt", b"A text.")),
            locked.delete(f"/api/articles/{card['id']}"),
        ):
            assert_problem(response, 403, "PRESSMARK_ALLOW_WRITES is off")
        told = press(locked, "pm-article", [0], "delete", {"id": card["id"]})
        assert "You may read here, and change nothing" in str(told["output"]["data"])
        parts = {part["props"].get("elem_id") for part in locked.get("/config").json()["components"]}
        assert not parts & {"pm-upload", "pm-paste", "pm-fetch"}
        assert named(locked, "Stays where it is") == [card]
    assert sorted((chain.settings.folder / "uploads").rglob("*")) == kept


# -- deleting ------------------------------------------------------------------------------------


def test_what_is_deleted_is_gone_until_it_is_sent_again(client: TestClient) -> None:
    content = an_article("Zeppelin over Lindvik")
    finished(client, upload(client, ("zeppelin.txt", content)))
    (card,) = named(client, "Zeppelin")
    address = f"/api/articles/{card['id']}"

    def found() -> bool:
        passages = client.get("/api/search", params={"q": "zeppelin over Lindvik"}).json()["passages"]
        return card["id"] in [item["passage"]["article_id"] for item in passages]

    assert found()
    assert client.delete(address).status_code == 204
    assert_problem(client.get(address), 404, "No article has the id")
    assert not found()
    assert named(client, "Zeppelin") == []
    assert_problem(client.delete(address), 404)
    finished(client, upload(client, ("zeppelin.txt", content)))
    assert client.get(address).status_code == 200
    assert found()


# -- over a restart ------------------------------------------------------------------------------


def test_what_a_server_did_not_finish_is_marked_by_the_next(chain: AnswerChain) -> None:
    ingests = chain.store.archive.ingests
    for state in ("waiting", "running", "done", "failed"):
        ingests.put(IngestRecord(f"left-{state}", "a.txt", state, datetime.now(UTC), report="As it was."))
    app = build_api(Desk(chain, chain.settings))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        left = {
            state: client.get(f"/api/ingests/left-{state}").json() for state in ("waiting", "running", "done", "failed")
        }
    assert [record["state"] for record in left.values()] == ["interrupted", "interrupted", "done", "failed"]
    assert "send it again" in left["running"]["report"]
    assert left["done"]["report"] == "As it was."


def test_a_server_that_stops_leaves_no_ingest_waiting(chain: AnswerChain) -> None:
    desk = IngestDesk(chain.store, chain.settings)
    taken = [desk.take_text(Pasted(f"Text number {n} about the harbour.", title=f"Left {n}")) for n in range(20)]
    desk.close()
    states = {chain.store.archive.ingests.get(record.id).state for record in taken}
    assert states <= {"done", "interrupted"}
