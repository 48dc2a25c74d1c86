"""Run every benchmark of this folder, one after the other; each prints a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Run those named on the command line, else all."""
    wanted = sys.argv[1:]
    for file in sorted(HERE.glob("bench_*.py")):
        if not wanted or file.stem.removeprefix("bench_") in wanted:
            print(f"\n## {file.stem.removeprefix('bench_')}\n", flush=True)
            subprocess.run([sys.executable, str(file)], check=True)


if __name__ == "__main__":
    main()
