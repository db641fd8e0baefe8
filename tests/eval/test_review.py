from __future__ import annotations

import json

import pytest

from eval.datasets import load_questions
from eval.review import read_lines, review, save_lines
from rag.errors import DatasetError

DEATHS = {
    "id": "q1",
    "question": "How many people died?",
    "answerable": True,
    "answers": [["Nine", "9"]],
    "evidence": [{"article_id": "wire", "quote": "Nine people died."}],
    "tags": ["how many", "drafted"],
    "split": "dev",
}
MARCH = DEATHS | {
    "id": "q2",
    "question": "How many people marched?",
    "answers": [["12,000"]],
    "evidence": [{"article_id": "march", "quote": "About 12,000 people marched."}],
}
COLD = {
    "id": "q3",
    "question": "How cold was it?",
    "answerable": False,
    "answers": [],
    "evidence": [],
    "tags": ["what"],
    "split": "test",
}
LINES = [DEATHS, MARCH, COLD]


class Desk:
    """A person who types what was written down, and what was shown and saved meanwhile."""

    def __init__(self, archive):
        self.article = archive.article
        self.shown = []
        self.saved = []

    def review(self, lines, *typed):
        waiting = iter(typed)

        def ask(_prompt):
            found = next(waiting)
            if isinstance(found, BaseException):
                raise found
            return found

        return review(
            lines, ask, self.shown.append, article=self.article, save=lambda left: self.saved.append(list(left))
        )


@pytest.fixture
def desk(tools):
    return Desk(tools.FakeArchive())


def ids(lines):
    return [line["id"] for line in lines]


def reviewed(lines):
    return [line["id"] for line in lines if "reviewed" in line["tags"]]


def test_keep_drop_and_skip(desk):
    left = desk.review(LINES, "k", "d", "s", "")
    assert ids(left) == ["q1", "q3"]
    assert reviewed(left) == ["q1"]
    assert left[0]["tags"] == ["how many", "drafted", "reviewed"]
    assert desk.shown[-1] == "1 reviewed, 1 dropped, 1 to review."


def test_the_given_lines_stay_as_they_were(desk):
    before = json.dumps(LINES)
    desk.review(LINES, "k", "u", "d", "")
    assert json.dumps(LINES) == before


def test_what_was_decided_is_saved_when_the_program_is_stopped(desk):
    with pytest.raises(KeyboardInterrupt):
        desk.review(LINES, "k", "d", KeyboardInterrupt())
    assert ids(desk.saved[-1]) == ["q1", "q3"]
    assert reviewed(desk.saved[-1]) == ["q1"]
    assert len(desk.saved) == 2  # once for each decision


@pytest.mark.parametrize("end", ["q", EOFError()])
def test_a_review_goes_on_where_it_was(desk, end):
    left = desk.review(LINES, "k", end)
    assert reviewed(left) == ["q1"]
    desk.shown.clear()
    left = desk.review(left, "k", "k", "")
    assert reviewed(left) == ["q1", "q2", "q3"]
    assert not any("How many people died?" in text for text in desk.shown)
    assert desk.review(left) == left  # nobody is asked anything


def test_question_answer_and_the_quote_in_its_surroundings_are_shown(desk, tools, monkeypatch):
    monkeypatch.setitem(tools.TEXTS, "wire", f"{'x' * 300} It sank. Nine people died. It burned. {'y' * 300}")
    desk.review([DEATHS], "q")
    (view,) = [text for text in desk.shown if "Question:" in text]
    assert "Question:  How many people died?" in view
    assert "Expected:  Nine | 9" in view
    assert "It sank. »Nine people died.« It burned." in view
    assert view.count("…") == 2
    assert "x" * 241 not in view


def test_an_article_cannot_steer_the_terminal(desk, tools, monkeypatch):
    monkeypatch.setitem(tools.TEXTS, "wire", "\x1b[2J Nine people died.\x07")
    desk.review([DEATHS], "q")
    assert all(sign.isprintable() or sign == "\n" for text in desk.shown for sign in text)


def test_edits_are_saved_and_the_line_is_shown_again(desk):
    left = desk.review([DEATHS], "e", "  How many people died on the  Solenne? ", "a", "nine | 9 ; people", "k", "")
    assert left[0]["question"] == "How many people died on the Solenne?"
    assert left[0]["answers"] == [["nine", "9"], ["people"]]
    assert [reviewed(saved) for saved in desk.saved] == [[], [], ["q1"]]


def test_an_empty_edit_changes_nothing(desk):
    left = desk.review([DEATHS], "e", " ", "a", " ; ", "q")
    assert left == [DEATHS]
    assert desk.saved == []


def test_a_line_whose_answer_no_quote_holds_cannot_be_kept(desk):
    left = desk.review([DEATHS], "a", "ten", "k", "q")
    assert reviewed(left) == []
    assert any("no alias of ['ten'] is in a quote" in text for text in desk.shown)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"answers": []}, "an answerable question needs answers"),
        ({"split": "train"}, "split"),
        ({"evidence": [{"article_id": "gone", "quote": "Nine people died."}]}, "'gone' is not in the archive"),
        ({"evidence": [{"article_id": "wire", "quote": "Nine died."}]}, "the quote is not in 'wire'"),
    ],
)
def test_a_line_that_is_none_of_a_dataset_cannot_be_kept(desk, change, fault):
    assert reviewed(desk.review([DEATHS | change], "k", "q")) == []
    assert any(fault in text for text in desk.shown)


def test_unanswerable_takes_answers_and_quotes_away(desk):
    (line,) = desk.review([DEATHS], "u", "")
    assert (line["answerable"], line["answers"], line["evidence"]) == (False, [], [])
    assert line["tags"][-1] == "reviewed"


def test_back_undoes_the_last_decision_even_a_drop_and_at_the_end(desk):
    left = desk.review(LINES, "d", "b", "k", "k", "d", "b", "k", "")
    assert reviewed(left) == ["q1", "q2", "q3"]
    assert ids(desk.saved[1]) == ["q1", "q2", "q3"]
    left = desk.review(LINES, "k", "b", "q")
    assert reviewed(left) == []


def test_there_is_no_way_back_before_the_first_line(desk):
    desk.review(LINES, "b", "q")
    assert any("first line" in text for text in desk.shown)
    assert desk.saved == []


def test_an_unknown_key_brings_the_help(desk):
    desk.review([DEATHS], "x", "", "q")
    assert sum("k keep" in text for text in desk.shown) == 3  # at the start too


def test_a_reader_s_complaint_is_shown_and_leaves_the_line_when_it_is_kept(desk):
    line = DEATHS | {"reader_says": "It was ten.", "shown": "Nine people died. [1]"}
    (left,) = desk.review([line], "k", "")
    assert any("Reader says: It was ten." in text for text in desk.shown)
    assert left.keys() == DEATHS.keys()


def test_reviewed_lines_are_a_dataset(desk, tmp_path):
    path = tmp_path / "new" / "q.jsonl"
    save_lines(path, desk.review(LINES, "k", "k", "k", ""))
    assert [question.id for question in load_questions(path)] == ["q1", "q2", "q3"]
    assert read_lines(path)[0]["tags"][-1] == "reviewed"
    assert [file.name for file in path.parent.iterdir()] == ["q.jsonl"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no lines to review"),
        ("{", "line 1 is no JSON"),
        ('{"question": "a?"}\n[]', "line 2 is no question"),
        ('{"question": "a?", "evidence": ["b"]}', "`evidence` is a list of objects"),
    ],
)
def test_what_cannot_be_reviewed_is_named(tmp_path, text, message):
    path = tmp_path / "q.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read_lines(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"none\.jsonl cannot be read"):
        read_lines(tmp_path / "none.jsonl")
