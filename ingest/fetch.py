"""Web pages and feeds by address: public hosts only, robots.txt obeyed, bounded in size, time and redirects.

Each connection goes to an address that was checked, not to a name that could be resolved anew to another (DNS
rebinding); redirects are followed by hand, each through the same check.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore

from rag.errors import FetchError

AGENT = "Pressmark/0.1"
MAX_BYTES = 20 * 1024 * 1024
MAX_SECONDS = 30.0
_STEP_SECONDS = 15.0
_MAX_REDIRECTS = 5
_ROBOTS_BYTES = 500 * 1024  # as RFC 9309 asks for at least
_MAX_DELAY = 10.0  # seconds between requests to a host, whatever its robots.txt asks
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response: the address after redirects, its body, and its media type ("text/html", "" if not given)."""

    url: str
    body: bytes
    media_type: str


class _CheckedBackend(httpcore.SyncBackend):
    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = _checked_address(host, port, allow_private=self._allow_private)
        return super().connect_tcp(address, port, timeout, local_address, socket_options)


def _checked_address(host: str, port: int, *, allow_private: bool) -> str:
    """Return an address of the host; all of them must be public."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise FetchError(f"the host {host} is not known ({error}): check the address and the network") from error
    for address in found:
        if not allow_private and not is_public(address):
            raise FetchError(f"{host} is {address}, no public address: --allow-private reads it all the same")
    return found[0]


def is_public(address: str) -> bool:
    """Tell whether an IP address is of the public network: not private, loopback, link-local, reserved or multicast."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):  # NAT64
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


class Fetcher:
    """Fetches pages one after another; use it as a context manager."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._pool = httpcore.ConnectionPool(network_backend=_CheckedBackend(allow_private=allow_private))
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
        for _ in range(_MAX_REDIRECTS + 1):
            self._ask_robots(url)
            status, headers, body = self._get(url, MAX_BYTES)
            if status in _REDIRECTS and headers.get("location"):
                url = urljoin(url, headers["location"])
                continue
            if status != 200:
                raise FetchError(f"the server answered {status}: check the address")
            return Fetched(url, body, headers.get("content-type", "").partition(";")[0].strip().lower())
        raise FetchError(f"was redirected over {_MAX_REDIRECTS} times: give the final address")

    def _ask_robots(self, url: str) -> None:
        from protego import Protego

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FetchError("is no web address: give one that begins with http:// or https://")
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if origin not in self._robots:
            status, _, body = self._get(f"{origin}/robots.txt", _ROBOTS_BYTES, cut=True)
            if status >= 500:  # RFC 9309, 2.3.1.4: unreachable rules forbid all
                raise FetchError(f"{origin}/robots.txt cannot be read ({status}): try again later")
            self._robots[origin] = Protego.parse(body.decode("utf-8", "replace") if status == 200 else "")
        robots = self._robots[origin]
        if not robots.can_fetch(url, AGENT):
            raise FetchError("the site's robots.txt does not allow it: save the page by hand and ingest the file")
        delay = min(float(robots.crawl_delay(AGENT) or 0), _MAX_DELAY)
        wait = self._last.get(origin, 0.0) + delay - time.monotonic()
        if delay and origin in self._last and wait > 0:
            time.sleep(wait)
        self._last[origin] = time.monotonic()

    def _get(self, url: str, most: int, *, cut: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body; a body over `most` bytes is an error, or cut."""
        began = time.monotonic()
        steps = dict.fromkeys(("connect", "read", "write", "pool"), _STEP_SECONDS)
        headers = [("User-Agent", AGENT), ("Accept", "*/*"), ("Accept-Encoding", "identity")]
        body = bytearray()
        try:
            with self._pool.stream("GET", url, headers=headers, extensions={"timeout": steps}) as response:
                for chunk in response.iter_stream():
                    body += chunk
                    if len(body) > most:
                        if cut:
                            break
                        raise FetchError(f"is over {most // 1024**2} MB: save it and ingest the file")
                    if time.monotonic() - began > MAX_SECONDS:
                        raise FetchError(f"took over {MAX_SECONDS:.0f} seconds: try again later")
                answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                return response.status, answered, bytes(body[:most])
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise FetchError(f"cannot be reached ({error or type(error).__name__}): check the address") from error
        except (httpcore.UnsupportedProtocol, UnicodeError, ValueError) as error:
            raise FetchError(f"is no usable web address ({error})") from error
