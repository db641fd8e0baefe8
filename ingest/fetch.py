"""Web pages and feeds by address: public hosts only, robots.txt obeyed, bounded in size, time and redirects.

Each connection goes to an address that was checked, not to a name that could be resolved anew to another (DNS
rebinding); redirects are followed by hand, each through the same check.
"""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpcore

from rag.errors import FetchError

AGENT = "Pressmark/0.1"
MAX_BYTES = 20 * 1024 * 1024
MAX_SECONDS = 30.0
_STEP_SECONDS = 15.0
_MAX_REDIRECTS = 5
_ROBOTS_BYTES = 500 * 1024  # as RFC 9309 asks for at least
_MAX_DELAY = 10.0  # seconds between requests to a host, whatever its robots.txt asks
_KEPT = "/%:=&?~#+!$,;'@()*[]"  # what quoting leaves as it is
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response: the address after redirects, its body, and its media type ("text/html", "" if not given)."""

    url: str
    body: bytes
    media_type: str


class _CheckedBackend(httpcore.SyncBackend):
    """Connects only to checked addresses, and ends all reading at `deadline` (of `time.monotonic`)."""

    def __init__(self, *, allow_private: bool) -> None:
        self.deadline = math.inf
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        *others, last = _checked_addresses(host, port, allow_private=self._allow_private)
        for address in others:
            try:
                return _BoundedStream(super().connect_tcp(address, port, timeout, local_address, socket_options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # the next may answer, as with a name that has an IPv6 address nobody listens at
        return _BoundedStream(super().connect_tcp(last, port, timeout, local_address, socket_options), self)


class _BoundedStream(httpcore.NetworkStream):
    """A connection whose reads end at the backend's deadline: a server may send its headers a byte a second."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _CheckedBackend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._backend.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return self._stream.read(max_bytes, min(left, timeout or left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._backend)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # httpcore's own signature
        return self._stream.get_extra_info(info)


def _checked_addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Return the addresses of the host; all of them must be public."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise FetchError(f"the host {host} is not known ({error}): check the address and the network") from error
    for address in found:
        if not allow_private and not is_public(address):
            raise FetchError(
                f"{host} leads to {address}, no public address: --allow-private of `pressmark ingest` reads it all "
                "the same"
            )
    return list(dict.fromkeys(found))


_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether an IP address is of the public network: not private, loopback, link-local, reserved or multicast."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        return ip in _GLOBAL_UNICAST and ip.is_global
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _encoded(url: str) -> str:
    """Return the address in ASCII: the host as IDNA, the rest percent-encoded.

    Raises:
        FetchError: It is no web address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise FetchError(f"is no web address ({error}): check it") from error
    if parts.scheme not in ("http", "https") or not host:
        raise FetchError("is no web address: give one that begins with http:// or https://")
    try:
        name = f"[{ipaddress.IPv6Address(host)}]" if ":" in host else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise FetchError(f"the host {host[:80]} is not known ({error}): check the address") from error
    netloc = f"{name}:{port}" if port else name
    path, query = (quote(part, safe=_KEPT) for part in (parts.path or "/", parts.query))
    return urlunsplit((parts.scheme, netloc, path, query, quote(parts.fragment, safe=_KEPT)))


class Fetcher:
    """Fetches pages one after another; use it as a context manager."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._backend = _CheckedBackend(allow_private=allow_private)
        self._pool = httpcore.ConnectionPool(network_backend=self._backend)
        self._robots: dict[str, Any] = {}
        self._last: dict[str, float] = {}

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def fetch(self, url: str) -> Fetched:
        """Return what is at a web address.

        Raises:
            FetchError: It cannot be fetched, or may not: the message tells why and what to do.
        """
        url, status, headers, body = self._follow(_encoded(url), MAX_BYTES, obey=True)
        if status != 200:
            raise FetchError(f"the server answered {status}: check the address")
        if headers.get("content-encoding", "identity") != "identity":
            raise FetchError("came packed, though it was asked for plainly: save it and ingest the file")
        return Fetched(url, body, headers.get("content-type", "").partition(";")[0].strip().lower())

    def _follow(self, url: str, most: int, *, obey: bool) -> tuple[str, int, dict[str, str], bytes]:
        """Follow redirects; return the last address, its status, headers and body."""
        for _ in range(_MAX_REDIRECTS + 1):
            if obey:
                self._ask_robots(url)
            status, headers, body = self._get(url, most, cut=not obey)
            if status not in _REDIRECTS or not headers.get("location"):
                return url, status, headers, body
            try:
                url = urljoin(url, headers["location"])
            except ValueError as error:
                raise FetchError(f"leads to what is no web address ({error}): give the final address") from error
            url = _encoded(url)
        raise FetchError(f"was redirected over {_MAX_REDIRECTS} times: give the final address")

    def _ask_robots(self, url: str) -> None:
        from protego import Protego

        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._robots:
            _, status, _, body = self._follow(f"{origin}/robots.txt", _ROBOTS_BYTES, obey=False)
            if status >= 500:  # RFC 9309, 2.3.1.4: unreachable rules forbid all
                raise FetchError(f"{origin}/robots.txt cannot be read ({status}): try again later")
            self._robots[origin] = Protego.parse(body.decode("utf-8-sig", "replace") if status == 200 else "")
        robots = self._robots[origin]
        if not robots.can_fetch(url, AGENT):
            raise FetchError("the site's robots.txt does not allow it: save the page by hand and ingest the file")
        delay = min(float(robots.crawl_delay(AGENT) or 0), _MAX_DELAY)
        wait = self._last.get(origin, 0.0) + delay - time.monotonic()
        if delay and origin in self._last and wait > 0:
            time.sleep(wait)
        self._last[origin] = time.monotonic()

    def _get(self, url: str, most: int, *, cut: bool) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body; a body over `most` bytes is an error, or cut."""
        self._backend.deadline = time.monotonic() + MAX_SECONDS
        steps = dict.fromkeys(("connect", "read", "write", "pool"), _STEP_SECONDS)
        headers = [("User-Agent", AGENT), ("Accept", "*/*"), ("Accept-Encoding", "identity")]
        body = bytearray()
        try:
            with self._pool.stream("GET", url, headers=headers, extensions={"timeout": steps}) as response:
                for chunk in response.iter_stream():
                    body += chunk
                    if len(body) > most and not cut:
                        raise FetchError(f"is over {most // 1024**2} MB: save it and ingest the file")
                    if len(body) > most:
                        break
                    if time.monotonic() > self._backend.deadline:
                        raise httpcore.ReadTimeout
                answered = {name.decode("latin-1").lower(): _text(value) for name, value in response.headers}
                return response.status, answered, bytes(body[:most])
        except httpcore.TimeoutException as error:
            if time.monotonic() >= self._backend.deadline:
                raise FetchError(f"took over {MAX_SECONDS:.0f} seconds: try again later") from error
            raise FetchError(f"does not answer ({type(error).__name__}): try again later") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise FetchError(f"cannot be reached ({error or type(error).__name__}): check the address") from error


def _text(header: bytes) -> str:
    try:
        return header.decode("utf-8")  # some servers send addresses in it
    except UnicodeDecodeError:
        return header.decode("latin-1")
