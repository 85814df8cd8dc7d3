import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from manyheads.defences import Disagreement, Guard
from manyheads.experiments import Experiment
from manyheads.experiments.guard_record import GuardRecord, code_version, record
from manyheads.experiments.materials import make_model, make_rejector, make_tasks

RECORD = GuardRecord(
    threshold=2.0,
    image_shape=(1, 8, 8),
    class_names={"animal": ("cat", "dog", "ant"), "legs": ("four", "six")},
    groups={"legs": (0, 0, 1)},
    shared=7,
    private={"animal": 3, "legs": 2},
    commit="abc",
)


def test_a_record_comes_back_from_json() -> None:
    assert GuardRecord.from_json(RECORD.to_json(), source="guard.json") == RECORD


def test_the_tasks_are_made_again_main_task_first() -> None:
    main, legs = RECORD.tasks()
    assert (main.name, main.class_names, main.label_map) == ("animal", ("cat", "dog", "ant"), None)
    assert (legs.name, legs.class_names) == ("legs", ("four", "six"))
    assert legs.label_map.groups == (0, 0, 1)


@pytest.mark.parametrize("without", ["threshold", "image_shape", "class_names", "groups", "private"])
def test_a_record_without_a_part_is_refused(without: str) -> None:
    values = json.loads(RECORD.to_json())
    del values[without]
    with pytest.raises(ValueError, match=r"guard\.json does not describe a guard \(.*\); run the experiment again"):
        GuardRecord.from_json(json.dumps(values), source="guard.json")


@pytest.mark.parametrize("text", ["", "[]", "3", '{"colour": 1}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not describe a guard"):
        GuardRecord.from_json(text, source="guard.json")


def test_a_guard_is_described(tiny: Callable[..., Experiment]) -> None:
    experiment = tiny(Path("runs"))
    tasks = make_tasks(experiment, class_names=tuple("0123456789"))
    model = make_model(experiment, tasks=tasks, image_shape=(1, 8, 8))
    described = record(Guard(model, make_rejector(experiment, tasks=tasks), 1.5), tasks=tasks, image_shape=(1, 8, 8))
    assert (described.threshold, described.image_shape) == (1.5, (1, 8, 8))
    assert list(described.class_names) == ["digit", "parity", "prime"]
    assert described.groups["parity"] == (0, 1) * 5
    assert described.shared + sum(described.private.values()) == sum(one.numel() for one in model.parameters())
    assert [task.name for task in described.tasks()] == [task.name for task in tasks]
    assert [task.class_names for task in described.tasks()] == [task.class_names for task in tasks]


def test_a_guard_of_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match="a guard of a run holds a MultiTaskModel, got Identity"):
        record(Guard(nn.Identity(), Disagreement("digit")), tasks=(), image_shape=(1, 8, 8))


def test_the_version_is_the_commit_of_a_checkout_with_a_plus_for_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "manyheads" / "experiments" / "guard_record.py"
    copy.parent.mkdir(parents=True)
    copy.write_text("first\n")
    monkeypatch.setattr("manyheads.experiments.guard_record.__file__", str(copy))
    assert code_version() is None

    def git(*arguments: str) -> str:
        names = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(tmp_path), *names, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    assert code_version() is None
    git("add", ".")
    git("commit", "-qm", "first", "--no-verify")
    commit = git("rev-parse", "--short", "HEAD")
    assert code_version() == commit
    (tmp_path / "elsewhere").write_text("no part of the package\n")
    assert code_version() == commit
    copy.write_text("second\n")
    assert code_version() == f"{commit}+"


def test_without_git_the_version_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_version() is None
