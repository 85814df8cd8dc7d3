from manyheads.reports import CLEAN, dense_table, task_table, to_markdown


def heads(table):
    return [(column.block.split()[0], column.group, column.name) for column in table.columns]


def test_columns_are_clean_then_attacks_threat_by_threat(dense):
    assert heads(dense_table(dense, main="depth")) == [
        ("single-task", "clean", ""),
        ("single-task", "fgsm", "L∞ 4/255"),
        ("single-task", "pgd", "L∞ 1/255"),
        ("single-task", "pgd", "L∞ 4/255"),
        ("multi-task", "clean", ""),
        ("multi-task", "pgd", "L∞ 4/255"),
    ]


def test_rows_are_the_models_that_have_the_task(dense):
    table = dense_table(dense, main="segmentation")
    assert [row.labels for row in table.rows] == [("s",), ("s d",)]
    assert [cell.text for cell in table.rows[0].cells] == ["30.0", "15.0", "15.0", "7.5", "30.0", "7.5"]
    assert [cell.text for cell in table.rows[1].cells][:2] == ["33.0", "16.5"]
    assert (table.title, table.note) == ("Segmentation: mIoU (%)", "Higher is better.")


def test_depth_is_in_metres_and_lower_is_better(dense):
    table = dense_table(dense, main="depth", models=["d"])
    assert [row.labels for row in table.rows] == [("d",)]
    assert [cell.text for cell in table.rows[0].cells] == ["0.800", "1.60", "1.60", "3.20", "0.800", "3.20"]
    assert (table.title, table.note) == ("Depth: absolute error (m)", "Lower is better.")
    assert "Numbers in m, with 95 % intervals. n = 50 in every cell." in table.footnote


def test_another_score_can_be_asked_for(dense):
    table = dense_table(dense, main="segmentation", score="pixel_accuracy")
    assert table.title == "Segmentation: pixel accuracy (%)"
    assert table.rows[0].cells[0].text == "60.0"


def test_a_papers_numbers_stand_below_those_of_the_same_model_attack_and_size(dense):
    printed = {("s", CLEAN, 0.0): 0.4858, ("s", "pgd", 4 / 255): 0.1015, ("s d", "fgsm", 2 / 255): 0.3}
    table = dense_table(dense, main="segmentation", printed=printed)
    assert [cell.paper for cell in table.rows[0].cells] == ["48.58", "", "", "10.15", "48.58", "10.15"]
    assert not any(cell.paper for cell in table.rows[1].cells)
    assert "| 30.0 [27.0, 31.5] (paper 48.58) |" in to_markdown(table)


def test_all_scores_of_a_model_stand_in_rows_with_their_units(dense):
    table = task_table(dense, model="s d")
    assert [row.labels for row in table.rows] == [
        ("segmentation", "mIoU (%) ↑"),
        ("segmentation", "pixel accuracy (%) ↑"),
        ("depth", "absolute error (m) ↓"),
    ]
    assert "Numbers in the units that stand beside them" in table.footnote
    assert table.rows[2].cells[3].text == "2.91"
