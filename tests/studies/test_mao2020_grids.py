import pytest

from manyheads.experiments import with_auxiliaries
from manyheads.studies.mao2020_grids import (
    QUICK_SHARES,
    ROOM_SHARES,
    STREET_SHARES,
    beside_main,
    equal,
    growing,
    letters_of,
    pairs,
    spelled,
    with_auxiliaries_of,
)
from manyheads.studies.mao2020_settings import rooms, small_rooms
from manyheads.tasks import PAPER_LETTERS


def test_letters_are_spelled_and_written_again() -> None:
    everything = " ".join(PAPER_LETTERS)
    assert letters_of(spelled(everything)) == everything


def test_the_matrix_of_the_paper_has_121_models() -> None:
    wishes = pairs(rooms("taskonomy"), list(PAPER_LETTERS), ROOM_SHARES, examples=None)
    models = [wish.model for wish in wishes]
    assert len(set(models)) == len(models) == 121
    assert sum(len(model.tasks) == 1 for model in models) == 11
    assert {model.tasks for model in models if len(model.tasks) == 2} == {
        (main, other) for main in PAPER_LETTERS.values() for other in PAPER_LETTERS.values() if main != other
    }


@pytest.mark.parametrize(
    ("letters", "share"),
    [("s d", 0.001), ("s A", 0.1), ("s d A", 0.001), ("d s", 0.1), ("d A", 0.1), ("d A s", 0.01)],
)
def test_shares_on_streets_are_those_of_the_released_configuration(letters: str, share: float) -> None:
    model = beside_main(letters, shares=STREET_SHARES)
    assert model.share == share
    others = len(model.tasks) - 1
    expected = [1.0, *[share / others] * others]
    assert list(with_auxiliaries(model.tasks, share=share).values()) == pytest.approx(expected)


def test_shares_in_rooms_are_those_of_the_released_configuration() -> None:
    shares = {letter: beside_main(f"s {letter}", shares=ROOM_SHARES).share for letter in "denrkKDAEp"}
    assert shares == dict(zip("denrkKDAEp", (0.01, 0.01, 0.1, 0.1, 0.01, 0.01, 0.1, 0.01, 0.1, 0.01), strict=True))
    assert beside_main("d s", shares=ROOM_SHARES).share == 0.1


def test_a_share_that_nobody_gave_is_refused() -> None:
    with pytest.raises(ValueError, match="no weight is given for the auxiliary tasks of 's n', only for s d"):
        beside_main("s n", shares=STREET_SHARES)


def test_tables_two_and_three_have_eight_models() -> None:
    plain, hardened = (
        [wish.model for wish in with_auxiliaries_of(small_rooms(), QUICK_SHARES, examples=2, hardened=kind)]
        for kind in (False, True)
    )
    written = [letters_of(model.tasks) for model in plain]
    assert written == ["s", "s d", "s A", "s d A", "d", "d s", "d A", "d A s"]
    assert [letters_of(model.tasks) for model in hardened] == written
    assert all(model.hardened for model in hardened)
    assert not set(plain) & set(hardened)


def test_table_one_and_the_growing_models_weigh_tasks_equally() -> None:
    wishes = (*equal(small_rooms(), examples=2), *growing(small_rooms(), "s d n", examples=2, norms=2))
    assert {wish.model.share for wish in wishes} == {None}


def test_models_grow_task_by_task_and_every_task_stands_alone_too() -> None:
    wishes = growing(small_rooms(), "s d n", examples=2, norms=2)
    assert [letters_of(wish.model.tasks) for wish in wishes] == ["s", "s d", "s d n", "d", "n"]
    assert [wish.measurements.vulnerability is not None for wish in wishes] == [True, True, True, False, False]
