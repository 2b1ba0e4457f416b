"""A table as a data frame of any library, by the dataframe interchange protocol; none is needed for it.

How it works. `LongTable` is a dictionary of columns, which `pandas.DataFrame`, `polars.DataFrame` and `pyarrow.table`
take as it is. Its `__dataframe__` hands the memory of numeric columns over, and text as UTF-8 with offsets. Newer
libraries, polars from version 2 for one, ask for a stream of Arrow instead: that is pyarrow's, where it is installed.

Source: https://data-apis.org/dataframe-protocol/latest/API.html, version 0 of the protocol.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

_INT, _UINT, _FLOAT, _STRING = 0, 1, 2, 21  # kinds of the protocol
_OFFSETS = (_INT, 64, "l", "=")
_BYTES = (_UINT, 8, "C", "=")
_NO_NULL, _NAN = 0, 1  # how a column says that a value is missing
_CPU = 1


class LongTable(dict[str, NDArray[Any]]):
    """Columns of one length by name: int64, float64 (NaN is a missing number) or text.

    Beside what every dictionary has there are `__dataframe__` and `__arrow_c_stream__`, by which libraries read it.
    """

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> "Frame":
        """The table for other libraries; text is copied, hence refused where `allow_copy` is false.

        Raises:
            RuntimeError: there is text, and nothing may be copied.
        """
        if not allow_copy and any(column.dtype.kind == "U" for column in self.values()):
            raise RuntimeError("allow_copy = False: text has to be copied")
        return Frame(self)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The table as a stream of Arrow.

        Raises:
            ImportError: pyarrow is not installed (extra `tables`).
        """
        import pyarrow  # type: ignore[import-not-found, unused-ignore]

        columns = {name: column.tolist() if column.dtype.kind == "U" else column for name, column in self.items()}
        return pyarrow.table(columns).__arrow_c_stream__(requested_schema)


class Frame:
    """A data frame of the protocol: one chunk."""

    version = 0

    def __init__(self, columns: dict[str, NDArray[Any]]) -> None:
        self._columns = columns

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> "Frame":
        return self

    @property
    def metadata(self) -> dict[str, Any]:
        return {}

    def num_columns(self) -> int:
        return len(self._columns)

    def num_rows(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def num_chunks(self) -> int:
        return 1

    def column_names(self) -> list[str]:
        return list(self._columns)

    def get_column(self, i: int) -> "Column":
        return Column(list(self._columns.values())[i])

    def get_column_by_name(self, name: str) -> "Column":
        return Column(self._columns[name])

    def get_columns(self) -> list["Column"]:
        return [Column(values) for values in self._columns.values()]

    def select_columns(self, indices: Sequence[int]) -> "Frame":
        names = self.column_names()
        return self.select_columns_by_name([names[i] for i in indices])

    def select_columns_by_name(self, names: Sequence[str]) -> "Frame":
        return Frame({name: self._columns[name] for name in names})

    def get_chunks(self, n_chunks: int | None = None) -> Iterator["Frame"]:
        yield from (Frame(dict(zip(self._columns, parts))) for parts in zip(*self._parts(n_chunks)))

    def _parts(self, n_chunks: int | None) -> list[list[NDArray[Any]]]:
        return [np.array_split(values, n_chunks or 1) for values in self._columns.values()]


class Column:
    """A column of the protocol."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values

    def size(self) -> int:
        return len(self._values)

    @property
    def offset(self) -> int:
        return 0

    @property
    def dtype(self) -> tuple[int, int, str, str]:
        kinds = {"i": (_INT, 64, "l", "="), "f": (_FLOAT, 64, "g", "="), "U": (_STRING, 8, "u", "=")}
        return kinds[self._values.dtype.kind]

    @property
    def describe_categorical(self) -> NoReturn:
        raise TypeError("this column is not categorical")

    @property
    def describe_null(self) -> tuple[int, None]:
        return (_NAN if self._values.dtype.kind == "f" else _NO_NULL), None

    @property
    def null_count(self) -> int:
        return int(np.isnan(self._values).sum()) if self._values.dtype.kind == "f" else 0

    @property
    def metadata(self) -> dict[str, Any]:
        return {}

    def num_chunks(self) -> int:
        return 1

    def get_chunks(self, n_chunks: int | None = None) -> Iterator["Column"]:
        yield from map(Column, np.array_split(self._values, n_chunks or 1))

    def get_buffers(self) -> dict[str, Any]:
        """The memory: of numbers as they are, of text UTF-8 and where each begins and ends."""
        if self._values.dtype.kind != "U":
            return {"data": (Buffer(np.ascontiguousarray(self._values)), self.dtype), "validity": None, "offsets": None}
        texts = [text.encode("utf-8", "replace") for text in self._values.tolist()]
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        data = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
        return {"data": (Buffer(data), _BYTES), "validity": None, "offsets": (Buffer(offsets), _OFFSETS)}


class Buffer:
    """A piece of memory of the protocol; it lives as long as this object."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values

    @property
    def bufsize(self) -> int:
        return self._values.nbytes

    @property
    def ptr(self) -> int:
        return int(self._values.__array_interface__["data"][0])

    def __dlpack__(self) -> NoReturn:
        raise NotImplementedError("expected a library that reads buffers by address")

    def __dlpack_device__(self) -> tuple[int, None]:
        return _CPU, None
