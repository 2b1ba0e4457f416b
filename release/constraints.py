"""`python -m release.constraints`: a file of exact versions with hashes for each extra that a consortium installs.

Who installs from such a file gets these versions and these bytes, or an error. The files are for all platforms and
for every Python that the package takes. Needs `uv` (extra `dev`), and asks the package index that uv is set up with;
no address of an index gets into the files.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "constraints"
EXTRAS = ("node", "multiparty", "private", "nats", "evm")
HELD = ("torch==2.13.0",)  # the build the tests run with
HEAD = """\
# folkmoot[{extra}]: exact versions with hashes, for all platforms and Python 3.11 or newer.
# Made by `python -m release.constraints`. To install:
#   pip install --require-hashes -r constraints/{extra}.txt
#   pip install --no-deps folkmoot
"""


def pins(extra: str, held: Path) -> str:
    """The text of an extra's file.

    Raises:
        subprocess.CalledProcessError: there are no versions that go together.
    """
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header", "-q"]
    wanted = ["--extra", extra, "--constraint", str(held), str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "uv", "pip", "compile", *options, *wanted]
    return HEAD.format(extra=extra) + subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    held = FOLDER / "held.in"
    held.write_text("".join(f"{line}\n" for line in HELD), encoding="utf-8")
    try:
        for extra in EXTRAS:
            path = FOLDER / f"{extra}.txt"
            path.write_text(pins(extra, held), encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {path.read_text(encoding='utf-8').count('==')} packages")
    finally:
        held.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
