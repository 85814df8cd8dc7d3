import pytest

from manyheads.studies.mao2020_models import Setting
from manyheads.studies.mao2020_settings import rooms, small_rooms, streets
from manyheads.threats import Linf
from manyheads.training import SGD, Adam

SETTINGS = [small_rooms(), streets("drn_d_22"), streets("drn_d_105"), rooms("taskonomy"), rooms("nyuv2")]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_frames_and_crops_suit_the_network(setting: Setting) -> None:
    stride = {"dense_resnet18": 32}.get(setting.architecture.encoder, 8)
    sizes = [setting.scenes.size, setting.scenes.crop or setting.scenes.size]
    assert all(side % stride == 0 for size in sizes for side in size)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_hardening_attacks_all_tasks_and_plain_training_nothing(setting: Setting) -> None:
    assert setting.plain.hardening is None
    assert setting.hardened.hardening.attacked == "all"


def test_settings_have_names_of_their_own() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_the_papers_settings_train_as_it_says() -> None:
    street, room = streets("drn_d_22"), rooms("taskonomy")
    assert street.plain.optimizer == SGD(0.01, momentum=0.9, weight_decay=1e-4)
    assert (street.plain.epochs, street.scenes.size, street.scenes.crop) == (200, (336, 680), (256, 256))
    assert street.hardened.hardening.budget == Linf(8 / 255)
    assert (room.plain.epochs, room.plain.batch_size, room.plain.optimizer) == (150, 32, Adam(1e-3))
    factors = [room.plain.schedule.factor(epoch, epochs=150) for epoch in (0.0, 119.0, 120.0)]
    assert factors == pytest.approx([1, 1, 0.1])
