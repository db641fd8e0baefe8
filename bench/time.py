"""Measure the windows read from questions, on questions of our own with the right window beside each.

    python -m bench.time [--split dev|test] [--show]

A line of `bench/data/time.jsonl` has question, now, since, until (ISO, or null for open; both null: no window), split
and kind. A window that reaches past now counts as open, and one of a single day may take in the next two days' papers,
as ours does on purpose. `dev` questions were looked at while the rules were made, `test` questions were only counted.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rag.schema import TimeWindow
from rag.timeframe import window_of

DATA = Path(__file__).parent / "data" / "time.jsonl"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--show", action="store_true", help="name the questions that went wrong")
    options = parser.parse_args()
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    right: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for row in (row for row in rows if row["split"] == options.split):
        window = window_of(row["question"], datetime.fromisoformat(row["now"]))
        ok = is_right(window, row)
        seen[row["kind"]] += 1
        right[row["kind"]] += ok
        if options.show and not ok:
            found = _bounds(window)
            print(
                f"{row['question']}  (now {row['now'][:10]})\n   {_named(found)}, not {row['since']} to {row['until']}"
            )
    print(f"{options.split}: {right.total()} of {seen.total()} right ({right.total() / seen.total():.3f})")
    print(", ".join(f"{kind} {right[kind]} of {count}" for kind, count in sorted(seen.items())))


def is_right(window: TimeWindow | None, row: dict[str, Any]) -> bool:
    """Tell whether the window is the row's."""
    now = datetime.fromisoformat(row["now"])
    since, until = (row[name] and _moment(row[name]) for name in ("since", "until"))
    found_since, found_until = _bounds(window)
    if until is None or found_until is None or until > now:
        same_end = (until is None or until > now) and (found_until is None or found_until > now)
    else:
        a_day = since is not None and until - since <= timedelta(days=1)
        same_end = found_until == until or (a_day and timedelta() <= found_until - until <= timedelta(days=2))
    return found_since == since and same_end


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _bounds(window: TimeWindow | None) -> tuple[Any, Any]:
    return (window.since, window.until) if window else (None, None)


def _named(bounds: tuple[Any, Any]) -> str:
    return " to ".join(f"{moment:%Y-%m-%d}" if moment else "open" for moment in bounds)


if __name__ == "__main__":
    main()
