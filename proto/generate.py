"""Generate nbo/v1 from proto/nbo/v1, or check that it is up to date.

python proto/generate.py           # write
python proto/generate.py --check   # exit 1 if the committed code differs
"""

from __future__ import annotations

import filecmp
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent


def generate(target: Path) -> None:
    """Write the messages, their types and the service stubs below `target`."""
    protos = sorted(str(path) for path in (ROOT / "proto/nbo/v1").glob("*.proto"))
    well_known = Path(protoc.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{well_known}"]
    arguments += [f"--{kind}_out={target}" for kind in ("python", "grpc_python", "pyi")]
    if protoc.main(arguments + protos) != 0:
        sys.exit("protoc failed; see above")


def drift() -> list[str]:
    """Names of generated files that differ from the committed ones."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = {path.name: path for path in (Path(folder) / "nbo/v1").iterdir()}
        committed = {path.name: path for path in (ROOT / "nbo/v1").glob("*_pb2*")}
        differing = set(fresh) ^ set(committed)
        shared = set(fresh) & set(committed)
        differing |= {n for n in shared if not filecmp.cmp(fresh[n], committed[n], shallow=False)}
    return sorted(differing)


if __name__ == "__main__":
    if "--check" in sys.argv:
        changed = drift()
        if changed:
            sys.exit(f"nbo/v1 differs from proto/nbo/v1 ({', '.join(changed)}); run: make proto")
    else:
        generate(ROOT)
