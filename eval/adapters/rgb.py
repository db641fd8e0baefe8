"""RGB (Chen et al., AAAI 2024, arXiv:2309.01431): `en.json`, `en_int.json`, `en_fact.json`, JSON lines by content.

One object a line: id, query, answer, positive and negative passages. `answer` is a text or a list of parts that all
must be said; a part that is a list is one of aliases. In `_int` the positive passages are lists, one for each part.

Each passage is an article; they are clippings of a web search, without title, outlet or date. Evidence is the sentence
of a positive passage that holds a part of the answer. `positive_wrong` of `_fact`, the same passages with a false
answer, is left out: what is right in an archive that holds both is not told. RGB's test of refusing, negative passages
only, cannot be had from this: the archive holds the passages of all questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eval.adapters.adapted import Adapted, adapted, question_of
from eval.adapters.quoting import Pool, Quotable, aliases_of, one_line
from eval.adapters.reading import Faults, Filled, Id, Layout, read_entries
from eval.datasets import EvalQuestion, Split

_WRONG = "passages with a false answer left out"
_NOWHERE = "questions left out, as no positive passage holds their answer on whole tokens"
_EMPTY = "parts of answers left out, as they hold neither letter nor figure"


class _Question(Layout):
    id: Id
    query: Filled
    answer: str | list[str | list[str]]
    positive: list[str | list[str]]
    negative: Sequence[str] = ()
    positive_wrong: Sequence[str] = ()

    @property
    def parts(self) -> list[list[str]]:
        """The parts of the answer, each a list of aliases."""
        parts = [self.answer] if isinstance(self.answer, str) else self.answer
        return [[part] if isinstance(part, str) else part for part in parts]

    @property
    def passages(self) -> list[str]:
        """The positive passages, in order."""
        return [text for item in self.positive for text in ([item] if isinstance(item, str) else item)]


def read_rgb(path: Path, split: Split) -> Adapted:
    """Read a file of RGB; see `eval.adapters.adapt`."""
    faults = Faults(path)
    pool = Pool("rgb")
    counts: Counter[str] = Counter()
    questions = []
    for entry in read_entries(path):
        item = faults.checked(_Question, entry)
        if item is None or faults.repeated(item.id, entry.where):
            continue
        if not item.parts:
            faults.add(entry.where, "answer is empty")
            continue
        positive = [article for text in item.passages if (article := pool.add(text))]
        for text in item.negative:
            pool.add(text)
        counts[_WRONG] += len(item.positive_wrong)
        if question := _question(item, positive, split, counts):
            questions.append(question)
    faults.raise_any()
    return adapted(path, questions, pool, counts)


def _question(item: _Question, positive: list[Quotable], split: Split, counts: Counter[str]) -> EvalQuestion | None:
    groups = [aliases for part in item.parts if (aliases := aliases_of(part))]
    counts[_EMPTY] += len(item.parts) - len(groups)
    evidence = [quote for aliases in groups for article in positive if (quote := article.sentence_holding(aliases))]
    if not evidence:
        counts[_NOWHERE] += 1
        return None
    return question_of(f"rgb-{item.id}", one_line(item.query), answers=groups, evidence=evidence, split=split)
