"""A person goes through the lines of a dataset on the terminal (`pressmark eval review`): keep, edit or drop each.

Lines are the JSON objects of `eval.datasets`. Each decision is saved at once, and a line that was kept or marked has
the tag `REVIEWED`: a review that was stopped goes on where it was, with what is left.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eval.datasets import check_quotes, load_questions
from rag.errors import DatasetError, NotFoundError
from rag.schema import Article

Line = dict[str, Any]
"""One JSON object of a dataset; a plain dict, as lines from feedback hold more than the form allows."""

REVIEWED = "reviewed"
_NOTES = {"reader_says": "Reader says", "shown": "Was shown"}  # of `eval.feedback`; not part of a dataset
_AROUND = 240  # characters of the article shown before and after a quote
_HELP = (
    "k keep   e edit question   a edit answers   u mark unanswerable   d drop   s skip   b back   q quit\n"
    "Nothing is lost: each decision is saved at once."
)
_KEYS = "[k/e/a/u/d/s/b/q] "
_DONE = "That was the last one. b goes back, Enter ends: "


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a JSONL file for review, in file order; they may be incomplete.

    Raises:
        DatasetError: The file cannot be read, a line is no JSON object or has no question, or there is none.
    """
    try:
        texts = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as UTF-8 text ({error}): give a JSONL file of questions.") from error
    lines = [_read(text, path, number) for number, text in enumerate(texts, 1) if text.strip()]
    if not lines:
        raise DatasetError(f"{path} has no lines to review: `pressmark eval draft` makes some.")
    return lines


def save_lines(path: Path, lines: Sequence[Line]) -> None:
    """Write lines as JSONL in one step: whoever stops the program finds the old file or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    part.replace(path)


def review(
    lines: Sequence[Line],
    ask: Callable[[str], str],
    show: Callable[[str], None],
    *,
    article: Callable[[str], Article],
    save: Callable[[Sequence[Line]], None],
) -> list[Line]:
    """Show each line that has not been reviewed, take a key, and do what it says, until the last one or "q".

    Edits show the line again; it counts as reviewed once it is kept or marked unanswerable. A line that is not in the
    form of `eval.datasets`, or whose answers no quote holds, cannot be kept.

    Args:
        lines: Of the dataset, in order; they are not changed.
        ask: Puts a prompt to the person and returns what was typed. `EOFError` from it ends the review as "q" does.
        show: Prints text.
        article: Returns the article with an id, or raises `NotFoundError`.
        save: Called after each decision with all lines that are left.

    Returns:
        The lines that are left, in order.
    """
    table = _Table(lines, article, save)
    if not table.at_end:
        show(_HELP)
    try:
        while _step(table, ask, show):
            pass
    except EOFError:
        show("")
    show(table.summary())
    return table.left


def _step(table: _Table, ask: Callable[[str], str], show: Callable[[str], None]) -> bool:
    """Take one key; False at the end and after "q"."""
    if table.at_end:
        # The last decision, too, can be taken back.
        return table.can_go_back and ask(_DONE).strip().lower()[:1] == "b" and table.back()
    show(table.view())
    key = ask(_KEYS).strip().lower()[:1]
    if key == "q":
        return False
    said = _ACTIONS[key](table, ask) if key in _ACTIONS else _HELP
    if said:
        show(said)
    return True


class _Table:
    """The lines on the table: what became of each, and the way back."""

    def __init__(
        self, lines: Sequence[Line], article: Callable[[str], Article], save: Callable[[Sequence[Line]], None]
    ) -> None:
        self._states: list[Line | None] = [json.loads(json.dumps(line)) for line in lines]  # None once dropped
        self._trail: list[tuple[int, Line | None]] = []
        self._article = article
        self._save = save
        self.place = -1
        self._advance()

    @property
    def at_end(self) -> bool:
        """Whether no line is left to review."""
        return self.place >= len(self._states)

    @property
    def can_go_back(self) -> bool:
        """Whether there is a decision to take back."""
        return bool(self._trail)

    @property
    def line(self) -> Line:
        """The line in question."""
        line = self._states[self.place]
        if line is None:
            raise IndexError("no line is in question")
        return line

    @property
    def left(self) -> list[Line]:
        """All lines that were not dropped, in order."""
        return [line for line in self._states if line is not None]

    def change(self, **fields: object) -> None:
        """Put new values into the line in question and save."""
        self._states[self.place] = self.line | fields
        self._save(self.left)

    def decide(self, line: Line | None) -> None:
        """Replace the line in question, or drop it; save, and go on to the next."""
        self._trail.append((self.place, self._states[self.place]))
        self._states[self.place] = line
        self._save(self.left)
        self._advance()

    def skip(self) -> None:
        """Go on to the next line; this one comes again in the next review."""
        self._trail.append((self.place, self._states[self.place]))
        self._advance()

    def back(self) -> bool:
        """Take the last decision back and return to its line; False at the first one."""
        if not self._trail:
            return False
        self.place, self._states[self.place] = self._trail.pop()
        self._save(self.left)
        return True

    def faults(self) -> list[str]:
        """Return what keeps the line in question out of a dataset."""
        line = _bare(self.line)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "line.jsonl"
            save_lines(file, [line])
            try:
                questions = load_questions(file)
            except DatasetError as error:
                return str(error).split("\n")[1:]  # without the file's name
        texts = {id_: found.text for id_ in _article_ids(line) if (found := self.found(id_))}
        return check_quotes(questions, texts)

    def found(self, article_id: str) -> Article | None:
        """Return an article, None if the archive does not have it."""
        try:
            return self._article(article_id)
        except NotFoundError:
            return None

    def view(self) -> str:
        """Return question, expected answer, and each quote in its surroundings."""
        line = self.line
        tags = ", ".join(map(str, line.get("tags", [])))
        parts = [
            f"\n-- {self.place + 1} of {len(self._states)} -- {line.get('id', 'no id')} [{tags}]",
            f"Question:  {line['question']}",
            f"Expected:  {_expected(line)}",
        ]
        parts += [f"{name + ':':10} {line[field]}" for field, name in _NOTES.items() if line.get(field)]
        parts += [self._quoted(item) for item in line.get("evidence", [])]
        return _printable("\n".join(parts))

    def summary(self) -> str:
        """Return how many lines are reviewed, dropped and still to do."""
        done = sum(REVIEWED in line.get("tags", []) for line in self.left)
        dropped = len(self._states) - len(self.left)
        return f"{done} reviewed, {dropped} dropped, {len(self.left) - done} to review."

    def _quoted(self, item: dict[str, str]) -> str:
        quote = item["quote"]
        found = self.found(item["article_id"])
        if found is None:
            return f"\nThe archive has no article {item['article_id']!r}; its quote: {quote}"
        date = f"{found.published_at:%d %B %Y}" if found.published_at else "date unknown"
        head = f"\n{found.title} ({found.source or 'outlet unknown'}, {date})"
        start = found.text.find(quote)
        if start < 0:
            return f"{head}\nThe article does not hold the quote: {quote}"
        end = start + len(quote)
        before, after = found.text[max(0, start - _AROUND) : start], found.text[end : end + _AROUND]
        opening = "…" if start > _AROUND else ""
        return f"{head}\n{opening}{before}»{quote}«{after}{'…' if end + _AROUND < len(found.text) else ''}"

    def _advance(self) -> None:
        self.place += 1
        while self.place < len(self._states):
            line = self._states[self.place]
            if line is not None and REVIEWED not in line.get("tags", []):
                return
            self.place += 1


# -- what a key does; each returns what to show, "" for nothing -------------------------------------


def _keep(table: _Table, _ask: Callable[[str], str]) -> str:
    faults = table.faults()
    if faults:
        return "It cannot be kept as it is; edit it, mark it unanswerable or drop it:\n" + "\n".join(faults)
    table.decide(_marked(table.line))
    return ""


def _edit_question(table: _Table, ask: Callable[[str], str]) -> str:
    text = " ".join(ask("New question (empty: as it was): ").split())
    if text:
        table.change(question=text)
    return ""


def _edit_answers(table: _Table, ask: Callable[[str], str]) -> str:
    text = ask("New answers, as in: nine | 9; Brackwater (empty: as they were): ")
    groups = [[alias.strip() for alias in group.split("|") if alias.strip()] for group in text.split(";")]
    if any(groups):
        table.change(answers=[group for group in groups if group], answerable=True)
    return ""


def _mark_unanswerable(table: _Table, _ask: Callable[[str], str]) -> str:
    table.decide(_marked(table.line | {"answerable": False, "answers": [], "evidence": []}))
    return ""


def _drop(table: _Table, _ask: Callable[[str], str]) -> str:
    table.decide(None)
    return ""


def _skip(table: _Table, _ask: Callable[[str], str]) -> str:
    table.skip()
    return ""


def _back(table: _Table, _ask: Callable[[str], str]) -> str:
    return "" if table.back() else "This is the first line of this review."


_ACTIONS: dict[str, Callable[[_Table, Callable[[str], str]], str]] = {
    "k": _keep,
    "e": _edit_question,
    "a": _edit_answers,
    "u": _mark_unanswerable,
    "d": _drop,
    "s": _skip,
    "b": _back,
}


# -- lines ---------------------------------------------------------------------------------------


def _read(text: str, path: Path, number: int) -> Line:
    try:
        line = json.loads(text)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path}, line {number} is no JSON ({error}): mend or remove it.") from error
    if not isinstance(line, dict) or not str(line.get("question", "")).strip():
        raise DatasetError(f"{path}, line {number} is no question: it needs an object with `question`.")
    evidence = line.get("evidence", [])
    if not isinstance(evidence, list) or not all(map(_is_evidence, evidence)):
        raise DatasetError(f"{path}, line {number}: `evidence` is a list of objects with `article_id` and `quote`.")
    return line


def _is_evidence(item: object) -> bool:
    return isinstance(item, dict) and {"article_id", "quote"} <= item.keys()


def _bare(line: Line) -> Line:
    return {field: value for field, value in line.items() if field not in _NOTES}


def _marked(line: Line) -> Line:
    return _bare(line) | {"tags": [*line.get("tags", []), REVIEWED]}


def _expected(line: Line) -> str:
    return "; ".join(" | ".join(group) for group in line.get("answers", [])) or "(the archive does not say)"


def _article_ids(line: Line) -> list[str]:
    return [item["article_id"] for item in line.get("evidence", [])]


def _printable(text: str) -> str:
    """Return text that cannot steer the terminal: articles come from anywhere."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)
