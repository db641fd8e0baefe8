"""What a button of the page said to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr


def told(event: gr.EventData) -> dict[str, str]:
    """Return the data of a button (`ui/page.js`); anybody can send anything, so all of it is made strings."""
    data = event._data
    return {str(name): str(value) for name, value in data.items()} if isinstance(data, dict) else {}
