"""The words of a lock, and what stands for them elsewhere."""

from monitor.core.history import Revision
from monitor.core.keys import Kind, ObjectKey
from monitor.core.lock import Lock, VersionPlace
from monitor.core.lock_building import Built, make_lock
from monitor.core.lock_states import States
from monitor.core.lock_wording import add_spellings, find_spellings
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot

VIEW = ObjectKey(Kind.VIEW, "public", None, "v")


def view(definition: str) -> Snapshot:
    return make_snapshot([SchemaObject(key=VIEW, attributes={"definition": definition})])


def lock_up(*definitions: str) -> Lock:
    built = [Built(Revision(id=str(n)), "", view(text)) for n, text in enumerate(definitions)]
    return make_lock(make_snapshot(()), built, place=VersionPlace(), server_version=180000)


def spell(*theirs: str) -> States:
    ours = ["SELECT a", "SELECT b"]
    found = [*find_spellings([*map(view, ours)], [*map(view, theirs)])]
    return States(add_spellings(lock_up(*ours), [15], found))


def settle(states: States, definition: str) -> object:
    settled, notes = states.settle(view(definition))
    assert [note.note for note in notes] in ([], ["spelling"])
    assert bool(notes) is (settled != view(definition))
    return settled.by_key[VIEW].get("definition")


def test_a_text_of_another_server_is_given_the_words_of_the_lock() -> None:
    states = spell("SELECT t.a", "SELECT t.b")
    assert states.lock.spelt_on == (15,)
    assert settle(states, "SELECT t.a") == "SELECT a"
    assert settle(states, "SELECT t.b") == "SELECT b"
    assert settle(states, "SELECT t.c") == "SELECT t.c"


def test_what_two_texts_of_the_lock_are_called_elsewhere_stays_as_it_is() -> None:
    states = spell("SELECT x", "SELECT x")
    assert settle(states, "SELECT x") == "SELECT x"


def test_words_of_the_lock_itself_mean_what_they_say() -> None:
    states = spell("SELECT b", "SELECT b")
    assert settle(states, "SELECT b") == "SELECT b"
