from manyheads.threats.knowledge import ADAPTIVE, GRAY, KNOWLEDGE, NOISE, TRANSFER, WHITE


def test_threats_stand_in_the_order_of_what_they_know() -> None:
    assert KNOWLEDGE == (NOISE, TRANSFER, GRAY, WHITE, ADAPTIVE)
    assert len(set(KNOWLEDGE)) == 5
