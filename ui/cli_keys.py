"""`pressmark keys`: who may use a server."""

from __future__ import annotations

from typing import Annotated

import typer

from ui.cli_tools import say

keys_app = typer.Typer(help="Make keys for those who may use a server.", no_args_is_help=True)


@keys_app.callback()
def about() -> None:
    """Keep `new` a command of its own: typer would drop its name while it is the only one."""


@keys_app.command("new")
def keys_new(
    name: Annotated[str, typer.Argument(help="Of the person or program; also the name at the page's login.")],
    write: Annotated[bool, typer.Option("--write", help="May add and delete articles and start evals.")] = False,
) -> None:
    """Print a new key, and the entry that lets a server know it."""
    from ui.access import new_key

    key, entry = new_key(name, "write" if write else "read")
    say(f"Key for {name}, shown this once: {key}")
    say(f"Add to PRESSMARK_API_KEYS (entries are separated by commas): {entry}")
