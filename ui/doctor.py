"""`pressmark doctor`: what a person checks first when something is wrong."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version

from rag.errors import ChatModelError, PressmarkError, StoreLockedError
from rag.packaged import PACKAGED_SHA256, check_packaged, load_tokenizer, packaged_folder
from rag.schema import Passage, RetrievedPassage
from rag.settings import Settings
from rag.store import Store, archive_path, open_archive

MIN_FREE_BYTES = 1 << 30
MOST_APART = 1e-4
PACKAGES = (
    "pressmark",
    "torch",
    "sentence-transformers",
    "onnxruntime",
    "chromadb",
    "sqlalchemy",
    "tantivy",
    "langchain-core",
    "gradio",
    "fastapi",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `detail` says what was seen, and what to do if it is not `ok`."""

    name: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Check]:
    """Check versions, model, disk, archive, lock and index; never raises for what it finds."""
    checks = [
        Check("versions", True, ", ".join(f"{name} {version(name)}" for name in PACKAGES)),
        _model(settings),
        _encoder(settings),
        _disk(settings),
    ]
    if settings.archive_url.get_secret_value():
        return [*checks, *_store(settings)]
    if archive_path(settings).exists():
        return [*checks, *_store(settings)]
    return [*checks, Check("archive", True, f"none yet in {settings.folder}: `pressmark ingest PATH` makes it")]


def try_chat(settings: Settings) -> Check:
    """Ask the chat model about one passage, as for an answer; never raises for what it finds."""
    from rag.prompts import fitting
    from rag.providers import chat_model
    from rag.writer import Limits, write

    text = "Heavy rain fell on Lindvik on Tuesday and closed the harbour bridge for nine hours."
    found = [
        RetrievedPassage(Passage("p", "a", "v", 0, 0, len(text), text, "Rain closes bridge", "Lindvik Post"), 1.0, 1)
    ]
    question = "How long was the harbour bridge closed?"
    limits = Limits(settings.chat_context, settings.chat_answer_tokens, settings.chat_timeout_s)
    began = time.monotonic()
    try:
        model = chat_model(settings)
        if model is None:
            return Check("chat model", True, "none is set: the built-in reader answers")
        texts = fitting(question, found, limits.context - limits.answer)
        reply = " ".join(write(question, found, texts, model, limits))
    except ChatModelError as error:
        return Check("chat model", False, f"{settings.chat_model}: {error}")
    cited = "cited its passage" if "[1]" in reply else "did not cite its passage, so its sentences are matched to one"
    said = " ".join(reply.split())[:100]
    return Check(
        "chat model",
        bool(said),
        f"{settings.chat_model} wrote {said!r} in {time.monotonic() - began:.1f} s and {cited}",
    )


def _model(settings: Settings) -> Check:
    if settings.embedding_model:
        return Check("embedding model", True, f"{settings.embedding_model} (its weights are yours to check)")
    try:
        check_packaged(packaged_folder())
    except PressmarkError as error:
        return Check("embedding model", False, str(error))
    return Check("embedding model", True, f"all-MiniLM-L6-v2, SHA-256 {PACKAGED_SHA256[:12]}... as published")


def _encoder(settings: Settings) -> Check:
    """Compare the encoder that questions are asked with, on this processor, with the libraries it stands for."""
    import numpy as np

    from rag import span_model
    from rag.embeddings import NamedEmbeddings, PackagedEmbeddings
    from rag.torch_network import load_shipped, logits_of

    texts = ["Heavy rain closed the harbour bridge.", "Who closed it, and when? " * 20]
    try:
        ours, theirs = (
            PackagedEmbeddings(threads=settings.threads),
            NamedEmbeddings.load(str(packaged_folder()), threads=settings.threads),
        )
        apart = float(np.abs(ours.embed(texts) - theirs.embed(texts)).max())
        batch = span_model.padded_batch(span_model.encode(load_tokenizer(), [(texts[1], "", texts[0])]))
        weights = span_model.shipped_weights(span_model.WEIGHTS)
        logits = span_model.TokenClassifier(weights, threads=settings.threads)(*batch)
        read = logits_of(load_shipped(span_model.WEIGHTS))(*batch)
        apart = max(apart, float(np.abs(logits - read)[batch[2].astype(bool)].max()))
    except PressmarkError as error:
        return Check("encoder", False, str(error))
    told = f"vectors and readings are those of sentence-transformers and torch to {apart:.0e}"
    if apart <= MOST_APART:
        return Check("encoder", True, told)
    return Check(
        "encoder", False, f"{told}, more than {MOST_APART:g}: reinstall onnxruntime as pinned in constraints.txt"
    )


def _disk(settings: Settings) -> Check:
    folder = settings.folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    cure = "" if free >= MIN_FREE_BYTES else ": free some, an ingest may fail"
    return Check("disk", free >= MIN_FREE_BYTES, f"{free / 1e9:.1f} GB free at {folder}{cure}")


def _store(settings: Settings) -> list[Check]:
    checks = []
    try:
        with closing(open_archive(settings)) as archive:
            status = archive.status()
    except PressmarkError as error:
        return [Check("archive", False, str(error))]
    found = f"{status.articles} articles, {status.passages} passages, {status.stories} stories in {archive.name}"
    pending = f"; {status.pending} left by an interrupted ingest: run it again" if status.pending else ""
    checks.append(Check("archive", not status.pending, found + pending))
    try:
        store = Store.open(settings)
    except StoreLockedError as error:
        return [*checks, Check("lock", True, f"{error} The index was not examined.")]
    except PressmarkError as error:
        return [*checks, Check("index", False, str(error))]
    try:
        checks.append(Check("lock", True, "free"))
        if not settings.archive_url.get_secret_value():  # elsewhere it is part of the archive's tables
            checks.append(_full_text(store))
        checks.append(_index(store))
    finally:
        store.close()
    return checks


def _full_text(store: Store) -> Check:
    """Count what the search by words knows, after it caught up with the archive."""
    found, wanted = store.archive.full_text.document_frequencies([])[1], store.archive.passage_count()
    cure = "" if found == wanted else f" of {wanted}: move the folder `text` of the home away, and it is made again"
    return Check("full text", found == wanted, f"{found} passages{cure}")


def _index(store: Store) -> Check:
    """Compare ids, then read one vector's neighbours: a damaged index counts right and finds nothing."""
    wanted, held = set(store.archive.passage_ids()), set(store.index.ids())
    lost = len(wanted - held)
    if lost:
        return Check("index", False, f"{lost} passages have no vector: `pressmark ingest` of any file adds them")
    if wanted:
        probe = store.archive.passages([min(wanted)])[min(wanted)]
        if not store.index.search(store.embeddings.embed([probe.text])[0], limit=1):
            return Check(
                "index",
                False,
                "it finds nothing: move the folder `chroma` away (on a server: delete the collection), ingest",
            )
    stray = len(held - wanted)
    extra = f", {stray} stray ones that no search shows" if stray else ""
    return Check("index", True, f"{len(held)} vectors of {store.embeddings.model_id}{extra}")
