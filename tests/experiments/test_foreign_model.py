"""Models in files of one's own: found, made, and blamed by line."""

from pathlib import Path

import pytest
import torch
from torch import nn

from manyheads.experiments.foreign_code import ForeignCodeError
from manyheads.experiments.foreign_model import Guarded, load_foreign

OWN = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, image):
        return self.layer(image.flatten(1))

class Wide(Net):
    def __init__(self, width):
        super().__init__()

class Failing(Net):
    def forward(self, image):
        return self.inner(image)

    def inner(self, image):
        raise KeyError("no such\\nlayer")

ready = Net()
number = 3

def make():
    return Net()

def weights():
    return Net().state_dict()

def broken():
    return torch.load("absent.pt")

def ending():
    raise SystemExit("bye")
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


@pytest.mark.parametrize("name", ["ready", "make", "Net"])
def test_a_module_a_function_and_a_class_are_models(own: Path, name: str) -> None:
    found = load_foreign(f"{own}:{name}")
    assert isinstance(found.module, nn.Module)
    assert found.module(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert (found.path, found.name) == (own, name)


@pytest.mark.parametrize("name", ["ready", "make"])
def test_weights_drawn_in_the_file_depend_on_the_seed_alone(own: Path, name: str) -> None:
    state = torch.get_rng_state()
    first, again, other = (load_foreign(f"{own}:{name}", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.module.layer.weight, again.module.layer.weight)
    assert first.digests == again.digests
    assert first.digests["weights"] != other.digests["weights"]
    assert first.digests["code"] == other.digests["code"]


def test_a_changed_file_beside_it_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("width = 3\n")
    (tmp_path / "own.py").write_text("from torch import nn\nfrom beside_it import width\nnet = nn.Linear(width, 2)\n")
    before = load_foreign(f"{tmp_path / 'own.py'}:net").digests
    (tmp_path / "beside_it.py").write_text("width = 3  # the same, said otherwise\n")
    after = load_foreign(f"{tmp_path / 'own.py'}:net").digests
    assert before["code"] != after["code"]
    assert before["weights"] == after["weights"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("raedy", r"has no 'raedy'; did you mean 'ready'\?"),
        ("number", "is of type int; it has to be an nn.Module, or a function without arguments"),
        ("weights", "returned OrderedDict; it has to return an nn.Module"),
        ("Wide", r"Wide wants arguments \(width\); write a function without any that calls it"),
    ],
)
def test_what_is_no_model_is_refused(own: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_foreign(f"{own}:{name}")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("own.py", "'own.py' names no model; your own model is given as FILE.py:NAME"),
        ("own.txt:net", "'own.txt:net' names no model"),
        ("own.py:", "'own.py:' names no model"),
        ("absent.py:net", "there is no file absent.py"),
    ],
)
def test_an_address_without_file_or_name_is_refused(address: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_foreign(address)


def test_an_empty_file_defines_nothing(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("")
    with pytest.raises(ValueError, match="has no 'net'; it defines no function, class or module"):
        load_foreign(f"{tmp_path / 'own.py'}:net")


def test_a_function_that_fails_is_blamed_by_line(own: Path) -> None:
    line = OWN.splitlines().index('    return torch.load("absent.pt")') + 1
    with pytest.raises(ForeignCodeError, match=rf"own\.py, line {line}, in broken .*FileNotFoundError.*absent\.pt"):
        load_foreign(f"{own}:broken")


def test_a_file_that_ends_the_program_is_blamed(own: Path) -> None:
    with pytest.raises(ForeignCodeError, match=r"in ending `raise SystemExit\(\"bye\"\)`: SystemExit: bye"):
        load_foreign(f"{own}:ending")


def test_a_pass_that_fails_is_blamed_by_line_and_told_in_one(own: Path) -> None:
    model = Guarded(load_foreign(f"{own}:Failing"))
    line = OWN.splitlines().index('        raise KeyError("no such\\nlayer")') + 1
    with pytest.raises(ForeignCodeError, match=rf"own\.py, line {line}, in inner .*KeyError") as failed:
        model(torch.zeros(1, 1, 8, 8))
    assert "\n" not in str(failed.value)
    assert "(Failing was given images of shape (1, 1, 8, 8))" in str(failed.value)


def test_a_layer_that_fails_is_blamed_too(own: Path) -> None:
    with pytest.raises(ForeignCodeError, match=r"own\.py, line 11, in forward .*RuntimeError: mat1 and mat2"):
        Guarded(load_foreign(f"{own}:ready"))(torch.zeros(1, 1, 9, 9))


def test_a_guarded_model_shares_weights_and_mode(own: Path) -> None:
    found = load_foreign(f"{own}:ready")
    found.module.eval()
    model = Guarded(found)
    assert not model.training
    assert torch.equal(model(torch.ones(1, 1, 8, 8)), found.module(torch.ones(1, 1, 8, 8)))
