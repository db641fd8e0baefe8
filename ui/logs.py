"""The server's log: a line of JSON for each event, to standard error; no question stands in it unless asked for."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.settings import Settings


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON; what a caller gave as `told` stands in it by name."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logs() -> None:
    """Log our events, and warnings of the libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pressmark").setLevel(logging.INFO)


def set_up_tracing(settings: Settings) -> None:
    """Send OpenTelemetry traces of the chain where the settings say; nothing if they name no place.

    Raises:
        SettingsError: The packages are missing, or the place is none.
    """
    if not settings.tracing:
        return
    from rag.errors import SettingsError

    try:
        from openinference.instrumentation.langchain import LangChainInstrumentor
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
    except ImportError as error:
        raise SettingsError(
            f"PRESSMARK_TRACING needs packages that are not installed ({error.name}): pip install 'pressmark[tracing]'."
        ) from error
    exporter: SpanExporter
    if settings.tracing == "console":
        exporter = ConsoleSpanExporter(out=sys.stderr)
    elif settings.tracing.startswith(("http://", "https://")):
        exporter = OTLPSpanExporter(endpoint=settings.tracing)
    else:
        raise SettingsError(
            f"PRESSMARK_TRACING={settings.tracing!r} is no place for traces: write console, or the address of an OTLP "
            "collector such as http://localhost:4318/v1/traces."
        )
    provider = TracerProvider(resource=Resource.create({"service.name": "pressmark"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    LangChainInstrumentor().instrument(tracer_provider=provider)
