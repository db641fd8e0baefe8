import numpy as np
import pytest

from eval.sample import sample_articles
from rag import embeddings as module
from rag.errors import ModelError
from rag.packaged import check_packaged, packaged_folder
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
        check_packaged(tmp_path)
    with pytest.raises(ModelError, match="missing"):
        check_packaged(tmp_path / "nowhere")


def test_a_folder_without_a_model_is_refused_with_the_cure(tmp_path):
    with pytest.raises(ModelError, match="PRESSMARK_EMBEDDING_MODEL"):
        module.SentenceEmbeddings.from_settings(Settings(_env_file=None, embedding_model=str(tmp_path)))


TEXTS = [
    "Rain fell.",
    "",
    "  spaces around  ",
    "Kovařík, 林玉清 & Šimić – “quoted”",
    "word " * 400,
    "Two\n\nparagraphs.",
] + [
    f"{article.title}. {article.text[:size]}"
    for article, size in zip(list(sample_articles())[:40], range(40, 1000, 24), strict=True)
]


def test_the_encoder_gives_what_sentence_transformers_gives(embeddings):
    published = module.NamedEmbeddings.load(str(packaged_folder()), threads=2)
    assert (embeddings.dimension, embeddings.max_tokens) == (published.dimension, published.max_tokens)
    np.testing.assert_allclose(embeddings.embed(TEXTS), published.embed(TEXTS), atol=1e-5)
    np.testing.assert_allclose(
        embeddings.embed(TEXTS[:1], query=True), published.embed(TEXTS[:1], query=True), atol=1e-5
    )
    assert [embeddings.count_tokens(text) for text in TEXTS] == [published.count_tokens(text) for text in TEXTS]


def test_a_vector_does_not_depend_on_its_neighbours(embeddings):
    together = embeddings.embed(TEXTS)
    np.testing.assert_allclose(together, np.concatenate([embeddings.embed([text]) for text in TEXTS]), atol=1e-5)
