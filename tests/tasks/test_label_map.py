"""Label maps are total and onto, and regroup labels of any shape."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manyheads.deferral import DELIVERIES, Fetched, deferred
from manyheads.tasks import Crossing, LabelMap, Relation, Slant, from_classes

PARITY = LabelMap(("even", "odd"), (0, 1) * 5)


@given(st.lists(st.integers(0, 9), max_size=12))
def test_regrouping_is_a_look_up(labels: list[int]) -> None:
    assert PARITY(torch.tensor(labels, dtype=torch.int64)).tolist() == [label % 2 for label in labels]


def test_labels_keep_their_shape() -> None:
    assert PARITY(torch.tensor([[1, 2, 3], [4, 5, 6]])).tolist() == [[1, 0, 1], [0, 1, 0]]


class Held(Fetched):
    """Numbers that have not arrived before somebody waits for them."""

    def has_arrived(self) -> bool:
        return False


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_outside_the_map_that_is_found_out_late_is_refused_in_the_same_words(
    label: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DELIVERIES, "cpu", Held)
    found = []

    def regroup_late() -> None:
        with deferred():
            found.append(PARITY(torch.tensor([3, label])))

    with pytest.raises(ValueError, match=f"labels must be 0 to 9 for this map, got {min(label, 3)} to {max(label, 3)}"):
        regroup_late()
    assert found[0][0] == 1


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_outside_the_map_is_refused(label: int) -> None:
    with pytest.raises(ValueError, match=f"labels must be 0 to 9 for this map, got {label} to {label}"):
        PARITY(torch.tensor([label]))


def test_each_class_goes_with_its_own_group_only() -> None:
    assert LabelMap(("a", "b"), (1, 0, 1)).compatible.tolist() == [[False, True], [True, False], [False, True]]


def test_members_are_the_classes_of_a_group() -> None:
    assert PARITY.members("odd") == (1, 3, 5, 7, 9)
    assert PARITY.classes == 10


def test_an_unknown_group_has_no_members() -> None:
    with pytest.raises(ValueError, match="no group is called 'od'; did you mean 'odd'"):
        PARITY.members("od")


@pytest.mark.parametrize(
    ("names", "groups", "complaint"),
    [
        (("a", "b"), (0, 1), "at least 3 classes to regroup, got 2"),
        (("a",), (0, 0, 0), "at least two groups with distinct names"),
        (("a", "a"), (0, 1, 0), "at least two groups with distinct names"),
        (("a", "b"), (0, 1, 2), r"groups are 0 to 1 \(a, b\), got \[2\]"),
        (("a", "b"), (0, 1, -1), r"groups are 0 to 1 \(a, b\), got \[-1\]"),
        (("a", "b", "c"), (0, 1, 1), "every group needs a class, these have none: c"),
    ],
)
def test_a_map_that_is_not_total_and_onto_is_refused(names, groups, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        LabelMap(names, groups)


def test_groups_of_class_names_become_numbers() -> None:
    built = from_classes({"animal": ["dog", "cat"], "vehicle": ["ship"]}, class_names=("cat", "ship", "dog"))
    assert built == LabelMap(("animal", "vehicle"), (0, 1, 0))


@pytest.mark.parametrize(
    ("groups", "complaint"),
    [
        ({"animal": ["kat", "dog"], "vehicle": ["ship"]}, "names 'kat', which is not a class; did you mean 'cat'"),
        ({"animal": ["cat", "dog"], "vehicle": ["dog", "ship"]}, "'dog' stands in group 'animal' and in 'vehicle'"),
        ({"animal": ["cat"], "vehicle": ["ship"]}, "no group names these classes: dog"),
    ],
)
def test_groups_of_wrong_class_names_are_refused(groups, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        from_classes(groups, class_names=("cat", "ship", "dog"))


def test_label_maps_and_crossings_are_relations() -> None:
    assert isinstance(PARITY, Relation)
    assert isinstance(Crossing(3, Slant()), Relation)


def test_a_label_map_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(PARITY)) == PARITY
    assert len({PARITY, LabelMap(("even", "odd"), (0, 1) * 5)}) == 1
