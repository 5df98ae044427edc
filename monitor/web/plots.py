"""A month of one database as three small pictures: numbers and places, drawn by a template.

A picture has at most one shape a span, whoever looks how often: its bytes are bounded. Good and
bad differ in height as well as in colour, and a sentence says what the picture shows.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from monitor.core.verdict import State
from monitor.sinks.past_looks import Stretch
from monitor.web.wording import choose_tone, count, name_state

PERIOD: Final = timedelta(days=30)
"""What is drawn; the ledger keeps the hours of a day more."""

SPAN: Final = timedelta(hours=3)
"""What is one column."""

COLUMNS: Final = PERIOD // SPAN + 1
"""Columns of a picture; the last is under way."""

WIDTH: Final = COLUMNS * 3
HEIGHT: Final = 40

_HEIGHTS: Final = {"good": 12, "moving": 18, "unknown": 24, "warning": 32, "critical": 40}
_WORST_LAST: Final = tuple(_HEIGHTS)
_TOLD: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Columns of one tone side by side."""

    x: int
    width: int
    height: int
    tone: str

    @property
    def y(self) -> int:
        """Its upper end; it stands on the ground."""
        return HEIGHT - self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Plots:
    """The pictures.

    Attributes:
        since: where they begin.
        bars: how it stood: in each column the worst that was seen.
        states: the same in a sentence.
        lines: how long looks took: the longest of each column, as the paths of an SVG.
        durations: the same in a sentence.
        finds: how many findings there were: the most of each column, as such paths.
        findings: the same in a sentence.
    """

    since: datetime
    bars: tuple[Bar, ...]
    states: str
    lines: tuple[str, ...]
    durations: str
    finds: tuple[str, ...]
    findings: str


def begin_period(now: datetime) -> datetime:
    """Where a picture begins that is drawn now: at the begin of a column."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (now - epoch) // SPAN * SPAN - (COLUMNS - 1) * SPAN


def draw_plots(stretches: Sequence[Stretch], now: datetime, patience: timedelta) -> Plots | None:
    """The pictures of a month; None where nobody looked.

    Args:
        stretches: the looks, by spans of `SPAN`.
        now: the time.
        patience: how long a state is taken to last when nobody looks.
    """
    since = begin_period(now)
    seen = [one for one in stretches if since <= one.since <= now]
    if not seen:
        return None
    return Plots(
        since=since,
        bars=tuple(_draw_bars(seen, since, now, max(patience, SPAN))),
        states=describe_states(seen),
        lines=tuple(_draw_lines(seen, since, lambda one: one.longest)),
        durations=describe_durations(seen),
        finds=tuple(_draw_lines(seen, since, lambda one: one.most)),
        findings=describe_findings(seen),
    )


def _find_tone(state: State) -> str:
    return choose_tone(state, state.meaning.severity)


def _draw_bars(
    seen: Sequence[Stretch], since: datetime, now: datetime, patience: timedelta
) -> list[Bar]:
    tones: dict[int, str] = {}
    for one in seen:
        place, tone = (one.since - since) // SPAN, _find_tone(one.state)
        tones[place] = max(tone, tones.get(place, tone), key=_WORST_LAST.index)
    end = (now - since) // SPAN + 1
    bars: list[Bar] = []
    for place, following in pairwise([*sorted(tones), end]):
        lasts = min(following - place, patience // SPAN)
        bar = _make_bar(place, max(lasts, 1), tones[place])
        last = bars[-1] if bars else None
        if last and (last.tone, last.x + last.width) == (bar.tone, bar.x):
            bars[-1] = Bar(
                x=last.x, width=last.width + bar.width, height=bar.height, tone=bar.tone
            )
        else:
            bars.append(bar)
    return bars


def _make_bar(place: int, columns: int, tone: str) -> Bar:
    step = WIDTH // COLUMNS
    return Bar(x=place * step, width=columns * step, height=_HEIGHTS[tone], tone=tone)


def _draw_lines(
    seen: Sequence[Stretch], since: datetime, measure: Callable[[Stretch], float]
) -> list[str]:
    """The most of each column, as one path for each run of columns in which somebody looked."""
    most: dict[int, float] = defaultdict(float)
    for one in seen:
        place = (one.since - since) // SPAN
        most[place] = max(most[place], measure(one))
    top = max(most.values()) or 1.0
    step = WIDTH // COLUMNS
    runs: list[list[str]] = []
    before = None
    for place in sorted(most):
        y = HEIGHT - 1 - round((HEIGHT - 4) * most[place] / top)
        if before is None or place > before + 1:
            runs.append([])
        # A step a column: a look that nobody did took no time between two others.
        runs[-1].append(f"{place * step} {y}h{step}")
        before = place
    return ["M" + "L".join(run) for run in runs]


def describe_states(seen: Sequence[Stretch]) -> str:
    """``4,320 looks: in sync 98 %, drifted 2 %``."""
    looks: dict[State, int] = defaultdict(int)
    for one in seen:
        looks[one.state] += one.looks
    whole = sum(looks.values())
    if len(looks) == 1:
        name = name_state(next(iter(looks)))
        return f"1 look: {name}." if whole == 1 else f"{whole:,} looks, all {name}."
    ordered = sorted(looks, key=lambda state: (-looks[state], state))
    parts = [f"{name_state(state)} {_write_share(looks[state], whole)}" for state in ordered]
    more = len(parts) - _TOLD
    told = ", ".join(parts[:_TOLD]) + (f", {count(more, 'other state')}" if more > 0 else "")
    return f"{whole:,} looks: {told}."


def _write_share(part: int, whole: int) -> str:
    """What happened is never nothing, and what did not always happen is never all."""
    share = 100 * part / whole
    if share < 1:
        return "below 1 %"
    return "above 99 %" if share > 99 else f"{share:.0f} %"  # noqa: PLR2004  # as it is said


def describe_durations(seen: Sequence[Stretch]) -> str:
    """``0.18 s on average, 2.40 s at the longest``."""
    total = sum(one.total for one in seen)
    looks = sum(one.looks for one in seen)
    longest = max(one.longest for one in seen)
    return f"{total / looks:.2f} s on average, {longest:.2f} s at the longest."


def describe_findings(seen: Sequence[Stretch]) -> str:
    """``None at any look.``, or how many at the most and in the last column."""
    most = max(one.most for one in seen)
    if not most:
        return "None at any look."
    end = max(one.since for one in seen)
    last = max(one.most for one in seen if one.since == end)
    return f"{most:,} at the most, {last:,} of late."
