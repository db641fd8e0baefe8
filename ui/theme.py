"""The look of the page: Gradio's theme on our colours, the style sheet, the one script (`page.js`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.themes.base import Base

# For each HTML component of the page: its buttons reach the server through the component's own events.
WIRED = "window.pmWire(element, trigger)"

# Brings the article that was opened into view, at what a citation quotes of it if it was opened from one.
SHOW_ARTICLE = """
() => {
  const until = Date.now() + 5000;
  const look = () => {
    const article = document.querySelector("#pm-article .pm-article");
    if (!article || !article.offsetParent) {
      if (Date.now() < until) setTimeout(look, 50);
      return;
    }
    article.focus({preventScroll: true});
    const quote = document.querySelector("#pm-quoted");
    (quote || article).scrollIntoView({block: quote ? "center" : "start"});
  };
  look();
}
"""

# Brings a follow-up to the top once it is on the page; a first question stays under the masthead.
SCROLL_TO_NEW = """
() => {
  if (!document.querySelector(".pm-turn")) return;
  const until = Date.now() + 5000;
  const look = () => {
    const stage = document.querySelector("#pm-live .pm-stage");
    if (stage) document.querySelector("#pm-live").scrollIntoView({block: "start"});
    else if (Date.now() < until) setTimeout(look, 50);
  };
  look();
}
"""


def head_html() -> str:
    """Return the style sheet and the script for the page's head.

    Not through Gradio's `css`: it prefixes each selector, and the colours belong on the root.
    """
    script = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
    return f"{style_html()}<script>{script}</script>"


def style_html() -> str:
    """Return the style sheet as an element."""
    return f"<style>{Path(__file__).with_name('style.css').read_text(encoding='utf-8')}</style>"


def page_theme() -> Base:
    """Return Gradio's plain theme, on the style sheet's colours and the reader's own fonts."""
    from gradio.themes import Base

    # The families name fonts of the reader's machine: nothing is fetched.
    return Base(
        font=["system-ui", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "Liberation Mono", "monospace"],
    ).set(
        body_background_fill="var(--pm-paper)",
        body_background_fill_dark="var(--pm-paper)",
        body_text_color="var(--pm-ink)",
        body_text_color_dark="var(--pm-ink)",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_label_text_color="var(--pm-ink)",
        block_title_text_color="var(--pm-ink)",
        input_background_fill="var(--pm-card)",
        input_background_fill_dark="var(--pm-card)",
        input_border_color="var(--pm-rule)",
        input_border_color_dark="var(--pm-rule)",
        color_accent="var(--pm-accent)",
        checkbox_background_color_selected="var(--pm-accent)",
        checkbox_background_color_selected_dark="var(--pm-accent)",
        checkbox_border_color_selected="var(--pm-accent)",
        checkbox_border_color_selected_dark="var(--pm-accent)",
        border_color_primary="var(--pm-rule)",
        border_color_primary_dark="var(--pm-rule)",
    )
