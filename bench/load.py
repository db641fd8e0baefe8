"""Measure the server under load: many clients at once, its memory, and whether any answer that it gave is lost.

    pip install httpx
    python -m bench.load [--clients 16] [--seconds 120] [--url URL] [--kill] [--new]

Starts a server of its own over a temporary home with the sample archive, without PRESSMARK_* and `.env` of whoever
runs it; `--url` asks one that runs already and needs no key (its memory is not measured; what it answers stays there).
The questions are those of the `dev` split, in order and over again; with many clients each begins at another. The
server remembers what it read for a question; with `--new` no question is asked twice (each bears a number).

alone     latency of 30 answers, one after the other
clients   latency of whole answers while all clients ask without a pause, and what went wrong, by kind. Refused as busy
          is no error: the client waits as long as the server asked for, then asks again.
memory    resident, each second: after the first minute of load (of a shorter run, after half of it), at the end, and
          the greatest from that minute on
lost      answers that the server gave and does not give again byte by byte: every fifth at once, all of them at the end

`--kill` ends the server with SIGKILL after half the time and starts it again on the same home; the other half begins
when it is ready. Connections that this breaks are counted apart and the question asked again; latency is that of the
attempt that was answered, and memory is the second process's.

Exit status 1 if an error happened or an answer was lost.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import numpy as np

from eval.datasets import EvalQuestion, load_questions
from eval.sample import QUESTIONS

WARM, ALONE = 5, 30
READ_BACK = 5  # an answer of so many is fetched at once
BAR = 8.0  # p95 under load to the p50 of one client alone
MINUTE_S = 60.0
START_S = 300.0  # a first start ingests the sample archive, maybe on a busy machine
PATIENCE_S = 150.0  # longer than the server's own limit for an answer, so that its 504 is seen and not our time-out
PAUSE_S = 0.2
_ROOT = Path(__file__).resolve().parent.parent
_BUSY = "questions are being answered or wait"  # of `BusyError`; a store that fails is a 503 too, and an error

Body = dict[str, Any]


# -- the server ------------------------------------------------------------------------------------------


class _Server:
    """A server process over the sample archive; it can be killed and started again on the same home.

    Attributes:
        url: Its address.
        ready_at: When the process that runs became ready.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self.ready_at = math.inf
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Server:
        try:
            self.start()
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end(signal.SIGTERM)

    def start(self) -> None:
        """Start a process and wait until it is ready."""
        command = [sys.executable, "-m", "ui.cli", "--home", str(self._folder / "home"), "serve", "--sample"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PRESSMARK_")}
        environment["PYTHONPATH"] = str(_ROOT)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port)],
                env=environment,
                cwd=self._folder,  # where no `.env` lies
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.perf_counter() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() > deadline:
                raise RuntimeError("the server did not become ready:\n" + "\n".join(self.log_tail()))
            time.sleep(PAUSE_S)
        self.ready_at = time.perf_counter()

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.ready_at = math.inf
        self._end(signal.SIGKILL)

    def resident_mb(self) -> float | None:
        """Return the memory that the process holds; None while it starts, and where there is no /proc."""
        if self._process is None or self.ready_at == math.inf:
            return None
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")), None)

    def log_tail(self) -> list[str]:
        """Return the last lines of the log, without those that tell of answers."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if '"event": "answered"' not in line][-30:]

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(slots=True)
class _Outage:
    """When the server was away because we killed it."""

    began: float = math.inf
    ended: float = math.inf

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended - self.began

    def broke(self, asked_at: float, failed_at: float) -> bool:
        """Tell whether it is to blame for a request that failed."""
        return failed_at >= self.began and asked_at <= self.ended


# -- the clients -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Given:
    """One answer that came, with what is needed to know it again."""

    id: str
    digest: str
    seconds: float
    at: float


@dataclass(slots=True)
class _Tally:
    """What one client saw, or all of them."""

    given: list[_Given] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    broken: int = 0
    read_back: int = 0
    lost: dict[_Given, str] = field(default_factory=dict)  # with why

    def add(self, other: _Tally) -> None:
        """Take in what another client saw."""
        self.given += other.given
        self.errors += other.errors
        self.busy += other.busy
        self.broken += other.broken
        self.read_back += other.read_back
        self.lost |= other.lost

    @property
    def latencies_s(self) -> list[float]:
        """Seconds that each answer took."""
        return [answer.seconds for answer in self.given]


_NUMBERS = itertools.count(1)


class _Client:
    """One user of the server, with a connection of its own."""

    def __init__(self, url: str, outage: _Outage, *, new: bool = False) -> None:
        self.tally = _Tally()
        self._new = new
        self._outage = outage
        # Without the environment: a proxy has no business between us and the server.
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False)

    def ask(self, body: Body) -> float:
        """Ask one question.

        Returns:
            Seconds after which it has to be asked again; 0 if it need not.
        """
        if self._new:
            body = body | {"question": f"{body['question']} ({next(_NUMBERS)})"}
        began = time.perf_counter()
        response = self._sent("POST", "/api/answers", body)
        now = time.perf_counter()
        if response is None:
            return PAUSE_S
        if response.status_code == 200:
            answer = _Given(str(response.json()["id"]), _digest(response), now - began, now)
            self.tally.given.append(answer)
            if len(self.tally.given) % READ_BACK == 0:
                self.tally.read_back += 1
                self.read(answer)
            return 0
        if response.status_code == 503 and _BUSY in response.text:
            self.tally.busy += 1
            return float(response.headers.get("Retry-After", 1))
        self.tally.errors[f"HTTP {response.status_code}"] += 1
        return 0

    def read(self, answer: _Given, *, at_end: bool = False) -> None:
        """Fetch an answer that was given, and note if it is lost.

        Before the end, a fetch that fails proves nothing about the answer: it is an error, or broken by the outage.
        """
        response = self._sent("GET", f"/api/answers/{answer.id}")
        if response is not None and response.status_code in (200, 404):
            if response.status_code == 404:
                self.tally.lost[answer] = "not found"
            elif _digest(response) != answer.digest:
                self.tally.lost[answer] = "other bytes"
            return
        if response is not None:
            self.tally.errors[f"HTTP {response.status_code} when read again"] += 1
        if at_end:
            self.tally.lost[answer] = "not served"

    def work(self, bodies: Sequence[Body], first: int, stop: threading.Event) -> _Tally:
        """Ask without a pause until told to stop."""
        for body in _endless(bodies, first):
            wait_s = self.ask(body)
            while wait_s and not stop.wait(wait_s):
                wait_s = self.ask(body)
            if stop.is_set():
                break
        self._http.close()
        return self.tally

    def _sent(self, method: str, path: str, body: Body | None = None) -> httpx.Response | None:
        """Return the response; None if the connection failed, which is counted."""
        began = time.perf_counter()
        try:
            return self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            if self._outage.broke(began, time.perf_counter()):
                self.tally.broken += 1
            else:
                self.tally.errors[type(error).__name__] += 1
            return None


def _endless(bodies: Sequence[Body], first: int) -> Iterator[Body]:
    return itertools.islice(itertools.cycle(bodies), first % len(bodies), None)


def _digest(response: httpx.Response) -> str:
    return hashlib.sha256(response.content).hexdigest()


def _body(question: EvalQuestion) -> Body:
    return {
        "question": question.question,
        "history": [{"question": turn.question, "answer": turn.answer} for turn in question.turns],
        "now": question.now.isoformat() if question.now else None,
    }


# -- the measurement -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Load:
    """What came of many clients at once.

    Attributes:
        began, ended: Between these all clients asked.
        samples: Moment and resident memory (MB) of the process that ran last, oldest first.
    """

    tally: _Tally
    outage: _Outage
    began: float
    ended: float
    samples: list[tuple[float, float]]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--url", help="of a server that runs already, in place of one of our own")
    parser.add_argument("--kill", action="store_true", help="kill the server in the middle and start it again")
    parser.add_argument("--new", action="store_true", help="ask no question twice")
    options = parser.parse_args()
    if options.clients < 1 or options.seconds <= 0:
        parser.error("--clients and --seconds must be above 0")
    if options.url:
        if options.kill:
            parser.error("--kill needs a server of our own: leave --url out")
        ok = _measure(options.url, None, options.clients, options.seconds, kill=False, new=options.new)
    else:
        with tempfile.TemporaryDirectory(prefix="pressmark-load-") as folder, _Server(Path(folder)) as server:
            ok = _measure(server.url, server, options.clients, options.seconds, kill=options.kill, new=options.new)
            if not ok:
                print("the server's log, without answers:", *server.log_tail(), sep="\n  ")
    raise SystemExit(0 if ok else 1)


def _measure(url: str, server: _Server | None, clients: int, seconds: float, *, kill: bool, new: bool) -> bool:
    """Measure and print; return whether nothing failed and no answer was lost."""
    bodies = [_body(question) for question in load_questions(QUESTIONS, split="dev")]
    warm, alone = _alone(url, bodies[:WARM], WARM), _alone(url, bodies, ALONE)
    p50_s = _told_alone(alone)
    load = _loaded(url, bodies, server, clients=clients, seconds=seconds, kill=kill, new=new)
    _told_load(load, clients, p50_s)
    print(_memory(load) if server else "memory: not measured, the server is not ours", flush=True)
    whole = _Tally()
    for tally in (warm, alone, load.tally):
        whole.add(tally)
    whole.add(_all_read(url, whole.given))
    failed = whole.errors.total() - load.tally.errors.total()
    if failed:
        print(f"errors outside the load: {failed}: {_kinds(whole.errors - load.tally.errors)}")
    print(
        f"answers lost: {len(whole.lost)} of {len(whole.given)}, all read again at the end"
        + (f": {_kinds(Counter(whole.lost.values()))}" if whole.lost else "")
    )
    return not whole.errors and not whole.lost and bool(load.tally.given)


def _alone(url: str, bodies: Sequence[Body], count: int) -> _Tally:
    client = _Client(url, _Outage())
    for body in itertools.islice(itertools.cycle(bodies), count):
        client.ask(body)
    return client.tally


def _loaded(
    url: str, bodies: Sequence[Body], server: _Server | None, *, clients: int, seconds: float, kill: bool, new: bool
) -> _Load:
    stop, outage = threading.Event(), _Outage()
    samples: list[tuple[float, float]] = []
    with ThreadPoolExecutor(clients + 1) as pool:
        began = time.perf_counter()
        try:
            firsts = [number * len(bodies) // clients for number in range(clients)]
            working = [pool.submit(_Client(url, outage, new=new).work, bodies, first, stop) for first in firsts]
            sampling = pool.submit(_sampled, server, samples, stop)
            if kill and server:
                time.sleep(seconds / 2)
                outage.began = time.perf_counter()  # before the kill: a client may notice it first
                server.kill()
                server.start()
                outage.ended = time.perf_counter()
                time.sleep(seconds / 2)
            else:
                time.sleep(seconds)
        finally:
            stop.set()
        ended = time.perf_counter()
        tally = _Tally()
        for client in working:
            tally.add(client.result())
        sampling.result()
    since = max(began, server.ready_at) if server else began
    return _Load(tally, outage, began, ended, [sample for sample in samples if sample[0] >= since])


def _sampled(server: _Server | None, samples: list[tuple[float, float]], stop: threading.Event) -> None:
    while server and not stop.wait(1):
        resident = server.resident_mb()
        if resident is not None:
            samples.append((time.perf_counter(), resident))


def _all_read(url: str, given: Sequence[_Given]) -> _Tally:
    client = _Client(url, _Outage())
    for answer in given:
        client.read(answer, at_end=True)
    return client.tally


# -- what is printed -------------------------------------------------------------------------------------


def _told_alone(alone: _Tally) -> float:
    if not alone.given:
        raise RuntimeError(f"the server answers not even one client: {_kinds(alone.errors)}")
    p50_s, p95_s = np.percentile(alone.latencies_s, [50, 95])
    print(f"one client alone: {len(alone.given)} answers; p50 {1000 * p50_s:.0f} ms, p95 {1000 * p95_s:.0f} ms")
    return float(p50_s)


def _told_load(load: _Load, clients: int, alone_p50_s: float) -> None:
    tally, outage = load.tally, load.outage
    away_s = outage.seconds if outage.began < math.inf else 0.0
    asking_s = load.ended - load.began - away_s
    print(
        f"{clients} clients, {asking_s:.0f} s: {len(tally.given)} answers; refused as busy {tally.busy}; "
        f"errors {tally.errors.total()}{f': {_kinds(tally.errors)}' if tally.errors else ''}; "
        f"read again at once {tally.read_back}"
    )
    if tally.given:
        p50_s, p95_s = np.percentile(tally.latencies_s, [50, 95])
        # Answers that came after the end were fewer and fewer at once.
        in_time = sum(answer.at <= load.ended for answer in tally.given)
        print(
            f"p50 {1000 * p50_s:.0f} ms, p95 {1000 * p95_s:.0f} ms; p95 is {p95_s / alone_p50_s:.1f} times the p50 of "
            f"one client alone (bar {BAR:g}); {in_time / asking_s:.2f} answers a second"
        )
    if away_s:
        before = sum(answer.at <= outage.began for answer in tally.given)
        print(
            f"killed after {before} answers, ready again after {away_s:.1f} s, then {len(tally.given) - before} "
            f"answers; connections broken or refused meanwhile {tally.broken}"
        )


def _memory(load: _Load) -> str:
    if not load.samples:
        return "memory: not measured"
    first = load.samples[0][0] - 1  # they begin a second after the load, or after the restart
    mark_s = min(MINUTE_S, (load.samples[-1][0] - first) / 2)
    later = [resident for moment, resident in load.samples if moment - first >= mark_s]
    base, end, most = later[0], later[-1], max(later)
    return (
        f"memory: {base:.0f} MB after {mark_s:.0f} s, {end:.0f} MB at the end ({100 * (end / base - 1):+.1f} %), "
        f"greatest between {most:.0f} MB ({100 * (most / base - 1):+.1f} %)"
    )


def _kinds(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in counts.most_common())


if __name__ == "__main__":
    main()
