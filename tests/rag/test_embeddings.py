import numpy as np
import pytest

from rag import embeddings as module
from rag.errors import ModelError
from rag.settings import Settings


def test_vectors_are_of_unit_length_and_alike_texts_are_near(embeddings):
    cat, kitten, bank = embeddings.embed(["A cat sat.", "A kitten sat.", "The bank cut its rate."])
    assert np.linalg.norm(cat) == pytest.approx(1.0, abs=1e-5)
    assert cat @ kitten > cat @ bank
    assert embeddings.embed([]).shape == (0, embeddings.dimension)


def test_tokens_are_counted_without_special_ones(embeddings):
    assert embeddings.count_tokens("Rain fell.") == 3


def test_weights_that_are_not_the_published_ones_are_an_error(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelError, match="reinstall"):
        module.check_packaged(tmp_path)
    with pytest.raises(ModelError, match="missing"):
        module.check_packaged(tmp_path / "nowhere")


def test_a_folder_without_a_model_is_refused_with_the_cure(tmp_path):
    with pytest.raises(ModelError, match="PRESSMARK_EMBEDDING_MODEL"):
        module.SentenceEmbeddings.from_settings(Settings(_env_file=None, embedding_model=str(tmp_path)))
