from monitor.core.graph import cut_rows, draw_row, list_rows
from monitor.core.history import Revision, make_history


def draw(
    *revisions: tuple[str, tuple[str, ...]], marks: dict[str, str] | None = None
) -> list[str]:
    history = make_history(Revision(id=name, down=down) for name, down in revisions)
    order = [name for name, _ in revisions]
    said = dict.fromkeys(order, "!") if marks is None else marks
    rows = list_rows(history, order, {name: [mark] for name, mark in said.items()})
    return [draw_row(row) for row in rows]


def test_a_line_is_drawn_from_its_head_down() -> None:
    assert draw(("a", ()), ("b", ("a",))) == ["*  b  !", "*  a  !"]


def test_branches_stand_beside_each_other_and_come_together() -> None:
    drawn = draw(("a", ()), ("b", ("a",)), ("c", ("a",)), ("m", ("b", "c")))
    assert drawn == ["*    m  !", "| *  c  !", "* |  b  !", "*    a  !"]


def test_two_histories_in_one_have_a_column_each() -> None:
    assert draw(("a", ()), ("x", ())) == ["*  x  !", "*  a  !"]
    drawn = draw(("a", ()), ("x", ()), ("b", ("a",)), ("y", ("x",)))
    assert drawn == ["*    y  !", "| *  b  !", "* |  x  !", "  *  a  !"]


def test_what_nothing_is_said_about_is_folded() -> None:
    line = [(f"r{n}", (f"r{n - 1}",) if n else ()) for n in range(12)]
    assert draw(*line, marks={"r11": "head", "r5": "stamped"}) == [
        "*  r11  head",
        "*  r10",
        "*  r9",
        ":  1 more revision",
        "*  r7",
        "*  r6",
        "*  r5  stamped",
        "*  r4",
        "*  r3",
        ":  3 more revisions",
    ]


def test_a_page_shows_no_more_than_it_can() -> None:
    history = make_history(
        Revision(id=f"r{n}", down=(f"r{n - 1}",) if n else ()) for n in range(9)
    )
    order = [f"r{n}" for n in range(9)]
    rows = [*list_rows(history, order, {name: ["!"] for name in order})]
    assert cut_rows(rows, 9) == tuple(rows)
    *kept, last = cut_rows(rows, 4)
    assert (kept, last.folded, last.revision) == (rows[:4], 5, None)
