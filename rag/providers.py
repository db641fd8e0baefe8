"""Names to objects: the chat model that the settings name, through LangChain's `init_chat_model`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ChatModelError
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

# The extra of this package that brings each provider; others are installed by their own name.
_EXTRAS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google_genai": "google",
    "mistralai": "mistral",
    "ollama": "ollama",
}


def chat_model(settings: Settings) -> BaseChatModel | None:
    """Return the chat model that writes answers, or None for the built-in reader.

    Raises:
        ChatModelError: The provider is unknown, or its package or key is missing; the message has the cure.
    """
    if not settings.chat_model:
        return None
    provider, _, name = settings.chat_model.partition(":")
    if not name:
        raise ChatModelError(
            f"PRESSMARK_CHAT_MODEL={settings.chat_model!r} has no provider: write it as provider:model, "
            "for example openai:gpt-4o-mini, anthropic:claude-sonnet-4-5, ollama:llama3.2 or gguf:/path/to/model.gguf."
        )
    if provider == "gguf":
        from rag.local_model import LocalChatModel, check_file

        path = Path(name).expanduser()
        check_file(path)
        return LocalChatModel(
            path=path,
            context_tokens=settings.chat_context,
            answer_tokens=settings.chat_answer_tokens,
            threads=settings.threads,
            timeout_s=settings.chat_timeout_s,
        )
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {
        "temperature": 0,
        "timeout": settings.chat_timeout_s,
        "max_retries": 1,
        "max_tokens": settings.chat_answer_tokens,
    }
    if settings.chat_base_url:
        options["base_url"] = settings.chat_base_url
    key = settings.chat_api_key.get_secret_value()
    if key:
        options["api_key"] = key
    if provider == "ollama":  # its client takes no key, and names the timeout differently
        options = {
            "temperature": 0,
            "client_kwargs": {"timeout": settings.chat_timeout_s},
            "num_predict": settings.chat_answer_tokens,
            "num_ctx": settings.chat_context,
        }
        if settings.chat_base_url:
            options["base_url"] = settings.chat_base_url
    try:
        model: BaseChatModel = init_chat_model(settings.chat_model, **options)
    except ImportError as error:
        extra = _EXTRAS.get(provider)
        cure = f"pip install 'pressmark[{extra}]'" if extra else str(error)
        raise ChatModelError(f"The package for {provider!r} chat models is not installed: {cure}") from error
    except Exception as error:  # each provider raises its own class for a missing key
        raise ChatModelError(
            f"The chat model {settings.chat_model!r} cannot be set up: {error}. Set PRESSMARK_CHAT_API_KEY or the "
            "provider's own key variable, or leave PRESSMARK_CHAT_MODEL empty for the built-in reader."
        ) from error
    return model
