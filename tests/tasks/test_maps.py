"""The shipped label maps equal the papers' tables; drawn ones are total and onto; a wrong file is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyheads.data.cifar10 import OBJECTS
from manyheads.data.digits import DIGITS, GARMENTS
from manyheads.data.gtsrb import SIGNS
from manyheads.tasks import maps

GTSRB_POLYGONS = {11, 12, 13, 14, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
PREPARED_FOOD = {
    "n07579787", "n07583066", "n07614500", "n07615774", "n07695742",
    "n07711569", "n07871810", "n07873807", "n07875152", "n07920052",
}  # fmt: skip
MACHINES = {
    "n02814533", "n02917067", "n02977058", "n02988304", "n03085013", "n03100240", "n03126707", "n03393912",
    "n03444034", "n03584254", "n03649909", "n03662601", "n03670208", "n03796401", "n03891332", "n03902125",
    "n03977966", "n03992509", "n04070727", "n04074963", "n04146614", "n04179913", "n04265275", "n04285008",
    "n04328186", "n04465501", "n04487081",
}  # fmt: skip


def by_class(name: str) -> dict[str, str]:
    """Each class's group, by their names."""
    label_map = maps.load(name)
    return {old: label_map.names[new] for old, new in zip(maps.about(name).classes, label_map.groups, strict=True)}


@pytest.mark.parametrize("data", ["mnist", "digits", "svhn"])
def test_digits_are_even_odd_by_turns(data: str) -> None:
    assert maps.load(f"{data}/parity").names == ("even", "odd")
    assert maps.load(f"{data}/parity").groups == (0, 1, 0, 1, 0, 1, 0, 1, 0, 1)


@pytest.mark.parametrize("data", ["mnist", "digits", "svhn"])
def test_zero_and_one_count_as_composite(data: str) -> None:
    assert maps.load(f"{data}/prime").names == ("composite", "prime")
    assert maps.load(f"{data}/prime").groups == (0, 0, 1, 1, 0, 1, 0, 1, 0, 0)


def test_eighteen_signs_are_polygons() -> None:
    shape = maps.load("gtsrb/shape")
    assert shape.names == ("circle", "polygon")
    assert set(shape.members("polygon")) == GTSRB_POLYGONS
    assert len(shape.members("circle")) == 25


def test_ten_signs_show_characters() -> None:
    content = maps.load("gtsrb/content")
    assert content.names == ("symbol", "character")
    assert set(content.members("character")) == {0, 1, 2, 3, 4, 5, 6, 7, 8, 14}
    assert content.classes == 43


def test_cifar10_has_six_animals_and_four_vehicles() -> None:
    assert by_class("cifar10/kind") == {
        "airplane": "vehicle", "automobile": "vehicle", "bird": "animal", "cat": "animal", "deer": "animal",
        "dog": "animal", "frog": "animal", "horse": "animal", "ship": "vehicle", "truck": "vehicle",
    }  # fmt: skip


def test_cifar10_is_at_home_on_land_in_the_sky_or_on_water() -> None:
    assert maps.load("cifar10/habitat").names == ("land", "sky", "water")
    assert by_class("cifar10/habitat") == {
        "airplane": "sky", "automobile": "land", "bird": "sky", "cat": "land", "deer": "land",
        "dog": "land", "frog": "land", "horse": "land", "ship": "water", "truck": "land",
    }  # fmt: skip


def test_only_the_frog_is_our_judgement_in_cifar10() -> None:
    assert maps.about("cifar10/habitat").ours == {"land": ("frog",)}
    assert maps.about("cifar10/kind").ours == {}


def test_tiny_imagenet_is_natural_by_wordnet_and_by_cooking() -> None:
    origin = by_class("tiny_imagenet/origin")
    natural = {
        wnid
        for wnid in origin
        if wnid < "n02666196" or wnid[:3] in {"n09", "n10", "n12"} or (wnid[:3] == "n07" and wnid not in PREPARED_FOOD)
    }
    assert {wnid for wnid, group in origin.items() if group == "natural"} == natural
    assert {wnid for wnid, group in origin.items() if group == "artefact"} == set(origin) - natural
    assert len(natural) == 59 + 5 + 1 + 7


def test_tiny_imagenet_has_animals_machines_and_others() -> None:
    assert maps.load("tiny_imagenet/animal_machine").names == ("animal", "machine", "others")
    group = by_class("tiny_imagenet/animal_machine")
    assert {wnid for wnid in group if group[wnid] == "animal"} == {wnid for wnid in group if wnid < "n02666196"}
    assert {wnid for wnid in group if group[wnid] == "machine"} == MACHINES
    assert set(maps.about("tiny_imagenet/animal_machine").ours["machine"]) == MACHINES


@pytest.mark.parametrize(
    ("data", "class_names"),
    [
        ("mnist", DIGITS),
        ("digits", DIGITS),
        ("svhn", DIGITS),
        ("gtsrb", SIGNS),
        ("cifar10", OBJECTS),
        ("fashion_mnist", GARMENTS),
    ],
)
def test_maps_name_the_classes_as_the_readers_do(data: str, class_names: tuple[str, ...]) -> None:
    own = [name for name in maps.available() if name.startswith(f"{data}/")]
    assert own
    assert [maps.about(name).classes for name in own] == [class_names] * len(own)


@pytest.mark.real_data
def test_tiny_imagenets_classes_are_those_of_the_data_set(real_data) -> None:
    wnids = (real_data / "tiny-imagenet-200" / "wnids.txt").read_text().split()
    assert len(wnids) == 200
    assert maps.about("tiny_imagenet/origin").classes == tuple(sorted(wnids))
    assert maps.about("tiny_imagenet/animal_machine").classes == tuple(sorted(wnids))


@pytest.mark.real_data
def test_office31s_classes_are_those_of_the_data_set(real_data) -> None:
    folders = tuple(sorted(path.name for path in (real_data / "office31" / "amazon" / "images").iterdir()))
    assert maps.about("office31/electric").classes == folders


def test_fashion_is_sorted_by_where_and_when_it_is_worn() -> None:
    assert maps.load("fashion_mnist/worn").groups == (0, 1, 0, 0, 0, 2, 0, 2, 3, 2)
    assert maps.load("fashion_mnist/weather").groups == (0, 2, 1, 0, 1, 0, 2, 2, 2, 1)


@pytest.mark.parametrize("name", maps.available())
def test_every_shipped_map_is_whole_and_says_where_it_comes_from(name: str) -> None:
    file = maps.about(name)
    assert maps.load(name).classes == len(file.classes) == len(set(file.classes))
    assert file.source
    assert bool(file.ours) == bool(file.judgement)


def test_a_list_of_maps_is_there() -> None:
    assert len(maps.available()) == 15
    assert maps.available() == tuple(sorted(maps.available()))


def test_a_map_follows_the_label_order_of_your_copy() -> None:
    backwards = maps.load("cifar10/kind", class_names=maps.about("cifar10/kind").classes[::-1])
    assert backwards.groups == maps.load("cifar10/kind").groups[::-1]


def test_an_unknown_map_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no label map is called 'mnist/prim'; did you mean 'mnist/prime'"):
        maps.load("mnist/prim")


def test_a_map_for_other_classes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"kind\.toml: its list of classes is not that of the data set.*lorry, truck"):
        maps.load("cifar10/kind", class_names=(*maps.about("cifar10/kind").classes[:-1], "lorry"))


def test_your_own_map_is_read_by_class_names(tmp_path) -> None:
    path = tmp_path / "round.toml"
    path.write_text('[groups]\nedgy = ["1", "2", "3", "4", "5", "7"]\nround = ["0", "6", "8", "9"]\n')
    round_digits = maps.read(path, class_names=DIGITS)
    assert round_digits.names == ("edgy", "round")
    assert round_digits.groups == (1, 0, 0, 0, 0, 0, 1, 0, 1, 1)


@given(
    sizes=st.integers(2, 12).flatmap(lambda groups: st.tuples(st.just(groups), st.integers(groups + 1, 40))),
    seed=st.integers(0, 2**31),
)
def test_drawn_maps_are_onto_and_balanced_ones_even(sizes: tuple[int, int], seed: int) -> None:
    groups, classes = sizes
    drawn = maps.random(classes=classes, groups=groups, seed=seed)
    even = maps.balanced(classes=classes, groups=groups, seed=seed)
    counts = [len(even.members(name)) for name in even.names]
    assert (drawn.classes, len(drawn.names)) == (even.classes, len(even.names)) == (classes, groups)
    assert set(drawn.groups) == set(even.groups) == set(range(groups))
    assert max(counts) - min(counts) <= 1
    assert drawn == maps.random(classes=classes, groups=groups, seed=seed)
    assert even == maps.balanced(classes=classes, groups=groups, seed=seed)


@pytest.mark.parametrize("draw", [maps.random, maps.balanced])
def test_draws_of_many_seeds_are_fair_to_every_class(draw) -> None:
    drawn = [draw(classes=5, groups=2, seed=seed).groups for seed in range(400)]
    assert len(set(drawn)) > 15
    assert [0.4 < sum(groups[k] for groups in drawn) / 400 < 0.6 for k in range(5)] == [True] * 5


def test_random_maps_need_not_be_balanced() -> None:
    sizes = {len(maps.random(classes=8, groups=2, seed=seed).members("group 0")) for seed in range(60)}
    assert len(sizes) > 3


@pytest.mark.parametrize("draw", [maps.random, maps.balanced])
@pytest.mark.parametrize("groups", [1, 5, 6])
def test_impossible_draws_are_refused(draw, groups: int) -> None:
    with pytest.raises(ValueError, match=f"fewer groups than classes, and at least 2: got {groups} groups for 5"):
        draw(classes=5, groups=groups, seed=0)
