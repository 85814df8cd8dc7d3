from matplotlib import rcParams

from manyheads.reports.palette import colour, dashes, house_style, marker

THREATS = ("gray-box", "white-box", "adaptive", "transfer", "query")


def test_every_threat_has_its_own_colour_and_shape():
    assert len({colour(threat, threats=THREATS) for threat in THREATS}) == len(THREATS)
    assert len({marker(threat, threats=THREATS) for threat in THREATS}) == len(THREATS)


def test_a_known_threat_keeps_its_colour_in_any_company():
    assert colour("adaptive", threats=("adaptive",)) == colour("adaptive", threats=THREATS)


def test_neighbouring_lines_have_different_strokes():
    assert len({dashes(place) for place in range(4)}) == 4


def test_the_users_own_settings_neither_matter_nor_change():
    before = dict(rcParams)
    rcParams["axes.grid"] = False
    rcParams["font.size"] = 31
    rcParams["lines.linewidth"] = 9
    with house_style():
        assert rcParams["axes.grid"] is True
        assert rcParams["font.size"] == 10
        assert rcParams["lines.linewidth"] == 1.5
    assert rcParams["font.size"] == 31
    rcParams.update({name: before[name] for name in ("axes.grid", "font.size", "lines.linewidth")})
