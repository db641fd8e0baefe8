"""`pressmark articles`: list, read and delete articles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ui.cli_tools import AsJson, Home, dumped, open_archive, open_store, say, settings_of

if TYPE_CHECKING:
    from rag.schema import Article

articles_app = typer.Typer(help="List, read and delete articles.", no_args_is_help=True)


@articles_app.command("list")
def articles_list(
    home: Home = None,
    as_json: AsJson = False,
    search: Annotated[str, typer.Option(help="Part of the headline.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """List articles, newest first."""
    from rag.schema import Article
    from ui.wording import date_text

    with open_archive(home) as archive:
        found = archive.articles(search=search, limit=limit, offset=offset)
        status = archive.status()
    if as_json:
        say(dumped(list[Article], found))
        return
    for article in found:
        marks = " ".join(mark for mark in (_kind_mark(article), "retracted" if article.retracted else "") if mark)
        outlet = article.source or "unknown outlet"
        say(f"{article.id}  {date_text(article.published_at)}  {outlet}: {article.title} {marks}".rstrip())
    say(f"{len(found)} of {status.articles} articles, {status.stories} stories, {status.passages} passages.")


@articles_app.command("show")
def articles_show(article_id: str, home: Home = None, as_json: AsJson = False) -> None:
    """Read one article."""
    from rag.schema import Article
    from ui.wording import date_text

    with open_archive(home) as archive:
        article = archive.article(article_id)
    if as_json:
        say(dumped(Article, article))
        return
    byline = [article.source, ", ".join(article.authors), date_text(article.published_at), article.url]
    say(f"{article.title}\n{' · '.join(part for part in byline if part)}")
    if article.correction:
        say(f"Note: {article.correction}")
    say(f"\n{article.text}")


@articles_app.command("delete")
def articles_delete(article_id: str, home: Home = None) -> None:
    """Take one article out of archive and index."""
    from ingest.indexer import delete_article

    with open_store(settings_of(home)) as store:
        delete_article(article_id, store)
    say(f"Deleted {article_id}.")


def _kind_mark(article: Article) -> str:
    return f"({article.kind}{', breaks off' if article.truncated else ''})" if article.kind != "article" else ""
