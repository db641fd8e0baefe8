"""Every knob of Pressmark with its default, unit and range; read from `PRESSMARK_*` and `.env`."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError


class Settings(BaseSettings):
    """All settings; unknown `PRESSMARK_*` names in a `.env` file are refused."""

    model_config = SettingsConfigDict(
        env_prefix="PRESSMARK_", env_file=".env", env_file_encoding="utf-8", extra="forbid", frozen=True
    )

    home: Path = Field(default=Path("~/.pressmark"), description="Folder of the archive and the vector index.")
    archive_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL database that holds the archive, as postgresql+psycopg://user:password@host/database; "
        "empty keeps it in a file in the home. Needs the extra `postgres`.",
    )
    chroma_url: str = Field(
        default="",
        description="Chroma server that keeps the vectors, as http://host:8000 or http://host:8000/collection; empty "
        "keeps them in the home.",
    )
    chat_model: str = Field(
        default="",
        description="Chat model that writes answers, as provider:model (openai:..., anthropic:..., ollama:...) or "
        "gguf:/path/to/model.gguf; empty uses the built-in reader.",
    )
    chat_base_url: str = Field(default="", description="Address of an OpenAI-compatible server for openai:... models.")
    chat_api_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key for the chat model; empty leaves it to the provider's own variable.",
    )
    chat_timeout_s: float = Field(
        default=60.0, gt=0, le=600, description="Seconds to wait for the chat model. Range 0-600."
    )
    chat_context: int = Field(
        default=8192,
        ge=1024,
        le=1_000_000,
        description="Tokens that the chat model takes, prompt and answer together; passages are cut to fit. "
        "Range 1024-1000000.",
    )
    chat_answer_tokens: int = Field(
        default=400, ge=32, le=8192, description="Longest answer of the chat model, in tokens. Range 32-8192."
    )
    embedding_model: str = Field(
        default="",
        description="sentence-transformers model, as a name or a folder; empty uses the packaged all-MiniLM-L6-v2.",
    )
    embedding_url: str = Field(
        default="",
        description="Address of an OpenAI-compatible server that embeds (http://host:8080/v1; Text Embeddings "
        "Inference is one); PRESSMARK_EMBEDDING_MODEL is then the model's name there.",
    )
    embedding_key: SecretStr = Field(
        default=SecretStr(""), description="Key for the embedding server, if it wants one."
    )
    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Threads for the models. Range 1-64; more than free cores is slower.",
    )
    passage_tokens: int = Field(
        default=128,
        ge=32,
        le=240,
        description="Largest passage, in tokens of the embedding model. Range 32-240.",
    )
    k: int = Field(default=8, ge=1, le=50, description="Passages given to reader or writer. Range 1-50.")
    candidates: int = Field(
        default=50, ge=8, le=500, description="Passages taken from each search before fusion. Range 8-500."
    )
    bm25_weight: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="Weight of the search by words in the fusion; vectors have 1. Range 0-10; 0 leaves words out.",
    )
    abstain_below: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Abstain when the chance that the passages answer the question is lower. Range 0-1; "
        "empty uses the calibrated threshold.",
    )
    verifier: str = Field(
        default="builtin",
        description="What checks a chat model's sentences after the rules: the network in the package, strictly "
        "(builtin) or so that it withholds less (builtin:balanced), nothing more (rules), nli: with the name or folder "
        "of a cross-encoder, or llm for the chat model itself.",
    )
    lenient: bool = Field(default=False, description="Show unsupported sentences, marked, instead of withholding them.")
    host: str = Field(default="127.0.0.1", description="Address the server binds to.")
    port: int = Field(default=7860, ge=1, le=65535, description="Port of chat window and API. Range 1-65535.")
    api_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Who may use the server, as lines of `pressmark keys new`, separated by commas. Empty: everybody, "
        "which is refused unless host is a loopback address.",
    )
    allow_writes: bool | None = Field(
        default=None,
        description="Whether page and API may add and delete articles; empty: only on a loopback address.",
    )
    rate_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Requests a minute for each key and each address. Range 1-100000; empty: 120 where keys are "
        "needed, without limit elsewhere.",
    )
    answers_at_once: int = Field(default=4, ge=1, le=64, description="Questions answered at once. Range 1-64.")
    answers_waiting: int = Field(
        default=32, ge=0, le=1000, description="Questions that wait; more are refused as busy. Range 0-1000."
    )
    answer_timeout_s: float = Field(
        default=120.0, gt=0, le=3600, description="Seconds until an answer is given up, waiting included. Range 0-3600."
    )
    upload_mb: int = Field(default=50, ge=1, le=2000, description="Largest upload, in megabytes. Range 1-2000.")
    cors_origins: str = Field(
        default="", description="Web pages elsewhere that may call the API, as https://host, separated by commas."
    )
    grounding_sample: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of the answers served that enter the grounding report of the last 90 days. Range 0-1.",
    )
    log_questions: bool = Field(default=False, description="Write questions into the log; else only answers' ids.")
    tracing: str = Field(
        default="",
        description="Where OpenTelemetry traces go: the address of an OTLP collector (http://host:4318/v1/traces), or "
        "console. Empty: nowhere. Needs the extra `tracing`.",
    )
    stale_days: int = Field(
        default=30,
        ge=0,
        le=36500,
        description="Age of the newest article from which the page warns, in days; 0 never. Range 0-36500.",
    )
    as_of: datetime | None = Field(
        default=None,
        description='Moment that "last week" counts from, as 2025-09-01; empty is the present. For ended archives.',
    )
    question_chars: int = Field(
        default=2000, ge=50, le=20000, description="Longest question accepted, in characters. Range 50-20000."
    )

    @field_validator("as_of")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @property
    def folder(self) -> Path:
        """`home` with `~` expanded, absolute."""
        return self.home.expanduser().absolute()

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def writable(self) -> bool:
        """Whether page and API may change the archive."""
        return self.on_loopback if self.allow_writes is None else self.allow_writes


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine's own address, as name or number."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def load_settings(**overrides: Any) -> Settings:  # values are checked by pydantic
    """Read the settings; `overrides` win over environment and `.env`, None leaves a setting alone.

    Raises:
        SettingsError: A value is out of range, or a name in `.env` is unknown.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        lines = []
        for item in error.errors():
            name = str(item["loc"][0]).upper()
            if item["type"] == "extra_forbidden":
                lines.append(f"{name} in .env is no setting of Pressmark: .env.example lists them")
            else:
                lines.append(f"PRESSMARK_{name}: {item['msg']} (got {item['input']!r})")
        raise SettingsError("Settings cannot be used:\n  " + "\n  ".join(lines)) from error


def env_example() -> str:
    """Return the text of `.env.example`: each setting's description, commented out at its default."""
    lines = ["# Settings of Pressmark. Copy to .env and take the # away from what you change."]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, SecretStr):
            default = ""
        if default is None:
            default = ""
        lines += ["", f"# {field.description}", f"# PRESSMARK_{name.upper()}={default}"]
    return "\n".join(lines) + "\n"
