"""Measure follow-up questions on the sample archive: two-turn dialogues of our own, half of them changes of topic.

    python -m bench.dialogues [--split dev|test] [--show]

The first question is answered by the built-in reader, and its answer is part of the dialogue.

follow-up      the gold article is among the first 8 passages, of the completed question and, beside it, of the same
               question as a person would ask it alone
topic change   the second question is searched as it stands: nothing of the first is added to it; and the gold article
               is among the first 8, as without the first question
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from eval.sample import ARTICLES
from ingest.run import ingest
from rag.chain import AnswerChain
from rag.dialogue import standalone_question
from rag.schema import Query, Turn
from rag.settings import load_settings
from rag.store import opened
from ui.demo import SAMPLE_NOW

DATA = Path(__file__).parent / "data" / "dialogues.jsonl"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--show", action="store_true", help="name the dialogues that went wrong")
    options = parser.parse_args()
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["split"] == options.split]
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(home=Path(home))
        with opened(settings) as store:
            ingest([ARTICLES], store, passage_tokens=settings.passage_tokens)
            chain = AnswerChain(store, settings)
            follow = [row for row in rows if not row["topic_change"]]
            asked = [_held(chain, row, options.show) for row in follow]
            changes = [row for row in rows if row["topic_change"]]
            changed = [_held(chain, row, options.show) for row in changes]
    completed, alone = sum(one for one, _ in asked), sum(other for _, other in asked)
    kept = 0
    for row in changes:
        query = standalone_question(row["second"], [Turn(row["first"])])
        kept += query == row["second"]
        if options.show and query != row["second"]:
            print(f"polluted: {query}")
    print(
        f"{options.split}: follow-ups {completed} of {len(follow)} found, {alone} asked alone "
        f"(ratio {completed / max(1, alone):.3f}); topic changes left alone {kept} of {len(changes)}, "
        f"found {sum(one for one, _ in changed)}, {sum(other for _, other in changed)} asked alone"
    )


def _held(chain: AnswerChain, row: dict[str, Any], show: bool) -> tuple[bool, bool]:
    retriever = chain.retriever
    turn = Turn(row["first"], chain.invoke(Query(row["first"], now=SAMPLE_NOW)).text)
    query = standalone_question(row["second"], [turn])
    also = [row["second"]] if query != row["second"] else []
    completed = {item.passage.article_id for item in retriever.retrieve(query, also=also)}
    alone = {item.passage.article_id for item in retriever.retrieve(row["standalone"])}
    if show and row["second_article"] not in completed:
        print(f"not found: {row['first']} / {query}")
    return row["second_article"] in completed, row["second_article"] in alone


if __name__ == "__main__":
    main()
