"""An exception of our own is told by its type and place: its words may hold a secret."""

from monitor.core.fault import MOST_FRAMES, locate_fault

PLANTED = "pl4nted-s3cret"


def catch(depth: int = 0) -> ValueError:
    def fail(left: int) -> None:
        if left:
            fail(left - 1)
        raise ValueError(PLANTED)

    try:
        fail(depth)
    except ValueError as error:
        return error
    raise AssertionError("it always fails")


def test_type_and_place_are_told_and_no_words() -> None:
    told = locate_fault(catch())
    assert told.startswith("ValueError at test_fault.py:")
    assert "in fail" in told
    assert PLANTED not in told
    assert "/" not in told


def test_a_deep_stack_is_told_by_its_innermost_frames() -> None:
    assert locate_fault(catch(50)).count(" at ") == MOST_FRAMES


def test_a_group_is_told_by_its_first_member() -> None:
    group = ExceptionGroup(PLANTED, [ExceptionGroup(PLANTED, [catch()]), KeyError(PLANTED)])
    assert locate_fault(group).startswith("ValueError at test_fault.py:")
    assert PLANTED not in locate_fault(group)


def test_an_exception_that_was_never_raised_has_a_type_only() -> None:
    assert locate_fault(KeyError(PLANTED)) == "KeyError"
