"""Who may use the server: keys, their scopes, how often, from which pages.

Keys are long random words. The settings hold their SHA-256 only: a word of 256 random bits cannot be found from its
hash, so none of the slow hashes for passwords is needed. Every comparison takes the same time whatever it finds.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from rag.errors import SettingsError, StoreError
from rag.settings import is_loopback
from ui.problems import problem_response, reason
from ui.rates import SharedStorage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.archive import Archive
    from rag.settings import Settings

KeyScope = Literal["read", "write"]
UPLOAD_PATHS = ("/api/articles/upload", "/gradio_api/upload")
LARGEST_BODY_BYTES = 2_000_000  # of JSON: fifty earlier exchanges of full length fit
_FORM_BYTES = 1_000_000  # what a form takes beside its files
WRITE_PATHS = ("/api/articles", "/api/evals")
_DOORS = re.compile(r"/(?:api|v1|mcp|metrics)(?:/|$)")
_NAME = re.compile(r"[\w.@-]{1,64}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_RATE = 120  # requests a minute where keys are needed and nothing else is set
_WRONG_KEYS = 10  # a minute from one address
_CURE = "`pressmark keys new NAME` makes one"


@dataclass(frozen=True, slots=True)
class Key:
    """One user of the server; `digest` is the SHA-256 of the key in hex."""

    name: str
    scope: KeyScope
    digest: str


def new_key(name: str, scope: KeyScope) -> tuple[str, str]:
    """Return a new key and its line for PRESSMARK_API_KEYS.

    Raises:
        ValueError: The name holds other than letters, digits and . _ @ -.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a key: use letters, digits, and . _ @ -.")
    key = f"pm_{secrets.token_urlsafe(32)}"
    return key, f"{name}:{scope}:{_digest(key)}"


def upload_bytes(settings: Settings) -> int:
    """Return the largest body of an upload."""
    return settings.upload_mb * 1_000_000 + _FORM_BYTES


class Keys:
    """The keys that the settings name."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def of(cls, settings: Settings) -> Keys:
        """Read the settings' keys.

        Raises:
            SettingsError: A line is none of `pressmark keys new`, a name stands twice, or there is no key although
                others than this machine can reach the server.
        """
        lines = [line.strip() for line in settings.api_keys.get_secret_value().split(",") if line.strip()]
        keys = [_parsed(line, place) for place, line in enumerate(lines, 1)]
        names = [key.name for key in keys]
        if twice := {name for name in names if names.count(name) > 1}:
            raise SettingsError(f"PRESSMARK_API_KEYS names {', '.join(sorted(twice))} twice: each needs its own name.")
        if not keys and not settings.on_loopback:
            raise SettingsError(
                f"Host {settings.host} can be reached from other machines, and nobody would need a key. Set "
                f"PRESSMARK_API_KEYS ({_CURE}), or stay on 127.0.0.1."
            )
        return cls(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def holder(self, secret: str) -> Key | None:
        """Return whose key it is."""
        digest, found = _digest(secret), None
        for key in self._keys:  # all of them, so that the time tells nothing
            if compare_digest(digest, key.digest):
                found = key
        return found

    def login(self, name: str, secret: str) -> bool:
        """Tell whether it is the key of that name, for the page's login."""
        holder = self.holder(secret)
        return holder is not None and compare_digest(holder.name.encode(), name.strip().encode())

    def may_write(self, name: str | None) -> bool:
        """Tell whether the key of that name may change the archive; without keys everybody may."""
        return not self._keys or any(key.name == name and key.scope == "write" for key in self._keys)


class Guard:
    """ASGI middleware before all routes: key, scope, rates, and where a browser's request comes from."""

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys, archive: Archive) -> None:
        self._app = app
        self._keys = keys
        self._shared = archive.shared
        self._hosts = {"localhost", settings.host.strip("[]").lower()}
        self._origins = named_origins(settings)
        storage = SharedStorage(archive.rates) if archive.shared else MemoryStorage()
        self._limiter = MovingWindowRateLimiter(storage)
        rate = settings.rate_per_minute or (_RATE if keys else None)
        self._rate = RateLimitItemPerMinute(rate, namespace="requests") if rate else None
        self._wrong = RateLimitItemPerMinute(_WRONG_KEYS, namespace="wrong")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        refused: ASGIApp | None = None
        if scope["type"] == "http":
            try:
                # Counting together asks a database, for which the others must not wait.
                refused = await run_in_threadpool(self._refused, scope) if self._shared else self._refused(scope)
            except StoreError as error:
                refused = problem_response(str(scope["path"]), 503, reason(error), {"Retry-After": "5"})
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await refused(scope, receive, send)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        headers, path, method = Headers(scope=scope), str(scope["path"]), str(scope["method"])
        address = (scope.get("client") or ("unknown", 0))[0]
        door = bool(_DOORS.match(path))
        if why := self._foreign(headers, method, door=door):
            return problem_response(path, 403, why)
        who = address
        if door and self._keys and method != "OPTIONS":
            key = self._keys.holder(_secret_in(headers))
            if key is None:
                # Only wrong keys are held back: others at the same address have done nothing.
                if not self._limiter.hit(self._wrong, address):
                    return self._too_many(path, self._wrong, address, "wrong keys")
                return problem_response(
                    path,
                    401,
                    "A key is needed: send it as `Authorization: Bearer KEY`. Whoever runs the server gives keys out.",
                    {"WWW-Authenticate": 'Bearer realm="pressmark"'},
                )
            if method not in _SAFE and path.startswith(WRITE_PATHS) and key.scope != "write":
                return problem_response(
                    path, 403, f"The key of {key.name} may read only; this needs one that may write."
                )
            who = f"key {key.name}"
        if path.rstrip("/") == "/login" and not self._limiter.hit(self._wrong, address):
            return self._too_many(path, self._wrong, address, "logins")
        counted = door or method not in _SAFE
        if self._rate and counted:
            for one in dict.fromkeys((who, address)):
                if not self._limiter.hit(self._rate, one):
                    return self._too_many(path, self._rate, one, "requests")
        return None

    def _foreign(self, headers: Headers, method: str, *, door: bool) -> str:
        """Tell why a request is not from a user of this server: a page elsewhere may send requests to any address.

        Without keys nothing but the address protects the archive; so a name that was made to lead here (DNS
        rebinding) and a form on another site are refused. With keys the page's login is a cookie, which a browser
        sends along whoever asks; programs send their key, which no other site knows.
        """
        host = headers.get("host", "")
        if not self._keys:
            name = _name_of(host)
            if name not in self._hosts and not is_loopback(name):
                return (
                    f"This server answers to this machine only, not to {name or 'a request without a host'}: "
                    "open it as localhost, or set PRESSMARK_API_KEYS to serve others."
                )
        elif door:
            return ""
        if method in _SAFE:
            return ""
        origin = headers.get("origin")
        if origin in self._origins:
            return ""
        same = origin is None or origin.partition("://")[2] == host
        # Behind a proxy that gives the server another name the browser's own word counts; a sister site is another.
        site = headers.get("sec-fetch-site")
        elsewhere = site not in ("same-origin", "none") if site else not same
        if elsewhere or (not self._keys and not same):
            return "A page of another site may not change anything here."
        return ""

    def _too_many(self, path: str, item: RateLimitItemPerMinute, who: str, what: str) -> ASGIApp:
        wait = max(1, round(self._limiter.get_window_stats(item, who).reset_time - time.time()))
        return problem_response(
            path, 429, f"Too many {what}: at most {item.amount} a minute.", {"Retry-After": str(wait)}
        )


class BodyLimit:
    """ASGI middleware that refuses bodies that are too large, whether they tell their length or not."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._upload = upload_bytes(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"])
        largest = self._upload if path in UPLOAD_PATHS else LARGEST_BODY_BYTES
        length = Headers(scope=scope).get("content-length", "")
        told = f"The body is larger than {largest:,} bytes, the most that is taken here."
        if length.isdecimal() and int(length) > largest:
            await problem_response(path, 413, told)(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                raise HTTPException(413, told)
            return message

        await self._app(scope, counted, send)


def named_origins(settings: Settings) -> set[str]:
    """Return the sites that may call the API from a browser."""
    return {origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()}


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # "[" is no host
        return ""


def _secret_in(headers: Headers) -> str:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _parsed(line: str, place: int) -> Key:
    name, _, rest = line.partition(":")
    scope, _, digest = rest.partition(":")
    if not _NAME.fullmatch(name) or scope not in ("read", "write") or not re.fullmatch(r"[0-9a-f]{64}", digest):
        # Without the line itself: somebody may have put the key there.
        raise SettingsError(
            f"Entry {place} of PRESSMARK_API_KEYS is not of the form name:read:hash or name:write:hash; {_CURE} and "
            "prints the entry."
        )
    return Key(name, "write" if scope == "write" else "read", digest)
