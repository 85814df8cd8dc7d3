"""Suggestions name the nearest known name, or all where none is near."""

from manyheads.tasks import suggest


def test_the_nearest_name_is_suggested() -> None:
    assert suggest("autmobile", known=["truck", "automobile"]) == "did you mean 'automobile'?"


def test_case_does_not_hide_the_nearest_name() -> None:
    assert suggest("YIELD", known=["Stop", "Yield"]) == "did you mean 'Yield'?"


def test_all_names_are_listed_where_none_is_near() -> None:
    assert suggest("xyz", known=["cat", "dog"]) == "known: cat, dog"
