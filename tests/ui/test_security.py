from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import lxml.html
import pytest
from fastapi import FastAPI
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from markdown_it import MarkdownIt
from starlette.testclient import TestClient

from ingest.indexer import index_articles
from rag.chain import AnswerChain
from rag.ingests import IngestRecord
from rag.schema import Stage
from rag.settings import Settings
from rag.store import Store
from tests.conftest import make_article
from ui.conversation import Change, Conversation, Scope, converse, converse_again, find, replayed, stopped
from ui.desk import Desk
from ui.evals import EvalState
from ui.render import failure_html, stage_html
from ui.render_archive import (
    Spot,
    article_html,
    articles_html,
    conversations_html,
    freshness_html,
    ingest_html,
    refusal_html,
)
from ui.render_evals import eval_state_html
from ui.server import build_server

NOW = datetime(2025, 9, 1, 12, tzinfo=UTC)
MCP = {"Accept": "application/json, text/event-stream"}
_sessions = count(1)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</mark></blockquote><svg/onload=alert(1)>",
    '</button></article><button data-act="delete" data-id="ferry"><iframe src="javascript:alert(1)">',
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style><base href=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "${alert(1)} {{alert(1)}} {%if x%}",
    "[x](javascript:alert(1)) ![x](https://evil.example/p.png)",
    "[1]: javascript:alert(1)",
    "<https://evil.example> `</code>` **x**",
)
ALL = " ".join(HOSTILE)
ADDRESSES = (
    "javascript:alert(1)",
    " JavaScript:alert(1)//",
    "javascript://x.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example",
    'https://x.example/"><script>alert(1)</script>',
    "https://x.example/' onclick='alert(1)",
    "https://x.example/)[x](javascript:alert(1)",
    "https://x.example/ javascript:alert(1)",
    "file:///etc/passwd",
    "",
)


FACTS = (  # headline, sentence, and the question that the sentence answers
    ("Bridge closes", "The council voted 9 to 4 on Tuesday to close the bridge",
    "How did the council vote on the bridge?"),
    ("Orchestra grows", "The orchestra hired Elin Marsh as its conductor",
    "Whom did the orchestra hire as its conductor?"),
    ("Bakery sold", "The bakery of Tarn was sold for 3 million crowns", "For how much was the bakery of Tarn sold?"),
    ("Glacier retreats", "The Orm glacier lost 40 metres last summer", "How many metres did the Orm glacier lose?"),
    ("Goalkeeper injured", "Goalkeeper Nils Aker broke his wrist in training", "What did goalkeeper Nils Aker break?"),
    ("Wheat prices rise", "The price of wheat rose to 212 crowns a tonne", "To what did the price of wheat rise?"),
    ("Tunnel opens", "The Kell tunnel opened to lorries on 4 May 2025", "When did the Kell tunnel open to lorries?"),
    ("Zoo welcomes lynx", "Two lynx cubs were born at the zoo of Haven", "Where were two lynx cubs born?"),
    ("Judge resigns", "Judge Petra Holm resigned after the audit of her office", "Why did Judge Petra Holm resign?"),
    ("Satellite launched", "The satellite Svala weighs 610 kilograms", "How much does the satellite Svala weigh?"),
    ("Poet honoured", "The Lindgren prize for poetry went to Amina Sadr", "Who won the Lindgren prize for poetry?"),
    ("Dam repaired", "Repairing the Skara dam took 19 months", "How many months did repairing the Skara dam take?"),
)  # fmt: skip


def hostile_articles():
    """Articles with hostile text in all that a page shows of them."""
    for place, (evil, address, (headline, sentence, _)) in enumerate(zip(HOSTILE, ADDRESSES, FACTS, strict=True)):
        yield make_article(
            f"evil-{place} {evil}",
            f"{sentence}.\n\nThat was confirmed on Friday by {evil} in a letter to readers.",
            title=f"{headline} {evil}",
            source=f"Courier {place} {evil}",
            url=address,
            authors=(evil,),
            section=evil,
            correction=f"Correction: {evil}" if place % 2 else None,
            truncated=bool(place % 3),
            published_at=datetime(2025, 7, 1 + place, tzinfo=UTC),
        )


HONEST = [
    make_article(
        "ferry", "A fire on the ferry Solenne was put out on Monday. It carried 212 passengers.", title="Ferry fire"
    ),
    make_article(
        "mayor", "Mayor Dora Lind opened the library on Friday. She thanked the builders.", title="Library opens"
    ),
]


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> Iterator[AnswerChain]:
    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("security"))
    store = Store.open(settings)
    index_articles([*hostile_articles(), *HONEST], store, passage_tokens=128)
    yield AnswerChain(store, settings)
    store.close()


@pytest.fixture(scope="module")
def desk(chain: AnswerChain) -> Desk:
    return Desk(chain, chain.settings)


def served(chain: AnswerChain) -> TestClient:
    async def build() -> FastAPI:
        return build_server(chain, chain.settings)

    return TestClient(asyncio.run(build()), base_url="http://127.0.0.1", raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(chain: AnswerChain) -> Iterator[TestClient]:
    with served(chain) as opened:
        yield opened


# -- what is live --------------------------------------------------------------------------------

PLAIN = set(
    "a article aside blockquote button code details div h2 h3 h4 input label li mark ol p pre progress section span "
    "strong sub summary sup time ul".split()
)
DRAWN = set("a blockquote br code em h1 h2 h3 h4 h5 h6 hr li ol p pre strong ul".split())
LINKS = re.compile(r"https?://|#|\?answer=")


def live(html: str, *, tags: set[str] = PLAIN) -> list[str]:
    """What in a piece of HTML could act on its own or lead where no link of ours leads."""
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    found = []
    for element in root.iterdescendants():
        if element.tag not in tags:
            found.append(f"<{element.tag}>")
        for name, value in element.attrib.items():
            if name.startswith("on") or name in {"style", "src", "srcdoc", "action", "formaction", "autofocus", "ping"}:
                found.append(f"{name}={value}")
            if name in {"href", "xlink:href"} and not LINKS.match(value):
                found.append(f"{name}={value}")
    return found


def text_of(html: str) -> str:
    return lxml.html.fragment_fromstring(html, create_parent="div").text_content()


@pytest.mark.parametrize(
    "html",
    ["<script>x</script>", "<img src=x>", "<p onclick=x>", "<a href='javascript:x'>", "<a href=' javascript:x'>",
     "<p style=x>",
     "<svg/onload=x>", "<a href=/relative>", "<a href='data:x'>", "<form action=x>", "<!-- --><iframe>"],
)  # fmt: skip
def test_what_is_live_would_be_found(html: str) -> None:
    assert live(html)


def test_links_of_ours_are_not_taken_for_live() -> None:
    assert not live('<a href="https://x.example/">x</a><a href="#source-1">1</a><a href="?answer=1">link</a>')


def markdown_of(page: str) -> str:
    """What the page's button copies as Markdown."""
    root = lxml.html.fragment_fromstring(page, create_parent="div")
    (button,) = [found for found in root.iter("button") if found.text_content() == "Copy as Markdown"]
    return button.get("data-copy")


def drawn(markdown: str) -> str:
    """The page that a reader of Markdown makes of it, one that trusts all links and HTML."""
    reader = MarkdownIt("commonmark", {"html": True})
    reader.validateLink = lambda url: True
    return reader.render(markdown)


# -- hostile articles and questions --------------------------------------------------------------


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_nothing_of_a_hostile_article_is_live_on_the_page(desk: Desk, place: int) -> None:
    steps = list(converse(desk, FACTS[place][2], Conversation(), Scope()))
    for step in steps:
        assert live(step.page) == []
    answer = desk.archive.answers.get(steps[-1].answers[0])
    cited = {citation.article_id: citation for citation in answer.citations}
    assert f"evil-{place} {HOSTILE[place]}" in cited  # or this shows nothing
    shown = text_of(steps[-1].page)
    assert f"{FACTS[place][0]} {HOSTILE[place]}" in shown
    assert f"Courier {place} {HOSTILE[place]}" in shown


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_nothing_of_a_hostile_article_is_live_in_the_copied_markdown(desk: Desk, place: int) -> None:
    *_, last = converse(desk, FACTS[place][2], Conversation(), Scope())
    html = drawn(markdown_of(last.page))
    assert live(html, tags=DRAWN) == []
    assert HOSTILE[place] in text_of(html)


@pytest.mark.parametrize("evil", [*HOSTILE, ALL, "[7]: javascript:alert(1)", "[1]: javascript:alert(1)\n\n[1]"])
def test_nothing_that_a_chat_model_writes_is_live(chain: AnswerChain, evil: str) -> None:
    settings = Settings(_env_file=None, home=chain.settings.home, chat_model=f"fake:{evil}", lenient=True)
    replies = iter([AIMessage(content=f"{evil} [1]\n{evil}\nThe bakery {evil} was sold. [1] [2]")])
    desk = Desk(AnswerChain(chain.store, settings, GenericFakeChatModel(messages=replies)), settings)
    (*_, last) = converse(desk, "For how much was the bakery of Tarn sold?", Conversation(), Scope())
    assert live(last.page) == []
    assert live(drawn(markdown_of(last.page)), tags=DRAWN) == []
    assert "alert(1)" in text_of(last.page) or "evil.example" in text_of(last.page)


@pytest.mark.parametrize("question", [*HOSTILE, f"How many passengers did the ferry carry? {ALL}", *ADDRESSES[:3]])
def test_nothing_of_a_hostile_question_is_live(desk: Desk, question: str) -> None:
    first, *_, last = converse(desk, question, Conversation(), Scope())
    (*_, searched) = find(desk, question, last, Scope())
    half = stopped(desk, first)
    asked = " ".join(question.split())
    for step in (first, last, searched, half):
        assert live(step.page) == []
        assert asked in " ".join(text_of(step.page).split())
    if last.answers:
        assert live(drawn(markdown_of(last.page)), tags=DRAWN) == []
        assert replayed(desk.archive, last.answers).page == last.page


def test_nothing_of_a_question_that_was_changed_is_live(desk: Desk) -> None:
    (*_, asked) = converse(desk, "How many passengers did the ferry carry?", Conversation(), Scope())
    (*_, again) = converse_again(desk, asked, Change(question=ALL))
    assert live(again.page) == []
    assert ALL in text_of(again.page)


@pytest.mark.parametrize("wrong", [*HOSTILE, ALL])
def test_nothing_of_a_failure_is_live(desk: Desk, wrong: str) -> None:
    (*_, failed) = converse(desk, "Why?", Conversation(), Scope(first_day=wrong))
    assert "is no date" in failed.page
    pieces = (failed.page, failure_html(wrong, wrong), refusal_html(wrong), stage_html(Stage(wrong, wrong)))
    assert [live(piece) for piece in pieces] == [[]] * 4


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_nothing_of_a_hostile_article_is_live_where_it_is_read(desk: Desk, place: int) -> None:
    evil = HOSTILE[place]
    article = desk.archive.article(f"evil-{place} {evil}")
    html = article_html(
        article,
        versions=[article.version, evil],
        also_in=HOSTILE,
        writable=True,
        spot=Spot(article.text.index(evil), article.text.index(evil) + len(evil)),
    )
    assert live(html) == []
    (marked,) = lxml.html.fragment_fromstring(html).iter("mark")
    assert marked.text_content() == evil
    assert article.text in text_of(html)


def test_nothing_of_the_archive_s_lists_is_live(desk: Desk) -> None:
    articles = desk.archive.articles(limit=100)
    status = desk.archive.status()
    ended = IngestRecord("i", ALL, "failed", NOW, report=ALL, problems=HOSTILE)
    kept = [{"id": evil, "title": evil, "at": evil} for evil in HOSTILE]
    pieces = {
        "articles": articles_html(articles, total=len(articles), offset=0),
        "freshness": freshness_html(replace(status, newest_title=ALL), NOW, stale_days=1),
        "ingest": ingest_html(ended) + ingest_html(replace(ended, state="running", report="")),
        "conversations": conversations_html(kept, NOW),
        "evals": eval_state_html(EvalState(ALL)) + eval_state_html(EvalState(ALL, error=ALL, running=False)),
    }
    assert {name: live(html) for name, html in pieces.items()} == {name: [] for name in pieces}
    assert all(HOSTILE[0] in text_of(html) for html in pieces.values())


def test_an_article_leads_only_to_web_addresses(desk: Desk) -> None:
    html = "".join(article_html(article) for article in desk.archive.articles(limit=100))
    links = [element.get("href") for element in lxml.html.fragment_fromstring(html, create_parent="div").iter("a")]
    assert sorted(links) == sorted([ADDRESSES[6], ADDRESSES[8]])


def test_hostile_records_stay_text_through_the_ingest(client: TestClient, desk: Desk) -> None:
    evil = f"[1]\n\n[1]: javascript:alert(1)\n\n{ALL}"
    rows = [
        {"id": "sent", "title": f"Vineyard sold {evil}", "text": f"The vineyard was sold for 3 million. {ALL}",
        "source": evil,
         "url": "javascript:alert(1)", "section": evil, "authors": [evil]}
    ]  # fmt: skip
    files = {"files": ("a.json", json.dumps(rows).encode())}
    taken = client.post("/api/articles/upload", files=files).json()
    until = time.monotonic() + 30
    while (record := client.get(f"/api/ingests/{taken['id']}").json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until, record
        time.sleep(0.01)
    assert record["added"] == 1
    (*_, last) = converse(desk, "For how much was the vineyard sold?", Conversation(), Scope())
    assert "3 million" in text_of(last.page)
    assert live(last.page) == []
    assert live(drawn(markdown_of(last.page)), tags=DRAWN) == []


# -- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/api/articles/..%2f..", "/api/articles/..%2f..%2fetc%2fpasswd", "/api/articles/%00",
     "/api/articles/ferry?version=../..",
     "/api/answers/..%2f..%2fetc%2fpasswd", "/api/ingests/..%2f..", "/gradio_api/file=/etc/passwd",
     "/gradio_api/file=../../",
     "/gradio_api/file=..%2f..%2fetc%2fpasswd", "/gradio_api/file=%2fetc%2fpasswd",
     "/gradio_api/file=file:///etc/passwd",
     "/gradio_api/file={home}/archive.sqlite", "/gradio_api/file={home}/uploads",
     "/gradio_api/file=http://127.0.0.1:9/",
     "/gradio_api/file=%00", "/gradio_api/file/etc/passwd", "/gradio_api/proxy=http://127.0.0.1:9/",
     "/static/..%2f..%2fetc%2fpasswd",
     "/assets/..%2f..%2f..%2fetc%2fpasswd", "/svelte/..%2f..%2fetc%2fpasswd", "/..%2f..%2fetc%2fpasswd",
     "/%2e%2e/%2e%2e/etc/passwd"],
)  # fmt: skip
def test_no_path_leads_out_of_what_is_served(client: TestClient, chain: AnswerChain, path: str) -> None:
    response = client.get(path.format(home=chain.settings.folder), follow_redirects=False)
    assert 400 <= response.status_code < 500
    assert "root:" not in response.text
    assert b"SQLite" not in response.content


# -- headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/config", 200), ("GET", "/docs", 200), ("GET", "/health", 200),
     ("GET", "/api/articles", 200),
     ("GET", "/api/none", 404), ("GET", "/none", 404), ("POST", "/api/answers", 422), ("DELETE", "/api/answers", 405),
     ("GET", "/gradio_api/file=/etc/passwd", 403), ("GET", "/theme.css", 200), ("GET", "/metrics", 200)],
)  # fmt: skip
def test_every_response_limits_what_a_browser_does_with_it(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    headers = response.headers
    assert response.status_code == status
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["object-src"] == "'none'"
    assert [policy[name] for name in ("base-uri", "form-action", "frame-ancestors")] == ["'self'"] * 3
    # Nothing is loaded from elsewhere, and no answer can be sent there.
    assert not re.search(r"https?:|\*|//", policy["default-src"])
    assert not set(policy) & {"script-src", "connect-src", "img-src", "style-src", "font-src"}


# -- one reader and another ----------------------------------------------------------------------


def searched_for(desk: Desk, conversation: Conversation) -> str:
    return desk.archive.answers.get(conversation.answers[-1]).search_query


def test_two_conversations_do_not_see_each_other_s_turns(desk: Desk) -> None:
    (*_, one) = converse(desk, "When was the fire on the ferry Solenne put out?", Conversation(), Scope())
    (*_, other) = converse(desk, "When did Mayor Dora Lind open the library?", Conversation(), Scope())
    assert one.id != other.id
    (*_, one) = converse(desk, "How many passengers did it carry?", one, Scope())
    (*_, other) = converse(desk, "Whom did she thank?", other, Scope())
    (*_, new) = converse(desk, "How many passengers did it carry?", Conversation(), Scope())
    assert "Solenne" in searched_for(desk, one)
    assert "Solenne" not in searched_for(desk, other)
    assert searched_for(desk, new) == "How many passengers did it carry?"
    assert "When was the fire" not in "".join((*other.pages, other.page))
    assert [len(each.pages) for each in (one, other, new)] == [1, 1, 0]


def asked_on_the_page(client: TestClient, session: str, question: str) -> str:
    """Ask as the page's button does in a browser session; return all that the page is told."""
    config = client.get("/config").json()
    place = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "pm-ask")
    wired = next(found for found in config["dependencies"] if [place, "click"] in found["targets"] and found["inputs"])
    data: list[Any] = [question, None, "Answer", "", "", True, []]
    body = {"fn_index": wired["id"], "data": data, "session_hash": session}
    assert client.post("/gradio_api/queue/join", json=body).status_code == 200
    return client.get("/gradio_api/queue/data", params={"session_hash": session}).text


def test_two_browsers_do_not_see_each_other_s_conversations(client: TestClient) -> None:
    one, other = (f"browser{next(_sessions)}" for _ in range(2))
    assert "Solenne" in asked_on_the_page(client, one, "When was the fire on the ferry Solenne put out?")
    assert "Searched for" in asked_on_the_page(client, one, "How many passengers did it carry?")
    told = asked_on_the_page(client, other, "How many passengers did it carry?")
    assert "Searched for" not in told
    assert "When was the fire" not in told


def test_the_id_of_an_answer_tells_nothing_of_others(client: TestClient) -> None:
    ids = [client.post("/api/answers", json={"question": "Who opened the library?"}).json()["id"] for _ in range(8)]
    assert len(set(ids)) == 8
    assert all(re.fullmatch(r"[0-9a-f]{16,}", id_) for id_ in ids)
    assert len({id_[:3] for id_ in ids}) > 1
    neighbour = f"{int(ids[-1], 16) + 1:016x}"
    assert client.get(f"/api/answers/{ids[-1]}").status_code == 200
    assert client.get(f"/api/answers/{neighbour}").status_code == 404
    assert client.get(f"/api/answers/{ids[-1][:-1]}").status_code == 404
    assert client.get(f"/api/answers/{ids[-1]}%25").status_code == 404


@pytest.mark.parametrize("answer_id", ["none", "%25", "' OR '1'='1", "x" * 5000, "é"])
def test_an_answer_nobody_got_can_neither_be_read_nor_rated(
    client: TestClient, chain: AnswerChain, answer_id: str
) -> None:
    before = chain.store.archive.feedback.all()
    responses = [
        client.get(f"/api/answers/{answer_id}"),
        client.post(f"/api/answers/{answer_id}/feedback", json={"rating": "down", "reason": "x"}),
    ]
    assert [(r.status_code, r.headers["content-type"]) for r in responses] == [(404, "application/problem+json")] * 2
    assert chain.store.archive.feedback.all() == before


# -- what errors tell ----------------------------------------------------------------------------


def assert_tells_nothing(text: str, chain: AnswerChain) -> None:
    assert "Traceback" not in text
    assert 'File "' not in text
    assert "sqlite" not in text.lower()
    assert str(chain.settings.folder) not in text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/articles/none", None),
        ("GET", "/api/articles?limit=x", None),
        ("GET", "/none", None),
        ("POST", "/api/answers", {"question": "?!"}),
        ("POST", "/api/answers", {"question": "\x00"}),
        ("POST", "/api/answers", {"question": "Why?", "since": "2025-07-01", "until": "2025-06-01"}),
        ("POST", "/v1/chat/completions", {"messages": [{"role": "assistant", "content": "x"}]}),
        ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
        ("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "none"}}),
        ("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "none"}),
        ("POST", "/gradio_api/call/none", {"data": []}),
        ("POST", "/gradio_api/call/ask", {"data": "x"}),
        ("POST", "/gradio_api/queue/join", {"fn_index": 10_000, "data": [], "session_hash": "x"}),
        ("POST", "/api/articles/upload", {"files": "x"}),
    ],
)
def test_a_fault_of_the_caller_s_tells_nothing_of_the_server(
    client: TestClient, chain: AnswerChain, method: str, path: str, body: object
) -> None:
    response = client.request(method, path, json=body, headers=MCP)
    assert response.status_code < 500 or path.startswith("/gradio_api")  # Gradio calls some of them its own
    assert_tells_nothing(response.text, chain)


@pytest.mark.parametrize(
    "path", ["/health", "/metrics", "/api/articles", "/api/ingests", "/config", "/", "/openapi.json", "/docs"]
)
def test_nothing_tells_where_the_archive_lies(client: TestClient, chain: AnswerChain, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert str(chain.settings.folder) not in response.text


def test_a_fault_of_the_server_s_own_tells_nothing_of_it(tmp_path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "broken")
    store = Store.open(settings)
    index_articles(HONEST, store, passage_tokens=128)
    chain = AnswerChain(store, settings)
    question = {"question": "Who opened the library?"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": question}}
    with served(chain) as client:
        store.archive.close()  # as if the disk were gone
        for method, path, body in (
            ("GET", "/health", None),
            ("GET", "/ready", None),
            ("GET", "/metrics", None),
            ("GET", "/api/articles", None),
            ("POST", "/api/answers", question),
            ("POST", "/api/answers", question | {"stream": True}),
            ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "Who opened the library?"}]}),
        ):
            response = client.request(method, path, json=body)
            if not response.text.startswith("event:"):
                assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json"), (
                    path
                )
            assert "Something went wrong on the server" in response.text
            assert_tells_nothing(response.text, chain)
        assert_tells_nothing(client.post("/mcp", json=call, headers=MCP).text, chain)
        assert_tells_nothing(asked_on_the_page(client, "broken", "Who opened the library?"), chain)
    store.index.close()
    store.lock.release()
