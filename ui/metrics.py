"""What the server counts, for Prometheus at `/metrics`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.archive import Archive
    from rag.schema import Answer

_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)  # others would make series without end
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)


class Metrics:
    """Counters of one server."""

    def __init__(self, archive: Archive) -> None:
        self._registry = CollectorRegistry()
        self.answers = Counter("pressmark_answers", "Answers given.", ["door", "status"], registry=self._registry)
        self.claims = Counter("pressmark_claims", "Sentences shown, by verdict.", ["verdict"], registry=self._registry)
        self.withheld = Counter(
            "pressmark_withheld_sentences", "Sentences of a chat model that were not shown.", registry=self._registry
        )
        self.seconds = Histogram(
            "pressmark_answer_seconds", "From question to answer.", ["door"], buckets=_SECONDS, registry=self._registry
        )
        self.busy = Counter("pressmark_busy", "Questions refused because too many waited.", registry=self._registry)
        self.late = Counter("pressmark_late", "Answers given up because they took too long.", registry=self._registry)
        self.requests = Counter(
            "pressmark_http_requests", "Requests of programs.", ["method", "route", "status"], registry=self._registry
        )
        self._registry.register(_ArchiveGauges(archive))

    def answered(self, answer: Answer, door: str, seconds: float) -> None:
        """Count an answer."""
        self.answers.labels(door, answer.status).inc()
        self.seconds.labels(door).observe(seconds)
        self.withheld.inc(answer.withheld)
        for claim in answer.claims:
            self.claims.labels(claim.verdict).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text form."""
        return generate_latest(self._registry)


class _ArchiveGauges(Collector):
    """What the archive holds, looked up when it is asked for."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def collect(self) -> Iterator[Metric]:
        status = self._archive.status()
        for name, value in (("articles", status.articles), ("passages", status.passages), ("pending", status.pending)):
            yield GaugeMetricFamily(f"pressmark_archive_{name}", f"{name.capitalize()} in the archive.", value)
        for name, moment in (("newest_article", status.newest_at), ("last_ingest", status.last_ingest_at)):
            if moment:
                yield GaugeMetricFamily(
                    f"pressmark_{name}_age_seconds", "Age.", max(0.0, time.time() - moment.timestamp())
                )
        day = self._archive.served.since(datetime.now(UTC) - timedelta(days=1))
        shares = (
            ("supported", day.supported, day.claims, "Sentences shown that their passages support."),
            ("withheld", day.withheld, day.withheld + day.claims, "Sentences written that were not shown."),
            ("abstained", day.abstained, day.answers, "Answers that the archive does not say."),
        )
        for name, part, whole, told in shares:
            if whole:  # without answers there is no share, and 0 would be one
                yield GaugeMetricFamily(f"pressmark_day_{name}_share", f"Of the last 24 hours: {told}", part / whole)


class CountedRequests:
    """ASGI middleware that counts requests to the API by route, never by the address itself."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count the status of its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "")
                if route and not route.startswith("/gradio_api"):
                    method = scope["method"] if scope["method"] in _METHODS else "other"
                    self._metrics.requests.labels(method, route, message["status"]).inc()
            await send(message)

        await self._app(scope, receive, send_counted)
