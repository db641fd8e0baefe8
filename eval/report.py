"""A run as text a person reads: the table of figures, and the wrong answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from eval.compare import is_amount, lower_is_better
from eval.records import Record, Run
from eval.runner import Figure, figures

_OURS = "pressmark"
_QUOTED_CHARS = 300
_OF_STAGE = re.compile(r"latency_(\w+)_p\d+_ms")  # of a part of the answer's time, not of the whole


def table(run: Run, *, found: Sequence[Figure] | None = None) -> str:
    """Return the figures of a run: dev and test apart, trivial systems beside, then by tag.

    Args:
        run: The run.
        found: `figures(run)` if they are at hand; computing them takes seconds.
    """
    known = figures(run) if found is None else list(found)
    systems = [_OURS, *run.baselines]
    parts = [_head(run)]
    parts += [_split_table(known, split, systems) for split in sorted({record.split for record in run.records})]
    parts.append(_tag_table(known, run.k))
    parts.append("[low, high] is a 95 % bootstrap interval; n: questions the figure applies to; (-) lower is better.")
    return "\n\n".join(parts) + "\n"


def ranked_misses(run: Run) -> list[Record]:
    """Return the records that went wrong, the gravest first, as `worst` orders them."""
    return sorted((record for record in run.records if _is_wrong(record)), key=_gravity)


def worst(run: Run, *, limit: int = 20) -> str:
    """Return the wrong answers as text, the gravest first.

    The order: failed calls; answers to what the archive does not say; wrong or missing answers with
    the evidence retrieved, best rank first, as there reading failed; then those without.
    """
    wrong = ranked_misses(run)
    lines = [f"{len(wrong)} of {len(run.records)} questions went wrong."]
    for record in wrong[:limit]:
        lines += ["", *_miss(record)]
    if len(wrong) > limit:
        lines += ["", f"and {len(wrong) - limit} more"]
    return "\n".join(lines) + "\n"


# -- the table -----------------------------------------------------------------------------------


def _head(run: Run) -> str:
    models = sorted({str(record.answer["model"]) for record in run.records if record.answer}) or ["no answer"]
    data = f", data {run.data_digest[:12]}" if run.data_digest else ""
    return (
        f"{len(run.records)} questions, model {', '.join(models)}, pressmark {run.versions.get('pressmark', '?')}, "
        f"{run.created_at:%Y-%m-%d %H:%M} UTC{data}"
    )


def _split_table(known: Sequence[Figure], split: str, systems: Sequence[str]) -> str:
    chosen = {(figure.name, figure.system): figure for figure in known if figure.group == split}
    applying = [figure.name for figure in known if figure.group == split and figure.n]
    rows = [[split, _OURS, "", "n", *systems[1:]]]
    for name in dict.fromkeys(name for name in applying if not _OF_STAGE.fullmatch(name)):
        ours = chosen[name, _OURS]
        label = f"{name} (-)" if lower_is_better(name) else name
        others = [_value(chosen.get((name, system))) for system in systems[1:]]
        rows.append([label, _value(ours), _interval(ours), f"{ours.n}/{ours.of}", *others])
    stages = dict.fromkeys(match[1] for name in applying if (match := _OF_STAGE.fullmatch(name)))
    times = [
        f"{stage} {' / '.join(_value(chosen[f'latency_{stage}_p{q}_ms', _OURS]) for q in (50, 95))}" for stage in stages
    ]
    return "\n".join([_aligned(rows), *([f"ms by stage, p50 / p95: {', '.join(times)}"] if times else [])])


def _tag_table(known: Sequence[Figure], k: int) -> str:
    names = ["right_outcome", "correct", "grounded_correct", f"hit@{k}", "citation_precision"]
    names += ["window_right", "over_refusal", "abstention_recall"]
    chosen = {(f.group, f.name): f for f in known if f.system == _OURS and f.group.startswith("tag:")}
    rows = [["tag", "n", *names]]
    for group in dict.fromkeys(group for group, _ in chosen):
        values = [_value(chosen.get((group, name))) for name in names]
        rows.append([group.removeprefix("tag:"), str(chosen[group, "right_outcome"].of), *values])
    return _aligned(rows)


def _value(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "·"
    return _number(figure, figure.value)


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"[{_number(figure, figure.low)}, {_number(figure, figure.high)}]"


def _number(figure: Figure, value: float) -> str:
    return f"{value:.0f}" if is_amount(figure.name) else f"{value:.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
    return "  ".join(cells).rstrip()


# -- the wrong answers ---------------------------------------------------------------------------


def _is_wrong(record: Record) -> bool:
    return not (record.correct if record.answerable else record.abstained)


def _gravity(record: Record) -> tuple[int, int, str]:
    ranks = [rank for rank in record.ranks if rank]
    if record.status == "error":
        return 0, 0, record.id
    if not record.answerable:
        return 1, 0, record.id
    return (2, min(ranks), record.id) if ranks else (3, 0, record.id)


def _miss(record: Record) -> Iterable[str]:
    expected = "; ".join(" | ".join(group) for group in record.answers) or "(the archive does not say)"
    ranks = ", ".join(str(rank or "not found") for rank in record.ranks) or "none exists"
    shown = record.error or " ".join(str((record.answer or {}).get("text", "")).split())
    yield f"{record.id} [{', '.join([record.split, *record.tags])}] {record.question}"
    yield f"  expected:  {expected}"
    yield f"  {record.status + ':':10} {shown if len(shown) <= _QUOTED_CHARS else shown[:_QUOTED_CHARS] + '…'}"
    yield f"  gold rank: {ranks}"
