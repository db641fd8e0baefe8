import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from rag.entailment import ChatEntailment, CrossEntailment, best_parts
from rag.errors import ChatModelError, ModelError, SettingsError
from rag.settings import Settings
from rag.verifier import Verifier, verifier_of

PASSAGE = (
    "Bridge opens\nSelwyn Courier 3 June 2025\nMayor Ines Halloran opened it on Tuesday. It cost 40 million crowns."
)


class Fixed:
    name, supported, thin, doubted, partly = "fixed", 0.6, 0.6, 0.8, 0.3

    def __init__(self, *chances):
        self.chances = list(chances)
        self.asked = []

    def support(self, pairs):
        self.asked += pairs
        return [self.chances.pop(0) for _ in pairs]


@pytest.mark.parametrize(
    ("chance", "verdict"), [(0.9, "supported"), (0.6, "supported"), (0.4, "partly"), (0.1, "unsupported")]
)
def test_the_model_decides_what_the_rules_do_not_settle(chance, verdict):
    check = Verifier(Fixed(chance)).verify("The bridge was paid for by the mayor Halloran.", [PASSAGE])
    assert (check.verdict, check.score) == (verdict, chance)
    assert bool(check.reasons) == (verdict != "supported")


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [("It cost 40 million crowns.", "supported"), ("The bridge cost 50 million crowns.", "unsupported")],
)
def test_what_the_rules_settle_no_model_is_asked(claim, verdict):
    model = Fixed()
    assert Verifier(model).verify(claim, [PASSAGE]).verdict == verdict
    assert model.asked == []


def test_several_passages_are_read_each_and_together():
    model = Fixed(0.1, 0.2, 0.7)
    check = Verifier(model).verify("Halloran opened it though storms were near.", [PASSAGE, "Storms were near."])
    assert (check.verdict, len(model.asked)) == ("supported", 3)


def test_without_an_answer_of_the_model_the_rules_stand_and_it_is_told():
    check = Verifier(Fixed(None)).verify("The mayor Halloran opened the bridge.", [PASSAGE])
    assert check.verdict == "supported"
    assert check.reasons == ("fixed gave no usable answer",)


def judge(*replies):
    return ChatEntailment(GenericFakeChatModel(messages=iter([AIMessage(content=reply) for reply in replies])))


def test_a_chat_model_judges_in_one_word_and_anything_else_is_counted():
    model = judge("Yes.", "no", '"Partly"', "Well, yes and no", "")
    assert model.support([("c", "t")] * 5) == [1.0, 0.0, 0.5, None, None]
    assert model.unparsable == 2


def test_a_judge_that_fails_is_counted_as_unparsable():
    class Broken(GenericFakeChatModel):
        def _generate(self, *args, **kwargs):
            raise ChatModelError("gone")

    model = ChatEntailment(Broken(messages=iter([])))
    assert model.support([("c", "t")]) == [None]
    assert model.unparsable == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cross-encoder of two small random layers with the labels of NLI."""
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    from rag.packaged import packaged_folder

    path = tmp_path_factory.mktemp("cross")
    labels = {0: "contradiction", 1: "entailment", 2: "neutral"}
    config = BertConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, num_labels=3,
        id2label=labels, label2id={label: place for place, label in labels.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(path)
    AutoTokenizer.from_pretrained(packaged_folder()).save_pretrained(path)
    return path


def test_a_cross_encoder_gives_the_chance_of_its_entailment_label(folder):
    import torch
    from sentence_transformers import CrossEncoder

    model = CrossEntailment.load(str(folder), Settings(_env_file=None))
    pairs = [("The bridge is open.", "A bridge opened."), ("It rained.", "It snowed all day.")]
    logits = CrossEncoder(str(folder), device="cpu").predict(
        [(text, claim) for claim, text in pairs], activation_fn=torch.nn.Identity(), convert_to_tensor=True
    )
    assert model.support(pairs) == pytest.approx(logits.softmax(1)[:, 1].tolist(), abs=1e-5)
    assert model.support([]) == []


def test_a_cross_encoder_that_is_not_there_is_named():
    with pytest.raises(ModelError, match="no-such-model"):
        CrossEntailment.load("no-such-model", Settings(_env_file=None))


@pytest.mark.parametrize(
    ("name", "cure"), [("gpt", "nli:"), ("nli:", "nli:"), ("llm", "PRESSMARK_CHAT_MODEL"), ("rules:x", "nli:")]
)
def test_a_verifier_that_is_none_is_refused(name, cure):
    with pytest.raises(SettingsError, match=cure):
        verifier_of(Settings(_env_file=None, verifier=name))


def test_of_a_long_text_the_sentences_nearest_to_the_claim_are_read_in_order():
    filler = [f"Nothing happened on day {number} of the long and quiet winter in the hills." for number in range(40)]
    texts = [*filler[:20], "The bridge opened.", *filler[20:], "The mayor paid for the bridge."]
    read = best_parts("The mayor paid for the bridge that opened.", texts)
    assert read.index("The bridge opened.") < read.index("The mayor paid for the bridge.")
    assert len(read.split()) <= 150


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("It cost 40 million crowns.", "supported"),
        ("The bridge was opened by mayor Ines Halloran on Tuesday.", "supported"),
        ("Mayor Ines Halloran opened it on Tuesday, and the minister has since apologised.", "unsupported"),
        ("Mayor Ines Halloran opened it on Friday.", "unsupported"),
    ],
)
def test_the_network_in_the_package_has_its_say(claim, verdict):
    assert verifier_of(Settings(_env_file=None)).name == "builtin"
    assert verifier_of(Settings(_env_file=None)).verify(claim, [PASSAGE]).verdict == verdict


def test_a_model_is_told_what_relative_words_mean():
    model = Fixed(0.9)
    Verifier(model).verify("The bridge was opened by the mayor Halloran in early June.", [PASSAGE])
    ((_, text),) = model.asked
    assert "on Tuesday [3 June 2025]" in text


def test_balanced_bounds_pass_more_and_no_planted_fault_of_the_rules():
    strict, balanced = (
        verifier_of(Settings(_env_file=None, verifier=name)) for name in ("builtin", "builtin:balanced")
    )
    assert balanced.name == "builtin:balanced"
    told = "On Tuesday Halloran inaugurated a bridge worth 40 million crowns."
    assert strict.verify(told, [PASSAGE]).verdict != "supported"
    assert balanced.verify(told, [PASSAGE]).verdict == "supported"
    assert balanced.verify("Mayor Ines Halloran opened it on Friday.", [PASSAGE]).verdict == "unsupported"
