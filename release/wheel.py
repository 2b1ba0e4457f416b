"""`python -m release.wheel`: build the package, look at it, install it where nothing helps it, and try it.

--quick        the tiny experiment only; without it the demo as well.
--demo-seconds S   the demo may take so long, wall time (60; a machine that does other work needs more).

Built are an archive of the sources and a wheel of that archive. The wheel must hold every file of the tree that belongs
to it, and be the same wheel as one that is built from the tree. Then, with every Python of this machine that the
package takes: a fresh environment in a folder outside the tree; no HOME; umask 077; the tiny experiment twice.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINORS = range(11, 15)  # of Python 3
INSIDE = {"folkmoot": "folkmoot", "papers": "folkmoot/_papers", "contracts": "folkmoot/_contracts"}
INSIDE["examples"] = "folkmoot/_examples"
TINY = """\
name = "tiny"
horizon = 200
replicates = 2

[rewards]
type = "bernoulli"
means = { law = "uniform", n_agents = 4, n_arms = 3, seed = 1 }

[network]
type = "erdos_renyi"
base = "cycle"
link_probability = 0.9

[[algorithm]]
type = "ucb"
"""


def run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, umask: int = -1) -> str:
    """What a command prints.

    Raises:
        SystemExit: it fails; all that it said is printed.
    """
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, umask=umask, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> tuple[Path, Path]:
    """The archive of the sources and the wheel that is built from it."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    (archive,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return archive, wheel


def contents(wheel: Path) -> dict[str, int]:
    """Name and checksum of each file in a wheel, but for its own list of these."""
    with zipfile.ZipFile(wheel) as opened:
        return {one.filename: one.CRC for one in opened.infolist() if not one.filename.endswith("/RECORD")}


def tracked() -> Iterator[Path]:
    """The files of the tree, without what is made on the way."""
    for text in run("git", "ls-files", "-z", *INSIDE).split("\0"):
        if text and (ROOT / text).is_file():
            yield Path(text)


def missing(names: Mapping[str, int]) -> list[str]:
    """Files of the tree that the wheel should have and has not."""
    wanted = (f"{INSIDE[path.parts[0]]}/{Path(*path.parts[1:]).as_posix()}" for path in tracked())
    return [name for name in wanted if name not in names]


def pythons() -> dict[str, Path]:
    """Every Python on this machine that the package takes, by "3.12" and the like; each is asked for its version."""
    found: dict[str, Path] = {f"3.{sys.version_info[1]}": Path(sys.executable)}
    for minor in MINORS:
        name = f"python3.{minor}"
        places = [shutil.which(name), *sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/{name}"))]
        for place in places:
            if place is None or f"3.{minor}" in found:
                continue
            asked = subprocess.run([place, "-c", "import sys, venv; print(sys.version_info[1])"], capture_output=True)
            if asked.returncode == 0 and asked.stdout.strip() == str(minor).encode():
                found[f"3.{minor}"] = Path(place)
    return found


def try_out(python: Path, wheel: Path, folder: Path, demo_seconds: float | None) -> str:
    """Install and try; one line of what came of it.

    Raises:
        SystemExit: something failed, took too long, or has other permissions than the umask gives.
    """
    run(python, "-m", "venv", folder / "venv")
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=folder)
    env = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(folder / "cache"), "LANG": "C"}
    folder.mkdir(exist_ok=True)
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")

    def call(*arguments: str) -> float:
        begun = time.perf_counter()
        run(programs / "folkmoot", *arguments, cwd=folder, env=env, umask=0o077)
        return time.perf_counter() - begun

    times = [f"--version {call('--version'):.2f} s", f"list {call('list'):.2f} s"]
    times.append(f"tiny.toml {call('run', 'tiny.toml', '--jobs', '1'):.2f} s")
    times.append(f"again {call('run', 'tiny.toml', '--jobs', '1'):.2f} s")
    call("report", "results/tiny")
    call("doctor")
    if demo_seconds is not None:
        seconds = call("run", "demo", "--jobs", "2")
        times.append(f"demo {seconds:.0f} s")
        if seconds > demo_seconds:
            raise SystemExit(f"the demo took {seconds:.0f} s: expected at most {demo_seconds:g}")
    for path in (folder / "results").rglob("*"):
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise SystemExit(f"{path.relative_to(folder)}: others may use it, against the umask")
    return ", ".join(times)


def main() -> int:
    """Build, look, install, try."""
    parser = argparse.ArgumentParser(description="Build the package and try it.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--demo-seconds", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="folkmoot-release-") as text:
        folder = Path(text)
        archive, wheel = build(folder / "dist")
        print(run(sys.executable, "-m", "twine", "check", "--strict", archive, wheel).strip())
        names = contents(wheel)
        if lost := missing(names):
            raise SystemExit(f"the wheel lacks {len(lost)} files: {', '.join(lost[:10])}")
        run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder / "tree", ROOT)
        (other,) = (folder / "tree").glob("*.whl")
        if contents(other) != names:
            raise SystemExit("the wheel of the archive differs from that of the tree")
        print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e6:.1f} MB; {archive.name}: the same wheel")
        there = pythons()
        for name in (f"3.{minor}" for minor in MINORS):
            if name not in there:
                print(f"Python {name}: not on this machine, not tried")
                continue
            said = try_out(there[name], wheel, folder / name, None if given.quick else given.demo_seconds)
            print(f"Python {name}: {said}", flush=True)
            shutil.rmtree(folder / name)
        (ROOT / "dist").mkdir(exist_ok=True)
        for path in (archive, wheel):
            shutil.copy(path, ROOT / "dist")
    return 0


if __name__ == "__main__":
    sys.exit(main())
