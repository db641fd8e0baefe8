from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eval.baselines import ask, copy_first_sentence, shuffled_citations
from eval.bounds import Baseline, Bound, Paired, load_baseline, write_baseline
from eval.gate import Check, GateResult, gate, gate_text
from eval.records import Record, Run
from eval.runner import Options, run
from rag.errors import DatasetError

DIGEST = "d" * 64
NOW = datetime(2025, 9, 1, tzinfo=UTC)


def made(*records, **fields):
    values = {
        "created_at": NOW,
        "k": 8,
        "settings": {},
        "versions": {"torch": "2.13"},
        "data_digest": DIGEST,
        "records": records,
    }
    return Run(**values | fields)


def record(id_, values, *, split="test"):
    return Record(
        id=id_,
        question="?",
        split=split,
        tags=(),
        answerable=True,
        answers=(("nine",),),
        status="answered",
        abstained=False,
        correct=True,
        grounded_correct=True,
        ranks=(),
        values=values,
    )


def over(values, metric="right_outcome", **fields):
    return made(*(record(f"q{place}", {metric: value}) for place, value in enumerate(values)), **fields)


def scored(value, **fields):
    """A hundred questions of the test split, all with this citation precision."""
    return over([value] * 100, "citation_precision", **fields)


def bound(measured=0.95, tolerance=0.02, *, metric="citation_precision", group="test", side="floor", n=100, of=100):
    return Bound(metric, group, side, measured, tolerance, n, of)


def baseline(*bounds, **fields):
    values = {
        "created_at": NOW,
        "data_digest": DIGEST,
        "k": 8,
        "judge": "",
        "versions": {"torch": "2.13"},
        "bounds": bounds,
    }
    return Baseline(**values | fields)


def problems(result):
    return [check.problem for check in result.failures]


# -- builds --------------------------------------------------------------------------------------


@pytest.fixture
def build(tools, tmp_path):
    """Run a build over 16 questions of two parts and 8 that the archive does not answer, half of each in each split."""
    data = tmp_path / "questions.jsonl"
    data.write_text("the same for all builds")
    both = {"answers": (("nine",), ("12,000",)), "evidence": (("wire", "Nine people died."), ("march", "12,000"))}
    known = [tools.asked(f"known{n}", split=("dev", "test")[n % 2], **both) for n in range(16)]
    unknown = [tools.asked(f"unknown{n}", split=("dev", "test")[n % 2]) for n in range(8)]

    def built(system=ask, *, known_answer=None, unknown_answer=None, questions=(*known, *unknown), judge="words", k=8):
        right = tools.answered(
            ("Nine people died.", "wire"),
            ("About 12,000 people marched.", "march"),
            retrieved=("wire", "march", "weather"),
        )
        said = {
            question.question: known_answer or right if question.answerable else unknown_answer or tools.abstained()
            for question in questions
        }
        chain = tools.FakeChain(said)
        answers = {
            question.question: said[question.question]
            if isinstance(said[question.question], Exception)
            else system(chain, question)
            for question in questions
        }
        options = Options(k=k, judge=in_words, judge_name=judge, baselines={})
        return run(tools.FakeChain(answers), questions, dataset=data, options=options)

    built.questions = (*known, *unknown)
    return built


def in_words(claim, texts):
    return any(claim in text for text in texts)


@pytest.fixture
def good(build, tmp_path):
    return write_baseline(build(), tmp_path / "baseline.json")


def failing(result):
    return {check.metric for check in result.failures}


def test_an_unbroken_build_passes_each_time(build, good):
    for _ in range(3):
        result = gate(build(), good)
        assert result.passed
        assert gate_text(result) == f"The gate passed: {len(result.checks)} checks.\n"
    assert {check.group for check in result.checks} == {"all", "dev", "test"}


def test_shuffled_citations_fail(build, good):
    assert failing(gate(build(shuffled_citations), good)) == {"alce_recall", "alce_precision", "miscited"}


def test_a_first_sentence_for_an_answer_fails(build, good):
    assert failing(gate(build(copy_first_sentence), good)) == {
        "right_outcome",
        "grounded_correct",
        "abstention_recall",
    }


def test_answers_without_the_evidence_found_fail(build, good, tools):
    lost = tools.answered(("Rain fell on the coast.", "weather"), retrieved=("weather", "wire"))
    assert failing(gate(build(known_answer=lost), good)) == {
        "right_outcome",
        "grounded_correct",
        "all_evidence@8",
        "mrr@8",
        "citation_recall",
        "citation_precision",
    }


def test_answers_where_the_archive_does_not_say_fail(build, good, tools):
    result = gate(build(unknown_answer=tools.answered(("Rain fell on the coast.", "weather"))), good)
    assert failing(result) == {"right_outcome", "abstention_recall"}
    assert "abstention_recall on test is 0, the baseline asks for at least 0.75 (1 less 0.25)." in problems(result)


def test_refusing_what_was_answered_fails(build, good, tools):
    result = gate(build(known_answer=tools.abstained()), good)
    assert {"right_outcome", "over_refusal"} <= failing(result)
    assert "over_refusal on dev is 1, the baseline asks for at most 0.125 (0 and 0.125)." in problems(result)
    # No answer is left to cite anything.
    assert "citation_precision on all applies to no answer of the run, in the baseline to 16." in problems(result)


def test_failed_calls_fail(build, good):
    assert "errors" in failing(gate(build(known_answer=TimeoutError("no reply")), good))


# -- bounds --------------------------------------------------------------------------------------


def test_message_has_figure_bound_and_tolerance():
    result = gate(scored(0.61), baseline(bound()))
    assert gate_text(result) == (
        "The gate failed: 1 of 1 checks.\n"
        "  citation_precision on test is 0.61, the baseline asks for at least 0.93 (0.95 less 0.02).\n"
    )


@pytest.mark.parametrize(
    ("value", "side", "passes"),
    [
        (0.93, "floor", True),
        (0.9299, "floor", False),
        (1.0, "floor", True),
        (0.97, "ceiling", True),
        (0.9701, "ceiling", False),
        (0.0, "ceiling", True),
    ],
)
def test_the_bound_itself_passes(value, side, passes):
    assert gate(scored(value), baseline(bound(side=side))).passed == passes


def test_a_figure_that_is_missing_fails():
    other = over([1.0] * 100, "mrr@5")
    assert problems(gate(other, baseline(bound()))) == [
        "citation_precision on test is missing: this build does not measure it; write a new baseline if that is meant."
    ]
    assert problems(gate(replace(other, k=5), baseline(bound(metric="mrr@8")))) == [
        "mrr@8 on test is missing: the run scored 5 places, the baseline 8."
    ]


def test_a_run_over_one_split_fails(build, good):
    dev = build(questions=[question for question in build.questions if question.split == "dev"])
    found = problems(gate(dev, good))
    assert (
        "mrr@8 on all is over 12 questions, the baseline over 24; run the eval without --split and --sample." in found
    )
    assert (
        "mrr@8 on test is missing: the run asked no question of it; run the eval without --split and --sample." in found
    )


def test_other_data_and_another_judge_are_errors_with_the_cure():
    with pytest.raises(DatasetError, match=r"data eeeeeeeeeeee\) than the baseline \(dddddddddddd\).*question file"):
        gate(made(data_digest="e" * 64), baseline(bound()))
    with pytest.raises(DatasetError, match="judged by nothing, the baseline by rules: run the eval with"):
        gate(made(), baseline(bound(), judge="rules"))


def test_other_versions_and_better_figures_are_said():
    result = gate(scored(0.98, versions={"torch": "2.14"}), baseline(bound()))
    assert result.passed
    assert result.notes == (
        "torch is 2.14, the baseline was measured with 2.13.",
        "Better than the baseline: citation_precision on test (0.95 to 0.98). Write a new one to hold that.",
    )
    assert gate(scored(0.96), baseline(bound())).notes == ()


# -- the paired test -----------------------------------------------------------------------------


def paired(old, *, clusters=None, tolerance=0.5, metric="right_outcome", side="floor"):
    """A baseline that only its paired test can find fault with."""
    names = clusters or [f"q{place}" for place in range(len(old))]
    records = tuple(Paired(f"q{place}", names[place], {metric: value}) for place, value in enumerate(old))
    of = len(old)
    return baseline(
        bound(sum(old) / of, tolerance, metric=metric, group="all", side=side, n=of, of=of), records=records
    )


def test_a_steady_loss_inside_the_tolerance_fails():
    result = gate(over([0.9] * 20), paired([1.0] * 20))
    (check,) = result.failures
    assert (check.kind, check.metric, check.group) == ("paired", "right_outcome", "all")
    assert check.problem == (
        "right_outcome got worse in 20 questions and better in 0, which is not chance (p = 0.0001, corrected; "
        "the gate asks for more than 0.01)."
    )


def test_noise_and_gains_inside_the_tolerance_pass():
    noise = [0.0, 1.0] * 10
    assert gate(over(noise), paired([1.0, 0.0] * 10)).passed
    assert gate(over([1.0] * 20), paired([0.9] * 20)).passed


def test_six_losses_may_be_chance_and_seven_not():  # 1 / 64 and 1 / 128
    assert gate(over([0.0] * 6 + [1.0] * 14), paired([1.0] * 20)).passed
    assert not gate(over([0.0] * 7 + [1.0] * 13), paired([1.0] * 20)).passed


def test_losses_on_one_article_are_one_loss():
    assert gate(over([0.0] * 7 + [1.0] * 13), paired([1.0] * 20, clusters=["a"] * 7 + ["b"] * 13)).passed


def test_what_should_be_low_is_worse_when_higher():
    result = gate(over([0.2] * 10, "miscited"), paired([0.1] * 10, metric="miscited", side="ceiling"))
    assert [check.kind for check in result.failures] == ["paired"]


def test_a_figure_that_no_longer_applies_is_left_to_the_other_metrics():
    result = gate(over([None] * 19 + [1.0]), paired([1.0] * 20))
    assert [check.kind for check in result.checks] == ["bound"]


# -- the file ------------------------------------------------------------------------------------


def test_file_reads_back_and_has_a_line_for_each_bound_and_question(build, tmp_path):
    path = tmp_path / "new" / "baseline.json"
    written = write_baseline(build(), path)
    assert load_baseline(path) == written
    lines = path.read_text().splitlines()
    (line,) = [line for line in lines if '"mrr@8", "group": "test"' in line]
    assert json.loads(line.rstrip(",")) == {
        "metric": "mrr@8",
        "group": "test",
        "side": "floor",
        "measured": 1.0,
        "tolerance": 0.125,  # one of eight questions
        "n": 8,
        "of": 12,
    }
    assert sum('"cluster"' in line for line in lines) == 24
    assert not any("latency" in line for line in lines)


def test_tolerance_is_at_least_one_question_and_none_for_guarantees(tmp_path):
    def build_of(right):
        """Of 22 questions that have an abstention recall, this many are right; 78 others."""
        few = [
            {"abstention_recall": float(place < right), "quote_exact": 1.0, "window_right": None} for place in range(22)
        ]
        many = [{"abstention_recall": None, "quote_exact": 1.0, "window_right": None}] * 78
        return made(*(record(f"q{place}", values) for place, values in enumerate([*few, *many])))

    names = ["abstention_recall", "quote_exact", "window_right", "errors"]
    written = write_baseline(build_of(22), tmp_path / "b.json", metrics=names)
    assert [(one.metric, one.side, one.tolerance, one.n) for one in written.bounds if one.group == "test"] == [
        ("abstention_recall", "floor", 0.0455, 22),
        ("quote_exact", "floor", 0.0, 100),
        ("errors", "ceiling", 0.0, 100),
    ]
    assert gate(build_of(21), written).passed
    assert failing(gate(build_of(20), written)) == {"abstention_recall"}
    one_wrong = build_of(22)
    first = replace(one_wrong.records[0], values={**one_wrong.records[0].values, "quote_exact": 0.5})
    assert failing(gate(replace(one_wrong, records=(first, *one_wrong.records[1:])), written)) == {"quote_exact"}


def test_a_baseline_without_the_paired_test(build, tmp_path):
    written = write_baseline(build(), tmp_path / "b.json", paired=False)
    assert written.records == ()
    assert gate(build(), written).passed


def test_what_a_run_does_not_measure_is_not_gated(tmp_path):
    written = write_baseline(over([1.0, 0.0]), tmp_path / "b.json")
    assert [(one.metric, one.group) for one in written.bounds] == [
        ("right_outcome", "all"),
        ("errors", "all"),
        ("right_outcome", "test"),
        ("errors", "test"),
    ]


def test_a_worse_baseline_must_be_meant(build, tmp_path):
    path = tmp_path / "b.json"
    before = write_baseline(build(), path)
    worse = build(copy_first_sentence)
    with pytest.raises(DatasetError, match=r"right_outcome on all from 1 to 0; .*--lower"):
        write_baseline(worse, path)
    with pytest.raises(DatasetError, match="mrr@8 on all from 1 to none"):
        write_baseline(build(), path, metrics=["right_outcome"])
    assert load_baseline(path) == before
    assert gate(worse, write_baseline(worse, path, lower=True)).passed
    write_baseline(build(), path)  # a better one needs no word
    write_baseline(replace(worse, data_digest="e" * 64), path)  # nor do other questions


def test_runs_and_arguments_that_make_no_baseline(build, tmp_path):
    path = tmp_path / "b.json"
    with pytest.raises(DatasetError, match="which question file"):
        write_baseline(replace(build(), data_digest=""), path)
    with pytest.raises(DatasetError, match="has no mrr8: gate metrics"):
        write_baseline(build(), path, metrics=["mrr", "mrr8"])
    with pytest.raises(ValueError, match="tolerance is 2"):
        write_baseline(build(), path, tolerance=2)
    assert not path.exists()


def test_other_files_are_no_baseline(tmp_path):
    path = tmp_path / "b.json"
    with pytest.raises(DatasetError, match=r"b.json is no baseline.*No such file"):
        load_baseline(path)
    path.write_text("{}")
    with pytest.raises(DatasetError, match="no baseline"):
        load_baseline(path)


def test_another_form_is_refused(build, tmp_path):
    path = tmp_path / "b.json"
    write_baseline(build(), path)
    path.write_text(path.read_text().replace('"form": 1', '"form": 9'))
    with pytest.raises(DatasetError, match="form 9, this Pressmark reads 1"):
        load_baseline(path)


def test_result_tells_failures_from_checks():
    good, bad = Check("m", "all", "bound", 1.0, 0.5, ""), Check("m", "dev", "bound", 0.1, 0.5, "too low")
    assert not GateResult((good, bad), ()).passed
    assert GateResult((good, bad), ()).failures == (bad,)
