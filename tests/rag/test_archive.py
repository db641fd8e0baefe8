import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from rag.archive import Archive
from rag.errors import NotFoundError, StoreError
from rag.schema import Article, Passage, TimeWindow

NOW = datetime(2025, 9, 1, tzinfo=UTC)


def article(id_="a", version="1", text="Rain fell on Tuesday.", **fields):
    return Article(id=id_, version=version, title=fields.pop("title", "Weather"), text=text, **fields)


def passage(of, index=0):
    return Passage(f"{of.id}@{of.version}#{index}", of.id, of.version, index, 0, len(of.text), of.text, of.title)


def add(archive, *articles, story="s"):
    for item in articles:
        archive.add_pending([(item, story)], now=NOW)
        archive.mark_indexed(item, [passage(item)])


def test_an_article_comes_back_as_it_was(archive):
    whole = article(
        source="Selwyn Courier",
        url="https://x.example/1",
        published_at=datetime(2025, 6, 1, 8, tzinfo=UTC),
        authors=("Ana Šimić", "林玉清"),
        section="Local",
        kind="teaser",
        truncated=True,
        correction="Corrected.",
        title_inferred=True,
    )
    add(archive, whole)
    assert archive.article("a") == whole


def test_a_pending_article_is_not_found_by_anybody_but_resume(archive):
    archive.add_pending([(article(), "s")], now=NOW)
    assert archive.articles() == []
    assert archive.full_text.search("rain", limit=5) == []
    assert archive.known_version("a") is None
    assert archive.pending() == [article()]


def test_a_new_version_replaces_the_passages_and_keeps_the_old_text(archive):
    add(archive, article(text="Three people died."), article(version="2", text="Four people died."))
    assert [id_ for id_, _ in archive.full_text.search("people", limit=5)] == ["a@2#0"]
    assert archive.article("a", "1").text == "Three people died."
    assert archive.orphans() == ["a@1#0"]


def test_a_deleted_article_leaves_full_text_and_lists(archive):
    add(archive, article())
    archive.delete_article("a")
    assert archive.full_text.search("rain", limit=5) == []
    assert archive.orphans() == ["a@1#0"]
    with pytest.raises(NotFoundError, match="'a'"):
        archive.article("a")
    with pytest.raises(NotFoundError):
        archive.delete_article("a")


def test_full_text_search_is_filtered_by_window_and_outlet(archive):
    june = article("june", source="Wire", published_at=datetime(2025, 6, 1, tzinfo=UTC))
    july = article("july", source="Post", published_at=datetime(2025, 7, 1, tzinfo=UTC))
    undated = article("undated", source="Wire")
    add(archive, june, july, undated)

    def found(**filters):
        return sorted(id_ for id_, _ in archive.full_text.search("rain", limit=5, **filters))

    window = TimeWindow(since=datetime(2025, 6, 1, tzinfo=UTC), until=datetime(2025, 7, 1, tzinfo=UTC))
    assert found() == ["july@1#0", "june@1#0", "undated@1#0"]
    assert found(window=window) == ["june@1#0"]
    assert found(sources=["Wire"]) == ["june@1#0", "undated@1#0"]
    assert archive.count_in(window) == 1


@pytest.mark.parametrize("query", ["", "?!", '"', "rain OR", "NEAR(", "rain* -fell", "title:rain", "a'b"])
def test_no_question_is_a_syntax_error_for_the_full_text(archive, query):
    add(archive, article())
    archive.full_text.search(query, limit=5)


def test_diacritics_and_chinese_characters_are_found(archive):
    add(
        archive,
        article("k", text="Zdeněk Kovářík conducts."),
        article("l", text="Engineer Lin Yu-ching (林玉清) left."),
    )
    assert [id_ for id_, _ in archive.full_text.search("Kovarik", limit=5)] == ["k@1#0"]
    assert [id_ for id_, _ in archive.full_text.search("林玉清", limit=5)] == ["l@1#0"]


def test_a_failed_transaction_leaves_nothing(archive):
    def fail():
        with archive.transaction():
            archive.set_fact("x", "y")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert archive.fact("x") == ""


def test_the_first_report_leads_its_story_and_names_the_copies(archive):
    first = article("w", source="Wire", published_at=datetime(2025, 6, 1, 8, tzinfo=UTC))
    copy = article("c", source="Courier", published_at=datetime(2025, 6, 1, 12, tzinfo=UTC))
    add(archive, copy, first, story="s1")
    cards = archive.stories.cards(["c"])
    assert (cards["w"].leads, cards["c"].leads) == (True, False)
    assert cards["w"].also_in == ("Courier",)


def test_status_counts_current_articles_and_names_the_newest(archive):
    old = article("o", title="Old", source="Wire", published_at=datetime(2025, 6, 1, tzinfo=UTC))
    add(archive, old, article("n", title="New", published_at=datetime(2025, 7, 1, tzinfo=UTC)), article("u"))
    archive.record_ingest(NOW)
    status = archive.status()
    assert (status.articles, status.passages, status.newest_title, status.last_ingest_at) == (3, 3, "New", NOW)
    assert status.sources == ("Wire",)


def test_a_file_that_is_no_archive_is_refused_with_the_cure(tmp_path):
    path = tmp_path / "archive.sqlite"
    path.write_bytes(b"not a database, but long enough to look like one" * 20)
    with pytest.raises(StoreError, match="--home"):
        Archive.open(path)


def test_an_archive_of_the_first_schema_is_brought_up_to_date(tmp_path):
    path = tmp_path / "archive.sqlite"
    old = Archive.open(path)
    add(old, article())
    old.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE files; DROP TABLE origins; DROP TABLE problems; DROP TABLE feedback; DROP TABLE ingests; "
            "DROP TABLE served; "
            "ALTER TABLE articles DROP COLUMN modified_at; PRAGMA user_version = 1"
        )
    with closing(Archive.open(path)) as archive:
        assert archive.article("a").title == "Weather"
        assert archive.files.stamp("x") == ""
        assert archive.files.problems() == []
        assert archive.feedback.all() == []
        assert archive.ingests.latest(5) == []


def test_an_archive_of_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "archive.sqlite"
    Archive.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer"):
        Archive.open(path)
