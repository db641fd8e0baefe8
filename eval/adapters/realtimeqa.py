"""RealTime QA (Kasai et al. 2022, arXiv:2207.13332): weekly news quizzes, `past/2022/20220617_qa.jsonl` and its like.

One object a line: question_id, question_date ("2022/06/16"), question_sentence, choices, answer (a list of places in
choices, 0-based, as text), and evidence, the quiz's own explanation as HTML; question_source and question_url. The
texts found for each question are in files beside it: `20220617_gold.jsonl`, the articles that the explanation links
to, and `20220617_gcs.jsonl`, a web search; or as search_result in the line itself. `_dpr.jsonl` is not read: it holds
Wikipedia of 2018.

The choices are not shown to the system: it is asked the bare question, on its date, and must say the right choice.
Evidence is what says it: a sentence of each linked article, else the explanation, which then is an article itself, else
a sentence of the first text found that holds it (tagged "distant": it may be about something else). Questions to which
none of these says the answer, and such with the answer "None of the above", are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from pathlib import Path

from eval.adapters.adapted import Adapted, adapted, question_of
from eval.adapters.quoting import Pool, Quotable, aliases_of, one_line
from eval.adapters.reading import Faults, Filled, Id, Layout, read_entries
from eval.datasets import EvalQuestion, Evidence, Split
from ingest.clean import canonical_url, to_utc
from ingest.loaders.records import html_text
from rag.errors import DatasetError

_NO_CHOICE = "questions left out, as their answer is none of the choices"
_NOWHERE = "questions left out, as neither explanation nor texts found say the answer"
_DISTANT = "questions whose evidence is a text found that holds the answer, right or not"
_NO_SEARCH = "questions without texts found beside them; the archive is only what the quizzes explain"
_NONE_OF_THEM = "none of the above"
_QUIZZES = "[0-9]" * 8 + "_qa.jsonl"


class _Text(Layout):
    text: str | None = ""
    url: str = ""
    title: str | None = ""
    authors: Sequence[str] = ()
    publish_date: str | None = ""


class _Question(Layout):
    question_id: Id
    question_date: Filled
    question_sentence: Filled
    choices: list[Filled]
    answer: list[Id]
    evidence: str | None = ""
    question_source: str = ""
    question_url: str = ""
    search_result: Sequence[_Text] = ()


class _Found(Layout):
    question_id: Id
    search_result: Sequence[_Text] = ()


def read_realtimeqa(path: Path, split: Split) -> Adapted:
    """Read a week, or a folder of weeks; see `eval.adapters.adapt`."""
    weeks = sorted(path.glob(_QUIZZES)) if path.is_dir() else [path]
    if not weeks:
        raise DatasetError(
            f"{path} holds no file like 20220617_qa.jsonl: give a folder of RealTime QA, or such a file."
        )
    pool = Pool("realtimeqa")
    counts: Counter[str] = Counter()
    questions = []
    for week in weeks:
        questions += _week(week, split, pool, counts)
    return adapted(path, questions, pool, counts)


def _week(path: Path, split: Split, pool: Pool, counts: Counter[str]) -> list[EvalQuestion]:
    faults = Faults(path)
    items = []
    for entry in read_entries(path):
        item = faults.checked(_Question, entry)
        if item is None or faults.repeated(item.question_id, entry.where):
            continue
        if reason := _fault(item):
            faults.add(entry.where, reason)
        items.append(item)
    faults.raise_any()
    linked, found = _texts(path, "gold"), _texts(path, "gcs")
    titles = _titles([*linked.values(), *found.values()])
    questions = []
    for item in items:
        own = [*found.get(item.question_id, ()), *item.search_result]
        gold = _added(linked.get(item.question_id, ()), titles, pool)
        others = _added(own, titles, pool)
        counts[_NO_SEARCH] += not gold and not others
        if question := _question(item, gold, others, split, pool, counts):
            questions.append(question)
    return questions


def _texts(path: Path, kind: str) -> Mapping[str, Sequence[_Text]]:
    beside = path.with_name(path.name.removesuffix("_qa.jsonl") + f"_{kind}.jsonl")
    if not path.name.endswith("_qa.jsonl") or not beside.exists():
        return {}
    faults = Faults(beside)
    lines = [faults.checked(_Found, entry) for entry in read_entries(beside)]
    faults.raise_any()
    return {line.question_id: line.search_result for line in lines if line}


def _titles(results: Iterable[Sequence[_Text]]) -> dict[str, str]:
    """Return the titles by address: the linked articles come without."""
    return {canonical_url(item.url): item.title for items in results for item in items if item.title}


def _added(items: Iterable[_Text], titles: Mapping[str, str], pool: Pool) -> list[Quotable]:
    added = [
        pool.add(
            item.text or "",
            title=item.title or titles.get(canonical_url(item.url), ""),
            url=item.url,
            published=item.publish_date,
            authors=item.authors,
        )
        for item in items
        if item.text and item.text.strip()
    ]
    return [article for article in added if article]


def _fault(item: _Question) -> str:
    if to_utc(item.question_date) is None:
        return f"question_date {item.question_date!r} is no date"
    places = [int(answer) if answer.isdecimal() else -1 for answer in item.answer]
    if not places:
        return "answer is empty"
    if not all(0 <= place < len(item.choices) for place in places):
        return f"answer {item.answer} is no place in the {len(item.choices)} choices"
    return ""


def _question(
    item: _Question, gold: list[Quotable], others: list[Quotable], split: Split, pool: Pool, counts: Counter[str]
) -> EvalQuestion | None:
    right = [item.choices[int(answer)] for answer in item.answer]
    aliases = aliases_of(right)
    if not aliases or any(choice.strip(" .").lower() == _NONE_OF_THEM for choice in right):
        counts[_NO_CHOICE] += 1
        return None
    evidence, marks = _holding(gold, aliases), []
    if not evidence and (explained := _explanation(item, aliases, pool)):
        evidence = [explained]
    if not evidence and (distant := _holding(others, aliases)):
        evidence, marks = distant[:1], ["distant"]
        counts[_DISTANT] += 1
    if not evidence:
        counts[_NOWHERE] += 1
        return None
    return question_of(
        item.question_id,
        one_line(item.question_sentence),
        answers=[aliases],
        evidence=evidence,
        split=split,
        marks=marks,
        now=_end_of_day(item.question_date),
    )


def _holding(articles: list[Quotable], aliases: tuple[str, ...]) -> list[Evidence]:
    found = [article.sentence_holding(aliases) for article in articles]
    return [evidence for evidence in found if evidence]


def _explanation(item: _Question, aliases: tuple[str, ...], pool: Pool) -> Evidence | None:
    """Return the evidence in the quiz's explanation, which becomes an article if it holds any."""
    fields = {"text": html_text(item.evidence or ""), "id_": f"realtimeqa-{item.question_id}"}
    alone = Pool("realtimeqa").add(**fields)
    if alone is None or alone.sentence_holding(aliases) is None:
        return None
    article = pool.add(**fields, url=item.question_url, source=item.question_source, published=item.question_date)
    return article.sentence_holding(aliases) if article else None


def _end_of_day(day: str) -> datetime | None:
    moment = to_utc(day)
    return datetime.combine(moment.date(), time(23, 59, 59), moment.tzinfo) if moment else None
