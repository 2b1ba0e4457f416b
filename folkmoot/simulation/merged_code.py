"""Compiled code in one piece: machine code of the function that Python calls, and of nothing that is merged into it.

A loop is a hundred functions, and Python calls one of them. Numba optimises each of them and makes machine code of it,
then merges its text into whoever calls it and does so again, level by level. Here the others wait as text until the
function that Python calls is finished; what runs is the same. Half of the time to compile is saved.

This stands on private parts of numba, and hence is done with releases alone with which it was tried. With any other
numba compiles as it always does (docs/decisions/0055-compiled-in-one-piece.md).
"""

from typing import Any

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.environment import lookup_environment

_TRIED = ("0.68.1",)  # releases of numba; to try another one, add it and run the tests
_ENVIRONMENT = "_ZN08NumbaEnv"  # how the names begin of what a function knows of Python


def in_one_piece(dispatcher: Any) -> None:
    """Let functions that this one calls wait, whenever it is compiled."""
    if numba.__version__ not in _TRIED:
        return
    plain = dispatcher.compile

    def compile_merged(sig: Any) -> Any:
        with global_compiler_lock:  # nobody else compiles meanwhile
            codegen = dispatcher.targetctx.codegen()
            kept, codegen._library_class = codegen._library_class, _Waiting
            try:
                return plain(sig)
            finally:
                codegen._library_class = kept

    dispatcher.compile = compile_merged


class _Waiting(JITCodeLibrary):
    """The text of a function, which becomes machine code if somebody asks for its address."""

    def add_linking_library(self, library: Any) -> None:
        if not isinstance(library, _Waiting):
            library._ensure_finalized()
        self._linking_libraries.append(library)

    def get_pointer_to_function(self, name: str) -> int:
        """As numba says: 0 if no function of this name is defined here; that alone needs no machine code."""
        if not self._finalized and not self._defines(name):
            return 0
        return int(super().get_pointer_to_function(name))

    def _defines(self, name: str) -> bool:
        try:
            return not self._final_module.get_function(name).is_declaration
        except NameError:
            return False

    def _get_module_for_linking(self) -> Any:
        """While it waits: its text with that of all it calls, to be merged into any number of others."""
        if self._finalized:
            return super()._get_module_for_linking()
        if self._shared_module is None:
            module = self._final_module.clone()
            for library in dict.fromkeys(self._linking_libraries):
                self._reload_init.update(library._reload_init)
                module.link_in(library._get_module_for_linking(), preserve=True)
            for function in module.functions:
                if not function.is_declaration and function.linkage.name == "external":
                    function.linkage = "linkonce_odr"
            self._shared_module = module
        return self._shared_module

    @property
    def codegen(self) -> Any:
        return self._codegen if self._finalized else _Later(self._codegen)

    def _finalize_specific(self) -> None:
        """Machine code is there: all merged functions get now what numba would have given each of them."""
        super()._finalize_specific()
        codegen: Any = self._codegen
        for variable in self._final_module.global_variables:
            known = lookup_environment(variable.name) if variable.name.startswith(_ENVIRONMENT) else None
            if known is not None:
                codegen.set_env(variable.name, known)


class _Later:
    """What makes the machine code, for a function that waits: there is no place yet to write its environment to."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: Any) -> None:
        """It comes with the machine code."""
