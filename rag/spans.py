"""Token logits to answer spans: the best span of a passage, and the best in each of its sentences; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag.span_model import Encoded

MAX_SPAN_TOKENS = 40  # 99.9 % of the training answers are shorter


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """Characters [start, end) of a passage; `score` is log-odds: the span's logits less the null's."""

    start: int
    end: int
    score: float


def best_span(encoded: Encoded, logits: np.ndarray) -> AnswerSpan:
    """Return the span with the highest start + end logit less the null's.

    Args:
        encoded: The pair.
        logits: Shape (tokens or more, 3); rows of padding are not looked at.
    """
    return best_spans(encoded, logits, [(0, int(encoded.offsets[-1, 1]) if len(encoded.offsets) else 0)])[0]


def best_spans(encoded: Encoded, logits: np.ndarray, parts: Sequence[tuple[int, int]]) -> list[AnswerSpan]:
    """Return the best span inside each part of the passage, given as characters [start, end).

    A part that no token lies in (it was cut off) gets an empty span with the score -inf.
    """
    offsets = encoded.offsets
    rows = logits[encoded.first : encoded.first + len(offsets)]
    null = float(logits[0, 0] + logits[0, 1])
    found = []
    for begin, end in parts:
        inside = np.flatnonzero((offsets[:, 0] >= begin) & (offsets[:, 1] <= end))
        if not len(inside):
            found.append(AnswerSpan(begin, begin, float("-inf")))
            continue
        starts, ends = rows[inside, 0], rows[inside, 1]
        length = np.arange(len(inside))
        width = length[None, :] - length[:, None]
        joint = np.where((width >= 0) & (width < MAX_SPAN_TOKENS), starts[:, None] + ends[None, :], -np.inf)
        first, last = divmod(int(np.argmax(joint)), len(inside))
        found.append(
            AnswerSpan(int(offsets[inside[first], 0]), int(offsets[inside[last], 1]), float(joint[first, last]) - null)
        )
    return found


def evidence_in(encoded: Encoded, logits: np.ndarray, parts: Sequence[tuple[int, int]]) -> list[float]:
    """Return the mean evidence logit of the tokens inside each part of the passage; -inf for one that was cut off."""
    offsets = encoded.offsets
    values = logits[encoded.first : encoded.first + len(offsets), 2]
    means = []
    for begin, end in parts:
        inside = (offsets[:, 0] >= begin) & (offsets[:, 1] <= end)
        means.append(float(values[inside].mean()) if inside.any() else float("-inf"))
    return means
