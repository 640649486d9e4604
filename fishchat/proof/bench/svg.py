"""Line charts as SVG: no more than a page of figures needs.

Nothing is painted behind a chart, and all its colours can be told from white and from black, so that it can be read on
light and dark pages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 58, 44
#: The middles of two numbers below the chart, so that they can be told apart.
_APART = 34
_TEXT, _GRID = "#7d8590", "#8b949e"
_COLOURS = ("#3b82c4", "#d9822b", "#3c9d5b", "#b45fcf")


@dataclass(frozen=True)
class Line:
    """One row of points, in the order of their places."""

    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """What is drawn. :ivar log: whether the places are ten times each other; heights begin at 0 always."""

    title: str
    places: str
    lines: Sequence[Line]
    log: bool = False


def draw(chart: Chart) -> str:
    """The document. A chart without points is a ValueError."""
    places = sorted({place for line in chart.lines for place, _ in line.points})
    if not places:
        raise ValueError(f"there is nothing to draw of {chart.title}")
    step, top = _steps(max(height for line in chart.lines for _, height in line.points))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-label="{escape(chart.title)}" font-family="sans-serif" font-size="12" '
        f'fill="{_TEXT}">',
        f'<text x="{_LEFT}" y="18" font-size="14" font-weight="bold">{escape(chart.title)}</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 8}" text-anchor="end">{escape(chart.places)}</text>',
    ]
    for number in range(round(top / step) + 1):
        y = _y(number * step, top)
        parts.append(_rule(_LEFT, y, _WIDTH - _RIGHT, y, "0.35"))
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_full(number * step)}</text>')
    named = -math.inf
    for place in places:
        x = _x(place, places, chart.log)
        parts.append(_rule(x, _HEIGHT - _BOTTOM, x, _HEIGHT - _BOTTOM + 5, "1"))
        if x - named >= _APART:
            named = x
            parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 19}" text-anchor="middle">{_short(place)}</text>')
    at = _LEFT
    for line, colour in zip(chart.lines, _COLOURS, strict=False):
        parts += _line(line, colour, places, chart.log, top)
        parts.append(f'<rect x="{at}" y="30" width="10" height="10" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{at + 15}" y="39">{escape(line.label)}</text>')
        at += 15 + 7 * len(line.label) + 24
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(line: Line, colour: str, places: Sequence[float], log: bool, top: float) -> list[str]:
    dots = [(_x(place, places, log), _y(height, top)) for place, height in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    drawn = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for (x, y), (place, height) in zip(dots, line.points, strict=True):
        told = escape(f"{line.label}: {_full(height)} at {_full(place)}")
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"><title>{told}</title></circle>')
    return drawn


def _rule(x1: float, y1: float, x2: float, y2: float, opacity: str) -> str:
    line = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {line} stroke="{_GRID}" stroke-opacity="{opacity}"/>'


def _x(place: float, places: Sequence[float], log: bool) -> float:
    first, last, here = places[0], places[-1], place
    if log:
        first, last, here = (math.log10(max(value, 1)) for value in (first, last, here))
    share = (here - first) / (last - first) if last > first else 0.5
    # A little to the right of the numbers of the heights.
    return _LEFT + 16 + share * (_WIDTH - _LEFT - _RIGHT - 32)


def _y(height: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - height / top * (_HEIGHT - _TOP - _BOTTOM)


def _steps(highest: float) -> tuple[float, float]:
    """From line to line, and the highest one: 1, 2 or 5 times a power of ten, four to eight lines."""
    raw = max(highest, 1e-9) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return step, step * math.ceil(highest / step - 1e-9) if highest > 0 else step


def _full(value: float) -> str:
    """``5,000,000``, and not ``5e+06``."""
    return f"{value:,.10g}"


def _short(value: float) -> str:
    """``2.5M`` of 2,500,000."""
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
