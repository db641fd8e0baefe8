"""One answer against one question: every metric that applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eval.baselines import EvalArchive
from eval.datasets import EvalQuestion
from eval.metrics import citations as cite
from eval.metrics import grounding
from eval.metrics.abstention import abstention_precision, abstention_recall, over_refusal
from eval.metrics.answers import (
    contains_gold,
    date_match,
    exact_match,
    list_recall,
    number_match,
    token_f1,
    without_markers,
)
from eval.metrics.attribution import attribution
from eval.metrics.grounding import Judge
from eval.metrics.retrieval import all_evidence_at_k, gold_ranks, hit_at_k, ndcg_at_k, recall_at_k, reciprocal_rank
from rag.checking import evidence_text
from rag.errors import NotFoundError
from rag.schema import Answer, Citation, TimeWindow

Values = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Scores:
    """What one answer scored; None where a figure does not apply.

    Attributes:
        correct: Answered, and every expected group is in the shown text; None if unanswerable.
        grounded_correct: Correct, with at least one citation from a gold article or its copy.
        ranks: For each gold set the 1-based place of its first article, None if not found.
        values: Every metric by name, the same names in the same order for every question.
    """

    correct: bool | None
    grounded_correct: bool | None
    ranks: tuple[int | None, ...]
    values: Values


def score(
    question: EvalQuestion,
    answer: Answer,
    archive: EvalArchive,
    *,
    k: int,
    judge: Judge | None = None,
    routes: Mapping[str, Sequence[str]] | None = None,
) -> Scores:
    """Score an answer.

    Args:
        question: The question with its gold.
        answer: What the system said.
        archive: Tells which articles are copies of one story, and holds the cited texts.
        k: Places of `answer.retrieved` to look at; a place is a passage.
        judge: Tells whether texts support a claim; None leaves the figures that need one out.
        routes: Articles found by each search alone, best first, by the search's name.
    """
    ranked = [found.passage.article_id for found in answer.retrieved]
    cited = [citation.article_id for citation in answer.citations]
    copies = _copies(question, [*ranked, *cited], archive)
    gold = _gold_sets(question, copies)
    abstained = answer.status == "abstained"
    correct, grounded = _correctness(question, answer, copies)
    values: Values = {
        "right_outcome": float(bool(correct)) if question.answerable else float(abstained),
        "correct": _number(correct),
        "grounded_correct": _number(grounded),
        "correct_if_answered": None if abstained else _number(correct),
        **_answer_values(question, "" if abstained else shown_text(answer), _short_text(answer)),
        "answer_words": None if abstained else float(len(shown_text(answer).split())),
        **_retrieval_values(ranked, gold, k),
        **_route_values(routes or {}, gold, k),
        **_citation_values(question, answer, copies, archive),
        **_grounding_values(answer, judge),
        "window_right": _window_right(question, answer.window),
        "as_of_right": _as_of_right(answer),
        **_abstention_values(question, abstained=abstained),
        **_token_values(answer),
    }
    return Scores(correct, grounded, tuple(gold_ranks(ranked[:k], gold)), values)


def score_failure(question: EvalQuestion, *, k: int, routes: Iterable[str] = ()) -> Scores:
    """Score a call that raised: wrong, nothing found, nothing cited, not abstained."""
    gold = _gold_sets(question, {item.article_id: {item.article_id} for item in question.evidence})
    wrong = False if question.answerable else None
    values: Values = {
        "right_outcome": 0.0,
        "correct": _number(wrong),
        "grounded_correct": _number(wrong),
        "correct_if_answered": None,
        **_answer_values(question, "", ""),
        "answer_words": None,
        **_retrieval_values([], gold, k),
        **_route_values(dict.fromkeys(routes, ()), gold, k),
        **dict.fromkeys((*_CITATION_NAMES, *_GROUNDING_NAMES)),
        "window_right": 0.0 if question.window else None,
        "as_of_right": None,
        **_abstention_values(question, abstained=False),
        **dict.fromkeys(_TOKENS.values()),
    }
    return Scores(wrong, wrong, (None,) * len(gold), values)


def shown_text(answer: Answer) -> str:
    """Return what a reader sees as the answer: its text without markers, and the conflicts' values."""
    values = [position.value for conflict in answer.conflicts for position in conflict.positions]
    return "\n".join([without_markers(answer.text), *values])


# -- gold ----------------------------------------------------------------------------------------


def _copies(question: EvalQuestion, seen: Iterable[str], archive: EvalArchive) -> dict[str, set[str]]:
    """Return for each gold article the ids that carry its story, itself among them."""
    golden = list(dict.fromkeys(item.article_id for item in question.evidence))
    if not golden:
        return {}
    cards = archive.stories.cards(list(dict.fromkeys([*golden, *seen])))
    story = {article_id: card.story_id for article_id, card in cards.items()}
    return {
        article_id: {article_id}
        | {other for other in story if article_id in story and story[other] == story[article_id]}
        for article_id in golden
    }


def _gold_sets(question: EvalQuestion, copies: Mapping[str, set[str]]) -> list[set[str]]:
    """Return one set of articles for each part of the answer.

    A part is found with any article whose quote holds it: reports that say the same replace each
    other, while the two sides of a conflict are both needed. A part that no quote holds in so many
    words ("yes") is found with any of the evidence.
    """
    sets = []
    for group in question.answers:
        holding = [item for item in question.evidence if contains_gold(item.quote, [group])] or question.evidence
        sets.append(set().union(*(copies[item.article_id] for item in holding)))
    return sets


# -- metrics -------------------------------------------------------------------------------------


def _correctness(
    question: EvalQuestion, answer: Answer, copies: Mapping[str, set[str]]
) -> tuple[bool | None, bool | None]:
    if not question.answerable:
        return None, None
    correct = answer.status != "abstained" and bool(contains_gold(shown_text(answer), question.answers))
    golden = set().union(*copies.values())
    return correct, correct and any(citation.article_id in golden for citation in answer.citations)


def _has_short_answer(question: EvalQuestion) -> bool:
    # With several groups the golds would be every combination of aliases in every order.
    return len(question.answers) == 1 and "yes-no" not in question.tags


def _short_text(answer: Answer) -> str:
    if answer.status == "abstained":
        return ""
    return answer.short.text if answer.short else shown_text(answer)


def _answer_values(question: EvalQuestion, said: str, short: str) -> Values:
    """Return what compares words with the expected ones; a refusal is the empty answer, as SQuAD has it."""
    one = question.answers[0] if _has_short_answer(question) else ()
    conflict = "conflict" in question.tags
    return {
        "exact_match": exact_match(short, one),
        "token_f1": token_f1(said, one),
        "list_recall": None if conflict else list_recall(said, question.answers),
        "number_match": number_match(said, one),
        "date_match": date_match(said, one),
        "latest_right": _number(bool(contains_gold(said, question.answers))) if "latest" in question.tags else None,
        "conflict_coverage": list_recall(said, question.answers) if conflict else None,
    }


def _retrieval_values(ranked: list[str], gold: list[set[str]], k: int) -> Values:
    return {
        "hit@1": hit_at_k(ranked, gold, k=1),
        f"hit@{k}": hit_at_k(ranked, gold, k=k),
        f"recall@{k}": recall_at_k(ranked, gold, k=k),
        f"all_evidence@{k}": all_evidence_at_k(ranked, gold, k=k),
        f"mrr@{k}": reciprocal_rank(ranked, gold, k=k),
        f"ndcg@{k}": ndcg_at_k(ranked, gold, k=k),
    }


def _route_values(routes: Mapping[str, Sequence[str]], gold: list[set[str]], k: int) -> Values:
    values: Values = {}
    for name, ranked in routes.items():
        values[f"{name}_hit@{k}"] = hit_at_k(ranked, gold, k=k)
        values[f"{name}_mrr@{k}"] = reciprocal_rank(ranked, gold, k=k)
    return values


_CITATION_NAMES = (
    "citation_recall",
    "citation_precision",
    "invalid_citations",
    "quote_exact",
    "supported_claims",
    "attribution",
)
_GROUNDING_NAMES = ("alce_recall", "alce_precision", "grounded_retrieved", "miscited")


def _citation_values(
    question: EvalQuestion, answer: Answer, copies: Mapping[str, set[str]], archive: EvalArchive
) -> Values:
    if answer.status == "abstained":
        return dict.fromkeys(_CITATION_NAMES)
    claims = [claim.citations for claim in answer.claims]
    verdicts = [claim.verdict for claim in answer.claims]
    sides = [[position.citation for position in conflict.positions] for conflict in answer.conflicts]
    articles = {citation.number: citation.article_id for citation in answer.citations}
    golden = set().union(*copies.values())
    texts = _cited_texts(answer)
    exact = [_is_exact(answer, number, archive) for number in articles]
    found = (
        # An unanswerable question has no gold article to cite: that it was answered is wrong already.
        cite.citation_recall(claims, articles, golden) if question.answerable else None,
        cite.citation_precision([*claims, *sides], articles, golden) if question.answerable else None,
        cite.invalid_share([*claims, *sides], articles),
        sum(exact) / len(exact) if exact else None,
        cite.supported_claims(verdicts),
        attribution(
            [claim.text for claim in answer.claims],
            [[texts[number] for number in numbers if number in texts] for numbers in claims],
        ),
    )
    return dict(zip(_CITATION_NAMES, found, strict=True))


def _grounding_values(answer: Answer, judge: Judge | None) -> Values:
    if judge is None or answer.status == "abstained":
        return dict.fromkeys(_GROUNDING_NAMES)
    texts = _cited_texts(answer)
    retrieved = [evidence_text(item) for item in answer.retrieved]
    found = [grounding.judged(claim.text, claim.citations, texts, retrieved, judge) for claim in answer.claims]
    values = (
        grounding.alce_recall(found),
        grounding.alce_precision(found),
        grounding.grounded_in_retrieved(found),
        grounding.miscited(found),
    )
    return dict(zip(_GROUNDING_NAMES, values, strict=True))


def _cited_texts(answer: Answer) -> dict[int, str]:
    return {citation.number: _cited_text(answer, citation) for citation in answer.citations}


def _cited_text(answer: Answer, citation: Citation) -> str:
    """Return the passage that a citation is from, as the writer was shown it; its quote if that was not retrieved."""
    for item in answer.retrieved:
        passage = item.passage
        same = (passage.article_id, passage.version) == (citation.article_id, citation.version)
        if same and passage.start <= citation.start and citation.end <= passage.end:
            return evidence_text(item)
    return citation.quote


# Ours -> as `Answer.tokens` has it.
_TOKENS = {"prompt": "prompt_tokens", "written": "written_tokens"}


def _token_values(answer: Answer) -> Values:
    """Return what a chat model read and wrote; None where its server does not count, and without one."""
    return {name: None if key not in answer.tokens else float(answer.tokens[key]) for key, name in _TOKENS.items()}


def _as_of_right(answer: Answer) -> float | None:
    """Return the share of claims whose "as of" is the date of the newest article they cite; None if none is dated."""
    published = {citation.number: citation.published_at for citation in answer.citations}
    good = []
    for claim in answer.claims:
        dates = [moment for number in claim.citations if (moment := published.get(number)) is not None]
        if dates:
            good.append(claim.as_of == max(dates))
    return sum(good) / len(good) if good else None


def _is_exact(answer: Answer, number: int, archive: EvalArchive) -> bool:
    citation = next(item for item in answer.citations if item.number == number)
    try:
        return cite.quote_exact(citation, archive.article(citation.article_id, citation.version).text)
    except NotFoundError:
        return False


def _abstention_values(question: EvalQuestion, *, abstained: bool) -> Values:
    """Return each rate over this one question; their means over questions are the rates."""
    outcome = [(question.answerable, abstained)]
    return {
        "abstention_precision": abstention_precision(outcome),
        "abstention_recall": abstention_recall(outcome),
        "over_refusal": over_refusal(outcome),
    }


def _window_right(question: EvalQuestion, window: TimeWindow | None) -> float | None:
    if question.window is None:
        return None
    return float(_days(window, question.now) == _days(question.window, question.now))


def _days(window: TimeWindow | None, now: datetime | None) -> tuple[object, object]:
    """Return the first and the last day searched.

    An end at `now` or later is no end, as nothing is published after it: "since August" is right
    with and without one. The end is half-open, so midnight belongs to the day before.
    """
    since = window.since if window else None
    until = window.until if window else None
    if until and until >= (now or datetime.now(UTC)):
        until = None
    return since and since.date(), until and (until - timedelta(microseconds=1)).date()


def _number(value: bool | None) -> float | None:
    return None if value is None else float(value)
