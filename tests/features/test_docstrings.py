import doctest

import pytest

from features import identity


@pytest.mark.parametrize("module", [identity])
def test_examples_in_docstrings_run(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
