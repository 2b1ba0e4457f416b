"""Tasks on a cluster of Dask or Ray: handed over as they finish, stopped by an interrupt.

How it works. Each task is one call on some machine, and comes back as a whole. Workers know the classes of this
package, and those of modules that they can import. A class that exists in this program alone, as in a notebook, would
arrive there as another one, which no generic function knows: it is refused before anything is sent.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from folkmoot import own_code
from folkmoot.errors import brief
from folkmoot.simulation.threads import as_they_finish

BACKENDS = ("dask", "ray")
_POLL_SECONDS = 0.05
_BRING = {
    "dask": 'with client.upload_file("{file}"), or put it where Dask\'s workers find modules',
    "ray": 'with ray.init(runtime_env={{"py_modules": ["{file}"]}}), or put it where Ray\'s workers find modules',
}
T = TypeVar("T")


def opened(backend: object) -> int:
    """See that there is such a cluster; the number of tasks it plays at a time.

    Raises:
        ValueError: an unknown backend, one that is not installed, or no client of Dask.
    """
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise ValueError(f"backend = {brief(backend)}: allowed are None, 'dask' and 'ray'")
    try:
        if backend == "dask":
            from distributed import default_client

            threads: dict[str, int] = default_client().nthreads()  # type: ignore[no-untyped-call]
            return max(1, sum(threads.values()))
        import ray
    except ImportError:
        raise ValueError(f"backend = {backend!r}: needs an extra; pip install 'folkmoot[{backend}]'") from None
    except ValueError:
        raise ValueError("backend = 'dask': no client; create a distributed.Client first") from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def refuse_own(job: object, backend: str) -> None:
    """Refuse classes that workers cannot import.

    Raises:
        ValueError: a class of this program, of a notebook, or of a module that a worker of Dask has not.
    """
    for place in own_code.versions(*vars(job).values()):
        module = place.partition(":")[0]
        if module == "__main__" or "<locals>" in place or not getattr(sys.modules.get(module), "__file__", None):
            name = place.partition(":")[2]
            raise ValueError(
                f"backend = {backend!r}: {name} is defined in this program, where workers cannot import it; write it "
                f"into a file such as my_module.py, import it from there, and bring that file to the workers "
                f"{_BRING[backend].format(file='my_module.py')}"
            )
        if backend == "dask":  # a task that names a module which is not there would never come back
            _look_on_dask(module)


def _look_on_dask(module: str) -> None:
    from distributed import default_client

    found: dict[str, bool] = default_client().run(_has, module)  # type: ignore[no-untyped-call]
    if not all(found.values()):
        raise ValueError(_lacks("dask", module))


def _has(module: str) -> bool:
    """Can this process import it?"""
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def _lacks(backend: str, module: str) -> str:
    name = module.split(".")[0]
    return (
        f"backend = {backend!r}: a worker has no module {name!r}; bring it there "
        f"{_BRING[backend].format(file=f'{name}.py')}"
    )


def play(calls: Sequence[tuple[Callable[..., T], tuple[Any, ...]]], backend: str) -> Iterator[T]:
    """What the calls return, in the order in which they finish.

    On KeyboardInterrupt, what is finished is handed over before the interrupt goes on; the rest is given up.

    Raises:
        ValueError: a worker cannot import a module.
    """
    try:
        yield from (_on_dask if backend == "dask" else _on_ray)(calls)
    except ModuleNotFoundError as error:
        raise ValueError(_lacks(backend, error.name or "")) from None


def _on_dask(calls: Sequence[tuple[Callable[..., T], tuple[Any, ...]]]) -> Iterator[T]:
    from distributed import default_client

    with default_client().get_executor(pure=False, retries=2) as pool:  # type: ignore[no-untyped-call]
        futures: list[Future[T]] = [pool.submit(function, *given) for function, given in calls]
        yield from as_they_finish(futures, np.zeros(1, np.bool_), lambda: None, wait_for_running=False)


def _on_ray(calls: Sequence[tuple[Callable[..., T], tuple[Any, ...]]]) -> Iterator[T]:
    import ray
    from ray.exceptions import RayTaskError

    waiting = [ray.remote(function).remote(*given) for function, given in calls]
    try:
        while waiting:
            finished, waiting = ray.wait(waiting, num_returns=1, timeout=_POLL_SECONDS)
            for one in finished:
                yield ray.get(one)
    except KeyboardInterrupt:
        finished, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=0) if waiting else ([], [])
        for one in finished:
            yield ray.get(one)
        raise
    except RayTaskError as error:
        if isinstance(error.cause, ModuleNotFoundError):
            raise error.cause from None
        raise
    finally:
        for one in waiting:
            with suppress(Exception):  # a worker that is gone
                ray.cancel(one, force=False)
