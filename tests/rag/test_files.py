from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.files import FileProblem

NOW = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.fixture
def files(archive):
    return archive.files


def read(files, name, articles, *, run, stamp="s"):
    name = f"/news/{name}"
    files.found([(name, id_) for id_ in articles], run=run)
    files.finish(name, stamp, run=run)


def test_a_stamp_is_kept_once_the_file_was_read_to_its_end(files):
    files.found([("a.txt", "1")], run=1)
    assert files.stamp("a.txt") == ""
    files.finish("a.txt", "12:34", run=1)
    assert files.stamp("a.txt") == "12:34"


def test_an_article_that_left_its_file_is_gone(files):
    read(files, "a.jsonl", ["1", "2"], run=1)
    assert files.gone(run=1) == []
    read(files, "a.jsonl", ["2"], run=2)
    assert files.gone(run=2) == ["1"]
    files.unchanged("/news/a.jsonl", run=3)
    assert files.gone(run=3) == ["1"]


def test_an_article_that_stands_in_another_file_is_not_gone(files):
    read(files, "a.jsonl", ["1"], run=1)
    read(files, "b.jsonl", ["1"], run=1)
    read(files, "a.jsonl", [], run=2)
    assert files.gone(run=2) == []
    read(files, "b.jsonl", [], run=3)
    files.unchanged("/news/a.jsonl", run=3)
    assert files.gone(run=3) == ["1"]


def test_a_run_that_was_killed_takes_nothing_away(files):
    read(files, "a.jsonl", ["1", "2"], run=1)
    files.found([("/news/a.jsonl", "2")], run=2)  # and here it was killed
    read(files, "b.jsonl", [], run=3)
    assert files.gone(run=3) == []


def test_files_that_are_no_longer_in_a_folder_vanish_with_their_articles(files):
    read(files, "a.txt", ["1"], run=1)
    read(files, "b.txt", ["2"], run=1)
    files.unchanged("/news/a.txt", run=2)
    assert files.vanish(Path("/news"), run=2) == ["/news/b.txt"]
    assert files.gone(run=2) == ["2"]
    assert files.stamp("/news/b.txt") == ""


def test_a_folder_with_a_like_name_is_left_alone(files):
    files.finish("/news-of-old/a.txt", "s", run=1)
    assert files.vanish(Path("/news"), run=2) == []


def test_problems_are_those_of_the_last_whole_reading(files):
    bad, too = (FileProblem("a", f"a line {n}", "is bad: mend it", True, NOW) for n in (1, 2))
    files.add_problems([bad, too], run=1)
    files.finish("a", "s", run=1)
    files.add_problems([too], run=2)
    files.finish("a", "t", run=2)
    empty = FileProblem("b", "b", "is empty", True, NOW)
    files.add_problems([empty], run=2)
    assert files.problems() == [too, empty]
    assert files.problems(file="b", lost=True) == [empty]
    assert files.problems(lost=False) == []
    assert (files.problem_count(lost=True), files.problem_count(file="a", lost=True)) == (2, 1)


def test_a_file_keeps_its_base_and_takes_one_that_no_file_has_any_more(files, tmp_path, monkeypatch):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.touch()
    assert files.begin(str(one), "news/a.txt") == "news/a.txt"
    assert files.begin(str(two), "news/a.txt") == str(two)
    assert files.begin(str(one), "elsewhere/a.txt") == "news/a.txt"
    one.unlink()
    three = str(tmp_path / "three.txt")
    assert files.begin(three, "news/a.txt") == "news/a.txt"
    monkeypatch.setattr(Path, "exists", lambda _: (_ for _ in ()).throw(PermissionError))
    assert files.begin(str(one), "news/a.txt") == str(one)
