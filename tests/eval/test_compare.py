from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eval.baselines import ask, copy_first_sentence, shuffled_citations
from eval.compare import compare, lower_is_better, outcome
from eval.comparison_text import comparison_markdown, comparison_text
from eval.metrics.significance import holm, sign_flip_p
from eval.records import Record, Run
from eval.runner import Options, run
from rag.errors import DatasetError


def record(id_, *, right=True, answerable=True, abstained=False, grounded=True, error="", text="Nine.", **fields):
    """One question's record; `right` and `grounded` count for answerable questions only."""
    values = {
        "id": id_,
        "question": f"{id_}?",
        "split": "dev",
        "tags": ("what",),
        "answerable": answerable,
        "answers": (("nine", "9"),) if answerable else (),
        "status": "error" if error else "abstained" if abstained else "answered",
        "abstained": abstained,
        "correct": right if answerable else None,
        "grounded_correct": (right and grounded) if answerable else None,
        "ranks": (),
        "values": {"right_outcome": float(right)},
        "answer": None if error else {"text": text},
        "error": error,
    }
    return Record(**values | fields)


def made(*records, **fields):
    values = {
        "created_at": datetime(2025, 9, 1, tzinfo=UTC),
        "k": 8,
        "settings": {},
        "versions": {},
        "data_digest": "d" * 64,
        "records": records,
    }
    return Run(**values | fields)


def measured(*columns, clusters=None):
    """A run with a record for each row; `columns` are (metric, values)."""
    rows = range(len(columns[0][1]))
    names = clusters or [f"q{row}" for row in rows]
    return made(*(record(f"q{i}", values={n: v[i] for n, v in columns}, cluster=names[i]) for i in rows))


def change(comparison, name):
    (found,) = [item for item in comparison.changes if item.name == name]
    return found


# -- statistics ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differences", "two_sided", "expected"),
    [
        ([1, 1, 1, 1, 1], True, 2 / 32),
        ([-1, -1, -1, -1, -1], False, 1 / 32),
        ([1, 1, 1, 1, 1], False, 1.0),
        ([1, 1, 1, -1], True, 10 / 16),  # sums of +-4 (2 patterns) and +-2 (8)
        ([-1, -1, -1, 1], False, 5 / 16),
        ([1, 0, 1, 0, 1], True, 2 / 8),  # ties have no sign
        ([0.1, 0.2, 0.3], True, 2 / 8),
        ([0, 0], True, 1.0),
        ([], True, 1.0),
    ],
)
def test_few_differences_are_tested_exactly(differences, two_sided, expected):
    clusters = [str(place) for place in range(len(differences))]
    assert sign_flip_p(differences, clusters, two_sided=two_sided) == expected


def test_differences_of_a_cluster_change_sign_together():
    assert sign_flip_p([1, 1, 1, 1], ["a", "a", "b", "b"]) == 2 / 4
    assert sign_flip_p([1, -1], ["a", "a"]) == 1.0


def test_many_differences_are_drawn_and_come_near_the_exact_p():
    differences = [1.0] * 15 + [-1.0] * 5
    exact = 2 * sum(math.comb(20, n) for n in range(15, 21)) / 2**20  # the sign test: 0.0414
    clusters = [str(place) for place in range(20)]
    found = sign_flip_p(differences, clusters)
    assert found == pytest.approx(exact, abs=0.006)
    assert found == sign_flip_p(differences, clusters)


def test_a_drawn_p_is_never_zero():
    assert sign_flip_p([1.0] * 200, [str(place) for place in range(200)]) == 1 / 10_001


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_of_forty_metrics_of_noise_none_is_sure():
    drawn = random.Random(3)
    columns = [(f"m{place}", [float(drawn.random() < 0.5) for _ in range(30)]) for place in range(80)]
    other = [(name, columns[place + 40][1]) for place, (name, _) in enumerate(columns[:40])]
    found = compare(measured(*columns[:40]), measured(*other)).changes
    assert any(item.p <= 0.05 for item in found)
    assert not any(item.sure for item in found)


# -- metrics -------------------------------------------------------------------------------------


def test_means_interval_and_counts_by_hand():
    a = measured(("mrr@8", [1.0, 0.5, 0.5, 0.0]))
    b = measured(("mrr@8", [1.0, 1.0, 0.25, 0.5]))
    found = change(compare(a, b), "mrr@8")
    assert (found.before, found.after, found.difference) == (0.5, 0.6875, 0.1875)
    assert (found.better, found.equal, found.worse) == (2, 1, 1)
    assert -0.25 <= found.low < 0.1875 < found.high <= 0.5


def test_interval_draws_clusters_whole():
    values = [1.0] * 10 + [0.0] * 10
    alone = change(compare(measured(("m", [0.0] * 20)), measured(("m", values))), "m")
    names = ["a"] * 10 + ["b"] * 10
    together = change(compare(measured(("m", [0.0] * 20), clusters=names), measured(("m", values))), "m")
    assert (together.low, together.high) == (0.0, 1.0)
    assert 0.0 < alone.low < alone.high < 1.0
    assert together.p == 1.0  # one cluster differs: two patterns


def test_what_applies_to_one_run_only_is_counted_and_not_compared():
    a = measured(("citation_precision", [1.0, 0.0, None]))
    b = measured(("citation_precision", [1.0, None, None]))
    found = change(compare(a, b), "citation_precision")
    assert (found.before, found.after, found.in_one, found.better + found.equal + found.worse) == (1.0, 1.0, 1, 1)
    assert found.low is None
    none = compare(measured(("m", [None])), measured(("m", [1.0])))
    assert "m" not in [item.name for item in none.changes]


def test_lower_is_better_for_costs_and_faults():
    assert lower_is_better("over_refusal")
    assert lower_is_better("latency_ms")
    assert not lower_is_better("mrr@8")
    found = change(
        compare(measured(("answer_words", [40.0, 9.0])), measured(("answer_words", [20.0, 12.0]))), "answer_words"
    )
    assert (found.better, found.worse, found.difference) == (1, 1, -8.5)


def test_the_surest_change_comes_first_then_the_largest_and_latency_last():
    before = [0.0] * 12
    columns = {"sure": [1.0] * 12, "large": [1.0] * 3 + before[3:], "small": [0.1] * 3 + before[3:], "still": before}
    a, b = measured(*((name, before) for name in columns)), measured(*columns.items())
    a, b = (
        replace(r, records=tuple(replace(one, latency_ms=ms) for one in r.records)) for r, ms in ((a, 10.0), (b, 90.0))
    )
    found = compare(a, b).changes
    assert [item.name for item in found if item.moved] == ["sure", "large", "small", "latency_ms"]
    assert [item.name for item in found if item.sure] == ["sure", "latency_ms"]
    # Four metrics differ: the surest p, 2 / 4,096, counts four times.
    assert found[0].p_holm == 4 * 2 / 2**12


def test_failed_calls_are_a_metric():
    found = compare(made(record("a"), record("b")), made(record("a", error="TimeoutError", right=False), record("b")))
    assert change(found, "errors").worse == 1
    assert found.answers[0].shown_after == "TimeoutError"


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (record("a"), "right"),
        (record("a", grounded=False), "ungrounded"),
        (record("a", right=False), "wrong"),
        (record("a", right=False, abstained=True), "refused"),
        (record("a", right=False, error="x"), "failed"),
        (record("a", answerable=False, abstained=True), "rightly refused"),
        (record("a", answerable=False), "wrongly answered"),
    ],
)
def test_outcomes(one, expected):
    assert outcome(one) == expected


def test_changed_answers_show_both_and_the_worst_come_first():
    a = made(record("better", right=False, text="Two."), record("refused"), record("same"), record("worse"))
    b = made(
        record("better"),
        record("refused", right=False, abstained=True, text="The archive does not say."),
        record("same", text="In other words nine."),
        record("worse", right=False, text="Ten."),
    )
    found = compare(a, b).answers
    assert [(x.id, x.before, x.after) for x in found] == [
        ("worse", "right", "wrong"),
        ("refused", "right", "refused"),
        ("better", "wrong", "right"),
    ]
    assert (found[0].shown_before, found[0].shown_after, found[0].expected) == ("Nine.", "Ten.", (("nine", "9"),))


def test_long_answers_are_shortened_to_one_line():
    found = compare(made(record("a")), made(record("a", right=False, text="word\n" * 100)))
    assert found.answers[0].shown_after == ("word " * 60) + "…"


# -- what is compared ----------------------------------------------------------------------------


def test_questions_of_one_run_and_reworded_ones_are_left_out_and_named():
    a = made(record("a"), record("b"), record("c"), record("d"))
    b = made(
        record("b"), record("c", answers=(("ten",),)), record("d", question="d, really?"), record("e", right=False)
    )
    found = compare(a, b)
    assert found.pairs == 1
    assert change(found, "right_outcome").equal == 1
    assert "Left out, as in the first run only: a." in found.notes
    assert "Left out, as in the second run only: e." in found.notes
    assert "Left out, as reworded or with other answers: c, d." in found.notes


def test_other_data_settings_versions_and_metrics_are_said():
    a = made(record("a"), settings={"k": 8, "lenient": False}, versions={"torch": "2.13"})
    b = made(
        record("a", values={"right_outcome": 1.0, "new": 1.0}),
        settings={"k": 8, "lenient": True, "abstain_below": 0.0},
        versions={"torch": "2.13"},
        data_digest="e" * 64,
        judge="rules",
    )
    notes = compare(a, b).notes
    assert notes[0].startswith("The question files differ (data dddddddddddd, then eeeeeeeeeeee)")
    assert notes[1:] == (
        "Only the second run has new.",
        "judge: not set, then rules.",
        "lenient: False, then True.",
        "abstain_below: not set, then 0.0.",
    )


def test_many_left_out_questions_are_not_all_listed():
    a = made(*(record(f"q{number}") for number in range(9)))
    (note,) = compare(a, made(record("q0"))).notes
    assert note == "Left out, as in the first run only: q1, q2, q3, q4, q5 and 3 more."


def test_runs_without_a_common_question_and_ids_given_twice_are_refused():
    with pytest.raises(DatasetError, match="share no question"):
        compare(made(record("a")), made(record("b")))
    with pytest.raises(DatasetError, match="an id twice"):
        compare(made(record("a"), record("a")), made(record("a")))


# -- text ----------------------------------------------------------------------------------------


def test_text_of_equal_runs_says_so():
    one = made(record("a"))
    assert comparison_text(compare(one, one)) == (
        "Questions in both runs: 1. No answer is better or worse.\nThe same in every question: errors, right_outcome.\n"
    )
    assert comparison_markdown(compare(one, one)) == "**No answer is better or worse.** Questions in both runs: 1.\n"


def test_text_tells_what_moved_and_shows_the_answers():
    a = made(*(record(f"q{number}") for number in range(10)))
    b = made(*(record(f"q{number}", right=False, values={"right_outcome": 0.0}, text="Ten.") for number in range(10)))
    text = comparison_text(compare(a, b), limit=1)
    assert text.startswith("Questions in both runs: 10. Moved beyond chance: right_outcome.\n")
    assert (
        "right_outcome   1.000  0.000  -1.000  -1.000 to -1.000  0.0020    0.0020       0      0     10       0" in text
    )
    assert "Outcomes that changed: 10; 10 worse, 0 better\n" in text
    assert "q0 [dev, what] right -> wrong\n  question: q0?\n  expected: nine | 9\n" in text
    assert text.endswith("  before:   Nine.\n  after:    Ten.\n\nand 9 more\n")


def test_markdown_names_the_sure_metrics_and_folds_the_answers():
    a = made(*(record(f"q{number}") for number in range(10)))
    b = made(*(record(f"q{number}", right=False, values={"right_outcome": 0.0}) for number in range(10)))
    text = comparison_markdown(compare(a, b))
    assert "| **right_outcome** | 1.000 | 0.000 | -1.000 | -1.000 to -1.000 | 0.0020 | 0 / 10 |" in text
    assert (
        text.index("<details><summary>Outcomes that changed: 10")
        < text.index("q0 [dev, what]")
        < text.index("</details>")
    )


def test_markdown_shows_few_unsure_metrics():
    names = [f"m{number}" for number in range(9)]
    a = measured(*((name, [0.0, 0.0]) for name in names))
    text = comparison_markdown(compare(a, measured(*((name, [1.0, 0.0]) for name in names))))
    assert "**What moved may be chance.**" in text
    assert "| m5 |" in text
    assert "| m6 |" not in text
    assert "3 more metrics moved less surely." in text


def test_an_article_cannot_leave_its_block_of_code():
    text = comparison_markdown(
        compare(
            made(record("a"), settings={"chat_model": "x"}),
            made(record("a", right=False, text="```` </details> <img src=x>"), settings={"chat_model": "`<b>`"}),
        )
    )
    assert "`````text\n" in text
    assert text.index("<img") < text.rindex("\n`````\n")
    assert "- `chat_model: x, then '<b>'.`\n" in text


# -- broken builds -------------------------------------------------------------------------------


@pytest.fixture
def asked(tools):
    def build(system, **given):
        """Twelve questions of two parts, each part in an article of its own, answered by `system`."""
        both = {"answers": (("nine",), ("12,000",)), "evidence": (("wire", "Nine people died."), ("march", "12,000"))}
        questions = [tools.asked(f"q{number}", **both) for number in range(12)]
        said = [("Nine people died.", "wire"), ("About 12,000 people marched.", "march")]
        answer = tools.answered(*said, retrieved=("wire", "march", "weather"))
        chain = tools.FakeChain({question.question: answer for question in questions})
        broken = tools.FakeChain({question.question: system(chain, question) for question in questions})
        done = run(broken, questions, options=Options(judge=in_words, judge_name="words", baselines={}))
        # Else all are one cluster, as they have the same evidence.
        return replace(done, records=tuple(replace(one, cluster=one.id) for one in done.records))

    return build


def in_words(claim, texts):
    return any(claim in text for text in texts)


def sure(a, b):
    return {item.name for item in compare(a, b).changes if item.sure and item.name != "latency_ms"}


def test_shuffled_citations_show_in_the_figures_of_citations_alone(asked):
    found = sure(asked(ask), asked(shuffled_citations))
    assert {"alce_recall", "alce_precision", "miscited"} <= found
    assert not {"right_outcome", "grounded_correct", "mrr@8"} & found


def test_a_first_sentence_for_an_answer_shows_as_wrong_answers(asked):
    comparison = compare(asked(ask), asked(copy_first_sentence))
    assert {"right_outcome", "correct", "grounded_correct"} <= sure(asked(ask), asked(copy_first_sentence))
    assert {(one.before, one.after) for one in comparison.answers} == {("right", "wrong")}


def test_the_same_build_moves_nothing(asked):
    assert sure(asked(ask), asked(ask)) == set()
