from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources

import numpy as np
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from eval.judge_baselines import EmbeddingSimilarity, best_bound, overlap
from eval.judge_figures import Bin, auc, balanced_accuracy, calibration_error, reliability
from eval.judge_report import (
    SHIPPED,
    JudgeReport,
    keep_report,
    known_reports,
    latest_reports,
    report_text,
    validated_note,
)
from eval.judging import JudgeCase, dataset_name, halves, validate
from rag.entailment import BOUNDS, WEIGHTS, ChatEntailment
from rag.errors import DatasetError
from rag.verifier import Verifier

PASSAGE = "Nine people died when the ferry burned. The harbour was closed for two days."
OPEN = "The mayor of the harbour town was told about the nine people."  # nothing that the rules settle


def embed(texts):
    """A unit vector that says whether "ferry" is in the text."""
    return np.array([[1, 0] if "ferry" in text else [0, 1] for text in texts], dtype=np.float32)


def case(supported, group="a", *, claim="Nine died.", text=PASSAGE):
    return JudgeCase(claim, text, supported, group)


DEV = (case(True, "dev", claim="The ferry burned."), case(False, "dev", claim="A bakery opened."))


def scored(scores, labels, groups=None, **options):
    """Validate a judge that gives these scores to cases with these labels."""
    given = iter(scores)
    names = groups or [str(place) for place in range(len(labels))]
    cases = [case(bool(label), group) for label, group in zip(labels, names, strict=True)]
    options = {"name": "mine", "dataset": "small", "embed": embed, "dev": DEV} | options
    return validate(lambda _claim, _text: next(given), cases, **options)


def value(report, name):
    return report.figures[name].value


# -- figures -------------------------------------------------------------------------------------

LABELS = [1, 1, 1, 1, 0, 0]
SCORES = [0.9, 0.8, 0.7, 0.2, 0.6, 0.1]


def test_verdict_figures_by_hand():
    report = scored(SCORES, LABELS)
    # Of four supported three are passed, of two unsupported one is caught.
    assert (value(report, "passed"), value(report, "caught")) == (0.75, 0.5)
    assert value(report, "balanced_accuracy") == 0.625
    assert (report.figures["passed"].n, report.figures["caught"].n, report.figures["auc"].n) == (4, 2, 6)
    # Pairs of supported and unsupported in order: 4 with 0.1, and 0.9, 0.8, 0.7 with 0.6: 7 of 8.
    assert value(report, "auc") == pytest.approx(7 / 8)


def test_calibration_by_hand():
    report = scored(SCORES, LABELS)
    # Squares: .01 .04 .09 .64 .36 .01 = 1.15; each score is alone in its bin: gaps .1 .2 .3 .8 .6 .1 = 2.1
    assert value(report, "brier") == pytest.approx(1.15 / 6)
    assert value(report, "ece") == pytest.approx(2.1 / 6)


def test_scores_of_one_bin_are_weighed_together():
    right, scores = np.array([True, False, True, True]), np.array([0.62, 0.68, 0.65, 1.0])
    # Bin 0.6 to 0.7: two of three supported, mean score 0.65; bin 0.9 to 1: right.
    assert calibration_error(right, scores) == pytest.approx((2 / 3 - 0.65) * 3 / 4)
    bins = reliability(right, scores)
    assert len(bins) == 10
    assert (bins[6].n, bins[6].score, bins[6].supported) == (3, pytest.approx(0.65), pytest.approx(2 / 3))
    assert bins[9] == Bin(0.9, 1.0, 1, 1.0, 1.0)
    assert bins[0] == Bin(0.0, 0.1, 0, None, None)


def test_a_score_on_a_border_is_in_the_upper_bin():
    scores = np.arange(10) / 10
    assert [item.n for item in reliability(scores > 0.5, scores)] == [1] * 10


def test_ties_count_half_in_the_auc():
    assert auc(np.array([True, False]), np.array([0.5, 0.5])) == 0.5
    assert auc(np.array([True, True, False]), np.array([0.5, 0.2, 0.5])) == 0.25


def test_figures_that_need_both_labels_do_not_apply_to_one():
    same, scores = np.array([True, True]), np.array([0.1, 0.2])
    assert balanced_accuracy(same, scores > 0) is None
    assert auc(same, scores) is None
    assert calibration_error(same[:0], scores[:0]) is None


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_judge_that_always_says_the_same_gets_a_half(score):
    report = scored([score] * 6, LABELS)
    assert value(report, "balanced_accuracy") == value(report, "auc") == 0.5
    assert (value(report, "caught"), value(report, "passed")) == (1 - score, score)
    assert report.above.value <= 0


def test_resampling_by_document_is_wider_than_by_case_where_labels_cluster():
    labels = [place // 20 % 2 for place in range(400)]
    right = [place // 20 % 3 > 0 for place in range(400)]  # for a whole document
    scores = [0.9 if label == fine else 0.1 for label, fine in zip(labels, right, strict=True)]
    alone = scored(scores, labels)
    together = scored(scores, labels, [str(place // 20) for place in range(400)])
    for name in ("caught", "passed", "auc", "ece"):
        one, other = alone.figures[name], together.figures[name]
        assert one.value == other.value
        assert other.high - other.low > 1.5 * (one.high - one.low), name


def test_the_same_cases_give_the_same_report():
    first, second = scored(SCORES, LABELS), scored(SCORES, LABELS)
    times = ("ms_p50", "ms_p95")
    assert {name: found for name, found in first.figures.items() if name not in times} == {
        name: found for name, found in second.figures.items() if name not in times
    }
    assert (first.bins, first.trivial, first.above) == (second.bins, second.trivial, second.above)


# -- judging -------------------------------------------------------------------------------------


def test_a_claim_is_as_supported_as_its_weakest_sentence():
    seen = []

    def judge(sentence, text):
        seen.append((sentence, text))
        return 0.3 if sentence == "A bakery opened." else 0.9

    cases = [case(True), case(False, claim="Nine died. A bakery opened.")]
    report = validate(judge, cases, name="mine", dataset="small", embed=embed, dev=DEV)
    assert seen == [("Nine died.", PASSAGE), ("Nine died.", PASSAGE), ("A bakery opened.", PASSAGE)]
    assert (value(report, "balanced_accuracy"), report.sentences) == (1.0, 3)
    assert [item.score for item in report.bins if item.n] == [0.3, 0.9]


def test_the_bound_of_a_function_can_be_set():
    assert value(scored([0.4, 0.2], [1, 0]), "passed") == 0.0
    assert value(scored([0.4, 0.2], [1, 0], bound=0.4), "passed") == 1.0


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_no_answer_counts_as_wrong_and_is_reported(nothing):
    report = scored([nothing, 0.9, nothing, 0.1], [1, 1, 0, 0])
    assert value(report, "unanswered") == 0.5
    assert (value(report, "caught"), value(report, "passed"), value(report, "balanced_accuracy")) == (0.5, 0.5, 0.5)
    # The two without an answer stand at the wrong end: of four pairs only 0.9 over 0.1 is in order.
    assert value(report, "auc") == 0.25
    assert (report.figures["brier"].n, report.figures["brier"].of) == (2, 4)
    assert value(report, "brier") == pytest.approx(0.01)
    assert sum(item.n for item in report.bins) == 2
    assert validated_note(report).endswith("; no usable answer to 50.0%")


def test_a_judge_that_never_answers_is_wrong_throughout():
    report = scored([None, None], [1, 0])
    assert (value(report, "balanced_accuracy"), value(report, "auc"), value(report, "unanswered")) == (0.0, 0.0, 1.0)
    assert value(report, "ece") is value(report, "brier") is None
    assert "ece (-)" in report_text(report)


def test_an_unsupported_sentence_settles_a_claim_whatever_the_others_get():
    def judge(sentence, _text):
        return None if sentence == "Nine died." else 0.2

    cases = [case(False, claim="Nine died. A bakery opened."), case(True, claim="Nine died.")]
    report = validate(judge, cases, name="mine", dataset="small", embed=embed, dev=DEV)
    assert (value(report, "caught"), value(report, "passed"), value(report, "unanswered")) == (1.0, 0.0, 0.5)


def chat_judge(*replies):
    return Verifier(ChatEntailment(GenericFakeChatModel(messages=iter([AIMessage(content=text) for text in replies]))))


def test_unparsable_replies_of_a_chat_model_are_wrong_though_the_rules_have_a_verdict():
    cases = [case(True, "a", claim=OPEN), case(True, "b", claim=OPEN), case(False, "c", claim=OPEN)]
    report = validate(
        chat_judge("yes", "Well, it depends", "no"), cases, name="llm", dataset="small", embed=embed, dev=DEV
    )
    assert (value(report, "unanswered"), value(report, "passed"), value(report, "caught")) == (
        pytest.approx(1 / 3), 0.5, 1.0,
    )  # fmt: skip


def test_what_the_rules_settle_needs_no_reply():
    verbatim = case(True, "a", claim="The harbour was closed for two days.")
    wrong = case(False, "b", claim="The harbour was closed for four days.")
    report = validate(
        chat_judge("no"), [verbatim, wrong, case(False, "c", claim=OPEN)],
        name="llm", dataset="small", embed=embed, dev=DEV,
    )  # fmt: skip
    assert value(report, "settled") == pytest.approx(2 / 3)
    assert (value(report, "balanced_accuracy"), value(report, "unanswered")) == (1.0, 0.0)


def test_rules_alone_settle_all_and_a_function_has_none():
    cases = [case(True, claim="The harbour was closed for two days."), case(False, claim="A school opened.")]
    report = validate(Verifier(), cases, name="rules", dataset="small", embed=embed, dev=DEV)
    assert (value(report, "settled"), value(report, "balanced_accuracy")) == (1.0, 1.0)
    assert value(scored(SCORES, LABELS), "settled") is None


def test_a_score_that_is_no_chance_is_refused():
    with pytest.raises(ValueError, match=r"returned 3.2 for 'Nine died.'"):
        scored([3.2, 0.1], [1, 0])


def test_progress_is_told():
    seen = []
    scored(SCORES, LABELS, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(place, 6) for place in range(1, 7)]


# -- halves and trivial judges -------------------------------------------------------------------


def test_without_dev_cases_half_of_the_documents_is_measured():
    cases = [case(place % 2 == 0, f"d{place // 4}", claim=f"Claim {place}.") for place in range(80)]
    other, measured = halves(cases, "small")
    assert sorted(other + measured, key=cases.index) == cases
    assert not {item.group for item in other} & {item.group for item in measured}
    seen = []
    report = validate(lambda claim, _: float(bool(seen.append(claim))), cases, name="m", dataset="small", embed=embed)
    assert seen == [item.claim for item in measured]
    assert (report.cases, report.dev_cases, report.dev_given) == (len(measured), len(other), False)
    assert halves(cases, "other")[0] != other


def test_halves_are_those_the_network_was_trained_by():
    # The SHA-256 of "wice:2" ends in 3, that of "wice:4" in 8: even ones are measured.
    first, second = case(True, "2"), case(False, "4")
    assert halves([first, second], "wice") == ([first], [second])


def test_both_halves_need_both_labels():
    with pytest.raises(DatasetError, match="wice has 0 supported and 1 unsupported cases to measure"):
        validate(lambda *_: 1.0, [case(True, "2"), case(False, "4")], name="m", dataset="wice", embed=embed)
    with pytest.raises(DatasetError, match="small has 2 supported and 0 unsupported cases to measure, and needs both"):
        scored([0.1, 0.2], [1, 1])
    one = [case(True, "4"), case(False, "4")]  # a single document, which is measured
    with pytest.raises(DatasetError, match="wice has 0 supported and 0 unsupported cases to set bounds on"):
        validate(lambda *_: 1.0, one, name="m", dataset="wice", embed=embed)


def test_without_any_dev_case_the_bounds_are_set_on_what_is_measured():
    cases = [case(True, "a", claim="The ferry burned."), case(False, "b", claim="A bakery opened.")]
    report = validate(lambda *_: 1.0, cases, name="mine", dataset="small", embed=embed, dev=[])
    assert (report.cases, report.dev_cases) == (2, 0)
    assert report.trivial[2].figures["balanced_accuracy"].value == 1.0
    assert "bounds best on the measured cases themselves: " in report_text(report)


def test_a_case_may_not_be_measured_and_set_the_bounds():
    with pytest.raises(DatasetError, match="both measured and dev cases"):
        scored([0.1, 0.2], [1, 0], dev=(case(True), case(False, claim="A bakery opened.")))


def test_an_empty_claim_is_refused():
    with pytest.raises(DatasetError, match="A claim of small is empty"):
        validate(Verifier(), [case(True, claim=" ")], name="rules", dataset="small", embed=embed, dev=DEV)


def test_word_overlap_is_the_share_of_content_words():
    assert overlap("The ferry burned in Oslo.", PASSAGE) == pytest.approx(2 / 3)
    assert overlap("It was.", PASSAGE) == 0.0


def test_embedding_similarity_is_that_of_the_nearest_sentence():
    nearest = EmbeddingSimilarity(embed)
    assert (nearest("A ferry.", PASSAGE), nearest("A ferry.", "Rain fell."), nearest("Rain.", PASSAGE)) == (1, 0, 1)
    assert nearest("A ferry.", " ") == 0


def test_the_bound_is_the_best_on_the_dev_cases():
    bound = best_bound(np.array([0.1, 0.2, 0.6, 0.8]), np.array([False, False, True, True]))
    assert 0.2 < bound <= 0.6


def test_trivial_judges_stand_beside_with_the_difference_to_the_best():
    cases = [case(True, str(place), claim=f"The ferry burned {place}.") for place in range(4)]
    cases += [case(False, str(place), claim=f"A bakery opened {place}.") for place in range(4, 8)]
    report = validate(lambda *_: 1.0, cases, name="mine", dataset="small", embed=embed, dev=DEV)
    assert [judge.name for judge in report.trivial] == [
        "always supported", "always unsupported", "word overlap", "embedding similarity",
    ]  # fmt: skip
    assert [judge.figures["balanced_accuracy"].value for judge in report.trivial] == [0.5, 0.5, 1.0, 0.5]
    assert [judge.bound is None for judge in report.trivial] == [True, True, False, False]
    assert report.best_trivial.name == "word overlap"
    assert (report.above.value, report.above.low, report.above.high) == (-0.5, -0.5, -0.5)
    assert "above the best trivial judge (word overlap): -0.500 [-0.500, -0.500]; not above it" in report_text(report)


# -- files ---------------------------------------------------------------------------------------


def test_a_dataset_is_named_after_its_file_without_the_split(tmp_path):
    assert [dataset_name(tmp_path / name) for name in ("wice_dev.jsonl", "a-test.jsonl", "development.jsonl")] == [
        "wice", "a", "development",
    ]  # fmt: skip


def test_a_report_is_read_as_it_was_written(tmp_path):
    report = scored([None, *SCORES[1:]], LABELS, digest="ab" * 32)
    report.save(tmp_path / "new" / "report.json")
    assert JudgeReport.load(tmp_path / "new" / "report.json") == report


def test_what_is_no_report_is_told(tmp_path):
    path = tmp_path / "report.json"
    with pytest.raises(DatasetError, match="is not a file made by"):
        JudgeReport.load(path)
    path.write_text("{}")
    with pytest.raises(DatasetError, match="is not a file made by"):
        JudgeReport.load(path)
    replace(scored(SCORES, LABELS), form=99).save(path)
    with pytest.raises(DatasetError, match="has form 99"):
        JudgeReport.load(path)


def test_a_home_keeps_the_latest_report_of_each_judge_and_dataset(tmp_path):
    report = replace(scored(SCORES, LABELS), created_at=datetime(2025, 9, 1, tzinfo=UTC))
    later = replace(report, created_at=report.created_at + timedelta(days=1))
    other = replace(report, judge="nli:a/b", created_at=report.created_at + timedelta(hours=1))
    assert latest_reports(tmp_path) == []
    assert keep_report(tmp_path, report) == tmp_path / "evals" / "judges" / "mine--small.json"
    keep_report(tmp_path, other)
    keep_report(tmp_path, later)
    assert latest_reports(tmp_path) == [later, other]
    (tmp_path / "evals" / "judges" / "mine--small.json").write_text("{")
    with pytest.raises(DatasetError, match=r"mine--small\.json is not a file"):
        latest_reports(tmp_path)


def test_the_note_is_one_line_with_interval_size_and_the_best_trivial():
    report = replace(scored(SCORES, LABELS), cases=1200)
    accuracy = replace(report.figures["balanced_accuracy"], low=0.5712, high=0.64)
    best = replace(report.trivial[0], figures={"balanced_accuracy": replace(accuracy, value=0.51)})
    report = replace(report, figures={**report.figures, "balanced_accuracy": accuracy}, trivial=(best,))
    assert validated_note(report) == (
        "judge mine: balanced accuracy 0.62 [0.57, 0.64] on small (1,200 human labels); best trivial 0.51"
    )


def test_the_table_has_the_trivial_judges_beside_and_the_bins_below():
    lines = report_text(scored(SCORES, LABELS)).splitlines()
    assert lines[0].startswith("small: 6 human labels on 6 documents, 0.67 supported, ")
    assert lines[1].startswith("bounds best on 2 cases given apart: word overlap ")
    rows = {line.split()[0]: line.split() for line in lines[2:] if line.strip()}
    assert (rows["caught"][1], rows["caught"][4:]) == ("0.500", ["2/6", "0.000", "1.000", "0.000", "0.000"])
    assert rows["brier"][1:3] == ["(-)", "0.192"]
    assert rows["0.9"] == ["0.9", "to", "1.0", "1", "0.900", "1.000"]


def test_what_the_built_in_judge_reaches_is_shipped_and_of_these_weights(tmp_path):
    """If this fails the weights or bounds are others: judge both sets again, copy the reports, write the new sum."""
    parts = [resources.files("rag.data").joinpath(name).read_bytes() for name in (WEIGHTS, BOUNDS)]
    assert (SHIPPED / "builtin.sha256").read_text().split()[0] == hashlib.sha256(b"".join(parts)).hexdigest()
    shipped = known_reports(tmp_path)
    assert {(report.judge, report.dataset) for report in shipped} == {
        ("builtin:balanced", "summedits"), ("builtin:balanced", "wice"),
    }  # fmt: skip
    own = replace(shipped[0], cases=7)
    keep_report(tmp_path, own)
    assert [report.cases for report in known_reports(tmp_path) if report.dataset == own.dataset] == [7]
