"""What a run of ingest did: counts, and everything that could not become an article."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file or record that could not become an article.

    Attributes:
        where: For a person to find it: "folder/file.jsonl line 12".
        reason: What is wrong with it, and the cure.
    """

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Counts of one run.

    Attributes:
        teasers: How many of the added and updated articles only announce a longer one.
        passages: Written in this run.
        articles: Ids of the added and updated articles.
    """

    added: int
    updated: int
    unchanged: int
    teasers: int
    passages: int
    rejected: tuple[Rejected, ...]
    seconds: float
    articles: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the report for a person: one line of counts, then a line for each rejection."""
        counts = f"{self.added} added, {self.updated} updated, {self.unchanged} unchanged"
        if self.teasers:
            counts += f" ({_counted(self.teasers, 'teaser')})"
        lines = [f"{counts}; {_counted(self.passages, 'passage')} in {self.seconds:.1f} s."]
        if self.rejected:
            lines.append(f"{len(self.rejected)} rejected:")
            lines += [f"  {item.where}: {item.reason}" for item in self.rejected]
        return "\n".join(lines)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
