"""A name under which torch could not keep a module is refused."""

import pytest

from manyheads.models.head_names import check_head_name


@pytest.mark.parametrize("name", ["", "road sign", "type", "keys", "training", "1", "a.b"])
def test_a_name_that_torch_cannot_keep_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"no head can be called {name!r}: rename the task"):
        check_head_name(name)


@pytest.mark.parametrize("name", ["digit", "amazon", "texture_edges"])
def test_names_of_tasks_are_allowed(name: str) -> None:
    check_head_name(name)
