"""The encoder on onnxruntime: token ids to hidden states, without torch, which takes seconds to import.

The graph is `rag/data/encoder.onnx` (`training/graph.py` makes it); the weights are those of the packaged model or of a
network of ours with the same shape, read from their safetensors files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

GRAPH = "encoder.onnx"
LAYERS, WIDTH, HEADS, EPSILON = 6, 384, 12, 1e-12


@dataclass(frozen=True, slots=True)
class LayerNames:
    """What a layer's weights are called in the graph."""

    qkv: str
    qkv_bias: str
    out: str
    out_bias: str
    norm: str
    norm_bias: str
    up: str
    up_bias: str
    down: str
    down_bias: str
    norm2: str
    norm2_bias: str


def layer_names(layer: int) -> LayerNames:
    """Return the names for a layer, counted from 0."""
    return LayerNames(**{field.name: f"{layer}.{field.name}" for field in fields(LayerNames)})


def graph_weights(weights: Mapping[str, np.ndarray], prefix: str = "") -> dict[str, np.ndarray]:
    """Return BERT weights under the graph's names, single precision, matrices transposed as it multiplies.

    Args:
        weights: Under the names of transformers' `BertModel`.
        prefix: What stands before those names.
    """

    def of(name: str) -> np.ndarray:
        return np.ascontiguousarray(weights[prefix + name], dtype=np.float32)

    def matrix(name: str) -> np.ndarray:
        return np.ascontiguousarray(of(name).T)

    found = {
        "words": of("embeddings.word_embeddings.weight"),
        "places": of("embeddings.position_embeddings.weight"),
        "types_of": of("embeddings.token_type_embeddings.weight"),
        "norm.weight": of("embeddings.LayerNorm.weight"),
        "norm.bias": of("embeddings.LayerNorm.bias"),
    }
    for layer in range(LAYERS):
        at, own = f"encoder.layer.{layer}.", layer_names(layer)
        attention = [f"{at}attention.self.{part}." for part in ("query", "key", "value")]
        found |= {
            own.qkv: np.concatenate([matrix(f"{part}weight") for part in attention], axis=1),
            own.qkv_bias: np.concatenate([of(f"{part}bias") for part in attention]),
            own.out: matrix(f"{at}attention.output.dense.weight"),
            own.out_bias: of(f"{at}attention.output.dense.bias"),
            own.norm: of(f"{at}attention.output.LayerNorm.weight"),
            own.norm_bias: of(f"{at}attention.output.LayerNorm.bias"),
            own.up: matrix(f"{at}intermediate.dense.weight"),
            own.up_bias: of(f"{at}intermediate.dense.bias"),
            own.down: matrix(f"{at}output.dense.weight"),
            own.down_bias: of(f"{at}output.dense.bias"),
            own.norm2: of(f"{at}output.LayerNorm.weight"),
            own.norm2_bias: of(f"{at}output.LayerNorm.bias"),
        }
    return found


class Encoder:
    """The graph with weights. Threads may share one."""

    def __init__(self, weights: Mapping[str, np.ndarray], *, threads: int) -> None:
        """Make a session.

        Args:
            weights: As `graph_weights` gives them; kept, not copied.
            threads: For a call that runs alone.
        """
        self._weights = weights  # the sessions read them where they are
        self._session = _session(weights, threads)
        self._beside: InferenceSession | None = self._session if threads == 1 else None
        self._lock = Lock()
        self._running = 0

    def hidden(self, ids: np.ndarray, types: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return hidden states, shape (batch, longest, `WIDTH`), of integer arrays of shape (batch, longest).

        A call that runs beside another takes one thread: two at a time on a thread each do more than two that share.
        """
        inputs = {"ids": ids, "types": types, "mask": mask}
        with self._lock:
            self._running += 1
            session = self._session if self._running == 1 else self._single()
        try:
            found = session.run(["hidden"], {name: value.astype(np.int32) for name, value in inputs.items()})
        finally:
            with self._lock:
                self._running -= 1
        return np.asarray(found[0])

    def _single(self) -> InferenceSession:
        if self._beside is None:
            self._beside = _session(self._weights, 1)
        return self._beside


def padded(rows: Sequence[Sequence[int] | np.ndarray], longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of token ids with zeros behind them, shape (len(rows), longest), and the mask of what is no zero."""
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return ids, mask


def _session(weights: Mapping[str, np.ndarray], threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin for work starve a busy neighbour, and are starved by it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    names = list(weights)
    options.add_external_initializers(
        names, [onnxruntime.OrtValue.ortvalue_from_numpy(weights[name]) for name in names]
    )
    graph = resources.files("rag").joinpath("data", GRAPH).read_bytes()
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
