"""`pressmark articles`: list, read, export and delete articles, and list what could not become one."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ui.cli_tools import AsJson, Home, dumped, open_archive, open_store, say, settings_of

if TYPE_CHECKING:
    from rag.archive import Archive

articles_app = typer.Typer(help="List, read, export and delete articles.", no_args_is_help=True)
_STATUS = "indexed, pending, undated, teaser, truncated, corrected or retracted; failed or doubtful list problems."
_PAGE = 500  # articles held at once while exporting


@articles_app.command("list")
def articles_list(
    home: Home = None,
    as_json: AsJson = False,
    search: Annotated[str, typer.Option(help="Part of the headline.")] = "",
    status: Annotated[str, typer.Option(help=_STATUS)] = "indexed",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """List articles, newest first, or the problems of earlier ingests."""
    from rag.archive_tables import ArticleStatus
    from rag.schema import Article
    from ui.wording import article_marks, date_text

    with open_archive(home) as archive:
        if status in ("failed", "doubtful"):
            _list_problems(archive, lost=status == "failed", as_json=as_json, limit=limit, offset=offset)
            return
        if status not in get_args(ArticleStatus):
            raise typer.BadParameter(f"{status!r}: give one of {_STATUS}", param_hint="--status")
        found = archive.articles(search=search, kind=status, limit=limit, offset=offset)  # type: ignore[arg-type]
        counts = archive.status()
    if as_json:
        say(dumped(list[Article], found))
        return
    for article in found:
        outlet = article.source or "unknown outlet"
        marks = f" ({', '.join(article_marks(article))})" if article_marks(article) else ""
        say(f"{article.id}  {date_text(article.published_at)}  {outlet}: {article.title}{marks}")
    say(f"{len(found)} of {counts.articles} articles, {counts.stories} stories, {counts.passages} passages.")


def _list_problems(archive: Archive, *, lost: bool, as_json: bool, limit: int, offset: int) -> None:
    from rag.files import FileProblem

    found = archive.files.problems(lost=lost, limit=limit, offset=offset)
    if as_json:
        say(dumped(list[FileProblem], found))
        return
    for problem in found:
        say(f"{problem.at:%Y-%m-%d %H:%M}  {problem.place}: {problem.reason}")
    say(f"{len(found)} of {archive.files.problem_count(lost=lost)} problems.")


@articles_app.command("show")
def articles_show(
    article_id: str,
    home: Home = None,
    as_json: AsJson = False,
    version: Annotated[str, typer.Option(help="An earlier version; the list at the end names them.")] = "",
) -> None:
    """Read one article."""
    from rag.schema import Article
    from ui.wording import article_marks, date_text

    with open_archive(home) as archive:
        article = archive.article(article_id, version or None)
        versions = archive.versions(article_id)
        card = archive.stories.cards([article_id]).get(article_id)
    if as_json:
        say(dumped(Article, article))
        return
    byline = [article.source, ", ".join(article.authors), date_text(article.published_at), article.url]
    say(f"{article.title}\n{' · '.join(part for part in [*byline, *article_marks(article)] if part)}")
    if article.correction:
        say(f"Note: {article.correction}")
    if card and card.also_in:
        say(f"Also in: {', '.join(card.also_in)}")
    say(f"\n{article.text}")
    if len(versions) > 1:
        say(f"\nVersions, newest first: {', '.join(versions)}")


@articles_app.command("export")
def articles_export(
    home: Home = None,
    out: Annotated[Path | None, typer.Option("--out", help="A .jsonl file; default: standard output.")] = None,
) -> None:
    """Write all articles as JSON lines, in the form that `pressmark ingest` reads."""
    from ingest.loaders.records import EXPORTED
    from rag.schema import Article

    if out and not out.parent.is_dir():
        raise ValueError(f"{out} cannot be written: make the folder first, or write elsewhere with --out.")
    written = 0
    with open_archive(home) as archive, out.open("w", encoding="utf-8") if out else nullcontext(sys.stdout) as file:
        while page := archive.articles(limit=_PAGE, offset=written):
            for article in page:
                file.write(f'{{"{EXPORTED}":1,{dumped(Article, article, indent=None)[1:]}\n')
            written += len(page)
    say(f"{written} articles written.", error=True)


@articles_app.command("delete")
def articles_delete(article_ids: list[str], home: Home = None) -> None:
    """Take articles out of archive and index."""
    from ingest.indexer import delete_articles

    with open_store(settings_of(home)) as store:
        delete_articles(article_ids, store)
    say(f"Deleted {', '.join(article_ids)}.")
