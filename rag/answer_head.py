"""The answer head: a small network that scores each token of a passage as part of the answer.

It works on the token vectors that the packaged embedding model gives anyway; `training/fit_answer_head.py`
trains it. Other embedding models have no head, and the reader does without.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from rag.embeddings import TokenVectors

SCALARS = 4
_WINDOWS = (5, 15, 45)  # tokens on either side over which matches with the question are averaged
SCALE = 10.0  # as in training: brings the entries of unit vectors near 1


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """The weights, by layer name."""

    weights: dict[str, np.ndarray]

    def score(self, asked: TokenVectors, read: TokenVectors) -> np.ndarray:
        """Return a score for each token of `read`, shape (n,), above the score of there being no answer."""
        w = self.weights
        vector = asked.vectors.mean(axis=0)
        vector = SCALE * vector / max(float(np.linalg.norm(vector)), 1e-9)
        alone, meeting = np.split((SCALE * read.vectors) @ w["token.weight"].T + w["token.bias"], 2, axis=1)
        about, probe = np.split(w["question.weight"] @ vector, 2)
        hidden = alone + meeting * probe + about + w["wording.weight"] @ (SCALE * wording_vector(asked))
        hidden += scalar_features(asked, read) @ w["scalars.weight"].T
        hidden = np.maximum(np.maximum(hidden, 0) @ w["middle.weight"].T + w["middle.bias"], 0)
        return np.asarray(hidden @ w["out.weight"][0] + w["out.bias"] - w["null"])


@cache
def shipped_head() -> AnswerHead:
    """Return the head in the package."""
    from safetensors.numpy import load

    values = load(resources.files("rag").joinpath("data/answer_head.safetensors").read_bytes())
    return AnswerHead({name: value.astype(np.float32) for name, value in values.items()})


def wording_vector(asked: TokenVectors) -> np.ndarray:
    """Return the unit vector of the question's first two tokens: "who is", "how many", "in what"."""
    vector = asked.vectors[:2].mean(axis=0)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)


def scalar_features(asked: TokenVectors, read: TokenVectors) -> np.ndarray:
    """Return, per token, its best match with a question token and the mean best match around it; shape (n, 4)."""
    best = (read.vectors @ asked.vectors.T).max(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(best)])
    places = np.arange(len(best))
    columns = [best]
    for window in _WINDOWS:
        low, high = np.maximum(places - window, 0), np.minimum(places + window + 1, len(best))
        columns.append((sums[high] - sums[low]) / (high - low))
    return np.stack(columns, axis=1).astype(np.float32) * 2
