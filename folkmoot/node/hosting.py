"""Many nodes in one process: one event loop, a few threads, one connection to a broker.

For an operator with many agents at one place. What one of them meets (a full disk, a damaged folder) ends that one.
"""

import asyncio
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from folkmoot.errors import OtherSide
from folkmoot.node.folder import Folder
from folkmoot.node.process import Node, run_loop, told_to_stop
from folkmoot.node.shared import Shared

_FILES = 16  # that a node has open, at most
_MOST_THREADS = 4


def host(paths: Sequence[Path], *, passphrase: str = "", stay: bool = False) -> int:
    """Run the nodes on all these data folders until each has ended; the largest exit status.

    Raises:
        ValueError, OtherSide: what is in one of the folders makes no sense; none has begun then.
    """
    folders = [Folder(path) for path in paths]
    if len({folder.path.resolve() for folder in folders}) < len(folders):
        raise ValueError("DIR...: one stands there twice; expected different folders")
    _more_files(len(folders))

    async def main() -> int:
        shared = Shared(min(_MOST_THREADS, os.cpu_count() or 1))
        nodes = list[Node]()
        try:
            for folder in folders:
                seed = folder.seed(passphrase if folder.needs_passphrase else "")
                nodes.append(Node(folder, seed, for_people=False, stay=stay, shared=shared))
        except (ValueError, OtherSide, OSError):
            for node in nodes:
                node.close()
            shared.close()
            raise
        stopping = told_to_stop()
        print(f"folkmoot: {len(nodes)} nodes begin; each folder says in its file `http` where to find it", flush=True)
        ended = await asyncio.gather(*(node.run(stopping) for node in nodes), return_exceptions=True)
        shared.close()
        return max(_status(folder, said) for folder, said in zip(folders, ended, strict=True))

    try:
        return run_loop(main())
    except OSError as error:  # one cannot listen, or has no room
        print(f"folkmoot: stopped: {error}", file=sys.stderr, flush=True)
        return 1


def _status(folder: Folder, said: int | BaseException) -> int:
    if isinstance(said, BaseException):
        print(f"folkmoot: {folder.path}: ended by itself: {type(said).__name__}: {said}", file=sys.stderr, flush=True)
        return 1
    return said


def _more_files(nodes: int) -> None:
    """As many files as they need, as far as the system lets us.

    Raises:
        ValueError: it does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 64 + _FILES * nodes
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise ValueError(f"{nodes} folders: this process may open {hard} files; {needed} are needed (ulimit -n)")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
