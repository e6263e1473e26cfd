"""Sentences for users, written here in English and translated by the site that shows them."""

from datetime import date
from typing import Any


def _(template: str) -> str:
    """Mark a template for translation; the site translates it before it fills in the values."""
    return template


class Day(str):
    """A day as a value of a sentence: everybody takes it for its ISO text, a site's Template shows it as the site does.

    Values of sentences are kept as JSON, which has no days.
    """

    __slots__ = ()


class Template(str):
    """A template in the language of its readers. Filled in, it shows days as `show_day` does, whoever fills it in.

    This is the one place where values of sentences are put into a reader's form: a site's `translate` returns its own
    Template.
    """

    __slots__ = ()

    def format(self, *args: Any, **values: Any) -> str:
        shown = {name: self._shown(value) for name, value in values.items()}
        return super().format(*(self._shown(value) for value in args), **shown)

    def show_day(self, day: date) -> str:
        return day.isoformat()

    def _shown(self, value: Any) -> Any:
        """Days only: a moment has its own form, and a name that looks like a day is none."""
        if isinstance(value, Day):
            return self.show_day(date.fromisoformat(value)) if value else ""
        return self.show_day(value) if type(value) is date else value
