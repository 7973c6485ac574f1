"""Real utterances, labelled by others: the goals of precision and recall hold."""

import pytest

from bench import understanding

data = pytest.mark.skipif(
    not understanding.DATA.exists(), reason="the folder of real data is not beside the repository"
)


@data
def test_the_held_out_half_is_read_as_labelled() -> None:
    held_out = understanding.measure()["held out: all"]
    assert held_out["expected"] > 200
    assert held_out["precision"] >= understanding.PRECISION
    assert held_out["recall"] >= understanding.RECALL
