import gzip
import json
import os
import zipfile
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest

from ingest.fetch import Fetched
from ingest.loaders.source import Options
from ingest.report import Problem
from ingest.run import ingest, preview
from ingest.sources import read
from rag.embeddings import SentenceEmbeddings
from rag.errors import FetchError, NotFoundError, SourceError
from rag.settings import Settings
from rag.store import Store

MAY_3 = datetime(2024, 5, 3, tzinfo=UTC)
JUNE_9 = datetime(2024, 6, 9, tzinfo=UTC)
ADDRESS = "https://gull.example/a"
PAGE = "<html><body><article><h1>Market moves</h1>" + "<p>The council voted to move the market.</p>" * 4 + "</article>"


class StandIn:
    """Costs nothing to load; `fails_at` is the call in which the user interrupts."""

    model_id, dimension, max_tokens = "stand-in", 3, 256
    fails_at = 0

    def embed(self, texts, *, query=False):
        self.fails_at -= 1
        if self.fails_at == 0:
            raise KeyboardInterrupt
        return np.array([[1.0, zlib.crc32(text.encode()) % 97, 1.0] for text in texts], dtype=np.float32)

    def count_tokens(self, text):
        return len(text.split())


class Web:
    """Stands in for the fetcher: `pages` are what the servers hold now."""

    pages, asked = {}, []

    def __init__(self, **_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def fetch(self, url):
        self.asked.append(url)
        if url not in self.pages:
            raise FetchError("the server answered 503: check the address")
        return Fetched(url, self.pages[url].encode(), "text/html")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    embeddings = StandIn()
    monkeypatch.setattr(SentenceEmbeddings, "from_settings", lambda settings: embeddings)
    return embeddings


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setattr("ingest.run.Fetcher", Web)
    monkeypatch.setattr(Web, "pages", {ADDRESS: PAGE})
    monkeypatch.setattr(Web, "asked", [])
    return Web


@pytest.fixture
def opened(tmp_path):
    """Opens stores of their own home, and closes them."""
    stores = []

    def another():
        stores.append(Store.open(Settings(_env_file=None, home=tmp_path / f"home{len(stores)}")))
        return stores[-1]

    yield another
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


@pytest.fixture
def news(tmp_path):
    folder = tmp_path / "news"
    folder.mkdir()
    return folder


def record(id_, text="", **fields):
    text = text or f"Report {id_} tells of event {id_}. It rained in town {id_}."
    return {"id": id_, "title": f"Title {id_}", "text": text, **fields}


def write(path, *records):
    path.write_text("".join(json.dumps(item) + "\n" for item in records))
    return path


def run(store, *given, **options):
    return ingest(given, store, passage_tokens=64, **options)


def counts(report):
    return report.added, report.updated, report.unchanged


def texts(store):
    return {article.id: article.text for article in store.archive.articles(limit=10_000)}


def state(store):
    """What readers and later runs can see of a home."""
    archive = store.archive
    ids = archive.passage_ids()
    return {
        "passages": {id_: passage.text for id_, passage in archive.passages(ids).items()},
        "vectors": sorted(store.index.ids()),
        "articles": {article.id: article for article in archive.articles(limit=10_000)},
        "unfinished": (archive.pending(), archive.orphans()),
        "problems": [(item.file, item.place, item.reason, item.lost) for item in archive.files.problems()],
    }


# -- what did not change -------------------------------------------------------------------------------


def test_unchanged_files_are_not_read(store, news, monkeypatch):
    write(news / "a.jsonl", record("1"), record("2"))
    (news / "b.txt").write_text("Ferry waits\nThe ferry waited for an hour in the fog on Monday.")
    assert counts(run(store, news)) == (3, 0, 0)
    before = state(store)
    monkeypatch.setattr("ingest.run.read", lambda *_: pytest.fail("read"))
    assert counts(run(store, news)) == (0, 0, 3)
    assert state(store) == before


def test_problems_of_unchanged_files_are_reported_again(store, news, monkeypatch):
    write(news / "a.jsonl", record("1"), {"title": "no text"}, record("2", date="2999-01-01"))
    (news / "b.txt").write_text("")
    first = run(store, news)
    monkeypatch.setattr("ingest.run.read", lambda *_: pytest.fail("read"))
    for _ in range(2):
        again = run(store, news)
        assert (again.rejected, again.remarks, again.unchanged) == (2, 1, 2)
        assert sorted(again.problems, key=str) == sorted(first.problems, key=str)


def test_many_problems_of_an_unchanged_file_are_all_counted_again(store, news):
    (news / "a.jsonl").write_text("no record\n" * 1100)
    assert run(store, news).rejected == 1100
    assert run(store, news).rejected == 1100


def test_problems_of_one_place_and_reason_are_counted_alike_in_each_run(store, news):
    write(news / "a.jsonl", record("1"), *({"id": "1", "title": "Same", "text": f"Other text {n}."} for n in range(2)))
    first = run(store, news)
    assert run(store, news).rejected == first.rejected


def test_problems_of_a_mended_file_are_forgotten(store, news):
    write(news / "a.jsonl", record("1"), {"title": "no text"})
    run(store, news)
    write(news / "a.jsonl", record("1"), record("2"))
    report = run(store, news)
    assert (report.problems, report.rejected) == ((), 0)
    assert store.archive.files.problems() == []


def test_a_file_is_read_again_with_other_options_and_once(store, news, monkeypatch):
    write(news / "a.jsonl", record("1"))
    run(store, news)
    options = Options(published_at=MAY_3)
    assert counts(run(store, news, options=options)) == (0, 1, 0)
    assert store.archive.article("1").published_at == MAY_3
    monkeypatch.setattr("ingest.run.read", lambda *_: pytest.fail("read"))
    assert counts(run(store, news, options=options)) == (0, 0, 1)


def test_only_the_changed_file_is_read_again(store, news):
    write(news / "a.jsonl", record("1"), record("2"))
    write(news / "b.jsonl", record("3"))
    run(store, news)
    write(news / "a.jsonl", record("1", "Report one was rewritten."), record("2"), record("4"))
    report = run(store, news)
    assert counts(report) == (1, 1, 2)
    assert sorted(report.articles) == ["1", "4"]
    assert texts(store)["1"] == "Report one was rewritten."


def test_a_file_that_was_only_touched_changes_nothing(store, news):
    path = write(news / "a.jsonl", record("1"))
    run(store, news)
    before = state(store)
    os.utime(path, (1, 1))
    assert counts(run(store, news)) == (0, 0, 1)
    assert state(store) == before


def test_an_unchanged_archive_is_not_unpacked(store, news, monkeypatch):
    (news / "a.jsonl.gz").write_bytes(gzip.compress(json.dumps(record("1")).encode() + b"\n{\n"))
    assert counts(run(store, news)) == (1, 0, 0)
    monkeypatch.setattr("ingest.run.read", lambda *_: pytest.fail("read"))
    report = run(store, news)
    assert (report.unchanged, report.rejected) == (1, 1)


def test_an_address_is_read_in_each_run(store, web):
    assert counts(run(store, ADDRESS)) == (1, 0, 0)
    web.pages[ADDRESS] = PAGE.replace("council", "senate")
    assert counts(run(store, ADDRESS)) == (0, 1, 0)
    assert web.asked == [ADDRESS, ADDRESS]


@pytest.mark.parametrize(
    ("name", "content"),
    [("list.txt", f"{ADDRESS}\n"), ("map.xml", f"<urlset><url><loc>{ADDRESS}</loc></url></urlset>")],
)
def test_the_pages_of_an_unchanged_list_or_sitemap_are_read_in_each_run(store, news, web, name, content):
    (news / name).write_text(content)
    web.pages.clear()
    assert run(store, news).rejected == 1
    web.pages[ADDRESS] = PAGE
    assert counts(run(store, news)) == (1, 0, 0)


def test_a_file_named_after_its_folder_adds_nothing(store, news):
    (news / "b.txt").write_text("Ferry waits\nThe ferry waited for an hour in the fog on Monday.")
    run(store, news)
    assert counts(run(store, news / "b.txt")) == (0, 0, 1)
    report = run(store, news)
    assert (counts(report), report.gone) == ((0, 0, 1), 0)


# -- what is gone --------------------------------------------------------------------------------------


def test_an_article_that_left_its_file_is_told_in_each_run_and_deleted_only_when_asked(store, news):
    write(news / "a.jsonl", record("1"), record("2"))
    assert run(store, news, prune=True).gone == 0
    write(news / "a.jsonl", record("2"))
    for _ in range(2):
        report = run(store, news)
        assert (report.gone, report.pruned, sorted(texts(store))) == (1, False, ["1", "2"])
    report = run(store, news, prune=True)
    assert (report.gone, report.pruned, sorted(texts(store))) == (1, True, ["2"])
    assert sorted(store.index.ids()) == store.archive.passage_ids()
    assert run(store, news, prune=True).gone == 0


def test_articles_of_a_vanished_file_are_told_in_each_run_and_deleted_only_when_asked(store, news):
    write(news / "a.jsonl", record("1"), {"title": "no text"})
    write(news / "b.jsonl", record("2"))
    run(store, news)
    (news / "a.jsonl").unlink()
    for _ in range(2):
        assert run(store, news).gone == 1
        assert sorted(texts(store)) == ["1", "2"]
    assert run(store, news, prune=True).gone == 1
    assert sorted(texts(store)) == ["2"]
    assert store.archive.files.problems() == []
    assert run(store, news, prune=True).gone == 0


def test_a_vanished_file_that_comes_back_is_read_again(store, news):
    path = write(news / "a.jsonl", record("1"))
    write(news / "b.jsonl", record("2"))
    run(store, news)
    content, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.unlink()
    run(store, news, prune=True)
    path.write_bytes(content)
    os.utime(path, ns=times)
    report = run(store, news, prune=True)
    assert (counts(report), report.gone) == ((1, 0, 1), 0)


def test_a_vanished_file_that_comes_back_damaged_takes_nothing_away(store, news):
    write(news / "a.jsonl", record("1"), record("2"))
    write(news / "b.jsonl", record("3"))
    run(store, news)
    (news / "a.jsonl").unlink()
    run(store, news)
    (news / "a.jsonl").write_text(json.dumps(record("1")) + "\n{broken\n")
    report = run(store, news, prune=True)
    assert (report.rejected, report.gone, sorted(texts(store))) == (1, 0, ["1", "2", "3"])


def test_a_vanished_file_is_gone_only_for_a_run_over_its_folder(store, news):
    write(news / "a.jsonl", record("1"))
    write(news / "b.jsonl", record("2"))
    other = news.parent / "news2"
    other.mkdir()
    write(other / "c.jsonl", record("3"))
    run(store, news, other)
    (news / "a.jsonl").unlink()
    assert run(store, other, news / "b.jsonl", prune=True).gone == 0
    assert sorted(texts(store)) == ["1", "2", "3"]


def test_an_article_in_two_files_is_gone_only_when_both_have_lost_it(store, news):
    write(news / "a.jsonl", record("1"), record("2"))
    write(news / "b.jsonl", record("1"))
    run(store, news)
    write(news / "a.jsonl", record("2"))
    assert run(store, news, prune=True).gone == 0
    write(news / "b.jsonl", record("3"))
    assert run(store, news, prune=True).gone == 1
    assert sorted(texts(store)) == ["2", "3"]


def test_an_article_that_moves_to_another_file_is_not_gone(store, news):
    write(news / "a.jsonl", record("1"), record("2"))
    write(news / "b.jsonl", record("3"))
    run(store, news)
    write(news / "a.jsonl", record("2"))
    write(news / "b.jsonl", record("3"), record("1"))
    report = run(store, news, prune=True)
    assert (counts(report), report.gone) == ((0, 0, 3), 0)


def test_a_renamed_file_takes_its_articles_along(store, news):
    path = write(news / "a.jsonl", record("1"))
    run(store, news)
    path.rename(news / "b.jsonl")
    report = run(store, news, prune=True)
    assert (counts(report), report.gone) == ((0, 0, 1), 0)


def test_an_id_that_an_unchanged_file_still_holds_in_another_text_is_not_gone(store, news):
    write(news / "a.jsonl", record("1", "The first text."), record("2"))
    write(news / "b.jsonl", record("1", "The second text."))
    run(store, news)
    write(news / "a.jsonl", record("2"))
    run(store, news, prune=True)
    run(store, news, prune=True)
    assert sorted(texts(store)) == ["1", "2"]


def test_an_article_that_was_deleted_by_hand_is_not_gone(store, news):
    write(news / "a.jsonl", record("1"), record("2"))
    run(store, news)
    store.archive.delete_article("1")
    write(news / "a.jsonl", record("2"))
    assert run(store, news, prune=True).gone == 0


def test_a_page_that_cannot_be_fetched_this_time_is_not_gone(store, web):
    run(store, ADDRESS)
    web.pages.clear()
    report = run(store, ADDRESS, prune=True)
    assert (report.rejected, report.gone, len(texts(store))) == (1, 0, 1)


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_an_archive_that_cannot_be_read_to_its_end_takes_nothing_away(store, news, cut):
    path = news / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for id_ in "123":
            archive.writestr(f"{id_}.json", json.dumps(record(id_)))
    run(store, news)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    report = run(store, news, prune=True)
    assert (report.rejected, report.gone, len(texts(store))) == (1, 0, 3)


def test_a_json_file_that_is_damaged_takes_nothing_away(store, news):
    path = news / "a.json"
    path.write_text(json.dumps([record("1"), record("2")]))
    run(store, news)
    path.write_text(path.read_text()[:-20])
    report = run(store, news, prune=True)
    assert (report.rejected, report.gone, len(texts(store))) == (1, 0, 2)


def test_a_file_with_a_bad_line_takes_nothing_away_and_is_counted_alike_in_each_run(store, news):
    write(news / "a.jsonl", record("1"), record("2"), record("3"))
    run(store, news)
    (news / "a.jsonl").write_text(json.dumps(record("1")) + "\n{broken\n")
    for _ in range(3):
        report = run(store, news, prune=True)
        assert (counts(report), report.rejected, report.gone) == ((0, 0, 1), 1, 0)
    assert sorted(texts(store)) == ["1", "2", "3"]


def test_files_of_one_name_in_two_folders_take_nothing_from_each_other(store, tmp_path):
    folders = [tmp_path / "one" / "news", tmp_path / "two" / "news"]
    for folder in folders:
        folder.mkdir(parents=True)
        write(folder / "a.jsonl", record(folder.parent.name))
        (folder / "b.txt").write_text(f"Ferry waits\nThe {folder.parent.name} ferry waited for an hour on Monday.")
        report = run(store, folder, prune=True)
        assert (counts(report), report.gone) == ((2, 0, 0), 0)
    assert len(texts(store)) == 4
    assert counts(run(store, *folders, prune=True)) == (0, 0, 4)


def test_ids_of_pages_do_not_depend_on_where_their_folder_lies(opened, tmp_path):
    ids = []
    for place in ("here", "there/deep"):
        folder = tmp_path / place / "news"
        folder.mkdir(parents=True)
        (folder / "b.txt").write_text("Ferry waits\nThe ferry waited for an hour in the fog on Monday.")
        store = opened()
        run(store, folder)
        ids.append([article.id for article in store.archive.articles()])
    assert ids[0] == ids[1]


def test_a_folder_that_was_moved_holds_the_same_articles(store, tmp_path):
    folder = tmp_path / "here" / "news"
    folder.mkdir(parents=True)
    (folder / "b.txt").write_text("Ferry waits\nThe ferry waited for an hour in the fog on Monday.")
    run(store, folder)
    moved = tmp_path / "there" / "news"
    moved.parent.mkdir()
    folder.rename(moved)
    assert counts(run(store, moved)) == (0, 0, 1)
    folder.mkdir()  # and another file comes to where it was
    (folder / "b.txt").write_text("Market moves\nThe market moved to the north quay on Tuesday.")
    assert counts(run(store, folder)) == (1, 0, 0)
    assert counts(run(store, moved, folder)) == (0, 0, 2)


# -- a run that was stopped ----------------------------------------------------------------------------


@pytest.mark.parametrize("call", [2, 5])
def test_an_interrupted_run_ends_in_the_same_index_when_it_is_run_again(opened, news, stand_in, monkeypatch, call):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    write(news / "a.jsonl", *(record(f"a{n}") for n in range(3)), {"title": "no text"})
    write(news / "b.jsonl", *(record(f"b{n}", date="2999-01-01") for n in range(4)))
    (news / "c.txt").write_text("Ferry waits\nThe ferry waited for an hour in the fog on Monday.")
    write(news / "d.jsonl", record("a0"), record("d0"))
    undisturbed, stopped = opened(), opened()
    expected = run(undisturbed, news)

    stand_in.fails_at = call
    with pytest.raises(KeyboardInterrupt):
        run(stopped, news)
    report = run(stopped, news)
    assert report.added < expected.added
    assert (report.rejected, report.remarks, report.gone) == (1, 4, 0)
    assert state(stopped) == state(undisturbed)

    write(news / "a.jsonl", record("a1"))
    assert run(stopped, news).gone == run(undisturbed, news).gone == 1
    assert counts(run(stopped, news)) == counts(run(undisturbed, news))


@pytest.mark.parametrize("call", [1, 3])
def test_an_interrupted_update_takes_nothing_away_and_is_finished_by_the_next_run(
    opened, news, stand_in, monkeypatch, call
):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    undisturbed, stopped = opened(), opened()
    write(news / "a.jsonl", *(record(str(n)) for n in range(6)))
    run(undisturbed, news)
    run(stopped, news)
    write(news / "a.jsonl", *(record(str(n), f"Report {n} was rewritten.") for n in range(5)))
    run(undisturbed, news)

    stand_in.fails_at = call
    with pytest.raises(KeyboardInterrupt):
        run(stopped, news)
    assert len(texts(stopped)) == 6
    assert run(stopped, news).gone == 1
    assert state(stopped) == state(undisturbed)


@pytest.mark.parametrize("step", [2, 3, 5])
def test_a_run_interrupted_between_its_files_loses_nothing(opened, news, monkeypatch, step):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    for name in "abc":
        write(news / f"{name}.jsonl", *(record(f"{name}{n}") for n in range(3)), {"title": "no text"})
    undisturbed, stopped = opened(), opened()
    run(undisturbed, news)
    steps = []

    def interrupt(progress):
        steps.append(progress)
        if len(steps) == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stopped, news, progress=interrupt)
    report = run(stopped, news)
    assert (report.rejected, report.gone) == (3, 0)
    assert state(stopped) == state(undisturbed)
    assert counts(run(stopped, news)) == (0, 0, 9)


def test_files_that_an_interrupted_run_had_read_to_their_end_are_not_read_again(store, news, stand_in, monkeypatch):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    for name in "abc":
        write(news / f"{name}.jsonl", record(f"{name}0"), record(f"{name}1"))
    stand_in.fails_at = 2
    with pytest.raises(KeyboardInterrupt):
        run(store, news)
    opened_again = []

    def spied(found, *rest):
        opened_again.append(found.name)
        return read(found, *rest)

    monkeypatch.setattr("ingest.engine.read", spied)
    assert counts(run(store, news)) == (2, 0, 4)
    assert opened_again == ["news/b.jsonl", "news/c.jsonl"]


def test_an_interrupted_run_does_not_change_which_of_two_articles_with_one_id_is_kept(
    opened, news, stand_in, monkeypatch
):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    write(news / "a.jsonl", record("1", "The first text."), record("2"))
    write(news / "b.jsonl", record("1", "The second text."), record("3"), record("4"))
    undisturbed, stopped = opened(), opened()
    run(undisturbed, news)
    stand_in.fails_at = 2
    with pytest.raises(KeyboardInterrupt):
        run(stopped, news)
    run(stopped, news)
    assert texts(stopped) == texts(undisturbed)


def test_an_interrupted_run_with_other_options_leaves_no_mixture(opened, news, stand_in, monkeypatch):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    write(news / "a.jsonl", *(record(str(n)) for n in range(6)))
    undisturbed, stopped = opened(), opened()
    for store in (undisturbed, stopped):
        run(store, news)
    stand_in.fails_at = 2
    with pytest.raises(KeyboardInterrupt):
        run(stopped, news, options=Options(published_at=MAY_3))
    run(stopped, news)
    assert state(stopped)["articles"] == state(undisturbed)["articles"]


def test_an_interrupted_run_over_a_file_that_is_then_restored_leaves_no_mixture(opened, news, stand_in, monkeypatch):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    path = write(news / "a.jsonl", *(record(str(n)) for n in range(6)))
    undisturbed, stopped = opened(), opened()
    for store in (undisturbed, stopped):
        run(store, news)
    content, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    write(path, *(record(str(n), f"Report {n} was rewritten.") for n in range(6)))
    stand_in.fails_at = 2
    with pytest.raises(KeyboardInterrupt):
        run(stopped, news)
    path.write_bytes(content)
    os.utime(path, ns=times)
    run(stopped, news)
    assert state(stopped) == state(undisturbed)


def test_a_file_that_vanishes_while_the_run_goes_on_is_a_problem(store, news):
    for name in "abc":
        (news / f"{name}.txt").write_text(f"Ferry {name} waits\nThe ferry {name} waited for an hour on Monday.")
    report = run(store, news, progress=lambda _: (news / "b.txt").unlink(missing_ok=True))
    assert (report.added, [problem.where for problem in report.problems]) == (2, ["news/b.txt"])


# -- ids -----------------------------------------------------------------------------------------------


def test_two_articles_with_one_id_in_one_file_are_told_and_the_first_is_kept(store, news):
    write(news / "a.jsonl", record("1", "The first text."), record("1", "The second text."), record("2"))
    for added in (2, 0):
        report = run(store, news)
        assert (report.added, report.rejected) == (added, 1)
        assert "'1'" in report.problems[0].reason
        assert texts(store)["1"] == "The first text."


def test_two_articles_with_one_id_in_two_files_are_told_and_the_first_is_kept(store, news):
    write(news / "a.jsonl", record("1", "The first text."))
    write(news / "b.jsonl", record("1", "The second text."))
    report = run(store, news)
    assert (report.added, report.rejected, texts(store)) == (1, 1, {"1": "The first text."})


def test_the_problem_of_a_repeated_id_tells_its_file_and_line(store, news):
    write(news / "a.jsonl", record("1", "The first text."), record("1", "The second text."))
    (problem,) = run(store, news).problems
    assert problem.where == "news/a.jsonl article 2"


def test_the_same_article_twice_in_a_run_is_one(store, news):
    write(news / "a.jsonl", record("1"), record("1"))
    write(news / "b.jsonl", record("1"))
    report = run(store, news)
    assert (counts(report), report.problems) == ((1, 0, 2), ())


# -- options -------------------------------------------------------------------------------------------


def test_an_assumed_date_goes_to_articles_that_name_none(store, news):
    write(news / "a.jsonl", record("1"), record("2", date="2024-06-09"), record("3", date=""))
    run(store, news, options=Options(published_at=MAY_3))
    dates = {article.id: article.published_at for article in store.archive.articles()}
    assert dates == {"1": MAY_3, "2": JUNE_9, "3": MAY_3}


@pytest.mark.parametrize("date", ["the day before", "2999-01-01"])
def test_what_is_told_of_a_date_that_cannot_be_used_is_what_was_done(store, news, date):
    write(news / "a.jsonl", record("1", date=date))
    report = run(store, news, options=Options(published_at=MAY_3))
    assert report.remarks == 1
    assert ("date unknown" in report.problems[0].reason) == (store.archive.article("1").published_at is None)


def test_articles_that_name_no_date_may_be_dated_by_the_change_of_their_file(store, news):
    path = write(news / "a.jsonl", record("1"), record("2", date="2024-06-09"))
    os.utime(path, (MAY_3.timestamp(),) * 2)
    run(store, news, options=Options(dated_by_mtime=True))
    assert store.archive.article("1").published_at == MAY_3
    assert store.archive.article("2").published_at == JUNE_9


def test_articles_in_an_archive_are_dated_by_their_own_change(store, news):
    with zipfile.ZipFile(news / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.json", (2024, 5, 3, 0, 0, 0)), json.dumps(record("1")))
    run(store, news, options=Options(dated_by_mtime=True))
    assert store.archive.article("1").published_at == MAY_3


def test_without_options_no_date_is_made_up(store, news):
    write(news / "a.jsonl", record("1"))
    run(store, news)
    assert store.archive.article("1").published_at is None


def test_fields_are_found_under_the_names_that_the_source_has_for_them(store, news):
    row = {
        "Nr": 7,
        "Kopf": "Markt zieht um",
        "Inhalt": "Der Rat stimmte am Dienstag ab.",
        "text": "x",
        "Tag": "2024-05-03",
    }
    write(news / "a.jsonl", row)
    names = {"id": "nr", "title": "Kopf", "text": "INHALT", "published_at": "tag"}
    run(store, news, options=Options(names=names))
    article = store.archive.article("7")
    assert (article.title, article.text, article.published_at) == (row["Kopf"], row["Inhalt"], MAY_3)


def test_a_name_that_no_record_has_is_a_problem_that_tells_it(store, news):
    write(news / "a.jsonl", record("1"))
    report = run(store, news, options=Options(names={"text": "story"}))
    assert (report.added, report.rejected) == (0, 1)
    assert "story" in report.problems[0].reason


# -- progress and preview ------------------------------------------------------------------------------


def told(store, *given):
    steps = []
    report = run(store, *given, progress=steps.append)
    return steps, report


def test_progress_rises_to_the_end(store, news, monkeypatch):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 2)
    write(news / "a.jsonl", *(record(f"a{n}") for n in range(7)))
    (news / "b.jsonl.gz").write_bytes(
        gzip.compress("".join(json.dumps(record(f"b{n}")) + "\n" for n in range(9)).encode())
    )
    (news / "c.txt").write_text("")
    write(news / "d.jsonl", *(record(f"d{n}") for n in range(5)))
    steps, report = told(store, news)
    for name in ("done", "articles", "files_done", "passages"):
        numbers = [getattr(step, name) for step in steps]
        assert numbers == sorted(numbers)
        assert numbers[0] == 0
    last = steps[-1]
    assert (last.done, last.files_done, last.files, last.articles) == (1.0, 4, 4, 21)
    assert last.passages == report.passages
    assert last.seconds_left == 0
    assert 0 < steps[2].done < 1


def test_progress_over_unchanged_files_rises_to_the_end(store, news):
    write(news / "a.jsonl", record("1"))
    write(news / "b.jsonl", record("2"))
    run(store, news)
    steps, _ = told(store, news)
    assert [step.name for step in steps] == ["news/a.jsonl", "news/b.jsonl", "done"]
    assert [step.done for step in steps] == [0, 0.5, 1]
    assert steps[-1].articles == 2


def test_progress_over_empty_files_rises_to_the_end(store, news):
    (news / "a.txt").write_text("")
    (news / "b.txt").write_text("")
    steps, _ = told(store, news)
    assert steps[-1].done == 1.0


def test_progress_over_addresses_rises_to_the_end(store, web):
    web.pages[f"{ADDRESS}b"] = PAGE.replace("council", "senate")
    steps, _ = told(store, ADDRESS, f"{ADDRESS}b")
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_a_preview_shows_what_a_run_would_find_and_stores_nothing(store, news):
    write(news / "a.jsonl", record("1"), {"title": "no text"}, record("2"))
    (news / "b.txt").write_text("")
    before = state(store)
    found = [(name, item.where if isinstance(item, Problem) else item.id) for name, item in preview([news])]
    assert found == [
        ("news/a.jsonl", "1"),
        ("news/a.jsonl", "news/a.jsonl line 2"),
        ("news/a.jsonl", "2"),
        ("news/b.txt", "news/b.txt"),
    ]
    assert state(store) == before
    assert counts(run(store, news)) == (2, 0, 0)


def test_a_preview_heeds_the_options(news):
    write(news / "a.jsonl", {"story": "The council voted on Tuesday."})
    ((_, article),) = preview([news], options=Options(names={"text": "story"}, published_at=MAY_3))
    assert (article.text, article.published_at) == ("The council voted on Tuesday.", MAY_3)


def test_a_source_that_does_not_exist_stops_the_run_before_it_begins(store, news):
    write(news / "a.jsonl", record("1"))
    with pytest.raises(SourceError):
        run(store, news, news.parent / "nowhere")
    with pytest.raises(SourceError):
        list(preview([news, news.parent / "nowhere"]))
    with pytest.raises(NotFoundError):
        store.archive.article("1")
