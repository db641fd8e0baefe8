"""What an adapter makes of a public dataset, and the files it is kept in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eval.adapters.quoting import Pool
from eval.adapters.retrieval import RetrievalQuestion, retrieval_line
from eval.datasets import EvalQuestion, Evidence, Split, check_quotes
from ingest.loaders.records import EXPORTED
from rag.errors import DatasetError
from rag.questions import kind_of
from rag.schema import Article

UNQUOTED = "questions of which no quote holds the answer in so many words"


@dataclass(frozen=True, slots=True)
class Adapted:
    """A public dataset in our own forms.

    Attributes:
        questions: In the order of the dataset; empty for one that is for retrieval only.
        articles: What the questions are about, and what is there to be told apart from it.
        remarks: What was left out or is in doubt, with counts, for people; one line each.
        retrieval: The questions of a dataset that says which articles are relevant but not what the answer is.
    """

    questions: tuple[EvalQuestion, ...]
    articles: tuple[Article, ...]
    remarks: tuple[str, ...]
    retrieval: tuple[RetrievalQuestion, ...] = ()


def question_of(
    id_: str,
    text: str,
    *,
    answers: Iterable[Sequence[str]],
    evidence: Iterable[Evidence],
    split: Split,
    kind: str = "",
    marks: Iterable[str] = (),
    now: datetime | None = None,
) -> EvalQuestion:
    """Return a question, unanswerable if it has no answers; its first tag is `kind`, else what its wording asks for."""
    groups = tuple(tuple(group) for group in answers)
    return EvalQuestion(
        id=id_,
        question=text,
        turns=(),
        now=now,
        answerable=bool(groups),
        answers=groups,
        evidence=tuple(dict.fromkeys(evidence)),
        window=None,
        tags=(kind or kind_of(text), *marks),
        split=split,
    )


def adapted(
    path: Path,
    questions: Sequence[EvalQuestion],
    pool: Pool,
    counts: Counter[str],
    retrieval: Sequence[RetrievalQuestion] = (),
) -> Adapted:
    """Return the whole with its remarks.

    Args:
        path: Named if nothing is left.
        questions: All that could be taken over.
        pool: Their articles.
        counts: How often something was left out or is in doubt, by what it is.
        retrieval: See `Adapted`.

    Raises:
        DatasetError: There is no question.
    """
    texts = {article.id: article.text for article in pool.articles}
    misfits = {problem.partition(": ")[0] for problem in check_quotes(questions, texts)}
    counts[UNQUOTED] += len(misfits)
    remarks = tuple(f"{what}: {n:,}" for what, n in counts.items() if n)
    if not questions and not retrieval:
        raise DatasetError("\n  ".join([f"{path} has no question that could be taken over.", *remarks]))
    return Adapted(tuple(questions), pool.articles, remarks, tuple(retrieval))


def write_adapted(found: Adapted, questions_path: Path, articles_path: Path) -> None:
    """Write questions and articles as JSON lines, in place of what is there.

    Args:
        found: From `adapt`.
        questions_path: For `eval.datasets.load_questions`, or, if the dataset is for retrieval only, for
            `eval.adapters.load_retrieval`.
        articles_path: For `pressmark ingest`, which takes them as they are, so that quotes stay exact; must end in
            .jsonl.

    Raises:
        DatasetError: The ending is another, or a file cannot be written.
    """
    from pydantic import TypeAdapter

    if articles_path.suffix.lower() != ".jsonl":
        raise DatasetError(f"{articles_path} would not be read by `pressmark ingest`: end its name in .jsonl.")
    adapter = TypeAdapter(Article)
    lines = [_question_line(question) for question in found.questions] or list(map(retrieval_line, found.retrieval))
    articles = [{EXPORTED: 1, **adapter.dump_python(article, mode="json")} for article in found.articles]
    for path, records in ((questions_path, lines), (articles_path, articles)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        except OSError as error:
            raise DatasetError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def _question_line(question: EvalQuestion) -> dict[str, Any]:
    """Return the line that `load_questions` reads back as this question; what adapters never fill is left out."""
    return {
        "id": question.id,
        "question": question.question,
        "now": question.now.isoformat() if question.now else None,
        "answerable": question.answerable,
        "answers": question.answers,
        "evidence": [{"article_id": item.article_id, "quote": item.quote} for item in question.evidence],
        "tags": question.tags,
        "split": question.split,
    }
