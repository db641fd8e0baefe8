"""The smallest pieces of the page's HTML: everything that comes from an article, a question or a model is escaped here.

Only http and https addresses become links.
"""

from __future__ import annotations

from datetime import datetime
from html import escape

from rag.links import safe_url
from ui.wording import date_text


def text(value: str) -> str:
    """Escape for element content and quoted attributes; a bare CR would be read as a line feed."""
    return escape(value, quote=True).replace("\r", "&#13;")


def time_html(moment: datetime | None) -> str:
    """Render a day, "date unknown" for none."""
    if moment is None:
        return '<span class="pm-undated">date unknown</span>'
    return f'<time datetime="{text(moment.isoformat())}">{date_text(moment)}</time>'


def linked(title: str, url: str) -> str:
    """Render a headline, as a link if its address is one."""
    address = safe_url(url)
    if not address:
        return f'<span dir="auto">{text(title)}</span>'
    return f'<a dir="auto" href="{text(address)}" target="_blank" rel="noopener noreferrer nofollow">{text(title)}</a>'


def byline(source: str, moment: datetime | None, *more: str) -> str:
    """Render outlet and day, and what else is known (empty strings are left out)."""
    pieces = [f'<span class="pm-outlet" dir="auto">{text(source or "Outlet unknown")}</span>', time_html(moment)]
    pieces += [f'<span dir="auto">{text(piece)}</span>' for piece in more if piece]
    return '<p class="pm-byline">' + '<span aria-hidden="true"> · </span>'.join(pieces) + "</p>"


def action(label: str, act: str, *, css: str = "pm-action", title: str = "", **data: str) -> str:
    """Render a button that tells the page's script what to do (`ui.theme`); `data` are its arguments."""
    values = "".join(f' data-{name}="{text(value)}"' for name, value in data.items())
    named = f' title="{text(title)}" aria-label="{text(title)}"' if title else ""
    return f'<button type="button" class="{css}" data-act="{text(act)}"{values}{named}>{text(label)}</button>'
