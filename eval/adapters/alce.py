"""ALCE (Gao et al., EMNLP 2023, arXiv:2305.14627): `asqa_eval_gtr_top100.json` and its like, or a file of results.

A JSON list, or an object with the list under "data": question, docs with title and text, and the answer's parts, of
which a right answer holds each: in ASQA qa_pairs with short_answers, in QAMPARI answers, a list of aliases for each. An
entry without these, as in ELI5, has only a long answer, which cannot be looked for in another's words: it is left out.

Each of the docs, a passage of about 100 words, is an article; evidence is the sentence of each doc that holds a part of
the answer. Parts that no doc of the question holds are left out, as the archive does not say them: the share of right
answers is of what was retrieved, not of ALCE's own parts.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from eval.adapters.adapted import Adapted, adapted, question_of
from eval.adapters.quoting import Pool, Quotable, aliases_of, one_line
from eval.adapters.reading import Faults, Filled, Id, Layout, read_entries
from eval.datasets import EvalQuestion, Evidence, Split

_LONG = "questions left out, as they have a long answer only"
_NOWHERE = "questions left out, as no doc holds a part of their answer"
_PARTS = "parts of answers left out, as no doc of their question holds them"


class _Doc(Layout):
    title: str | None = ""
    text: str


class _Pair(Layout):
    short_answers: list[str]


class _Question(Layout):
    question: Filled
    docs: list[_Doc]
    sample_id: Id | None = None
    id: Id | None = None
    qa_pairs: list[_Pair] | None = None
    short_answers: list[str] | None = None
    answers: list[str | list[str]] | None = None

    @property
    def parts(self) -> list[list[str]]:
        """The parts of the answer, each a list of aliases; none if it has a long answer only."""
        if self.qa_pairs:
            return [pair.short_answers for pair in self.qa_pairs]
        if self.short_answers:
            return [self.short_answers]
        return [[part] if isinstance(part, str) else part for part in self.answers or ()]


def read_alce(path: Path, split: Split) -> Adapted:
    """Read a file of ALCE; see `eval.adapters.adapt`."""
    faults = Faults(path)
    pool = Pool("alce")
    counts: Counter[str] = Counter()
    questions = []
    for entry in read_entries(path):
        item = faults.checked(_Question, entry)
        if item is None:
            continue
        id_ = item.sample_id or item.id or f"alce-{entry.position}"
        if faults.repeated(id_, entry.where):
            continue
        docs = [
            article for doc in item.docs if doc.text.strip() and (article := pool.add(doc.text, title=doc.title or ""))
        ]
        if question := _question(id_, item, docs, split, counts):
            questions.append(question)
    faults.raise_any()
    return adapted(path, questions, pool, counts)


def _question(
    id_: str, item: _Question, docs: list[Quotable], split: Split, counts: Counter[str]
) -> EvalQuestion | None:
    if not item.parts:
        counts[_LONG] += 1
        return None
    groups: list[tuple[str, ...]] = []
    evidence: list[Evidence] = []
    for aliases in map(aliases_of, item.parts):
        quotes = [quote for doc in docs if (quote := doc.sentence_holding(aliases))]
        if quotes:
            groups.append(aliases)
            evidence += quotes
    counts[_PARTS] += len(item.parts) - len(groups)
    if not groups:
        counts[_NOWHERE] += 1
        return None
    return question_of(id_, one_line(item.question), answers=groups, evidence=evidence, split=split)
