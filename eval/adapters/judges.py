"""Human labels of claims as cases for a judge: RAGTruth, and files with a claim, a text and a label in each record."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from eval.adapters.reading import Faults, Id, Layout, read_entries, read_text
from eval.judging import JudgeCase
from ingest.loaders.records import text_of
from rag.errors import DatasetError

JUDGE_FORMS: Mapping[str, str] = {
    "claims": "CSV, TSV, JSON or JSON lines: a claim, the text it is about, a label, and if there is one a group",
    "ragtruth": "RAGTruth: a folder with response.jsonl and source_info.jsonl",
}

# Ours -> how public files call it, best first; compared in lower case. "source" and "id" mean too many things.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "claim": ("claim", "hypothesis", "statement", "sentence2", "summary", "response", "answer"),
    "text": (
        "text",
        "doc",
        "document",
        "context",
        "evidence",
        "evidence_sentence",
        "premise",
        "passage",
        "sentence1",
        "article",
    ),
    "label": ("label", "gold_label", "supported", "is_supported", "verdict"),
    "group": ("group", "group_id", "source_id", "doc_id", "document_id"),
}
_SUPPORTED = frozenset(
    "1|1.0|true|yes|supported|supports|support|entailment|entailed|entails|consistent|grounded|faithful|attributable"
    "|factual".split("|")
)
_UNSUPPORTED = frozenset(
    "0|0.0|false|no|unsupported|not supported|not support|partially supported|partly supported|partial|refutes|refuted"
    "|refute|contradiction|contradicts|contradicted|contradictory|neutral|not entailment|not entailed|non entailment"
    "|not enough info|not enough information|not enough|nei|no info|inconsistent|not grounded|ungrounded|unfaithful"
    "|not attributable|extrapolatory|hallucination|hallucinated|non factual|nonfactual".split("|")
)
_CELL_CHARS = 20_000_000  # the csv module's own limit, 131,072, is less than some documents

Record = dict[str, object]


def judge_cases(
    path: Path, form: str | None = None, *, columns: Mapping[str, str] | None = None, split: str | None = None
) -> list[JudgeCase]:
    """Read human labels, in file order.

    A claim counts as supported only if it is so as a whole: contradicted, neutral and partly supported are not. Where
    the records name no group, the claims about the same text are one.

    RAGTruth (Niu et al., ACL 2024): each response is a claim about its source; unsupported if any span of it is
    labelled, also as true but not mentioned. Responses of bad quality are left out, as in the authors' own code; the
    text of data-to-text is its JSON. The group is the source_id.

    Args:
        path: A file, or RAGTruth's folder.
        form: One of `JUDGE_FORMS`; None tells it by the files.
        columns: For "claims": our name (claim, text, label, group) -> what the file calls it, where the usual names
            are not used, or mean another thing.
        split: Only records with this value of their field `split` ("test"); None reads all.

    Raises:
        DatasetError: There is no such form, a file cannot be read, holds bad records (all are counted, at most 20
            shown), or has no case.
    """
    folder = path if path.is_dir() else path.parent
    is_ragtruth = (path.is_dir() or path.name == "response.jsonl") and (folder / "source_info.jsonl").exists()
    chosen = form or ("ragtruth" if is_ragtruth else "claims")
    if chosen not in JUDGE_FORMS:
        raise DatasetError(f"There is no form {chosen!r} of labels: choose {' or '.join(JUDGE_FORMS)}.")
    if columns and chosen == "ragtruth":
        raise DatasetError("RAGTruth's columns are known: name columns for the form claims only.")
    cases = _ragtruth(folder, split) if chosen == "ragtruth" else _claims(path, columns or {}, split)
    if not cases:
        raise DatasetError(f"{path} has no case{f' of the split {split!r}' if split else ''}.")
    return cases


# -- RAGTruth ------------------------------------------------------------------------------------


class _Source(Layout):
    source_id: Id
    source_info: str | dict[str, Any]


class _Response(Layout):
    id: Id
    source_id: Id
    response: str
    labels: list[dict[str, Any]]
    quality: str = "good"
    split: str = ""


def _ragtruth(folder: Path, split: str | None) -> list[JudgeCase]:
    texts = _sources(folder / "source_info.jsonl")
    path = folder / "response.jsonl"
    faults = Faults(path)
    cases = []
    for entry in read_entries(path):
        item = faults.checked(_Response, entry)
        if item is None or faults.repeated(item.id, entry.where):
            continue
        if item.quality != "good":
            continue
        if not item.response.strip():
            faults.add(entry.where, "response: is empty")
        elif item.source_id not in texts:
            faults.add(entry.where, f"the source_id {item.source_id!r} is not in source_info.jsonl")
        elif split in (None, item.split):
            cases.append(JudgeCase(item.response, texts[item.source_id], not item.labels, item.source_id))
    faults.raise_any()
    return cases


def _sources(path: Path) -> dict[str, str]:
    faults = Faults(path)
    texts = {}
    for entry in read_entries(path):
        item = faults.checked(_Source, entry)
        if item is None or faults.repeated(item.source_id, entry.where):
            continue
        info = item.source_info
        if isinstance(info, dict):
            passages = info.get("passages")
            info = passages if isinstance(passages, str) else json.dumps(info, ensure_ascii=False, indent=1)
        if not info.strip():
            faults.add(entry.where, "source_info: is empty")
        texts[item.source_id] = info
    faults.raise_any()
    return texts


# -- claims --------------------------------------------------------------------------------------


def _claims(path: Path, columns: Mapping[str, str], split: str | None) -> list[JudgeCase]:
    if unknown := [name for name in columns if name not in _COLUMNS]:
        raise DatasetError(f"There is no column {unknown[0]!r} to name: choose of {', '.join(_COLUMNS)}.")
    faults = Faults(path)
    cases = []
    for where, record in _records(path, faults):
        if split is not None and record.get("split") != split:
            continue
        if case := _case(where, record, columns, faults):
            cases.append(case)
    faults.raise_any()
    return cases


def _case(where: str, record: Record, columns: Mapping[str, str], faults: Faults) -> JudgeCase | None:
    found = {name: _field(record, name, columns) for name in _COLUMNS}
    claim, text = text_of(found["claim"]), text_of(found["text"])
    missing = [name for name in ("claim", "text", "label") if found[name] is None or found[name] == ""]
    missing += [name for name, value in (("claim", claim), ("text", text)) if name not in missing and not value.strip()]
    if missing:
        asked = "; ".join(f"{name} is missing or empty ({_called(name, columns)})" for name in missing)
        faults.add(where, f"{asked}; it has {', '.join(record) or 'nothing'}")
        return None
    supported = _supported(found["label"])
    if supported is None:
        faults.add(where, _unknown_label(found["label"]))
        return None
    group = text_of(found["group"]) or hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    return JudgeCase(claim, text, supported, group)


def _field(record: Record, name: str, columns: Mapping[str, str]) -> object:
    lower = {key.lower(): value for key, value in record.items()}
    spellings: Iterable[str] = (columns[name].lower(),) if name in columns else _COLUMNS[name]
    return next((lower[spelling] for spelling in spellings if lower.get(spelling) not in (None, "")), None)


def _called(name: str, columns: Mapping[str, str]) -> str:
    return f"column {columns[name]}" if name in columns else f"usual columns: {', '.join(_COLUMNS[name])}"


def _supported(label: object) -> bool | None:
    word = " ".join(str(label).replace("_", " ").replace("-", " ").split()).casefold()
    return True if word in _SUPPORTED else False if word in _UNSUPPORTED else None


def _unknown_label(label: object) -> str:
    if str(label) in ("2", "2.0"):
        return "label 2: in files of natural language inference 0 is often entailment; write the labels as words"
    return (
        f"label {str(label)[:40]!r} is not known: write 1 or 0, supported or unsupported, entailment or contradiction"
    )


def _records(path: Path, faults: Faults) -> Iterator[tuple[str, Record]]:
    """Yield the records with their places; rows of a table by the line they begin on."""
    if path.suffix.lower() in (".csv", ".tsv"):
        yield from _rows(path, faults)
        return
    for entry in read_entries(path):
        if isinstance(entry.value, dict):
            yield entry.where, entry.value
        else:
            faults.checked(Layout, entry)


def _rows(path: Path, faults: Faults) -> Iterator[tuple[str, Record]]:
    text = read_text(path)
    csv.field_size_limit(_CELL_CHARS)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    where = "line 1"
    try:
        if not rows.fieldnames:
            return
        while True:
            where = f"line {rows.line_num + 1}"
            row = next(rows, None)
            if row is None:
                return
            if None in row:
                faults.add(where, "has more cells than the header has columns: is a text without quotation marks?")
            else:
                yield where, {name.strip(): value for name, value in row.items()}
    except csv.Error as error:
        faults.add(where, f"is no CSV ({error}): is a quotation mark not closed, or not doubled inside a cell?")
