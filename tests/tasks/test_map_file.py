"""A label map's file: every mistake in it is answered with the file's name and what is wrong."""

from pathlib import Path

import pytest

from manyheads.tasks import maps, read_map_file

PETS = ("cat", "dog", "frog", "ship")


def written(folder: Path, content: str) -> Path:
    """A map file with this content."""
    path = folder / "mine.toml"
    path.write_text(content)
    return path


def test_a_file_tells_source_judgement_and_both_kinds_of_entries(tmp_path) -> None:
    content = """
        source = "a book"
        judgement = "frogs hop"
        classes = ["cat", "dog", "frog", "ship"]
        groups = {animal = ["cat", "dog"], vehicle = ["ship"]}
        ours = {animal = ["frog"]}
    """
    file = read_map_file(written(tmp_path, content))
    assert (file.source, file.judgement, file.classes) == ("a book", "frogs hop", PETS)
    assert file.ours == {"animal": ("frog",)}
    assert file.label_map(PETS).groups == (0, 0, 0, 1)
    assert file.label_map(PETS).names == ("animal", "vehicle")


def test_a_group_may_be_all_judgement(tmp_path) -> None:
    path = written(tmp_path, 'groups = {animal = ["cat", "dog", "frog"]}\nours = {vehicle = ["ship"]}')
    assert maps.read(path, class_names=PETS).groups == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("groups = {", "not a TOML file"),
        ('[group]\nanimal = ["cat"]', "nothing is called 'group' in a label map; did you mean 'groups'"),
        ('source = "x"', r"it has no table \[groups\]"),
        ("groups = 3", "groups must be a table of groups, .* got 3"),
        ('groups = {animal = "cat"}', "groups.animal must be a list of class names in quotes, .* got 'cat'"),
        ("groups = {digit = [1, 2]}", r"groups.digit must be a list of class names in quotes, .* got \[1, 2\]"),
        ("groups = {}\nsource = 1", "source must be a text, got 1"),
        ("groups = {}\njudgement = []", r"judgement must be a text, got \[\]"),
        ("groups = {}\nclasses = 4", "classes must be a list of class names in quotes, .* got 4"),
        ("groups = {}\nours = []", r"ours must be a table of groups, .* got \[\]"),
        (
            'groups = {a = ["cat", "dogg", "frog"], b = ["ship"]}',
            "names 'dogg', which is not a class; did you mean 'dog'",
        ),
        ('groups = {a = ["cat", "dog", "frog"]}', "no group names these classes: ship"),
        ('groups = {a = ["cat", "dog", "frog"], b = ["ship", "cat"]}', "class 'cat' stands in group 'a' and in 'b'"),
        ('groups = {a = ["cat", "dog", "frog", "cat"], b = ["ship"]}', "class 'cat' stands in group 'a' and in 'a'"),
        ('groups = {a = ["cat", "dog", "frog", "ship"], b = []}', "every group needs a class, these have none: b"),
        ('classes = ["cat"]\ngroups = {a = ["cat"]}', "not that of the data set; they differ in: dog, frog, ship"),
        (
            'classes = ["cat", "cat", "dog", "frog", "ship"]\ngroups = {a = ["cat"]}',
            "they differ in: how often each stands there",
        ),
    ],
)
def test_a_mistake_in_a_map_file_is_named_with_the_file(tmp_path, content: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=rf"mine\.toml.*{complaint}"):
        maps.read(written(tmp_path, content), class_names=PETS)


def test_bytes_that_are_no_text_are_refused(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"mine\.toml: not a TOML file"):
        read_map_file(path)


def test_a_missing_map_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"mine\.toml: no such file; a label map is a TOML file"):
        maps.read(str(tmp_path / "mine.toml"), class_names=PETS)
