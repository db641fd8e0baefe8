from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eval.datasets import load_questions
from eval.feedback import questions_of, write_questions
from rag.errors import NotFoundError
from rag.feedback import Feedback

AT = datetime(2025, 9, 1, tzinfo=UTC)


def asked(tools, id_, answer):
    return replace(answer, id=id_, question=f"{id_}?", search_query=f"{id_} in full?")


def test_a_good_answer_becomes_a_question_that_expects_it_again(archive, tools, tmp_path):
    archive.answers.add(asked(tools, "good", tools.answered(("Nine people died.", "wire"))))
    archive.answers.add(asked(tools, "refused", tools.abstained()))
    for id_ in ("good", "refused"):
        archive.feedback.add(Feedback(id_, "up", "", AT))
    review = write_questions(questions_of(archive), tmp_path / "q.jsonl")
    good, refused = load_questions(tmp_path / "q.jsonl")
    assert (good.question, good.answerable, good.evidence[0].quote) == ("good in full?", True, "Nine people died.")
    assert refused.answerable is False
    assert not review.exists()


def test_a_bad_answer_waits_for_a_person_with_what_the_reader_said(archive, tools, tmp_path):
    archive.answers.add(asked(tools, "bad", tools.answered(("Nine people died.", "wire"))))
    archive.feedback.add(Feedback("bad", "up", "", AT))
    archive.feedback.add(Feedback("bad", "down", "It was ten.", AT))  # the last word counts
    found = questions_of(archive)
    assert found.complete == ()
    review = write_questions(found, tmp_path / "q.jsonl")
    (line,) = [json.loads(text) for text in review.read_text(encoding="utf-8").splitlines()]
    assert (line["reader_says"], line["shown"]) == ("It was ten.", "Nine people died. [1]")


def test_nobody_rates_what_was_never_said(archive):
    with pytest.raises(NotFoundError, match="nothing"):
        archive.feedback.add(Feedback("nothing", "up", "", AT))
