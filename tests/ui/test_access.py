from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ingest.indexer import index_articles
from rag.chain import AnswerChain
from rag.errors import SettingsError
from rag.settings import Settings
from rag.store import Store
from tests.conftest import make_article
from ui.access import Keys, new_key
from ui.cli_keys import keys_app
from ui.server import build_server

READER, READER_ENTRY = new_key("rita", "read")
WRITER, WRITER_ENTRY = new_key("wim", "write")
ENTRIES = f"{READER_ENTRY},{WRITER_ENTRY}"
HASH = "0" * 64
QUESTION = "When did the mayor open the bridge?"
EVIL = "https://evil.example"
_addresses = count(1)


def an_address() -> dict[str, str]:
    """Where a request comes from: each test its own, for the server counts by address."""
    return {"X-Forwarded-For": f"2001:db8::{next(_addresses):x}"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def keys_of(entries: str, host: str = "127.0.0.1") -> Keys:
    return Keys.of(Settings(_env_file=None, api_keys=entries, host=host))


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> Iterator[AnswerChain]:
    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("access"))
    store = Store.open(settings)
    index_articles(
        [make_article(), make_article("a2", "The ferry sank.", title="Ferry sinks")], store, passage_tokens=128
    )
    yield AnswerChain(store, settings)
    store.close()


@contextmanager
def serving(chain: AnswerChain, **settings: object) -> Iterator[TestClient]:
    async def build() -> FastAPI:
        return build_server(chain, Settings(_env_file=None, home=chain.settings.home, **settings))

    # As under uvicorn, which takes the client's address from the proxy before it.
    app = ProxyHeadersMiddleware(asyncio.run(build()), trusted_hosts="*")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def keyed(chain) -> Iterator[TestClient]:
    with serving(chain, host="0.0.0.0", api_keys=ENTRIES, allow_writes=True, rate_per_minute=100_000) as client:
        yield client


@pytest.fixture
def client(keyed: TestClient) -> TestClient:
    """The server that needs keys, to somebody new at an address of their own."""
    keyed.cookies.clear()
    keyed.headers.update(an_address())
    return keyed


@pytest.fixture(scope="module")
def home_server(chain) -> Iterator[TestClient]:
    """The server as it is by default: on this machine, without keys."""
    with serving(chain) as client:
        yield client


def assert_refused(response, status: int, words: str = "") -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert words in response.json()["detail"]


def log_in(client: TestClient, name: str, key: str):
    return client.post("/login", data={"username": name, "password": key})


def press(client: TestClient, element: str, event: str, data: list[Any], said: dict[str, str] | None = None) -> Any:
    """Do on the page what a button does; return what it shows."""
    config = client.get("/config").json()
    place = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == element)
    wired = next(found["id"] for found in config["dependencies"] if [place, event] in found["targets"])
    session = f"s{next(_addresses)}"
    body = {"fn_index": wired, "data": data, "event_data": said, "session_hash": session}
    assert client.post("/gradio_api/queue/join", json=body).status_code == 200
    lines = client.get("/gradio_api/queue/data", params={"session_hash": session}).text.splitlines()
    messages = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    return next(message["output"] for message in messages if message["msg"] == "process_completed")


# -- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "scope"), [([], "read"), (["--write"], "write")])
def test_the_command_makes_a_key_and_the_entry_that_knows_it(options: list[str], scope: str) -> None:
    told = CliRunner().invoke(keys_app, ["new", "ada@desk-1", *options]).output
    key, entry = (line.rsplit(": ", 1)[1] for line in told.splitlines())
    holder = keys_of(entry).holder(key)
    assert holder is not None
    assert (holder.name, holder.scope) == ("ada@desk-1", scope)
    assert key not in entry


def test_no_key_is_made_twice() -> None:
    assert len({new_key("ada", "read")[0] for _ in range(20)}) == 20


@pytest.mark.parametrize("name", ["", "two words", "a:b", "a,b", "a\n", "x" * 65])
def test_a_name_that_would_break_the_entries_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a key"):
        new_key(name, "read")


@pytest.mark.parametrize(
    "wrong",
    ["", " ", READER[:-1], f"{READER}x", READER.upper(), f" {READER}", READER_ENTRY, READER_ENTRY.rsplit(":", 1)[1],
     "ключ",
     "\udcff"],
)  # fmt: skip
def test_nothing_but_the_key_itself_is_the_key(wrong: str) -> None:
    keys = keys_of(ENTRIES)
    assert keys.holder(wrong) is None
    assert not keys.login("rita", wrong)


def test_a_key_logs_in_its_own_name_only() -> None:
    keys = keys_of(ENTRIES)
    assert keys.login("rita", READER)
    assert not keys.login("wim", READER)
    assert not keys.login("", READER)


def test_only_a_key_that_may_write_changes_the_archive() -> None:
    keys = keys_of(ENTRIES)
    assert [keys.may_write(name) for name in ("wim", "rita", "nobody", "", None)] == [True, False, False, False, False]
    assert keys_of("").may_write(None)


def test_blanks_and_commas_too_many_are_no_entries() -> None:
    assert keys_of(f" {READER_ENTRY} ,, {WRITER_ENTRY},\n").holder(WRITER)
    assert not keys_of(" , ")


@pytest.mark.parametrize(
    "entry",
    ["pm_topsecret", "ada:topsecret", f"ada:admin:{HASH}", f"ada:READ:{HASH}", "ada:read:topsecret",
     f"ada:read:{HASH}0",
     f":read:{HASH}", f"two words:read:{HASH}", f"ada:read:{'A' * 64}", f"ada:write:read:{HASH}"],
)  # fmt: skip
def test_an_entry_that_is_none_is_refused_by_its_place_and_never_shown(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"Entry 2 of PRESSMARK_API_KEYS .* `pressmark keys new NAME`") as refused:
        keys_of(f"{READER_ENTRY},{entry}")
    assert "topsecret" not in str(refused.value)
    assert entry not in str(refused.value)


def test_settings_do_not_show_the_entries() -> None:
    assert HASH not in repr(Settings(_env_file=None, api_keys=f"ada:read:{HASH}"))


def test_a_name_stands_for_one_key() -> None:
    with pytest.raises(SettingsError, match="names rita twice"):
        keys_of(f"{READER_ENTRY},{new_key('rita', 'write')[1]}")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "news.example", "127.0.0.1.example"])
def test_where_others_can_reach_it_no_server_starts_without_keys(chain, host: str) -> None:
    with pytest.raises(SettingsError, match=r"PRESSMARK_API_KEYS \(`pressmark keys new NAME`.*or stay on 127\.0\.0\.1"):
        build_server(chain, Settings(_env_file=None, home=chain.settings.home, host=host))
    assert keys_of(ENTRIES, host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_this_machine_needs_no_keys(host: str) -> None:
    assert not keys_of("", host=host)


# -- doors that need a key -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/articles"), ("HEAD", "/api/articles"), ("GET", "/api/search?q=x"), ("POST", "/api/answers"),
     ("DELETE", "/api/articles/a1"), ("GET", "/api/nothing"), ("GET", "/api"), ("GET", "/%61pi/articles"),
     ("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("POST", "/mcp"), ("GET", "/mcp"), ("GET", "/metrics")],
)  # fmt: skip
def test_programs_need_a_key(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path", ["/API/articles", "//api/articles", "/./api/articles", "/api;x/articles", "/x/../metrics"]
)
def test_no_other_spelling_of_a_door_opens_it(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (401, 404)


@pytest.mark.parametrize(
    "headers",
    [{"X-API-Key": "pm_wrong"}, bearer("pm_wrong"), bearer(""), {"Authorization": f"Basic {READER}"},
     {"Authorization": READER}, {"X-API-Key": READER_ENTRY}, {b"X-API-Key": b"\xff\x00\xfe"},
     {"Cookie": f"key={READER}"}],
)  # fmt: skip
def test_a_wrong_key_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert_refused(client.get("/api/articles", headers=headers), 401, "A key is needed")


@pytest.mark.parametrize(
    "headers", [bearer(READER), {"Authorization": f"bearer  {READER} "}, {"X-API-Key": READER}, bearer(WRITER)]
)
def test_a_key_opens_all_doors(client: TestClient, headers: dict[str, str]) -> None:
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    asked = client.post("/api/answers", json={"question": QUESTION}, headers=headers)
    opened = [
        asked,
        client.get("/v1/models", headers=headers),
        client.post("/mcp", json=rpc, headers=headers | accept),
        client.get("/metrics", headers=headers),
    ]
    assert [response.status_code for response in opened] == [200] * 4
    opinion = client.post(f"/api/answers/{asked.json()['id']}/feedback", json={"rating": "up"}, headers=headers)
    assert opinion.status_code == 204


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_whether_it_runs_is_told_without_a_key(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_a_key_to_read_changes_nothing(client: TestClient) -> None:
    changes = [
        client.post("/api/articles", json={"text": "Something else."}, headers=bearer(READER)),
        client.post("/api/articles/upload", files={"files": ("a.txt", b"Something.")}, headers=bearer(READER)),
        client.delete("/api/articles/a1", headers=bearer(READER)),
    ]
    for response in changes:
        assert_refused(response, 403, "The key of rita may read only")
    assert client.get("/api/articles/a1", headers=bearer(READER)).status_code == 200
    assert client.get("/api/ingests", headers=bearer(READER)).json()["ingests"] == []


def test_a_key_to_write_reaches_what_changes_the_archive(client: TestClient) -> None:
    assert client.delete("/api/articles/none", headers=bearer(WRITER)).status_code == 404
    assert client.post("/api/articles", json={}, headers=bearer(WRITER)).status_code == 422
    assert client.post("/api/articles/upload", headers=bearer(WRITER)).status_code == 422


# -- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/config"), ("GET", "/gradio_api/info"), ("POST", "/gradio_api/queue/join"),
     ("POST", "/gradio_api/call/ask"),
     ("GET", "/gradio_api/queue/data?session_hash=x"), ("POST", "/gradio_api/run/ask"), ("POST", "/gradio_api/upload"),
     ("GET", "/gradio_api/file=x"), ("GET", "/monitoring")],
)  # fmt: skip
def test_before_the_login_the_page_shows_nothing(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path, json={"data": [QUESTION], "fn_index": 0, "session_hash": "x"})
    assert response.status_code == 401
    assert "Ferry" not in client.get("/").text


def test_a_key_and_its_name_open_the_page(client: TestClient) -> None:
    assert log_in(client, "rita", READER).status_code == 200
    assert client.get("/config").status_code == 200
    assert "Ferry sinks" in str(press(client, "pm-newer", "click", ["", "indexed", [], "", "", 0])["data"])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("rita", WRITER),
        ("wim", READER),
        ("rita", "pm_wrong"),
        ("nobody", READER),
        ("rita", READER_ENTRY.rsplit(":", 1)[1]),
    ],
)
def test_a_wrong_login_opens_nothing(client: TestClient, name: str, key: str) -> None:
    assert log_in(client, name, key).status_code == 400
    assert client.get("/config").status_code == 401


def test_who_logged_in_to_read_deletes_nothing_through_the_page(client: TestClient) -> None:
    log_in(client, "rita", READER)
    shown = press(client, "pm-article", "delete", [0], {"id": "a1"})
    assert "You may read here, and change nothing" in str(shown["data"])
    shown = press(client, "pm-paste", "click", [0, "A text.", "", "", "", ""])
    assert "You may read here, and change nothing" in str(shown["data"])
    assert client.get("/api/articles/a1", headers=bearer(READER)).status_code == 200


def test_who_logged_in_to_write_deletes_through_the_page(chain, client: TestClient) -> None:
    index_articles([make_article("gone", "A short note.", title="Short note")], chain.store, passage_tokens=128)
    log_in(client, "wim", WRITER)
    assert "The article is deleted" in str(press(client, "pm-article", "delete", [0], {"id": "gone"})["data"])
    assert client.get("/api/articles/gone", headers=bearer(READER)).status_code == 404


@pytest.mark.parametrize("path", ["/config", "/gradio_api/user"])
def test_another_site_reads_nothing_with_a_reader_s_login(client: TestClient, path: str) -> None:
    at_home = {"Host": "news.example"}
    log_in(client, "rita", READER)
    answered = client.get(path, headers=at_home | {"Origin": EVIL})
    assert "access-control-allow-origin" not in answered.headers


def test_another_site_does_nothing_with_a_writer_s_login(client: TestClient) -> None:
    log_in(client, "wim", WRITER)
    elsewhere = {"Host": "news.example", "Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    body = {"data": [QUESTION]}
    assert client.post("/gradio_api/call/ask", json=body, headers=elsewhere).status_code == 403
    assert client.post("/gradio_api/call/ask", json=body, headers={"Host": "news.example"}).status_code == 200


# -- wrong keys, and too many requests -----------------------------------------------------------


def assert_too_many(response, words: str) -> None:
    assert_refused(response, 429, words)
    assert 1 <= int(response.headers["retry-after"]) <= 60


def test_who_tries_keys_is_stopped_after_ten_in_a_minute(client: TestClient) -> None:
    tries = [client.get("/api/articles", headers=bearer(f"pm_{n}")) for n in range(11)]
    assert [response.status_code for response in tries[:10]] == [401] * 10
    assert_too_many(tries[10], "at most 10 a minute")
    assert client.get("/api/articles", headers=bearer("pm_x") | an_address()).status_code == 401


def test_who_tries_logins_is_stopped_after_ten_in_a_minute(client: TestClient) -> None:
    tries = [log_in(client, "rita", f"pm_{n}") for n in range(11)]
    assert [response.status_code for response in tries[:10]] == [400] * 10
    assert_too_many(tries[10], "at most 10 a minute")
    client.headers.update(an_address())
    assert log_in(client, "rita", READER).status_code == 200


def test_wrong_keys_of_one_lock_nobody_else_out_at_the_same_address(client: TestClient) -> None:
    # An office or a proxy is one address, and 256 random bits are not found by trying.
    for n in range(11):
        client.get("/api/articles", headers=bearer(f"pm_{n}"))
    assert client.get("/api/articles", headers=bearer(READER)).status_code == 200


def test_requests_are_limited_by_key_and_by_address(chain) -> None:
    third, entry = new_key("tom", "read")
    with serving(chain, host="0.0.0.0", api_keys=f"{ENTRIES},{entry}", rate_per_minute=4) as client:

        def statuses(key: str, times: int, *, moving: bool = False) -> list[int]:
            where = an_address()
            return [
                client.get("/v1/models", headers=bearer(key) | (an_address() if moving else where)).status_code
                for _ in range(times)
            ]

        assert statuses(READER, 5, moving=True) == [200] * 4 + [429]
        assert statuses(WRITER, 3) == [200] * 3
        here = an_address()
        for _ in range(4):
            client.get("/v1/models", headers=bearer(third) | here)
        full = client.get("/v1/models", headers=bearer(WRITER) | here)
        assert_too_many(full, "at most 4 a minute")
        assert client.get("/health", headers=here).status_code == 200


def test_where_keys_are_needed_120_requests_a_minute_are_the_limit(chain) -> None:
    with serving(chain, host="0.0.0.0", api_keys=ENTRIES) as client:
        statuses = [client.get("/v1/models", headers=bearer(READER)).status_code for _ in range(121)]
    assert statuses == [200] * 120 + [429]


def test_this_machine_s_own_requests_are_not_limited(home_server: TestClient) -> None:
    assert {home_server.get("/v1/models").status_code for _ in range(130)} == {200}


def test_this_machine_s_own_requests_are_limited_if_wanted(chain) -> None:
    with serving(chain, rate_per_minute=2) as client:
        client.headers.update(an_address())
        statuses = [client.post("/v1/nothing").status_code for _ in range(3)]
    assert statuses == [404, 404, 429]


# -- from which pages ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/config", "/health", "/api/articles", "/v1/models", "/gradio_api/info"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", ""]
)
def test_a_name_that_was_made_to_lead_here_is_refused(home_server: TestClient, host: str, path: str) -> None:
    assert_refused(home_server.get(path, headers={"Host": host}), 403, "open it as localhost")


@pytest.mark.parametrize("host", ["localhost", "LocalHost:7860", "127.0.0.1:7860", "127.9.9.9", "[::1]:7860"])
def test_this_machine_s_names_are_served(home_server: TestClient, host: str) -> None:
    assert home_server.get("/api/articles", headers={"Host": host}).status_code == 200


def test_a_name_is_no_matter_where_keys_are_needed(client: TestClient) -> None:
    assert client.get("/api/articles", headers=bearer(READER) | {"Host": "news.example"}).status_code == 200


@pytest.mark.parametrize("broken", [{"Host": "["}, {"Host": "[::1"}, {"Origin": "http://["}])
def test_a_host_or_origin_that_is_none_is_the_caller_s_fault(home_server: TestClient, broken: dict[str, str]) -> None:
    response = home_server.post("/api/answers", json={"question": QUESTION}, headers=broken)
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://127.0.0.1:3000", "http://localhost", f"{EVIL}/http://127.0.0.1"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/answers"), ("POST", "/v1/chat/completions"), ("DELETE", "/api/articles/a1"),
     ("POST", "/api/articles"),
     ("POST", "/gradio_api/call/ask"), ("POST", "/gradio_api/upload"), ("POST", "/mcp")],
)  # fmt: skip
def test_a_page_of_another_site_sends_nothing(home_server: TestClient, method: str, path: str, origin: str) -> None:
    assert_refused(home_server.request(method, path, headers={"Origin": origin}), 403, "A page of another site")
    assert home_server.get("/api/articles/a1").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1"}])
def test_the_page_itself_and_programs_may_ask(home_server: TestClient, headers: dict[str, str]) -> None:
    assert home_server.post("/api/answers", json={"question": QUESTION}, headers=headers).status_code == 200


def preflight(client: TestClient, origin: str, path: str = "/api/answers"):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    return client.options(path, headers=asked | {"Origin": origin})


@pytest.mark.parametrize("path", ["/api/answers", "/v1/models", "/health", "/config", "/openapi.json"])
@pytest.mark.parametrize("origin", [EVIL, "http://localhost:3000"])
def test_no_other_site_may_read_by_default(home_server: TestClient, path: str, origin: str) -> None:
    for response in (home_server.get(path, headers={"Origin": origin}), preflight(home_server, origin, path)):
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("keys", ["", ENTRIES])
def test_sites_that_are_named_may_use_the_api_and_no_others(chain, keys: str) -> None:
    with serving(chain, cors_origins="https://app.example, https://desk.example", api_keys=keys) as client:
        for origin, allowed in (("https://desk.example", "https://desk.example"), (EVIL, None)):
            asked = client.get("/api/articles", headers=bearer(READER) | {"Origin": origin})
            for response in (asked, preflight(client, origin)):
                assert response.headers.get("access-control-allow-origin") == allowed
        ask = {"question": QUESTION}
        named = client.post("/api/answers", json=ask, headers=bearer(READER) | {"Origin": "https://app.example"})
        assert named.status_code == 200
        assert named.headers["access-control-allow-origin"] == "https://app.example"
