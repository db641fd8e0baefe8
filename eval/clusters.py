"""Which questions rest on the same articles: they are right or wrong together, so they are resampled together."""

from __future__ import annotations

from collections.abc import Sequence

from eval.datasets import EvalQuestion


def clusters_of(questions: Sequence[EvalQuestion]) -> dict[str, str]:
    """Return a cluster for each question id: questions that share an article of evidence, directly or over others.

    A cluster is named after the first of its questions; a question without evidence is alone.
    """
    leader = {question.id: question.id for question in questions}

    def root(id_: str) -> str:
        while leader[id_] != id_:
            id_ = leader[id_]
        return id_

    first_with: dict[str, str] = {}
    for question in questions:
        for item in question.evidence:
            other = root(first_with.setdefault(item.article_id, question.id))
            mine = root(question.id)
            if other != mine:
                leader[mine] = other
    return {question.id: root(question.id) for question in questions}
