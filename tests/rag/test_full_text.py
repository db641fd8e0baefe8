import shutil
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from rag.archive import Archive
from rag.schema import Article, Passage, TimeWindow

NOW = datetime(2025, 9, 1, tzinfo=UTC)
TEXTS = {
    "bridge": "The harbour bridge was closed by dockers on strike.",
    "harbour": "A bridge far from the harbour stayed open; the docker left.",
    "quake": "Quakes shook the harbour. The quake hurt nine, the quake of June.",
}


def add(archive, id_, text, title="News", published_at=None, source="Wire"):
    article = Article(id=id_, version=str(len(text)), title=title, text=text, published_at=published_at, source=source)
    archive.add_pending([(article, id_)], now=NOW)
    passage = Passage(f"{id_}#0", id_, article.version, 0, 0, len(text), text, title)
    archive.mark_indexed(article, [passage])


@pytest.fixture
def archive(tmp_path):
    with closing(Archive.open(tmp_path / "archive.sqlite")) as archive:
        for id_, text in TEXTS.items():
            add(archive, id_, text)
        yield archive


def found(archive, query, **options):
    return [id_.removesuffix("#0") for id_, _ in archive.full_text.search(query, limit=10, **options)]


def test_more_and_rarer_words_rank_higher(archive):
    assert found(archive, "quake at the harbour")[0] == "quake"
    assert set(found(archive, "quake at the harbour")) == set(TEXTS)
    scores = [score for _, score in archive.full_text.search("quake harbour", limit=10)]
    assert scores == sorted(scores, reverse=True)


def test_a_word_in_the_title_counts_twice(archive):
    add(archive, "title", "Nothing of it here, and as long as the other.", title="Ferry sinks")
    add(archive, "text", "The ferry is here, and as long as the other.", title="Sea calm")
    assert found(archive, "ferry") == ["title", "text"]


def test_a_phrase_matches_where_its_words_stand_together(archive):
    assert found(archive, '"harbour bridge"') == ["bridge"]
    assert found(archive, '"bridge harbour"') == []
    assert found(archive, '"Harbour Bridges" docker')[0] == "bridge"
    assert found(archive, '"quake"') == ["quake"]


def test_a_beginning_matches_the_words_that_begin_so(archive):
    assert set(found(archive, "dock*")) == {"bridge", "harbour"}
    assert found(archive, "shoo*") == ["quake"]
    assert found(archive, "quakes*") == ["quake"]  # its stem
    assert found(archive, "zzz*") == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?!",
        '"',
        '""',
        "*",
        '"the"',
        "the",
        'a "b',
        "AND OR NOT",
        "x:y",
        "(",
        "\\",
        "a" * 70000,
        "_*",
        "a" * 70000 + "*",
        "\u00b2*",
    ],
)
def test_any_text_may_be_asked(archive, query):
    found(archive, query)


def test_stop_words_alone_are_looked_for(archive):
    assert set(found(archive, "the")) == {"bridge", "harbour", "quake"}


def test_windows_and_outlets_filter_without_changing_the_score(archive):
    june, july = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
    add(archive, "j1", "Storm over the sea.", published_at=june, source="Post")
    add(archive, "j2", "Storm over the sea.", published_at=july)
    add(archive, "undated", "Storm over the sea.")
    assert found(archive, "storm") == ["j1", "j2", "undated"]
    assert found(archive, "storm", window=TimeWindow(june, july)) == ["j1"]
    assert found(archive, "storm", window=TimeWindow(None, july)) == ["j1"]
    assert found(archive, "storm", window=TimeWindow(july, None)) == ["j2"]
    assert found(archive, "storm", sources=["Post", "Nobody"]) == ["j1"]
    assert found(archive, "storm", window=TimeWindow(july, None), sources=["Post"]) == []
    plain, filtered = (
        archive.full_text.search("storm", limit=1),
        archive.full_text.search("storm", limit=1, sources=["Post"]),
    )
    assert plain == filtered


def test_how_common_words_are(archive):
    assert archive.full_text.document_frequencies(["harbours", "quake", "never", "?"]) == (
        {"harbours": 3, "quake": 1, "never": 0, "?": 0},
        3,
    )


def test_changed_and_deleted_articles_leave(archive):
    add(archive, "quake", "It was only thunder.")
    archive.delete_article("bridge")
    assert found(archive, "quake") == []
    assert found(archive, "thunder") == ["quake"]
    assert found(archive, "bridge") == ["harbour"]
    assert archive.full_text.document_frequencies([])[1] == 2


def test_what_a_transaction_takes_back_is_never_found(archive):
    def fail():
        with archive.transaction():
            add(archive, "gone", "A volcano erupted.")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert found(archive, "volcano") == []


@pytest.mark.parametrize("damage", ["missing", "emptied", "overwritten"])
def test_an_index_that_is_missing_or_damaged_is_made_again(archive, tmp_path, damage):
    assert found(archive, "quake") == ["quake"]
    archive.close()
    folder = tmp_path / "text"
    if damage == "overwritten":
        (folder / "meta.json").write_text("{")
    else:
        shutil.rmtree(folder)
    if damage == "emptied":
        folder.mkdir()
    with closing(Archive.open(tmp_path / "archive.sqlite")) as again:
        assert found(again, "quake") == ["quake"]
        assert set(found(again, "harbour")) == set(TEXTS)


def test_changes_of_a_run_that_was_killed_are_carried_over_by_the_next(tmp_path):
    code = (
        "import os, sys; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2]); from test_full_text import *\n"
        "archive = Archive.open(Path(sys.argv[1]) / 'archive.sqlite'); add(archive, 'a', 'First rain.')\n"
        "assert found(archive, 'rain') == ['a']; add(archive, 'b', 'Second rain.'); os._exit(9)"
    )
    folder = str(__import__("pathlib").Path(__file__).parent)
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path), folder], check=False, cwd=folder + "/../..")
    assert run.returncode == 9
    with closing(Archive.open(tmp_path / "archive.sqlite")) as archive:
        assert found(archive, "rain") == ["a", "b"]


def test_a_second_process_reads_while_the_first_writes(archive, tmp_path):
    assert found(archive, "quake") == ["quake"]
    with closing(Archive.open(tmp_path / "archive.sqlite")) as other:
        add(archive, "late", "A late quake.")
        assert found(other, "quake") == ["quake"]  # not yet carried over, and not its to do
        assert set(found(archive, "quake")) == {"quake", "late"}
    with closing(Archive.open(tmp_path / "archive.sqlite")) as other:
        assert set(found(other, "quake")) == {"quake", "late"}
