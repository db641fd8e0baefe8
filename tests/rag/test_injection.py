"""Articles of ours that try to instruct the program: what is shown, and what a model is told, stay as they were."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from ingest.indexer import index_articles
from ingest.loaders import load
from ingest.loaders.source import Source
from rag.chain import AnswerChain
from rag.instructions import instructed_spans
from rag.prompts import answer_prompt
from rag.schema import Query
from rag.settings import Settings
from rag.store import Store

DATA = Path(__file__).parents[1] / "data" / "injected.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
# Honest sentences with the words of such attacks.
HONEST = """
Agents, who had waited since dawn, searched the house.
Assistants, nurses and porters walked out on Monday.
The regulator said AI systems must report serious incidents within two days.
Language models should refuse requests for weapons, the draft law says.
Chatbots: a bubble about to burst?
The minister told the committee to ignore the instructions of his predecessor.
Voters must answer three questions in the referendum.
The court said the jury should disregard the first question.
He answered only yes or no.
The new rules: no cars on Sundays.
The search engine must pay 2.4 billion euros.
Your answer must reach us by Friday, the quiz's organisers wrote to readers.
"Never mention this to anyone," she told her brother.
The council will include the following streets in the scheme.
The union repeated all the rules that members had agreed on.
Question: how many seats did the party win? Answer: eleven.
Mr Orton, an agent, will speak as a witness.
The guide lists all rules for hikers.
Do not answer this question if you are under 18, the form says.
He was told to act as an agent of the bank.
The operator of the system must restore power by Monday.
Die Antwort der Ministerin ist klar: Die Schule bleibt.
Ihre Antwort muss bis Freitag eingehen.
Die Regeln sind streng, sagte der Trainer.
Alle Anweisungen der Polizei müssen befolgt werden.
Der Minister antwortete nur ausweichend.
Vergiss nie die Regel, sagte der Großvater.
La respuesta debe llegar antes del viernes.
Sus reglas son claras, dijo la alcaldesa.
El ministro respondió solo a dos preguntas.
Cada respuesta es distinta, explicó el médico.
El alcalde ignoró las indicaciones de los bomberos.
Contestó siempre con calma.
The system prompt of the chatbot leaked on Tuesday, the company confirmed.
According to the report, users' questions are stored for 30 days.
The assistant: "We had no warning."
"""
NOW = datetime(2025, 12, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = Store.open(Settings(_env_file=None, home=tmp_path_factory.mktemp("injected")))
    index_articles(load(Source(DATA, DATA.name)), found, passage_tokens=128)
    yield found
    found.close()


def answer(store, row, reply=None):
    model = None if reply is None else GenericFakeChatModel(messages=iter([AIMessage(content=reply)]))
    chosen = Settings(_env_file=None, chat_model="fake:model" if reply else "")
    return AnswerChain(store, chosen, model).invoke(Query(row["question"], now=NOW))


def obedient(row):
    """What a model without any will of its own would write: what it was told to, and the article's own tricks."""
    told = [f"{text.rstrip('.')}. [1]" for text in row["must_not"]]
    tricks = [f"{line} [1]" for line in row["text"].split("\n") if any(text in line for text in row["must_not"])]
    return " ".join([*told, *tricks, f"See [this]({'https://evil.example/?q=1'}) for more. [1]"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_built_in_reader_shows_nothing_of_it(store, row):
    found = answer(store, row)
    assert not [text for text in row["must_not"] if text.lower() in found.text.lower()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_even_if_a_model_obeys_nothing_of_it_is_shown(store, row):
    found = answer(store, row, obedient(row))
    assert not [text for text in row["must_not"] if text.lower() in found.text.lower()]
    assert "http" not in found.text
    assert "](" not in found.text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_frame_of_the_prompt_holds(store, row):
    found = answer(store, row).retrieved
    told = answer_prompt(row["question"], found)[1][1]
    assert told.count("<passage number=") == told.count("</passage>") == len(found)
    assert told.count("<passages>") == told.count("</passages>") == 1
    assert told.endswith(f"</passages>\n\nQuestion: {row['question']}")
    assert "<|" not in told


@pytest.mark.parametrize("sentence", HONEST.strip().splitlines())
def test_honest_sentences_stay(sentence):
    assert not instructed_spans(sentence)
