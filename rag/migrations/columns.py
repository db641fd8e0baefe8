"""Columns as the revisions write them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Integer, Text

# Sorted and compared by code point, as in SQLite, whatever the language of the server.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_WHOLE = Integer().with_variant(BigInteger(), "postgresql")  # seconds since 1970 need more than 32 bits from 2038


def text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    """Return a column of text; `key` makes it the primary key, or a part of it."""
    return Column(name, _TEXT, primary_key=key, nullable=optional)


def whole(name: str, *, optional: bool = False) -> Column[int]:
    """Return a column of whole numbers: counts, epoch seconds, 0 and 1 for no and yes."""
    return Column(name, _WHOLE, nullable=optional)


def serial(name: str, *, key: bool = True) -> Column[int]:
    """Return a column that numbers the rows as they come."""
    return Column(name, _WHOLE, Identity(), primary_key=key, nullable=False)
