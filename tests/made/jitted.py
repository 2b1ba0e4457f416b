"""One function that calls kernels, compiled: what tests compare with the same function as the interpreter has it."""

from folkmoot.simulation.compiled import compiler


def jit(function, **options):
    """Compile it, with numba's options, in one piece as loops are; nothing is kept on disk."""
    dispatcher = compiler().njit(**options)(function)
    from folkmoot.simulation.merged_code import in_one_piece

    in_one_piece(dispatcher)
    return dispatcher
