"""Small pieces of inline SVG: scales, shapes, axes. Coordinates in pixels of the viewBox, y downwards."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Scale:
    """A linear map of values low..high to pixels start..end; a scale without extent maps everything to start."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return self.start
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def element(name: str, content: str = "", attributes: Mapping[str, Any] | None = None, **more: Any) -> str:
    """One element. Attribute values are escaped, `content` is markup already; class_ and for_ lose the underscore,
    other underscores become hyphens. Numbers are written with at most two decimals.
    """
    given = {**(attributes or {}), **more}
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in given.items() if value is not None
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(x: float, y: float, label: str, **attributes: Any) -> str:
    return element("text", escape(label), x=x, y=y, **attributes)


def title(label: str) -> str:
    """What a browser shows when the pointer rests on the element it is put into."""
    return element("title", escape(label))


def polyline(points: Iterable[tuple[float, float]], **attributes: Any) -> str:
    """A line through the points; a point that is not finite breaks it in two."""
    steps, drawing = [], False
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            drawing = False
            continue
        steps.append(f"{'L' if drawing else 'M'}{_number(x)} {_number(y)}")
        drawing = True
    return element("path", d="".join(steps), fill="none", **attributes) if steps else ""


def band(xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], **attributes: Any) -> str:
    """The area between two lines over the same xs."""
    if not len(xs):
        return ""
    there = [f"{_number(x)} {_number(y)}" for x, y in zip(xs, highs, strict=True)]
    back = [f"{_number(x)} {_number(y)}" for x, y in zip(reversed(xs), reversed(lows), strict=True)]
    return element("path", d=f"M{'L'.join([*there, *back])}Z", **attributes)


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten) that span low..high; the last one is at or above high.

    low and high are finite; equal ones get a step of 1.
    """
    span = high - low if high > low else 1.0
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= about)
    first, last = math.floor(low / step + 1e-9), math.ceil(max(high, low + step) / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def document(width: float, height: float, content: str, label: str) -> str:
    """The <svg>: scales with its box; `label` is read out by screen readers."""
    return element(
        "svg", content, viewBox=f"0 0 {_number(width)} {_number(height)}", role="img", aria_label=label,
        preserveAspectRatio="xMidYMid meet",
    )  # fmt: skip


def _value(value: Any) -> str:
    return _number(value) if isinstance(value, (int, float)) else escape(str(value), quote=True)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
