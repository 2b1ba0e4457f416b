"""Machine code only for what is called from outside.

Numba makes machine code of every function that it compiles. Of the hundred functions of a loop only the outermost is
ever called as it stands; the others are merged into it as LLVM text. Here these keep their text, and their machine code
is made when somebody asks for its address. The code of the loop itself stays what it is, instruction for instruction.

This uses private names of numba. Where one is missing, everything is compiled as numba does it.
"""

from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any

_OF_CODEGEN = ("_add_module", "set_env")
_OF_LIBRARY = ("_finalize_final_module", "_finalize_specific", "get_pointer_to_function", "_ensure_finalized")


def on_demand(compiles: Callable[..., Any]) -> Callable[..., Any]:
    """The `compile` of a dispatcher, such that machine code of the functions it calls waits until it is asked for."""

    @wraps(compiles)
    def compiles_on_demand(*arguments: Any, **named: Any) -> Any:
        from numba.core.compiler_lock import global_compiler_lock
        from numba.core.registry import cpu_target

        codegen = cpu_target.target_context.codegen()
        kind: Any = type(codegen)
        library = _waiting(kind, getattr(codegen, "_library_class", object))
        if library is None:
            return compiles(*arguments, **named)
        with global_compiler_lock:  # nobody else compiles in the meantime
            before = codegen._library_class
            codegen._library_class, codegen.set_env = library, partial(library.set_env, codegen)
            try:
                return compiles(*arguments, **named)
            finally:
                codegen._library_class = before
                del codegen.set_env  # the class has it

    return compiles_on_demand


@cache
def _waiting(codegen_type: Any, library_type: Any) -> Any:
    """Numba's class of compiled functions, but for when machine code is made; None if numba has changed."""
    if not all(hasattr(codegen_type, name) for name in _OF_CODEGEN):
        return None
    if not all(hasattr(library_type, name) for name in _OF_LIBRARY):
        return None
    unset: dict[str, Any] = {}  # environments of functions whose machine code is not there yet

    class Waiting(library_type):  # type: ignore[misc]
        emitted = False

        def _finalize_specific(self) -> None:
            """Called where numba has handed the module to its engine; what waits is handed over later."""
            if self.emitted:
                super()._finalize_specific()

        def _finalize_final_module(self) -> None:
            self.emitted = getattr(self, "_compiled_object", None) is not None  # it comes from the disk
            if self.emitted:
                super()._finalize_final_module()
                return
            codegen = self._codegen
            codegen._add_module = lambda module: None
            try:
                super()._finalize_final_module()
            finally:
                del codegen._add_module  # the class has it

        def get_pointer_to_function(self, name: str) -> int:
            self._ensure_finalized()
            if not self.emitted and _defines(self._final_module, name):
                self.emitted = True
                self._codegen._add_module(self._final_module)
                self._finalize_specific()
                for known in [known for known in unset if self._codegen._engine.is_symbol_defined(known)]:
                    codegen_type.set_env(self._codegen, known, unset.pop(known))
            return int(super().get_pointer_to_function(name))

        @staticmethod
        def set_env(codegen: Any, name: str, env: Any) -> None:
            if codegen._engine.is_symbol_defined(name):
                codegen_type.set_env(codegen, name, env)
            else:
                unset[name] = env

    return Waiting


def _defines(module: Any, name: str) -> bool:
    return any(function.name == name and not function.is_declaration for function in module.functions)
