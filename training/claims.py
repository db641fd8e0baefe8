r"""Train the verifier's network: does a text support a claim?

    python -m training.claims --data ../shared/data --out runs/claims
    python -m training.claims --data ../shared/data --out runs/claims-own --start runs/claims/network.pt --own 3
    python -m training.claims --data ../shared/data --out runs/claims-end --start runs/claims-own/network.pt \
        --own 2 --faults 2
    python -m training.claims --data ../shared/data --out runs/claims-more --start shipped --own 2 --faults 1

Prepares the pairs in memory (`training.claim_sets`, `training.faults`), starts from the shipped reader's network with
a new head, and trains in an order that follows from the seed: a run that was stopped goes on from its last checkpoint.
Half of the human labels, by document, are kept for measuring; of the other sets one group in twenty. Writes
`network.pt`, and prints balanced accuracy on what was kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from rag.entailment import CLAIM_TOKENS, CONTRADICTED, NEITHER, SUPPORTED, WEIGHTS, best_parts
from rag.packaged import load_tokenizer
from rag.sentences import sentences
from rag.span_model import WEIGHTS as READER
from rag.span_model import WORD_EMBEDDINGS, Encoded, encode
from rag.torch_network import load_shipped, pad
from training.claim_sets import Pair, all_sets, judged, judged_sentences, own
from training.faults import faulty, made
from training.precision import autocast

SEED = 11
BATCH = 32
RATE, HEAD_RATE, WARMUP = 8e-5, 5e-4, 200
SAVE_EVERY = 200  # steps
TARGETS = {
    "supported": (SUPPORTED,),
    "contradicted": (CONTRADICTED,),
    "neither": (NEITHER,),
    "other": (CONTRADICTED, NEITHER),
}
# Captions are plenty and far from news; the sets nearest to what is checked count again in the second pass.
SHARE = {"snli": 0.15, "snli-test": 0.15, "cad": 0.3, "breaking": 0.1}
AGAIN = {
    "summedits": 3,
    "wice": 3,
    "fool_me_twice": 1,
    "mnli": 1,
    "made": 1,
    "check_covid": 1,
    "sufficient-vitaminc": 1,
}
MIXED = {"summedits": 1.0, "wice": 0.5, "made": 0.05, "fool_me_twice": 0.15, "mnli": 0.05, "check_covid": 0.2}
HELD_OUT_ONE_IN = 20


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="at most; the learning rate falls to zero by then")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", help="network.pt of an earlier run, or shipped; the reader's network if left out")
    parser.add_argument("--own", type=int, default=0, help="our own claims so many times, among a share of the rest")
    parser.add_argument("--faults", type=int, default=0, help="made from each of our true sentences")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    options.out.mkdir(parents=True, exist_ok=True)
    labels = list(judged(options.data))
    pairs = [*all_sets(options.data), *labels, *made(_paragraphs(options.data), rng), *own()]
    kept = [pair for pair in pairs if is_held_out(pair)]
    trained = [pair for pair in [*pairs, *judged_sentences(labels)] if not is_held_out(pair)]
    passes = _mixed(trained, options.own, options.faults, rng) if options.own else _first(trained, rng)
    tokenizer = load_tokenizer()
    batches = [batch for part in passes for batch in _batches(part, tokenizer, rng)][: options.steps]
    print(f"{len(pairs)} pairs, {len(kept)} kept; {len(batches)} steps of {BATCH}", flush=True)
    network = load_shipped(WEIGHTS if options.start == "shipped" else READER)
    if options.start and options.start != "shipped":
        network.load_state_dict(torch.load(options.start, weights_only=True))
    elif not options.start:
        torch.nn.init.normal_(network.head.weight, std=0.02)  # type: ignore[union-attr,arg-type]
        torch.nn.init.zeros_(network.head.bias)  # type: ignore[union-attr,arg-type]
    _run(network, batches, options.out)
    print(report(network, kept, tokenizer), flush=True)


def _first(trained: Sequence[Pair], rng: random.Random) -> list[list[Pair]]:
    """Return two passes: over the published and the made pairs, then over those nearest to what is checked."""
    published = [pair for pair in trained if pair.source != "own"]
    chosen = [pair for pair in published if rng.random() < SHARE.get(pair.source, 1.0)]
    return [
        chosen,
        [pair for pair in published for turn in range(3) if rng.random() < AGAIN.get(pair.source, 0.0) - turn],
    ]


def _mixed(trained: Sequence[Pair], times: int, faults: int, rng: random.Random) -> list[list[Pair]]:
    """Return passes over our own claims, each with other faults and among another share of the rest."""
    ours = [pair for pair in trained if pair.source == "own"]
    rest = [pair for pair in trained if pair.source != "own"]
    return [
        [
            *ours,
            *(faulty(ours, faults, rng) if faults else ()),
            *(pair for pair in rest if rng.random() < MIXED.get(pair.source, 0.0)),
        ]
        for _ in range(times)
    ]


def is_held_out(pair: Pair) -> bool:
    """Tell whether the pair is kept for measuring: half of the documents with human labels, a twentieth of the rest."""
    value = int(hashlib.sha256(pair.group.encode()).hexdigest(), 16)
    return value % (2 if pair.source in ("summedits", "wice") else HELD_OUT_ONE_IN) == 0


def _paragraphs(folder: Path) -> list[tuple[str, str]]:
    found = []
    for path in (
        folder / "reader" / "new_wiki_v1.0.json",
        folder / "train" / "squad1_train_part" / "data" / "test-v1.1.json",
    ):
        for document in json.loads(path.read_text(encoding="utf-8"))["data"]:
            found += [(str(document.get("title", "")), paragraph["context"]) for paragraph in document["paragraphs"]]
    return found


def encoded(pairs: Sequence[Pair], tokenizer: Tokenizer) -> list[Encoded]:
    """Encode pairs as the verifier does; of a long text the sentences nearest to the claim are kept."""
    triples = [(pair.claim, "", best_parts(pair.claim, sentences(pair.text))) for pair in pairs]
    return encode(tokenizer, triples, question_tokens=CLAIM_TOKENS)


def _batches(
    pairs: list[Pair], tokenizer: Tokenizer, rng: random.Random
) -> list[list[tuple[Encoded, tuple[int, ...]]]]:
    items = [(item, TARGETS[pair.label]) for item, pair in zip(encoded(pairs, tokenizer), pairs, strict=True)]
    rng.shuffle(items)
    batches = []
    for start in range(0, len(items), BATCH * 50):
        block = sorted(items[start : start + BATCH * 50], key=lambda item: len(item[0].ids))
        batches += [block[i : i + BATCH] for i in range(0, len(block), BATCH)]
    rng.shuffle(batches)
    return batches


def _run(network: torch.nn.Module, batches: Sequence[list[tuple[Encoded, tuple[int, ...]]]], out: Path) -> None:
    trained = dict(network.named_parameters())
    del trained[WORD_EMBEDDINGS]  # they stay those of the packaged model
    for parameter in trained.values():
        parameter.requires_grad_(True)
    groups = [
        {"params": [p for name, p in trained.items() if name.startswith("head.") == head], "lr": rate}
        for head, rate in ((False, RATE), (True, HEAD_RATE))
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / WARMUP, max(0.0, 1 - step / len(batches)))
    )
    saved, first = out / "checkpoint.pt", 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first = int(state["step"])
        print(f"going on from step {first}", flush=True)
    began, losses = time.monotonic(), []
    network.train()
    for step in range(first, len(batches)):
        with autocast():
            logits = network(*pad([item for item, _ in batches[step]]))[:, 0].float()
        allowed = torch.full_like(logits, -1e4)
        for row, (_, targets) in enumerate(batches[step]):
            allowed[row, list(targets)] = 0.0
        loss = (logits.logsumexp(1) - (logits + allowed).logsumexp(1)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        schedule.step()
        network.zero_grad()
        losses.append(loss.item())
        done = step + 1
        if done % 50 == 0:
            speed = (done - first) * BATCH / (time.monotonic() - began)
            print(f"step {done} loss {np.mean(losses[-50:]):.3f} {speed:.1f} pairs/s", flush=True)
        if done % SAVE_EVERY == 0 or done == len(batches):
            state = {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
            }
            torch.save({**state, "step": done}, out / "checkpoint.new")
            (out / "checkpoint.new").replace(saved)
    torch.save(network.state_dict(), out / "network.pt")


def report(network: torch.nn.Module, kept: Sequence[Pair], tokenizer: Tokenizer) -> str:
    """Return AUC and balanced accuracy (at 0.5) of support on the pairs that were kept, by set."""
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    network.eval()
    by_set: dict[str, list[Pair]] = defaultdict(list)
    for pair in kept:
        by_set[pair.source].append(pair)
    lines = []
    for source, pairs in sorted(by_set.items()):
        chances: list[float] = []
        for start in range(0, len(pairs), BATCH):
            with torch.inference_mode(), autocast():
                logits = network(*pad(encoded(pairs[start : start + BATCH], tokenizer)))[:, 0].float()
            chances += logits.softmax(1)[:, SUPPORTED].tolist()
        labels = np.array([pair.label == "supported" for pair in pairs])
        accuracy = balanced_accuracy_score(labels, np.array(chances) > 0.5)
        auc = roc_auc_score(labels, chances) if 0 < labels.sum() < len(labels) else float("nan")
        lines.append(f"{source}: {len(pairs)} pairs, balanced accuracy {accuracy:.3f}, AUC {auc:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
