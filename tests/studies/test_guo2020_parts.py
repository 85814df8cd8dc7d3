from manyheads.studies.guo2020_parts import COST, parts


def test_all_parts_are_there() -> None:
    assert [*parts(), COST] == ["table1", "table2", "table3", "table4", "table5", "table6", "ablation", "table7"]


def test_tables_of_universal_perturbations_need_four_generators() -> None:
    every = parts()
    assert [len(every[name].wishes) for name in ("table1", "table2", "table5")] == [4, 4, 4]


def test_tables_of_images_perturbations_need_the_references_too() -> None:
    for name, goal in (("table3", "untargeted"), ("table4", "targeted")):
        wishes = parts()[name].wishes
        assert {wish.goal for wish in wishes} == {goal}
        assert sum(wish.kind == "per_instance" for wish in wishes) == 4
        assert [wish.level for wish in wishes if wish.is_reference] == [10, 5]


def test_the_transfer_table_shares_its_generators() -> None:
    every = parts()
    assert set(every["table6"].wishes) < set(every["table5"].wishes)
    assert {wish.method for wish in every["table6"].wishes} == {"mta"}
