import hashlib
import json
from datetime import UTC, datetime

import pytest

from eval.datasets import Evidence, check_quotes, drawn, file_digest, load_questions
from rag.errors import DatasetError
from rag.schema import Query, TimeWindow, Turn

LINE = {
    "id": "a-001",
    "question": "How many died?",
    "history": [{"question": "What burned?", "answer": "A ferry."}],
    "now": "2025-09-01",
    "answerable": True,
    "answers": [["nine", "9"]],
    "evidence": [{"article_id": "wire", "quote": "Nine people died."}],
    "window": {"since": "2025-06-01", "until": "2025-07-01"},
    "tags": ["how many"],
    "split": "dev",
}
OPEN = {"answerable": False, "answers": [], "evidence": []}


@pytest.fixture
def written(tmp_path):
    def write(*lines):
        path = tmp_path / "q.jsonl"
        path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), encoding="utf-8")
        return path

    return write


def test_a_line_becomes_a_question(written):
    (question,) = load_questions(written(LINE))
    assert question.turns == (Turn("What burned?", "A ferry."),)
    assert question.now == datetime(2025, 9, 1, tzinfo=UTC)
    assert question.window == TimeWindow(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
    assert question.evidence == (Evidence("wire", "Nine people died."),)
    assert question.answers == (("nine", "9"),)


def test_the_gold_window_is_not_given_to_the_chain(written):
    (question,) = load_questions(written(LINE))
    assert question.query == Query("How many died?", turns=question.turns, now=question.now)
    assert question.query.window is None


def test_now_with_a_zone_becomes_utc(written):
    (question,) = load_questions(written(LINE | {"now": "2025-09-01T01:00:00+02:00"}))
    assert question.now == datetime(2025, 8, 31, 23, tzinfo=UTC)


def test_splits(written):
    path = written(LINE, "", LINE | {"id": "a-002", "split": "test"})
    assert [question.id for question in load_questions(path)] == ["a-001", "a-002"]
    assert [question.id for question in load_questions(path, split="test")] == ["a-002"]
    with pytest.raises(DatasetError, match="no split 'train'"):
        load_questions(path, split="train")


def test_every_bad_line_is_named(written):
    path = written(
        "{",
        LINE,
        LINE,
        LINE | OPEN | {"id": "a", "answers": [["x"]]},
        LINE | {"id": "b", "answers": []},
        LINE | {"id": "c", "answers": [["..."]]},
        LINE | {"id": "d", "answer": "nine"},
        LINE | {"id": "e", "split": "train"},
        LINE | {"id": "f", "now": 5},
        LINE | {"id": "g", "window": {"since": "2025-07-01", "until": "2025-07-01"}},
        LINE | {"id": "h", "now": "tomorrow"},
    )
    with pytest.raises(DatasetError, match="10 bad lines") as caught:
        load_questions(path)
    message = str(caught.value)
    assert "line 2:" not in message
    for part in (
        "line 1: Invalid JSON",
        "line 3: the id 'a-001' is already on line 2",
        "line 4: an unanswerable",
        "line 5: an answerable",
        "line 6: a group",
        "line 7: answer: Extra",
        "line 8: split:",
        "line 9: now:",
        "line 10: the window ends",
        "line 11: now:",
    ):
        assert part in message


def test_at_most_twenty_bad_lines_are_shown(written):
    with pytest.raises(DatasetError) as caught:
        load_questions(written(*["{"] * 25))
    assert str(caught.value).count("  line ") == 20
    assert "and 5 more" in str(caught.value)


def test_no_questions_and_no_file_are_told(written, tmp_path):
    with pytest.raises(DatasetError, match="no question"):
        load_questions(written(""))
    with pytest.raises(DatasetError, match="cannot be read"):
        load_questions(tmp_path / "none.jsonl")


def test_digest_is_of_the_bytes(written):
    path = written(LINE)
    assert file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_check_quotes(written):
    texts = {"wire": "Nine people died.", "march": "About 170 marched."}
    questions = load_questions(
        written(
            LINE,
            LINE | {"id": "b", "evidence": [{"article_id": "gone", "quote": "Nine people died."}]},
            LINE | {"id": "c", "evidence": [{"article_id": "wire", "quote": "nine people died."}]},
            LINE
            | {"id": "d", "answers": [["7"]], "evidence": [{"article_id": "march", "quote": "About 170 marched."}]},
            LINE | {"id": "e", "answers": [["Yes", "they did"]]},
            LINE | {"id": "f", "answers": [["they did"]], "tags": ["yes-no"]},
            LINE | OPEN | {"id": "g"},
        )
    )
    assert check_quotes(questions, texts) == [
        "b: article 'gone' is not in the archive",
        "c: the quote is not in 'wire': 'nine people died.'",
        "d: no alias of ['7'] is in a quote",
    ]


def test_a_draw_is_the_same_each_time_and_keeps_its_questions_when_others_go(written):
    questions = load_questions(written(*[LINE | {"id": f"q{number}"} for number in range(20)]))
    chosen = drawn(questions, 5)
    assert len(chosen) == 5
    assert chosen == [question for question in questions if question in chosen]
    assert drawn(list(reversed(questions)), 5) == list(reversed(chosen))
    assert {question.id for question in drawn(questions[1:], 5)} >= {q.id for q in chosen} - {"q0"}
    assert drawn(questions, 50) == questions
