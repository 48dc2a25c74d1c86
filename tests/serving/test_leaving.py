"""A process of ours ends as soon as its work is done."""

from __future__ import annotations

import subprocess
import sys

LEAVE = """
import threading
from serving.process import leave

threading.Thread(target=threading.Event().wait).start()
print("all is durable", end="")
leave()
"""


def test_a_process_leaves_at_once_and_its_last_words_arrive():
    command = [sys.executable, "-c", LEAVE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "all is durable"
