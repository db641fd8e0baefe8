from contextlib import closing
from datetime import UTC, datetime

import pytest

from rag import full_text_postgres
from rag.archive import Archive
from rag.full_text_postgres import folded
from rag.schema import Article, Passage, TimeWindow

NOW = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.fixture
def archive(postgres):
    with closing(Archive.connect(postgres.address())) as opened:
        yield opened


def add(archive, id_, text, *, title="", **fields):
    article = Article(id=id_, version="1", title=title, text=text, **fields)
    archive.add_pending([(article, id_)], now=NOW)
    archive.mark_indexed(article, [Passage(id_, id_, "1", 0, 0, len(text), text, title)])


def found(archive, query, limit=10, **filters):
    return [id_ for id_, _ in archive.full_text.search(query, limit=limit, **filters)]


def test_a_text_is_folded_to_its_words():
    assert folded("Zdeněk KOVÁŘÍK's 2.5-km “run”, 林玉清; ﬁne_snow") == "zdenek kovarik s 2 5 km run 林玉清 fine snow"


def test_a_phrase_is_found_as_it_stands_and_with_its_small_words(archive):
    add(archive, "as it stands", "The Ministry of Defence spoke.")
    add(archive, "apart", "Defence spoke; the ministry did not.")
    assert found(archive, '"ministry of defence"') == ["as it stands"]
    assert found(archive, 'spoke "ministry of defence"') == ["as it stands", "apart"]
    assert found(archive, '"of the ministry"') == found(archive, '"?!" ""') == []


def test_a_beginning_finds_what_begins_so(archive):
    add(archive, "a", "Ministers met.")
    add(archive, "b", "Miners met.")
    assert found(archive, "minist*") == ["a"]
    assert set(found(archive, "min*")) == {"a", "b"}


def test_stop_words_find_something_if_there_is_nothing_else(archive):
    add(archive, "a", "The Who played.")
    assert found(archive, "the who") == ["a"]


def test_common_words_order_what_rarer_ones_find(archive, monkeypatch):
    monkeypatch.setattr(full_text_postgres, "_ENOUGH", 2)
    add(archive, "a", "Hail.")
    add(archive, "b", "Hail and rain.")
    for name in "cde":
        add(archive, name, "Rain.")
    assert found(archive, "rain hail", limit=2) == ["b", "a"]
    # With too few, what has only the common word follows.
    assert found(archive, "rain hail") == ["b", "a", "c", "d", "e"]


def test_a_window_that_the_rare_word_is_not_in_is_filled_by_the_common_one(archive, monkeypatch):
    monkeypatch.setattr(full_text_postgres, "_ENOUGH", 1)
    june = datetime(2025, 6, 1, tzinfo=UTC)
    add(archive, "old", "Hail.")
    add(archive, "new", "Rain.", published_at=june, source="Wire")
    add(archive, "other", "Rain.", published_at=june, source="Post")
    assert found(archive, "hail rain", window=TimeWindow(since=june), sources=["Wire"], limit=1) == ["new"]


def test_equal_scores_are_ordered_by_id(archive):
    for name in ("b", "a", "C"):
        add(archive, name, "Rain.")
    assert found(archive, "rain", limit=2) == ["C", "a"]


def test_in_a_large_archive_common_words_are_estimated_and_rare_ones_counted(archive, monkeypatch):
    with archive.transaction():
        for n in range(2000):
            add(archive, f"{n:04}", "Rain fell on the town. " * 10 + ("Hail." if n % 2 else "") + "Snow." * (n == 7))
    exact = archive.full_text.document_frequencies(["rain", "hail", "snow"])
    assert exact == ({"rain": 2000, "hail": 1000, "snow": 1}, 2000)
    monkeypatch.setattr(full_text_postgres, "_SAMPLE_BYTES", 1 << 17)  # about a third
    found, total = archive.full_text.document_frequencies(["rain", "hail", "snow"])
    assert found["rain"] == total
    assert 1000 < total < 3000
    assert 0.4 < found["hail"] / total < 0.6
    assert found["snow"] == 1


def test_a_pasted_text_is_no_error(archive):
    add(archive, "a", "Rain fell.")
    words = [f"word{n}" for n in range(3000)]
    assert found(archive, " ".join(["rain", *words])) == ["a"]
    assert archive.full_text.document_frequencies([*words, "rain"])[0]["rain"] == 1
