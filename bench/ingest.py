"""Measure ingest: speed against bare encoding, a second run, memory, kills, Ray. Beside other pipelines: `bench.peers`.

    python -m bench.ingest speed
    python -m bench.ingest memory
    python -m bench.ingest kill
    python -m bench.ingest ray

speed    400 articles made by recombining paragraphs of the sample archive. In alternating rounds: the packaged model on
         the passages alone, by our encoder and by sentence-transformers; our ingest of the file. Then our ingest of the
         unchanged file.
memory   2,000 and 20,000 such articles, each in a process of its own, with a stand-in for the embedder that costs
         nothing to speak of: bookkeeping is measured. Peak of resident memory, and articles per second at both
         ends. Then the same with the packaged model in memory, which embeds the first batch: what a real run peaks at.
kill     20 times kill -9 at a random moment of an ingest of 300 articles (stand-in embedder), a resume, and a
         comparison with an undisturbed index.
ray      200 such articles in alternating rounds: the plain engine, Ray with 2 workers and its start, Ray with workers
         that have their model already. The largest difference between two vectors of a passage.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from eval.sample import ARTICLES
from ingest.passages import embedded_text
from ingest.ray_engine import RayEngine
from ingest.report import Progress
from ingest.run import ingest
from rag.embeddings import NamedEmbeddings, SentenceEmbeddings
from rag.packaged import packaged_folder
from rag.settings import Settings, load_settings
from rag.store import Store, opened

SEED = 9
SPEED_ARTICLES, ROUNDS = 400, 3
KILL_ARTICLES, KILLS = 300, 20
RAY_ARTICLES, RAY_WORKERS = 200, 2


class StandIn:
    """An embedder that costs next to nothing: the mean of a random vector per word, so that like texts are near.

    Independent random vectors would not do: they have no neighbourhoods, and a graph over them is thrice as slow to
    build as one over embeddings.
    """

    model_id, dimension, max_tokens = "stand-in", 384, 256

    def __init__(self, model: SentenceEmbeddings | None = None) -> None:
        self._model = model  # embeds the first texts, for what it takes of memory
        self._words = np.random.default_rng(SEED).standard_normal((1 << 14, self.dimension), dtype=np.float32)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return one vector a text, always the same."""
        if self._model is not None and len(texts) > 1:
            self._model.embed(texts, query=query)
            self._model = None
        rows = [[zlib.crc32(word.encode()) % len(self._words) for word in set(text.split())] for text in texts]
        return np.array([self._words[row].mean(axis=0) for row in rows])

    def count_tokens(self, text: str) -> int:
        """Return about as many tokens as the packaged model would."""
        return int(1.3 * len(text.split()))


def main() -> None:
    """Run the command."""
    parts: dict[str, Callable[[], None]] = {"speed": _speed, "memory": _memory, "kill": _kill, "ray": _ray}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("part", choices=[*parts, "child"])
    parser.add_argument("--home", type=Path, help="of a child process")
    parser.add_argument("--file", type=Path, help="of a child process")
    parser.add_argument("--model", action="store_true", help="of a child process: with the packaged model")
    options = parser.parse_args()
    if options.part == "child":
        _child(options.home, options.file, model=options.model)
    else:
        parts[options.part]()


def made_articles(path: Path, count: int) -> None:
    """Write articles recombined from paragraphs of the sample archive, each with a date and a number of its own."""
    rng = random.Random(SEED)
    sample = [json.loads(line) for line in ARTICLES.read_text(encoding="utf-8").splitlines()]
    paragraphs = [part for article in sample for part in article["text"].split("\n\n") if part.endswith(".")]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            words = [_varied(part, rng) for part in rng.sample(paragraphs, rng.randint(5, 12))]
            record = {
                "id": f"made-{number}",
                "title": f"{rng.choice(sample)['title']} ({number})",
                "text": "\n\n".join(words),
                "source": rng.choice(sample)["source"],
                "published_at": f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
            }
            file.write(json.dumps(record) + "\n")


def _varied(paragraph: str, rng: random.Random) -> str:
    """Exchange words inside the sentences here and there: no two articles share long runs of words."""
    words = paragraph.split()
    inner = [n for n in range(1, len(words) - 2) if words[n].isalpha() and words[n + 1].isalpha()]
    for place in rng.sample(inner, len(inner) // 2):
        words[place : place + 2] = reversed(words[place : place + 2])
    return " ".join(words)


# -- speed ---------------------------------------------------------------------------------------------


def _speed() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "made.jsonl"
        made_articles(file, SPEED_ARTICLES)
        texts, took = _ours(folder / "warm", file)
        print(f"{SPEED_ARTICLES} articles, {len(texts)} passages; a first ingest took {took:.1f} s", flush=True)
        rates: dict[str, list[float]] = {"sentence-transformers": [], "the encoder": [], "Pressmark": []}
        embeddings = SentenceEmbeddings.packaged(load_settings())
        published = NamedEmbeddings.load(str(packaged_folder()), threads=load_settings().threads)
        for number in range(ROUNDS):
            for name, model in (("sentence-transformers", published), ("the encoder", embeddings)):
                began = time.perf_counter()
                model.embed(texts)
                rates[name].append(len(texts) / (time.perf_counter() - began))
            _, took = _ours(folder / f"ours{number}", file)
            rates["Pressmark"].append(len(texts) / took)
            print({name: round(values[-1], 1) for name, values in rates.items()}, flush=True)
        theirs, bare, ours = (np.array(rates[name]) for name in rates)
        print(f"passages per second, median: { ({name: round(float(np.median(v)), 1) for name, v in rates.items()}) }")
        print(
            f"Pressmark to the encoder: {np.median(ours / bare):.2f}; encoder to theirs: {np.median(bare / theirs):.2f}"
        )
        again = []
        with opened(_settings(folder / "warm")) as store:
            for _ in range(5):
                began = time.perf_counter()
                report = ingest([file], store, passage_tokens=load_settings().passage_tokens)
                again.append(time.perf_counter() - began)
        share = np.median(again) / (len(texts) / np.median(ours))
        print(f"second run: {report.unchanged} unchanged in {np.median(again):.3f} s, {share:.4f} of a first one")


def _settings(home: Path) -> Settings:
    return load_settings(home=home)


def _ours(home: Path, file: Path) -> tuple[list[str], float]:
    settings = _settings(home)
    with opened(settings) as store:
        store.embeddings.embed(["warm"])
        began = time.perf_counter()
        report = ingest([file], store, passage_tokens=settings.passage_tokens)
        took = time.perf_counter() - began
        assert report.added == SPEED_ARTICLES, report.to_text()  # nothing may be grouped or skipped
        stories = store.archive.status().stories
        assert stories == SPEED_ARTICLES, f"{stories} stories"
        passages = store.archive.passages(store.archive.passage_ids())
    return [embedded_text(passage) for passage in passages.values()], took


# -- memory --------------------------------------------------------------------------------------------


def _memory() -> None:
    for model in (False, True):
        peaks = {}
        for count in (2_000, 20_000):
            with tempfile.TemporaryDirectory() as name:
                file = Path(name) / "made.jsonl"
                made_articles(file, count)
                found = json.loads(_run_child(Path(name) / "home", file, model=model))
            peaks[count] = found["peak"]
            print(f"{count} articles{', model in memory' * model}: {found}", flush=True)
        print(f"peak of 20,000 to 2,000: {peaks[20_000] / peaks[2_000]:.2f}", flush=True)


def _run_child(home: Path, file: Path, *, model: bool) -> str:
    command = [sys.executable, "-m", "bench.ingest", "child", "--home", str(home), "--file", str(file)]
    command += ["--model"] * model
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _child(home: Path, file: Path, *, model: bool) -> None:
    """Ingest with the stand-in, and print peak memory (MB) and rates (articles per second) as JSON."""
    marks: list[tuple[int, float]] = []

    def note(progress: Progress) -> None:
        marks.append((progress.articles, time.perf_counter()))

    with _stand_in_store(home, SentenceEmbeddings.packaged(load_settings()) if model else None) as store:
        before = _resident()
        began = time.perf_counter()
        ingest([file], store, passage_tokens=128, progress=note)
    whole = marks[-1][0]
    first = next(moment for articles, moment in marks if articles >= 1000)
    last = next(moment for articles, moment in marks if articles >= whole - 1000)
    rates = {"first": 1000 / (first - began), "last": 1000 / (marks[-1][1] - last)}
    found = {"peak": _resident(), "before": before, **rates, "last to first": rates["last"] / rates["first"]}
    print(json.dumps({name: round(value, 2) for name, value in found.items()}))


def _stand_in_store(home: Path, model: SentenceEmbeddings | None = None) -> AbstractContextManager[Store]:
    SentenceEmbeddings.from_settings = classmethod(lambda cls, settings: StandIn(model))  # type: ignore[method-assign,assignment]
    return opened(_settings(home))


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# -- kill ----------------------------------------------------------------------------------------------


def _kill() -> None:
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "made.jsonl"
        made_articles(file, KILL_ARTICLES)
        began = time.perf_counter()
        _run_child_small(folder / "whole", file)
        took = time.perf_counter() - began
        expected = _state(folder / "whole")
        same = interrupted = 0
        for number in range(KILLS):
            home = folder / f"killed{number}"
            process = subprocess.Popen(_small(home, file))
            time.sleep(rng.uniform(0.2, 1.0) * took)
            process.send_signal(signal.SIGKILL)
            interrupted += process.wait() != 0
            _run_child_small(home, file)
            same += _state(home) == expected
        print(f"{interrupted} of {KILLS} killed before their end; {same} of {KILLS} identical after the next run")


def _small(home: Path, file: Path) -> list[str]:
    code = (
        "import sys; from pathlib import Path\n"
        "from bench.ingest import _stand_in_store; from ingest.run import ingest\n"
        "with _stand_in_store(Path(sys.argv[1])) as store: ingest([Path(sys.argv[2])], store, passage_tokens=128)"
    )
    return [sys.executable, "-c", code, str(home), str(file)]


def _run_child_small(home: Path, file: Path) -> None:
    subprocess.run(_small(home, file), check=True)


def _state(home: Path) -> tuple[Any, ...]:
    with _stand_in_store(home) as store:
        ids = store.archive.passage_ids()
        texts = {id_: passage.text for id_, passage in store.archive.passages(ids).items()}
        articles = [(a.id, a.version) for a in store.archive.articles(limit=10_000)]
        return ids, sorted(store.index.ids()), texts, articles, store.archive.orphans(), store.archive.pending()


# -- ray -----------------------------------------------------------------------------------------------


def _ray() -> None:
    took: dict[str, list[float]] = {"plain": [], "ray": [], "ray, warm": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "made.jsonl"
        made_articles(file, RAY_ARTICLES)
        for number in range(ROUNDS):
            took["plain"].append(_timed(folder / f"plain{number}", file, None))
            with RayEngine(load_settings(), workers=RAY_WORKERS) as engine:
                took["ray"].append(_timed(folder / f"ray{number}", file, engine))
                took["ray, warm"].append(_timed(folder / f"warm{number}", file, engine))
            print({name: round(values[-1], 1) for name, values in took.items()}, flush=True)
        one, other = (_vectors(folder / home) for home in ("plain0", "ray0"))
    assert one.keys() == other.keys()
    apart = max(float(np.abs(one[id_] - other[id_]).max()) for id_ in one)
    print(f"seconds, median: { ({name: round(float(np.median(v)), 1) for name, v in took.items()}) }")
    print(f"{len(one)} passages; vectors are at most {apart:.1e} apart")


def _timed(home: Path, file: Path, engine: RayEngine | None) -> float:
    settings = _settings(home)
    with opened(settings) as store:
        store.embeddings.embed(["warm"])
        began = time.perf_counter()
        report = ingest([file], store, passage_tokens=settings.passage_tokens, engine=engine)
        took = time.perf_counter() - began
    assert report.added == RAY_ARTICLES, report.to_text()
    return took


def _vectors(home: Path) -> dict[str, np.ndarray]:
    with opened(_settings(home)) as store:
        found = store.index._collection.get(include=["embeddings"])
    return dict(zip(found["ids"], np.asarray(found["embeddings"]), strict=True))


if __name__ == "__main__":
    main()
