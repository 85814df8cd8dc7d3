from manyheads.studies.guo2020_wishes import Wish, ablated, tabled


def test_a_table_has_both_methods_within_each_budget() -> None:
    listed = [(wish.level, wish.method) for wish in tabled("office31", "universal", levels=(10, 5))]
    assert listed == [(10, "gap"), (10, "mta"), (5, "gap"), (5, "mta")]


def test_titles_are_all_different() -> None:
    wishes = [
        *tabled("office31", "universal", levels=(10, 5)),
        *tabled("office31", "universal", goal="targeted", levels=(10, 5)),
        *tabled("office31", "per_instance", levels=(10, 5)),
        Wish("office31", "universal", "mta", level=5, raised="loss"),
    ]
    assert len({wish.title for wish in wishes}) == len(wishes)


def test_references_are_run_once_for_each_goal_and_budget() -> None:
    wishes = [*tabled("office31", "universal", levels=(10, 5)), *tabled("office31", "per_instance", levels=(10, 5))]
    assert [wish.title for wish in wishes if wish.is_reference] == [
        "universal-untargeted-10--mta",
        "universal-untargeted-5--mta",
    ]


def test_the_ablation_differs_in_what_is_raised_alone() -> None:
    wishes = ablated()
    assert len(wishes) == 6
    for one, other in zip(wishes[::2], wishes[1::2], strict=True):
        assert (one.raised, other.raised) == ("logarithm", "loss")
        assert (one.data, one.kind, one.level) == (other.data, other.kind, other.level)
