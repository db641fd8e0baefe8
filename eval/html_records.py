"""The records of a run as JSON for the report's script, worst first, within a number of bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from eval.compare import ChangedAnswer, outcome
from eval.records import Record, Run
from eval.report import ranked_misses
from rag.errors import DatasetError
from rag.links import safe_url
from rag.schema import Answer, Citation, RetrievedPassage

Json = dict[str, object]
Detail = Literal["line", "answer", "cited", "all"]
_DETAILS: tuple[Detail, ...] = ("line", "answer", "cited", "all")
# Every answer is told before any passage; of each step the first that fits is taken.
_STEPS: tuple[tuple[Detail, ...], ...] = (("answer",), ("all", "cited"))
_GOOD = {"right", "ungrounded", "rightly refused"}
_SHOWN_CHARS = 300
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class RecordList:
    """The records, ready for a script block.

    Attributes:
        json: An array, worst first; no character of it can end the block or begin a tag.
        counts: How many records have how much: "all" holds the passages that were found, "cited" those that are cited,
            "answer" none, "line" the first characters of the answer alone.
    """

    json: str
    counts: dict[Detail, int]


def record_list(run: Run, changed: Mapping[str, ChangedAnswer], *, limit: int) -> RecordList:
    """Return all records of a run, the gravest misses first, as much of each as the limit allows.

    What went wrong is given with all passages that were found, the rest with those that are cited. Where that is too
    much, the gravest get their passages first, and where even the answers are too much, a line is left of the others.

    Args:
        run: The run.
        changed: By id what the run compared with made of a question; left out where the outcome is the same.
        limit: Most UTF-8 bytes of all records; exceeded only if a line for each is more.

    Raises:
        DatasetError: An answer has a form that this version cannot read.
    """
    versions = [_versions(record, run.k, changed.get(record.id)) for record in worst_first(run)]
    chosen: list[Detail] = ["line"] * len(versions)
    left = limit - 1 - sum(_size(found["line"]) + 1 for found in versions)  # without brackets and commas
    for details in _STEPS:
        for place, found in enumerate(versions):
            more = {detail: _size(found[detail]) - _size(found[chosen[place]]) for detail in details if detail in found}
            best = next((detail for detail, extra in more.items() if extra <= max(0, left)), None)
            if best:
                chosen[place] = best
                left -= more[best]
    items = [found[detail] for found, detail in zip(versions, chosen, strict=True)]
    return RecordList(f"[{','.join(items)}]", {detail: chosen.count(detail) for detail in _DETAILS})


def _size(text: str) -> int:
    return len(text.encode())


def worst_first(run: Run) -> list[Record]:
    """Return the misses as `report.worst` ranks them, then right answers without their source, then the others."""
    misses = ranked_misses(run)
    missed = {record.id for record in misses}
    rest = [record for record in run.records if record.id not in missed]
    return [*misses, *sorted(rest, key=lambda record: outcome(record) != "ungrounded")]


def answer_of(record: Record) -> Answer | None:
    """Return the answer of a record; None if its call failed.

    Raises:
        DatasetError: It has a form that this version cannot read.
    """
    from pydantic import ValidationError

    from rag.answers import answers_adapter

    if record.answer is None:
        return None
    try:
        return answers_adapter().validate_python(record.answer, strict=False)
    except ValidationError as error:
        raise DatasetError(
            f"The answer to question {record.id!r} has a form that this Pressmark cannot read: run the eval again."
        ) from error


def script_json(value: object) -> str:
    """Return JSON that may stand in a script block: `<`, `>` and `&` only as escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def quote_in(citation: Citation, retrieved: Sequence[RetrievedPassage]) -> tuple[int, int, int] | None:
    """Return where a citation's quote stands: place of the passage in `retrieved` (0-based), and start and end in it.

    None if no retrieved passage holds its whole span. Offsets count code points, half-open.
    """
    for place, item in enumerate(retrieved):
        passage = item.passage
        same = (passage.article_id, passage.version) == (citation.article_id, citation.version)
        if same and passage.start <= citation.start and citation.end <= passage.end:
            return place, citation.start - passage.start, citation.end - passage.start
    return None


def _versions(record: Record, k: int, changed: ChangedAnswer | None) -> dict[Detail, str]:
    answer = answer_of(record)
    line = _line(record, answer, changed)
    if answer is None:
        return dict.fromkeys(("line", "all"), script_json(line))
    whole = line | _about(record, answer, k)
    passages: dict[Detail, list[int]] = {"answer": [], "cited": _cited(answer)}
    if outcome(record) not in _GOOD:
        passages["all"] = list(range(len(answer.retrieved)))
    found: dict[Detail, str] = {"line": script_json(line | {"shown": _shortened(answer.text)})}
    for detail, kept in passages.items():
        found[detail] = script_json(whole | {"sources": _sources(answer, kept), "found": _found(record, answer, kept)})
    return found


def _line(record: Record, answer: Answer | None, changed: ChangedAnswer | None) -> Json:
    line: Json = {
        "id": record.id,
        "question": record.question,
        "split": record.split,
        "tags": record.tags,
        "outcome": outcome(record),
        "status": record.status,
        "expected": record.answers,
        "ranks": record.ranks,
    }
    if record.error:
        line["error"] = record.error
    if answer:
        line["confidence"] = answer.confidence
    if changed:
        line["before"] = {"outcome": changed.before, "shown": changed.shown_before, "gain": changed.gain}
    return line


def _about(record: Record, answer: Answer, k: int) -> Json:
    about: Json = {
        "k": k,
        "claims": [
            {
                "text": claim.text,
                "cites": claim.citations,
                "verdict": claim.verdict,
                "score": round(claim.score, 3),
                "reasons": claim.reasons,
            }
            for claim in answer.claims
        ],
        "short": {"text": answer.short.text, "cites": [answer.short.citation]} if answer.short else None,
        "text": "" if answer.claims else answer.text,
        "conflicts": [
            [
                {"value": p.value, "cites": [p.citation], "outlet": p.source, "day": _day(p.published_at)}
                for p in conflict.positions
            ]
            for conflict in answer.conflicts
        ],
        "notes": answer.notes,
        "model": answer.model,
        "window": _window(answer),
        "values": {name: round(value, 3) for name, value in record.values.items() if value is not None},
        "timings": {name: round(ms) for name, ms in answer.timings_ms.items()},
    }  # fmt: skip
    if answer.search_query != record.question:
        about["searched"] = answer.search_query
    if answer.raw_text and answer.raw_text != answer.text:
        about["raw"] = answer.raw_text
    return about


def _cited(answer: Answer) -> list[int]:
    places = [quote_in(citation, answer.retrieved) for citation in answer.citations]
    return sorted({found[0] for found in places if found})


def _sources(answer: Answer, kept: Sequence[int]) -> list[Json]:
    return [_source(citation, answer.retrieved, kept) for citation in answer.citations]


def _source(citation: Citation, retrieved: Sequence[RetrievedPassage], kept: Sequence[int]) -> Json:
    source: Json = {
        "number": citation.number,
        "title": citation.title,
        "outlet": citation.source,
        "day": _day(citation.published_at),
        "url": safe_url(citation.url),
        "section": citation.section,
        "also": citation.also_in,
        "correction": citation.correction or "",
        "quote": citation.quote,
    }
    place = quote_in(citation, retrieved)
    if place is None:
        return source
    at, start, end = place
    source["exact"] = retrieved[at].passage.text[start:end] == citation.quote
    if at in kept:
        source["at"] = [at, start, end]
    return source


def _found(record: Record, answer: Answer, kept: Sequence[int]) -> list[Json]:
    gold = set(record.ranks)
    found: list[Json] = []
    for place, item in enumerate(answer.retrieved):
        passage = item.passage
        one: Json = {
            "title": passage.title,
            "outlet": passage.source,
            "day": _day(passage.published_at),
            "id": passage.article_id,
        }
        if place + 1 in gold:
            one["gold"] = True
        if place in kept:
            one["text"] = passage.text
        found.append(one)
    return found


def _window(answer: Answer) -> str:
    window = answer.window
    if window is None or not (window.since or window.until):
        return ""
    ends = [
        f"from {_day(window.since)}" if window.since else "",
        f"before {_day(window.until)}" if window.until else "",
    ]
    words = " ".join(end for end in ends if end)
    return f"{words} (“{window.inferred_from}”)" if window.inferred_from else words


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}" if moment else ""


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else line[:_SHOWN_CHARS] + "…"
