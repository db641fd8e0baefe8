import numpy as np
import pytest
import torch

from rag.answer_head import SCALARS, AnswerHead, scalar_features, shipped_head, wording_vector
from rag.embeddings import TokenVectors
from training.fit_answer_head import _Head


def token_vectors(n, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return TokenVectors(vectors, np.arange(n), np.arange(n) + 1)


def test_numpy_scores_equal_the_trained_network():
    torch.manual_seed(1)
    network = _Head(384).eval()
    asked, read = token_vectors(7), token_vectors(30, seed=1)
    vector = asked.vectors.mean(axis=0)
    with torch.inference_mode():
        expected = network(
            torch.from_numpy(read.vectors),
            torch.from_numpy(vector / np.linalg.norm(vector)),
            torch.from_numpy(wording_vector(asked)),
            torch.from_numpy(scalar_features(asked, read)),
        )
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    assert AnswerHead(weights).score(asked, read) == pytest.approx(expected.numpy(), abs=1e-4)


def test_scalar_features_have_one_row_per_token():
    assert scalar_features(token_vectors(3), token_vectors(50)).shape == (50, SCALARS)
    assert scalar_features(token_vectors(1), token_vectors(1)).shape == (1, SCALARS)


def test_the_shipped_head_prefers_the_answer(embeddings):
    text = "Nobody was hurt in the fire. Captain Vasterholt praised the engineer Anselm Roke on Thursday."
    asked, read = embeddings.embed_tokens(["Who did the captain praise?", text])
    scores = shipped_head().score(asked, read)
    best = int(scores.argmax())
    assert text[read.starts[best] : read.ends[best]].lower() in "anselm roke engineer captain vasterholt"
