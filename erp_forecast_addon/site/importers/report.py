"""What an import did."""

from dataclasses import dataclass, field
from datetime import date


@dataclass
class ImportReport:
    """rows_read: per file; rows_written: per DocType; left_out: reason -> rows; made_up: what the file did not hold
    and the importer invented; notes: what was taken as it is but deserves a look.
    """

    source: str
    company: str = ""
    rows_read: dict[str, int] = field(default_factory=dict)
    rows_written: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    made_up: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    first_day: date | None = None
    last_day: date | None = None
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """The report as lines of text, for a terminal."""
        told = [f"{self.source}: {self.first_day} to {self.last_day}, company {self.company}"]
        told += [f"  read     {count:>9,}  {name}" for name, count in self.rows_read.items()]
        told += [f"  written  {count:>9,}  {name}" for name, count in self.rows_written.items()]
        told += [f"  left out {count:>9,}  {reason}" for reason, count in self.left_out.items()]
        told += [f"  made up: {what}" for what in self.made_up]
        return told + [f"  note: {what}" for what in self.notes]
