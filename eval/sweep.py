"""A grid over settings: the same questions with each combination, one table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from eval.compare import is_amount, lower_is_better
from eval.datasets import EvalQuestion
from eval.runner import Figure, Options, figures, run
from ingest.indexer import index_articles
from rag.chain import AnswerChain, build_chain
from rag.errors import SettingsError
from rag.schema import Article
from rag.settings import Settings
from rag.store import Store, opened

# What the index is made with: a combination that differs in these needs an index of its own.
_OF_THE_INDEX = ("passage_tokens", "embedding_model", "embedding_url")
SHOWN = (
    "right_outcome", "correct", "hit@1", "all_evidence@8", "mrr@8", "citation_precision", "abstention_f1",
    "over_refusal", "latency_p50_ms",
)  # fmt: skip
_PAGE = 500  # articles taken from the archive at once

Combination = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Swept:
    """One combination with its figures over all questions."""

    changed: Combination
    figures: tuple[Figure, ...]


def combinations(grid: Mapping[str, Sequence[str]]) -> list[Combination]:
    """Return every combination of the grid's values, the last name varying fastest.

    Raises:
        SettingsError: A name is no setting.
    """
    for name in grid:
        if name not in Settings.model_fields:
            raise SettingsError(f"{name!r} is no setting: .env.example lists them, here without PRESSMARK_.")
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def sweep(
    questions: Sequence[EvalQuestion],
    grid: Mapping[str, Sequence[str]],
    settings_with: Callable[[Combination], Settings],
    *,
    told: Callable[[Combination], None] = lambda _: None,
    options: Options | None = None,
) -> Iterator[Swept]:
    """Yield each combination when its questions are answered.

    Where passage size or embedding model differ from the home's the articles are indexed anew in a temporary folder.

    Args:
        questions: Asked with each combination.
        grid: Values by setting.
        settings_with: Returns the home's settings with a combination's changes.
        told: Called before each combination.
        options: How each run is made; without trivial systems unless it names them.
    """
    options = options or Options(baselines={})
    home = settings_with({})
    # All read first: a bad value must not come up after hours.
    for changed, settings in [(changed, settings_with(changed)) for changed in combinations(grid)]:
        told(changed)
        with _chain(home, settings) as chain:
            done = run(chain, questions, settings=settings, options=options)
        found = [figure for figure in figures(done) if figure.group == "all" and figure.system == "pressmark"]
        yield Swept(changed, tuple(found))


@contextmanager
def _chain(home: Settings, settings: Settings) -> Iterator[AnswerChain]:
    if all(getattr(home, name) == getattr(settings, name) for name in _OF_THE_INDEX):
        chain = build_chain(settings)
        try:
            yield chain
        finally:
            chain.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = settings.model_copy(update={"home": Path(folder)})
        with opened(home) as store:
            articles = list(_articles(store))
        chain = build_chain(elsewhere)
        try:
            index_articles(articles, chain.store, passage_tokens=settings.passage_tokens)
            yield chain
        finally:
            chain.close()


def _articles(store: Store) -> Iterator[Article]:
    offset = 0
    while page := store.archive.articles(limit=_PAGE, offset=offset):
        yield from page
        offset += len(page)


def sweep_table(swept: Sequence[Swept]) -> str:
    """Return the combinations as lines, one figure a column; the best of each column bears a star."""
    names = [name for name in SHOWN if any(_value(item, name) is not None for item in swept)]
    best = {name: _best(swept, name) for name in names}
    rows = [["settings", *names]]
    for item in swept:
        cells = []
        for name in names:
            value = _value(item, name)
            shown = "-" if value is None else f"{value:.0f}" if is_amount(name) else f"{value:.3f}"
            cells.append(f"{shown}{'*' if value is not None and value == best[name] else ' '}")
        rows.append([", ".join(f"{name}={value}" for name, value in item.changed.items()), *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join([*lines, "* the best of its column; differences within the intervals of `eval run` are chance."])


def _value(item: Swept, name: str) -> float | None:
    return next((figure.value for figure in item.figures if figure.name == name), None)


def _best(swept: Sequence[Swept], name: str) -> float | None:
    values = [value for item in swept if (value := _value(item, name)) is not None]
    if len(set(values)) < 2:  # none is better
        return None
    return (min if lower_is_better(name) else max)(values)
