from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eval.scoring import score, score_failure, shown_text
from rag.schema import Conflict, Position, TimeWindow

MARCH = {
    "answers": (("12,000",), ("7,500",)),
    "evidence": (("march", "About 12,000 people marched."), ("wire", "It was 7,500.")),
}


def day(month, number):
    return datetime(2025, month, number, tzinfo=UTC)


def test_right_answer_cited_to_a_copy_is_grounded(tools):
    found = score(
        tools.asked("q", **tools.DEATHS), tools.answered(("Nine people died.", "copy")), tools.FakeArchive(), k=8
    )
    assert (found.correct, found.grounded_correct, found.ranks) == (True, True, (1,))
    assert found.values["citation_recall"] == found.values["citation_precision"] == found.values["quote_exact"] == 1.0
    assert found.values["window_right"] is None


def test_right_answer_with_the_wrong_citation_is_not_grounded(tools):
    found = score(
        tools.asked("q", **tools.DEATHS), tools.answered(("Nine people died.", "weather")), tools.FakeArchive(), k=8
    )
    assert (found.correct, found.grounded_correct) == (True, False)


def test_a_refusal_that_names_the_answer_is_not_correct(tools):
    found = score(tools.asked("q", **tools.DEATHS), tools.abstained(), tools.FakeArchive(), k=8)
    assert found.correct is False
    assert found.values["citation_recall"] is None
    assert found.values["correct_if_answered"] is None
    assert found.values["token_f1"] == 0.0
    assert found.values["over_refusal"] == 1.0


def test_unanswerable_question(tools):
    refused = score(tools.asked("q"), tools.abstained(), tools.FakeArchive(), k=8)
    said = score(tools.asked("q"), tools.answered(("Nine people died.", "copy")), tools.FakeArchive(), k=8)
    assert (refused.correct, refused.values["right_outcome"], said.values["right_outcome"]) == (None, 1.0, 0.0)
    assert said.values["hit@8"] is None
    assert said.values["citation_precision"] is None
    assert said.values["supported_claims"] == 1.0


def test_markers_are_no_answer(tools):
    question = tools.asked("q", answers=(("1",),), evidence=(("wire", "Only 1."),))
    assert score(question, tools.answered(("Many.", "wire")), tools.FakeArchive(), k=8).correct is False


def test_both_sides_of_a_conflict_are_needed_and_its_values_count(tools):
    sides = tuple(Position(value, 1, "", None) for value in ("12,000", "7,500"))
    answer = tools.answered(("The reports differ.", "march"), retrieved=("march",), conflicts=[Conflict(sides)])
    found = score(tools.asked("q", **MARCH), answer, tools.FakeArchive(), k=8)
    assert shown_text(answer) == "The reports differ.\n12,000\n7,500"
    assert found.correct is True
    assert found.ranks == (1, None)
    assert (found.values["hit@8"], found.values["recall@8"], found.values["all_evidence@8"]) == (1.0, 0.5, 0.0)


def test_reports_that_say_the_same_replace_each_other(tools):
    question = tools.asked(
        "q", answers=(("nine",),), evidence=(("wire", "Nine people died."), ("march", "Nine had died."))
    )
    answer = tools.answered(("Nine.", "march"), retrieved=("march",))
    assert score(question, answer, tools.FakeArchive(), k=8).values["all_evidence@8"] == 1.0


def test_quote_of_an_unknown_article_is_not_exact(tools):
    from dataclasses import replace

    answer = tools.answered(("Nine people died.", "wire"))
    answer = replace(answer, citations=(replace(answer.citations[0], article_id="gone"),))
    assert score(tools.asked("q", **tools.DEATHS), answer, tools.FakeArchive(), k=8).values["quote_exact"] == 0.0


@pytest.mark.parametrize(
    ("found", "gold", "expected"),
    [
        (TimeWindow(day(6, 1), day(7, 1), "in June"), TimeWindow(day(6, 1), day(7, 1)), 1.0),
        (TimeWindow(day(6, 1), day(6, 30)), TimeWindow(day(6, 1), day(7, 1)), 0.0),
        (None, TimeWindow(day(6, 1), day(7, 1)), 0.0),
        (TimeWindow(day(8, 1), None), TimeWindow(day(8, 1), day(9, 1)), 1.0),  # now is 1 September
        (None, None, None),
    ],
)
def test_window(tools, found, gold, expected):
    answer = tools.answered(("Nine people died.", "wire"), window=found)
    question = tools.asked("q", window=gold, **tools.DEATHS)
    assert score(question, answer, tools.FakeArchive(), k=8).values["window_right"] == expected


def test_tokens_are_those_the_server_counted(tools):
    question, answer = tools.asked("q", **tools.DEATHS), tools.answered(("Nine people died.", "wire"))
    counted = replace(answer, tokens={"prompt": 900, "written": 12})
    values = score(question, counted, tools.FakeArchive(), k=8).values
    assert (values["prompt_tokens"], values["written_tokens"]) == (900.0, 12.0)
    assert score(question, answer, tools.FakeArchive(), k=8).values["prompt_tokens"] is None


def test_a_failure_has_the_same_figures_and_counts_as_wrong(tools):
    question = tools.asked("q", **tools.DEATHS)
    failed = score_failure(question, k=8)
    right = score(question, tools.answered(("Nine people died.", "copy")), tools.FakeArchive(), k=8)
    assert list(failed.values) == list(right.values)
    assert (failed.correct, failed.ranks, failed.values["hit@8"]) == (False, (None,), 0.0)
    assert failed.values["abstention_recall"] is None
    assert score_failure(tools.asked("u"), k=8).values["abstention_recall"] == 0.0
