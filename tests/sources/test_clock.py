"""A clock that is ahead, in an interpreter of its own: it would move the tests' as well."""

import ast
import subprocess
import sys
from pathlib import Path

from monitor.sources import clock

CLOCK = Path(clock.__file__)
DAYS = 500

PRELUDE = f"""
import datetime as before, time, sys, runpy
from datetime import date as real_date, datetime as real_datetime, timedelta, timezone
then = real_datetime.now(timezone.utc) + timedelta(days={DAYS})
runpy.run_path({str(CLOCK)!r})["move_clock"]({DAYS} * 86400)
import datetime
from datetime import date, datetime as moment
near = lambda found: abs((found - then).total_seconds()) < 60
"""


def run(code: str, *, first: str = "") -> None:
    script = f"{first}{PRELUDE}{code}"
    subprocess.run((sys.executable, "-W", "error", "-c", script), check=True)


def test_the_clock_is_python_3_8() -> None:
    ast.parse(CLOCK.read_text(), feature_version=(3, 8))


def test_every_way_to_ask_for_the_time_is_ahead() -> None:
    run(
        "assert near(moment.now(timezone.utc))\n"
        "assert near(moment.now(tz=timezone.utc))\n"
        "assert near(moment.now().astimezone())\n"
        "assert near(moment.today().astimezone())\n"
        "assert near(moment.utcnow().replace(tzinfo=timezone.utc))\n"
        "assert date.today() == then.astimezone().date()\n"
        "assert near(moment.fromtimestamp(time.time(), timezone.utc))\n"
        "assert near(moment.fromtimestamp(time.time_ns() / 1e9, timezone.utc))\n"
        "assert time.strftime('%Y') == str(then.astimezone().year)\n"
        "assert time.gmtime()[:3] == then.timetuple()[:3]\n"
        "assert time.localtime().tm_year == then.astimezone().year\n"
    )


def test_dates_that_are_named_are_what_they_were() -> None:
    run(
        "assert time.gmtime(0).tm_year == 1970\n"
        "assert time.strftime('%Y', (1999, 1, 1, 0, 0, 0, 0, 1, 0)) == '1999'\n"
        "assert type(moment(2026, 1, 2)) is real_datetime\n"
        "assert type(date.today()) is real_date and type(moment.now()) is real_datetime\n"
        "assert type(moment.strptime('2026', '%Y')) is real_datetime\n"
        "assert date(2026, 1, 2) == real_date(2026, 1, 2)\n"
        "assert date(2026, 1, 2) + timedelta(days=1) == real_date(2026, 1, 3)\n"
    )


def test_the_classes_count_as_the_real_ones() -> None:
    run(
        "assert isinstance(real_datetime.now(), moment) and isinstance(real_date(1, 1, 1), date)\n"
        "assert isinstance(moment.now(), date) and not isinstance(date.today(), moment)\n"
        "assert not isinstance(1, date) and issubclass(moment, date)\n"
        "assert issubclass(real_datetime, moment) and not issubclass(int, date)\n"
        "assert moment == real_datetime\n"
        "assert {real_datetime: 1}[moment] == {moment: 1}[real_datetime]\n"
        "assert moment != date and moment.__name__ == 'datetime'\n"
    )


def test_a_class_that_is_made_from_one_is_its_own() -> None:
    run(
        "class Day(moment):\n    pass\n"
        "assert type(Day(2026, 1, 2)) is Day and type(Day.now()) is Day\n"
        "assert near(Day.now(timezone.utc))\n"
        "assert not isinstance(moment.now(), Day) and isinstance(Day.now(), moment)\n"
        "assert Day != moment and not issubclass(real_datetime, Day) and issubclass(Day, date)"
    )


def test_models_are_mapped_as_they_were() -> None:
    run(
        "assert isinstance(sa.literal(moment.now()).type, sa.DateTime)\n"
        "assert isinstance(sa.literal(date.today()).type, sa.Date)\n"
        "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n"
        "class Base(DeclarativeBase):\n    pass\n"
        "class Note(Base):\n"
        "    __tablename__ = 'note'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    at: Mapped[moment]\n"
        "    day: Mapped[date | None]\n"
        "types = {column.name: type(column.type) for column in Note.__table__.columns}\n"
        "assert types['at'] is sa.DateTime and types['day'] is sa.Date, types",
        first="import sqlalchemy as sa",
    )
