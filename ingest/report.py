"""What a run of ingest did: counts, and everything that could not become an article or is doubtful about one."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 50  # problems a report holds; all are in the archive


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or record that could not become an article, or something doubtful about one that was kept.

    Attributes:
        where: For a person to find it: "folder/file.jsonl line 12".
        reason: What is wrong with it, and the cure.
        lost: No article came of it.
    """

    where: str
    reason: str
    lost: bool = True

    def to_text(self) -> str:
        """Return the problem as a line for a person."""
        return f"{'rejected' if self.lost else 'kept'}: {self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        name: Of the file that is being read.
        done: Share of the run in [0, 1], by the files' bytes.
        articles: Added, updated and unchanged so far.
        passages: Written so far.
        seconds: Since the run began.
    """

    name: str
    files_done: int
    files: int
    done: float
    articles: int
    passages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Articles per second so far."""
        return self.articles / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the share done; None while there is nothing to go by."""
        return self.seconds * (1 - self.done) / self.done if self.done > 0 and self.articles else None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Counts of one run.

    Attributes:
        teasers: How many of the added and updated articles only announce a longer one.
        passages: Written in this run.
        problems: The first `SHOWN`, those of files that have not changed since an earlier run included.
        rejected: How many problems lost something.
        remarks: How many did not.
        gone: Articles whose files no longer hold them.
        pruned: They were deleted.
        articles: Ids of the first added and updated articles.
    """

    added: int
    updated: int
    unchanged: int
    teasers: int
    passages: int
    problems: tuple[Problem, ...]
    seconds: float
    rejected: int = 0
    remarks: int = 0
    gone: int = 0
    pruned: bool = False
    articles: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the report for a person: one line of counts, then what needs attention."""
        counts = f"{self.added} added, {self.updated} updated, {self.unchanged} unchanged"
        if self.teasers:
            counts += f" ({_counted(self.teasers, 'teaser')})"
        lines = [f"{counts}; {_counted(self.passages, 'passage')} in {self.seconds:.1f} s."]
        for count, heading, lost in ((self.rejected, "rejected:", True), (self.remarks, "kept, but:", False)):
            if count:
                shown = [problem for problem in self.problems if problem.lost == lost]
                lines.append(f"{count} {heading}")
                lines += [f"  {problem.where}: {problem.reason}" for problem in shown]
                if count > len(shown):
                    status = "failed" if lost else "doubtful"
                    lines.append(f"  ... and {count - len(shown)} more: `pressmark articles list --status {status}`")
        if self.gone and self.pruned:
            lines.append(f"{_counted(self.gone, 'article')} deleted: no file holds them any more.")
        elif self.gone:
            lines.append(f"{_counted(self.gone, 'article')} no longer in the files: --prune deletes them.")
        return "\n".join(lines)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
