"""Which addresses may become links: what an article or a page says of itself is not trusted."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def safe_url(url: str) -> str:
    """Return an address if a browser may be sent there (http and https only), else ""."""
    address = url.strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or re.search(r"[\s\x00-\x1f]", address):
        return ""
    return address
