"""Public datasets, given as local files, in our own forms.

    found = adapt("squad", Path("dev-v2.0.json"))
    write_adapted(found, Path("questions.jsonl"), Path("articles.jsonl"))

Then `pressmark ingest articles.jsonl` and `pressmark eval run questions.jsonl`. Each family of datasets has a file,
whose head tells the layout it reads, what counts as evidence, and what cannot be taken over. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from eval.adapters.adapted import Adapted, write_adapted
from eval.adapters.alce import read_alce
from eval.adapters.beir import read_beir
from eval.adapters.judges import JUDGE_FORMS, judge_cases
from eval.adapters.multihop import read_multihop
from eval.adapters.realtimeqa import read_realtimeqa
from eval.adapters.retrieval import (
    GradedRanking,
    RetrievalQuestion,
    graded_ndcg_at_k,
    graded_rankings,
    load_retrieval,
    retrieval_questions,
)
from eval.adapters.rgb import read_rgb
from eval.adapters.squad import read_squad
from eval.datasets import Split
from rag.errors import DatasetError

__all__ = [
    "FORMS",
    "JUDGE_FORMS",
    "Adapted",
    "Form",
    "GradedRanking",
    "RetrievalQuestion",
    "adapt",
    "graded_ndcg_at_k",
    "graded_rankings",
    "judge_cases",
    "load_retrieval",
    "retrieval_questions",
    "write_adapted",
]


@dataclass(frozen=True, slots=True)
class Form:
    """A family of datasets.

    Attributes:
        read: Takes the path and the split that its questions get.
        layout: What the path must be, for people.
    """

    read: Callable[[Path, Split], Adapted]
    layout: str


FORMS: Mapping[str, Form] = {
    "alce": Form(read_alce, "a JSON file of ALCE: ASQA or QAMPARI with the passages found for each question"),
    "beir": Form(
        read_beir, "a BEIR folder with corpus.jsonl, queries.jsonl and qrels/test.tsv, or another of its qrels"
    ),
    "multihop-rag": Form(read_multihop, "MultiHopRAG.json with corpus.json beside it, or their folder"),
    "realtimeqa": Form(read_realtimeqa, "a week of RealTime QA (20220617_qa.jsonl), or a folder of weeks"),
    "rgb": Form(read_rgb, "a file of RGB (en.json, en_int.json, en_fact.json)"),
    "squad": Form(read_squad, "a JSON file of SQuAD 1.1 or 2.0, or of SQuADShifts"),
}


def adapt(form: str, path: Path, *, split: str = "dev") -> Adapted:
    """Read a public dataset.

    Args:
        form: One of `FORMS`.
        path: The file or folder; see `Form.layout`.
        split: "dev" or "test", given to all questions: report on data you have set nothing by as "test".

    Returns:
        Questions whose quotes are in the articles' texts, with the articles. Ids stay the same from run to run: the
        dataset's own for questions, and for articles its own, else from the web address, else from title and text.
        What was left out is counted in the remarks.

    Raises:
        DatasetError: There is no such form or split, a file is missing, cannot be read or holds bad records (all are
            counted, at most 20 shown), or no question could be taken over.
    """
    if form not in FORMS:
        raise DatasetError(f"There is no form {form!r} of datasets: choose {', '.join(FORMS)}.")
    for known in get_args(Split):
        if split == known:
            return FORMS[form].read(path, known)
    raise DatasetError(f"There is no split {split!r}: choose dev or test.")
