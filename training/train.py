"""Train the reader's network on the pairs of `training.prepare`: sentences first, then paragraphs.

    python -m training.train --data runs/reader --out runs/reader/model
    python -m training.train --data runs/reader --out runs/reader/second --start runs/reader/model/network.pt \
        --pairs 40000 --seed 8 --rate 0.5

The second command is a further round: paragraphs only, from the weights of the first, with other passages without an
answer (another seed) and half the learning rate.

The order of the pairs follows from the seed, so a run that was stopped goes on from its last checkpoint and ends the
same. Prints, on held-out articles, the F1 of the answer's span, and the AUC of telling passages with the answer from
others.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from eval.metrics.answers import token_f1
from rag.packaged import load_tokenizer
from rag.span_model import WORD_EMBEDDINGS, Encoded, encode, header_of
from rag.spans import best_span
from rag.torch_network import new_network, pad
from training.precision import autocast

SEED = 7
BATCH = 32
RATE, HEAD_RATE = 1e-4, 5e-4
WARMUP = 300  # steps
EVIDENCE_WEIGHT = 0.5
SAVE_EVERY, CHECK_EVERY = 250, 750  # steps
CHECKED = 40  # pairs with and as many without the answer
SENTENCES = {"qasrl": 3_000, "qamr": 5_000, "qadiscourse": 4_000}  # pairs of the first stage
# Of the second: chance of a negative of each kind per answered question and pass.
NEGATIVES = {"near": 0.5, "same": 0.15, "cut": 0.25, "swapped": 0.25}
NEWS_AGAIN = 0.15  # share of QAMR and QADiscourse that is mixed into each pass of the second stage
IGNORED = -1


@dataclass(frozen=True, slots=True)
class Item:
    """One encoded pair with its targets: tokens allowed as start and end, and 1 for tokens of the evidence."""

    encoded: Encoded
    starts: np.ndarray
    ends: np.ndarray
    evidence: np.ndarray


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=90_000, help="pairs of the second stage, over all its passes")
    parser.add_argument("--start", type=Path, help="network.pt to begin with; the first stage is left out")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on the learning rates")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    rng, tokenizer = random.Random(options.seed), load_tokenizer()
    batches = [] if options.start else _sentence_batches(options.data, tokenizer, rng)
    batches += _paragraph_batches(options.data, options.pairs, tokenizer, rng)
    checks = _check_set(options.data / "dev.jsonl")
    print(f"{len(batches)} steps of {BATCH} pairs", flush=True)
    network = new_network()
    if options.start:
        network.load_state_dict(torch.load(options.start, weights_only=True))
    _run(network, batches, checks, options.out, options.rate)


def _run(
    network: torch.nn.Module,
    batches: Sequence[list[Item]],
    checks: list[tuple[dict[str, Any], Item]],
    out: Path,
    rate: float,
) -> None:
    trained = dict(network.named_parameters())
    del trained[WORD_EMBEDDINGS]  # they stay those of the packaged model
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for name, p in trained.items() if not name.startswith("head.")], "lr": rate * RATE},
            {"params": [p for name, p in trained.items() if name.startswith("head.")], "lr": rate * HEAD_RATE},
        ],
        weight_decay=0.01,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / WARMUP, max(0.0, 1 - step / len(batches)))
    )
    saved = out / "checkpoint.pt"
    first = 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first = int(state["step"])
        print(f"going on from step {first}", flush=True)
    began, losses = time.monotonic(), []
    for step in range(first, len(batches)):
        network.train()
        loss = _loss(network, batches[step])
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        schedule.step()
        network.zero_grad()
        losses.append(loss.item())
        done = step + 1
        if done % 50 == 0:
            speed = (done - first) * BATCH / (time.monotonic() - began)
            print(f"step {done} loss {np.mean(losses[-50:]):.3f} {speed:.1f} pairs/s", flush=True)
        if done % CHECK_EVERY == 0 or done == len(batches):
            print(f"step {done} dev: {check(network, checks)}", flush=True)
        if done % SAVE_EVERY == 0 or done == len(batches):
            state = {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "step": done,
            }
            torch.save(state, out / "checkpoint.new")
            (out / "checkpoint.new").replace(saved)
    torch.save(network.state_dict(), out / "network.pt")


# -- data --------------------------------------------------------------------------------------------


def _sentence_batches(folder: Path, tokenizer: Tokenizer, rng: random.Random) -> list[list[Item]]:
    sentences = _lines(folder / "sentences.jsonl")
    rng.shuffle(sentences)
    stage = []
    for source, most in SENTENCES.items():
        chosen = [pair for pair in sentences if pair["source"] == source][:most]
        stage += [one for pair in chosen for one in _with_negatives(pair, rng, {"same": 0.2})]
    return _in_batches([_item(*one) for one in _encoded(stage, tokenizer, rng)], rng)


def _paragraph_batches(folder: Path, pairs: int, tokenizer: Tokenizer, rng: random.Random) -> list[list[Item]]:
    paragraphs = [*_lines(folder / "paragraphs.jsonl"), *_lines(folder / "selqa.jsonl")]
    free = [pair for pair in _lines(folder / "sentences.jsonl") if pair["source"] != "qasrl"]
    batches: list[list[Item]] = []
    while len(batches) * BATCH < pairs:
        one_pass = [p for pair in paragraphs for p in _with_negatives(pair, rng, NEGATIVES)]
        again = rng.sample(free, int(len(free) * NEWS_AGAIN))
        one_pass += [p for pair in again for p in _with_negatives(pair, rng, {"same": 0.5})]
        one_pass += [pair for pair in paragraphs if not pair["span"]]  # the few written to be hard count twice
        batches += _in_batches([_item(*one) for one in _encoded(one_pass, tokenizer, rng)], rng)
    return batches[: pairs // BATCH]


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _with_negatives(pair: dict[str, Any], rng: random.Random, rates: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Yield the pair and, by chance, negatives of it; at most one of a kind."""
    yield pair
    presupposing = pair["source"] in ("squadshifts-amazon", "squadshifts-reddit")
    for kind, rate in rates.items():
        found = [negative for negative in pair["negatives"] if negative[3] == kind]
        if found and rng.random() < rate * (0.5 if presupposing and kind == "near" else 1.0):
            question, title, text, _ = rng.choice(found)
            yield {"question": question, "title": title, "text": text, "span": None, "sentence": None}


def _encoded(
    pairs: Sequence[dict[str, Any]], tokenizer: Tokenizer, rng: random.Random
) -> Iterator[tuple[dict[str, Any], Encoded]]:
    triples = []
    for pair in pairs:
        # Headline and date are there or not, as in real archives: the network must not lean on either.
        title = pair["title"] if rng.random() < 0.85 else ""
        date = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(9500)) if rng.random() < 0.5 else None
        triples.append((pair["question"], header_of(title, date), pair["text"]))
    for start in range(0, len(pairs), 2000):
        yield from zip(pairs[start : start + 2000], encode(tokenizer, triples[start : start + 2000]), strict=True)


def _item(pair: dict[str, Any], encoded: Encoded) -> Item:
    size, first, offsets = len(encoded.ids), encoded.first, encoded.offsets
    starts, ends, evidence = np.zeros(size, bool), np.zeros(size, bool), np.full(size, IGNORED, np.int8)
    evidence[first : first + len(offsets)] = 0
    if pair["span"]:
        inside = (offsets[:, 0] < pair["span"][1]) & (offsets[:, 1] > pair["span"][0])
        places = first + np.flatnonzero(inside)
        if len(places) and pair.get("sentence_only"):
            starts[places] = ends[places] = True
        elif len(places):
            starts[places[0]] = ends[places[-1]] = True
        begin, end = pair["sentence"]
        evidence[first + np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] > begin))] = 1
    if not starts.any():
        starts[0] = ends[0] = True
    return Item(encoded, starts, ends, evidence)


def _in_batches(items: list[Item], rng: random.Random) -> list[list[Item]]:
    """Shuffle, then put pairs of like length together: padding costs as much as text."""
    rng.shuffle(items)
    batches = []
    for start in range(0, len(items), BATCH * 50):
        block = sorted(items[start : start + BATCH * 50], key=lambda item: len(item.encoded.ids))
        batches += [block[i : i + BATCH] for i in range(0, len(block), BATCH)]
    rng.shuffle(batches)
    return batches


# -- loss and check ----------------------------------------------------------------------------------


def _loss(network: torch.nn.Module, batch: Sequence[Item]) -> torch.Tensor:
    """Return minus the log chance of the allowed starts and ends, plus the cross-entropy of the evidence tokens."""
    ids, types, mask = pad([item.encoded for item in batch])
    longest = ids.shape[1]
    starts, ends, evidence = (
        torch.from_numpy(
            np.stack([np.pad(getattr(i, name), (0, longest - len(i.starts)), constant_values=fill) for i in batch])
        )
        for name, fill in (("starts", False), ("ends", False), ("evidence", IGNORED))
    )
    with autocast():
        logits = network(ids, types, mask)
    logits = logits.float()
    counted = evidence != IGNORED
    allowed = counted.clone()
    allowed[:, 0] = True
    total = torch.zeros(())
    for channel, targets in ((0, starts), (1, ends)):
        scores = logits[..., channel].masked_fill(~allowed, -1e4)
        wanted = scores.masked_fill(~targets, -1e4)
        total = total + (scores.logsumexp(1) - wanted.logsumexp(1)).mean() / 2
    per_token = torch.nn.functional.binary_cross_entropy_with_logits(
        logits[..., 2], (evidence == 1).float(), reduction="none"
    )
    per_pair = (per_token * counted).sum(1) / counted.sum(1).clamp(min=1)
    return total + EVIDENCE_WEIGHT * per_pair.mean()


def _check_set(path: Path) -> list[tuple[dict[str, Any], Item]]:
    rng = random.Random(SEED)
    pairs = _lines(path)
    answered = rng.sample([pair for pair in pairs if pair["span"]], CHECKED)
    others = [p for pair in answered for p in list(_with_negatives(pair, rng, {"near": 1.0}))[1:]]
    others += rng.sample([pair for pair in pairs if not pair["span"]], CHECKED // 2)
    return [(pair, _item(pair, encoded)) for pair, encoded in _encoded([*answered, *others], load_tokenizer(), rng)]


def check(network: torch.nn.Module, checks: Sequence[tuple[dict[str, Any], Item]]) -> str:
    """Return span F1 on the answered pairs, and the AUC of answered against near and against SQuAD 2 negatives."""
    from sklearn.metrics import roc_auc_score

    network.eval()
    f1, scores, labels = [], [], []
    for start in range(0, len(checks), BATCH):
        part = checks[start : start + BATCH]
        with torch.inference_mode(), autocast():
            logits = network(*pad([item.encoded for _, item in part])).float().numpy()
        for (pair, item), rows in zip(part, logits, strict=True):
            found = best_span(item.encoded, rows)
            scores.append(found.score)
            kind = "answered" if pair["span"] else "squad2" if pair.get("source") == "squad2" else "near"
            labels.append(kind)
            if pair["span"]:
                gold = pair["text"][slice(*pair["span"])]
                f1.append(token_f1(pair["text"][found.start : found.end], [gold]) or 0.0)
    known, values = np.array(labels), np.array(scores)
    parts = [f"span F1 {np.mean(f1):.3f}"]
    for kind in ("near", "squad2"):
        chosen = (known == "answered") | (known == kind)
        parts.append(f"AUC against {kind} {roc_auc_score(known[chosen] == 'answered', values[chosen]):.3f}")
    return ", ".join(parts)


if __name__ == "__main__":
    main()
