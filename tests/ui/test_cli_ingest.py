import json
import os
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ingest.watch
from rag.errors import NotFoundError, SourceError
from ui.cli import app, main

BRIDGE = (
    "The city council of Brackwater voted on Tuesday to close the old bridge. Engineers had found cracks in two of "
    "its pillars. Repairs will cost 3.4 million crowns, said mayor Alva Brandt. The bridge reopens in spring."
)
MARKET = "The harbour council moved the fish market to the north quay. Stall holders will pay the same rent."
LIBRARY = "The library of Orrin is to stay open on Sundays. Its roof will be mended in May, the council said."
NOTE = "Correction: An earlier version of this article misstated the year of the flood."
CHANGED = BRIDGE.replace("3.4", "4.1")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ok(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def loaded(*arguments):
    return json.loads(ok(*arguments, "--json"))


def written(path, *records):
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


def ids(home, *arguments):
    return [article["id"] for article in loaded("articles", "list", "--home", home, *arguments)]


def record(id_, text, **fields):
    return {"id": id_, "title": f"About {id_}", "text": text, "source": "Courier", "date": "2025-07-01"} | fields


RECORDS = (
    record("bridge", CHANGED),
    record("undated", MARKET, date=""),
    record("future", MARKET, date="2999-01-01", title="Ahead"),
    record("retracted", LIBRARY, title="RETRACTED: Library", date="2025-05-03T14:30:00+02:00"),
    record("corrected", f"{LIBRARY}\n\n{NOTE}", author=["Lena Moss", "Bo Falk"], url="https://courier.example/a?b=1"),
    record("noted", NOTE),
    record("old", MARKET, date="1912-04-15", language="de", section="Harbour"),
    record("marked", "The tag &amp;lt;p&amp;gt; opens a paragraph on every page of the web, the engineer said."),
)
PAGES = {
    "headline.txt": f"The quay is rebuilt\n\n{MARKET}\n\n{LIBRARY}",
    "address.txt": f"Where to find it\n\nThe list is at https://x.example/?a=1&section=2 for all to read. {LIBRARY}",
    "lead.txt": f"A comet passed the Sun in March and was seen from Orrin.\n\n{LIBRARY}",
    "sentence.txt": "Snow fell on the Isle of Sorrel for nine days, and the harbour stayed shut.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "news"
    folder.mkdir()
    written(folder / "a.jsonl", record("bridge", BRIDGE))
    return folder


@pytest.fixture(scope="module")
def home(folder):
    """A home in which one article has two versions, and one line of a file could not be read."""
    home = folder.parent / "home"
    assert loaded("ingest", folder, "--home", home)["added"] == 1
    with written(folder / "a.jsonl", *RECORDS).open("a") as file:
        file.write("not json\n")
    for name, page in PAGES.items():
        (folder / name).write_text(page)
    report = loaded("ingest", folder, "--home", home)
    assert (report["added"], report["updated"], report["rejected"], report["remarks"]) == (11, 1, 1, 1)
    return home


# -- dry run -------------------------------------------------------------------------------------------


def test_dry_run_shows_what_each_file_would_become_and_stores_nothing(tmp_path):
    news = tmp_path / "news"
    news.mkdir()
    written(news / "a.jsonl", record("bridge", BRIDGE), record("library", LIBRARY, date="", source=""), {"title": "T"})
    (news / "b.txt").write_text(f"Market moves\n\n{MARKET}")
    shown = ok("ingest", news, "--dry-run", "--home", tmp_path / "home")
    assert shown.splitlines()[:3] == ["news/a.jsonl", "  About bridge", "    Courier, 1 July 2025, 37 words, brief"]
    assert "    unknown outlet, date unknown, 20 words" in shown
    assert "  rejected: news/a.jsonl line 3: has no text" in shown
    assert shown.count("news/b.txt\n  Market moves\n") == 1
    assert not (tmp_path / "home").exists()


def test_dry_run_as_json_gives_a_line_for_each_find_and_stores_nothing(tmp_path):
    file = written(tmp_path / "a.jsonl", record("bridge", BRIDGE), {"title": "T"})
    lines = [
        json.loads(line) for line in ok("ingest", file, "--dry-run", "--json", "--home", tmp_path / "home").splitlines()
    ]
    assert [line["file"] for line in lines] == ["a.jsonl", "a.jsonl"]
    assert (lines[0]["found"]["id"], lines[0]["found"]["text"]) == ("bridge", BRIDGE)
    assert lines[1]["found"]["where"] == "a.jsonl line 2"
    assert not (tmp_path / "home").exists()


def test_dry_run_of_a_home_leaves_it_as_it_is(home, tmp_path):
    before = loaded("articles", "list", "--home", home)
    ok("ingest", written(tmp_path / "a.jsonl", record("bridge", LIBRARY)), "--dry-run", "--home", home)
    assert loaded("articles", "list", "--home", home) == before


@pytest.mark.parametrize("name", ["none.jsonl", "none/*.jsonl", "a.png"])
@pytest.mark.parametrize("option", ["--dry-run", "--json"])
def test_source_that_is_none_is_named(tmp_path, name, option):
    (tmp_path / "a.png").write_bytes(b"x")
    refused = run("ingest", tmp_path / name, option, "--home", tmp_path / "home")
    assert isinstance(refused.exception, SourceError)
    assert str(tmp_path / name) in str(refused.exception)


# -- how records are to be understood ------------------------------------------------------------------


def found(*arguments):
    return json.loads(ok("ingest", *arguments, "--dry-run", "--json").splitlines()[-1])["found"]


def test_fields_are_known_by_the_names_given(tmp_path):
    file = written(
        tmp_path / "a.jsonl", {"Kop": "Market moves", "inhoud": MARKET, "dag": "2025-06-01", "title": "Other"}
    )
    article = found(file, "--map", "title=kop, text=inhoud ,published_at=dag,")
    assert (article["title"], article["text"], article["published_at"]) == (
        "Market moves",
        MARKET,
        "2025-06-01T00:00:00Z",
    )


@pytest.mark.parametrize(
    "names", ["titel=kop", "title", "title=", "=kop", "title=kop,body=inhoud", "title:kop", "Title=kop"]
)
def test_name_that_is_none_of_our_fields_is_refused_with_those_known(tmp_path, names):
    refused = run(
        "ingest", written(tmp_path / "a.jsonl", record("a", BRIDGE)), "--map", names, "--home", tmp_path / "home"
    )
    assert refused.exit_code == 2
    assert "--map" in refused.stderr
    assert "published_at" in refused.stderr
    assert not (tmp_path / "home").exists()


def test_date_given_is_that_of_articles_that_name_none(tmp_path):
    undated = written(tmp_path / "a.jsonl", record("a", MARKET, date=""))
    dated = written(tmp_path / "b.jsonl", record("b", MARKET))
    assert found(undated, "--published", "2025-06-01")["published_at"] == "2025-06-01T00:00:00Z"
    assert found(dated, "--published", "2025-06-01")["published_at"] == "2025-07-01T00:00:00Z"


def test_last_change_dates_articles_that_name_no_date_when_asked(tmp_path):
    file = written(tmp_path / "a.jsonl", record("a", MARKET, date=""))
    os.utime(file, (0, datetime(2025, 6, 1, 12, tzinfo=UTC).timestamp()))
    assert found(file)["published_at"] is None
    assert found(file, "--assume-dated-by", "mtime")["published_at"] == "2025-06-01T12:00:00Z"


@pytest.mark.parametrize(
    ("option", "value", "cure"),
    [
        ("--published", "last tuesday", "2025-06-01"),
        ("--published", "03/04/2025", "2025-06-01"),
        ("--assume-dated-by", "ctime", "mtime"),
        ("--assume-dated-by", "MTIME ", "mtime"),
    ],
)
@pytest.mark.parametrize("also", [(), ("--dry-run",)])
def test_value_that_cannot_be_meant_is_refused_with_the_cure(tmp_path, option, value, cure, also):
    file = written(tmp_path / "a.jsonl", record("a", BRIDGE))
    refused = run("ingest", file, option, value, *also, "--home", tmp_path / "home")
    assert refused.exit_code == 2
    assert option in refused.stderr
    assert cure in refused.stderr
    assert not (tmp_path / "home").exists()


# -- list and show -------------------------------------------------------------------------------------


def test_articles_are_listed_by_status(home):
    assert sorted(ids(home, "--status", "retracted")) == ["retracted"]
    assert sorted(ids(home, "--status", "corrected")) == ["corrected", "noted"]
    assert {"undated", "future"} <= set(ids(home, "--status", "undated"))
    assert "bridge" not in ids(home, "--status", "undated")
    assert ids(home, "--status", "pending") == []
    assert len(ids(home)) == 12


def test_list_marks_what_a_reader_must_know(home):
    shown = ok("articles", "list", "--home", home, "--status", "retracted")
    assert "retracted  3 May 2025  Courier: RETRACTED: Library" in shown
    assert "retracted)" in shown
    assert "1 of 12 articles" in shown


def test_list_goes_on_where_it_was(home):
    pages = [ids(home, "--limit", "4", "--offset", str(offset)) for offset in (0, 4, 8)]
    assert [id_ for page in pages for id_ in page] == ids(home)
    assert ids(home, "--search", "ahead") == ["future"]


def test_problems_that_lost_something_are_listed_as_failed(home):
    shown = ok("articles", "list", "--home", home, "--status", "failed")
    assert "news/a.jsonl line 9: is not JSON" in shown
    assert shown.endswith("1 of 1 problems.\n")
    (problem,) = loaded("articles", "list", "--home", home, "--status", "failed")
    assert problem["file"].endswith("/news/a.jsonl")
    assert (problem["place"], problem["lost"]) == ("news/a.jsonl line 9", True)


def test_problems_that_lost_nothing_are_listed_as_doubtful(home):
    (problem,) = loaded("articles", "list", "--home", home, "--status", "doubtful")
    assert (problem["place"], problem["lost"]) == ("news/a.jsonl line 3", False)
    assert "2999-01-01 is in the future" in problem["reason"]


@pytest.mark.parametrize("status", ["nonsense", "", "FAILED", "article"])
def test_status_that_is_none_is_refused_with_those_known(home, status):
    refused = run("articles", "list", "--home", home, "--status", status)
    assert refused.exit_code == 2
    assert "retracted" in refused.stderr


def test_article_is_shown_in_each_of_its_versions(home):
    shown = ok("articles", "show", "bridge", "--home", home)
    assert CHANGED in shown
    newest, oldest = shown.splitlines()[-1].removeprefix("Versions, newest first: ").split(", ")
    assert loaded("articles", "show", "bridge", "--home", home)["version"] == newest
    assert BRIDGE in ok("articles", "show", "bridge", "--home", home, "--version", oldest)
    old = loaded("articles", "show", "bridge", "--home", home, "--version", oldest)
    assert (old["version"], old["text"]) == (oldest, BRIDGE)


def test_article_with_one_version_names_none(home):
    assert "Versions" not in ok("articles", "show", "undated", "--home", home)


def test_article_is_shown_with_its_note_and_byline(home):
    shown = ok("articles", "show", "corrected", "--home", home)
    assert "Courier · Lena Moss, Bo Falk · 1 July 2025 · https://courier.example/a?b=1" in shown
    assert f"Note: {NOTE}" in shown
    assert shown.count("misstated") == 1


@pytest.mark.parametrize(("id_", "version"), [("none", ""), ("bridge", "none")])
def test_article_or_version_that_is_none_is_named(home, id_, version):
    refused = run("articles", "show", id_, "--home", home, "--version", version)
    assert isinstance(refused.exception, NotFoundError)
    assert "none" in str(refused.exception)


# -- export --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copy(home):
    """The articles of the home, and those of a second home that read its export, by id."""
    out, second = home.parent / "out.jsonl", home.parent / "second"
    exported = run("articles", "export", "--home", home, "--out", out)
    assert exported.exit_code == 0
    assert "12 articles written" in exported.stderr
    ok("ingest", out, "--home", second)
    both = (loaded("articles", "list", "--home", at, "--limit", "1000") for at in (home, second))
    return [{article["id"]: article for article in articles} for articles in both]


def test_export_holds_each_article_as_it_is_listed(home, copy):
    lines = [json.loads(line) for line in ok("articles", "export", "--home", home).splitlines()]
    assert all(line.pop("pressmark") for line in lines)
    assert {line["id"]: line for line in lines} == copy[0]


@pytest.mark.parametrize("id_", [article["id"] for article in RECORDS])
def test_export_is_read_again_as_the_same_article(copy, id_):
    first, second = copy
    assert second.get(id_) == first[id_]


@pytest.mark.parametrize("name", PAGES)
def test_export_of_a_page_is_read_again_as_the_same_article(copy, name):
    first, second = copy
    (article,) = [item for item in first.values() if PAGES[name].startswith(item["title"])]
    again = second.get(article["id"], {})
    for field in ("version", "title", "text", "published_at"):
        assert again.get(field) == article[field]


def test_export_into_a_folder_that_is_none_is_one_line(home, tmp_path, capsys, monkeypatch):
    out = tmp_path / "none" / "out.jsonl"
    monkeypatch.setattr(sys, "argv", ["pressmark", "articles", "export", "--home", str(home), "--out", str(out)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert str(out) in capsys.readouterr().err


# -- delete and prune ----------------------------------------------------------------------------------


def test_several_articles_are_deleted_and_an_unknown_one_is_named(tmp_path):
    home = tmp_path / "home"
    records = [record(id_, f"{LIBRARY} Number {id_}.") for id_ in ("a", "b", "c", "d")]
    ok("ingest", written(tmp_path / "a.jsonl", *records), "--home", home)
    assert ok("articles", "delete", "a", "b", "--home", home) == "Deleted a, b.\n"
    assert ids(home) == ["c", "d"]
    refused = run("articles", "delete", "c", "none", "d", "--home", home)
    assert isinstance(refused.exception, NotFoundError)
    assert "'none'" in str(refused.exception)
    assert ids(home) == ["d"]


def test_articles_that_the_files_no_longer_hold_are_deleted_when_pruned(tmp_path):
    news, home = tmp_path / "news", tmp_path / "home"
    news.mkdir()
    written(news / "a.jsonl", record("a", BRIDGE), record("b", MARKET))
    written(news / "b.jsonl", record("c", LIBRARY))
    ok("ingest", news, "--home", home)
    written(news / "a.jsonl", record("a", BRIDGE))
    (news / "b.jsonl").unlink()
    assert "2 articles no longer in the files: --prune deletes them." in ok("ingest", news, "--home", home)
    assert ids(home) == ["a", "b", "c"]
    assert "2 articles deleted" in ok("ingest", news, "--prune", "--home", home)
    assert ids(home) == ["a"]


def test_file_that_cannot_be_read_for_a_moment_loses_no_article_when_pruned(tmp_path):
    home, file = tmp_path / "home", tmp_path / "a.json"
    file.write_text(json.dumps([record("a", BRIDGE), record("b", MARKET)]))
    ok("ingest", file, "--home", home)
    file.write_text(file.read_text()[:-40])
    report = loaded("ingest", file, "--prune", "--home", home)
    assert report["rejected"] == 1
    assert ids(home) == ["a", "b"]


def test_home_inside_the_folder_is_no_source(tmp_path):
    written(tmp_path / "a.jsonl", record("a", BRIDGE))
    report = loaded("ingest", tmp_path, "--home", tmp_path / "home")
    assert (report["added"], report["rejected"]) == (1, 0)


@pytest.fixture
def feed():
    """A local server whose one page is (status, body)."""
    page = {"status": 200, "body": b""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404 if self.path == "/robots.txt" else page["status"])
            self.send_header("Content-Type", "application/rss+xml")
            self.end_headers()
            self.wfile.write(page["body"])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    page["url"] = f"http://127.0.0.1:{server.server_address[1]}/feed"
    yield page
    server.shutdown()
    thread.join()
    server.server_close()


def test_feed_that_cannot_be_reached_for_a_moment_loses_no_article_when_pruned(tmp_path, feed):
    item = f"<item><title>Market moves</title><guid>tag:g1</guid><description>{MARKET}</description></item>"
    feed["body"] = f"<rss version='2.0'><channel><title>Gull</title>{item}</channel></rss>".encode()
    home = tmp_path / "home"
    ok("ingest", feed["url"], "--allow-private", "--home", home)
    assert ids(home) == ["tag:g1"]
    feed["status"] = 503
    report = loaded("ingest", feed["url"], "--allow-private", "--prune", "--home", home)
    assert (report["rejected"], report["pruned"]) == (1, True)
    assert ids(home) == ["tag:g1"]


def test_private_address_is_a_problem_without_leave(tmp_path, feed):
    (line,) = ok("ingest", feed["url"], "--dry-run", "--json").splitlines()
    assert "--allow-private" in json.loads(line)["found"]["reason"]


def test_malformed_address_in_a_list_is_a_problem_and_the_files_after_it_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("http://[\n")
    written(tmp_path / "b.jsonl", record("b", BRIDGE))
    lines = [json.loads(line) for line in ok("ingest", tmp_path, "--dry-run", "--json").splitlines()]
    assert "http://[" in lines[0]["found"]["where"]
    assert lines[1]["found"]["id"] == "b"


# -- watch ---------------------------------------------------------------------------------------------


class Watcher:
    """Runs `changes` in a thread; `seen` is set at each change."""

    def __init__(self, *sources):
        self.stop = threading.Event()
        self.seen = threading.Event()
        self._sources = sources
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        for _ in ingest.watch.changes(self._sources, self.stop):
            self.seen.set()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def until_seen(self, change):
        """Make the change again and again: the watch needs a moment to begin."""
        for number in range(100):
            change(number)
            if self.seen.wait(0.2):
                return True
        return False

    def until_quiet(self):
        for _ in range(20):
            self.seen.clear()
            if not self.seen.wait(0.5):
                return


@pytest.mark.parametrize("source", ["", "*.jsonl", "deep/a.jsonl"])
def test_new_file_is_seen(tmp_path, source):
    (tmp_path / "deep").mkdir()
    file = written(tmp_path / "deep" / "a.jsonl", record("a", BRIDGE))
    with Watcher(str(tmp_path / source)) as watcher:
        assert watcher.until_seen(lambda number: (file.parent / f"new{number}.jsonl").write_text("{}"))


def test_changed_and_deleted_files_are_seen(tmp_path):
    file = written(tmp_path / "a.jsonl", record("a", BRIDGE))
    with Watcher(str(tmp_path)) as watcher:
        assert watcher.until_seen(lambda number: file.write_text(str(number)))
        watcher.until_quiet()
        file.unlink()
        assert watcher.seen.wait(10)


def test_change_that_no_source_can_mean_is_none(tmp_path):
    with Watcher(str(tmp_path)) as watcher:
        assert watcher.until_seen(lambda number: (tmp_path / f"{number}.jsonl").write_text("{}"))
        watcher.until_quiet()
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "archive.sqlite-wal").write_bytes(b"x")
        (tmp_path / ".hidden.jsonl").write_text("{}")
        assert not watcher.seen.wait(2.5)


def test_addresses_are_due_now_and_then_until_stopped(monkeypatch):
    monkeypatch.setattr(ingest.watch, "EVERY", 0.01)
    stop = threading.Event()
    times = 0
    for _ in ingest.watch.changes(["https://gull.example/feed"], stop):
        times += 1
        if times == 3:
            stop.set()
    assert times == 3


def test_addresses_beside_a_folder_are_due_though_no_file_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest.watch, "EVERY", 1)
    with Watcher("https://gull.example/feed", str(tmp_path)) as watcher:
        assert watcher.seen.wait(10)


def test_watch_reads_again_at_each_change_and_outlives_an_empty_folder(tmp_path, monkeypatch):
    news, home = tmp_path / "news", tmp_path / "home"
    news.mkdir()
    file = written(news / "a.jsonl", record("a", BRIDGE))

    def changes(sources, stop=None):
        assert sources == [str(news)]
        file.unlink()
        yield
        written(news / "b.jsonl", record("b", MARKET))
        yield

    monkeypatch.setattr(ingest.watch, "changes", changes)
    watched = run("ingest", news, "--watch", "--home", home)
    assert watched.exit_code == 0
    assert [line[:7] for line in watched.stdout.splitlines() if " added, " in line] == ["1 added", "1 added"]
    assert "Ctrl-C stops" in watched.stderr
    assert "holds no file of a known kind" in watched.stderr
    assert ids(home) == ["a", "b"]


def test_sources_are_watched_where_they_lie(tmp_path):
    (tmp_path / "a[1]").mkdir()
    assert ingest.watch.folder_of(str(tmp_path)) == tmp_path
    assert ingest.watch.folder_of(str(tmp_path / "a.jsonl")) == tmp_path
    assert ingest.watch.folder_of(str(tmp_path / "*" / "b*.jsonl")) == tmp_path
    assert ingest.watch.folder_of(str(tmp_path / "a[1]")) == tmp_path / "a[1]"
    assert ingest.watch.folder_of("a.jsonl") == Path()


def test_an_engine_whose_package_is_missing_is_named_with_its_cure(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.ray_engine.find_spec", lambda name: None)
    news = written(tmp_path / "news.jsonl", RECORDS[0])
    error = run("ingest", news, "--engine", "ray", "--home", tmp_path / "home").exception
    assert "pip install 'pressmark[ray]'" in str(error)
    assert not (tmp_path / "home").exists()
