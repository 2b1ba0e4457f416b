"""A table is read by other libraries through the dataframe interchange protocol."""

import ctypes
from itertools import pairwise

import numpy as np
import pytest
from made_results import make

import folkmoot as fm
from folkmoot.simulation.interchange import LongTable

TABLE = LongTable(
    name=np.array(["a", "", "\u4e2d\u6587", "d e"]),
    n=np.array([3, -1, 2**40, 0]),
    x=np.array([0.5, np.nan, -1.0, 2.0]),
)


def read(column):
    """The values, from memory as the protocol describes it."""
    kind, _, form, _ = column.dtype
    buffers = column.get_buffers()
    data, _ = buffers["data"]
    raw = ctypes.string_at(data.ptr, data.bufsize)
    if kind != 21:
        return np.frombuffer(raw, {"l": np.int64, "g": np.float64}[form]).tolist()
    offsets, _ = buffers["offsets"]
    ends = np.frombuffer(ctypes.string_at(offsets.ptr, offsets.bufsize), np.int64)
    return [raw[a:b].decode() for a, b in pairwise(ends)]


def test_memory_holds_what_the_protocol_says():
    frame = TABLE.__dataframe__()
    assert (frame.num_rows(), frame.num_columns(), frame.column_names()) == (4, 3, ["name", "n", "x"])
    assert read(frame.get_column_by_name("name")) == TABLE["name"].tolist()
    assert read(frame.get_column(1)) == TABLE["n"].tolist()
    assert np.array_equal(read(frame.get_column(2)), TABLE["x"], equal_nan=True)
    assert [column.null_count for column in frame.get_columns()] == [0, 0, 1]
    parts = list(frame.get_chunks(2))
    assert [part.num_rows() for part in parts] == [2, 2]
    assert [value for part in parts for value in read(part.get_column(0))] == TABLE["name"].tolist()
    assert frame.select_columns([2]).column_names() == ["x"]
    with pytest.raises(RuntimeError, match="copied"):
        TABLE.__dataframe__(allow_copy=False)
    assert (
        LongTable(n=TABLE["n"]).__dataframe__(allow_copy=False).get_column(0).get_buffers()["data"][0].ptr
        == (TABLE["n"].__array_interface__["data"][0])
    )


def test_a_result_has_such_a_table():
    table = make().table("arm")
    assert list(table) == ["algorithm", "replicate", "round", "arm", "what", "value"]
    assert read(table.__dataframe__().get_column_by_name("value")) == table["value"].tolist()
    assert isinstance(fm.to_frame(make(), "dict"), LongTable)


def values_of(frame, library):
    values = {name: frame[name].to_pylist() if library == "pyarrow" else list(frame[name]) for name in TABLE}
    assert values["name"] == TABLE["name"].tolist()
    assert values["n"] == TABLE["n"].tolist()
    assert [x for x in values["x"] if x is not None and x == x] == [0.5, -1.0, 2.0]


@pytest.mark.parametrize(("library", "reader"), [("pandas", "api.interchange"), ("pyarrow", "interchange")])
@pytest.mark.filterwarnings("ignore")  # pandas announces that it will take streams alone
def test_libraries_read_it(library, reader):
    pytest.importorskip(library)
    values_of(pytest.importorskip(f"{library}.{reader}").from_dataframe(TABLE), library)


@pytest.mark.parametrize(
    ("library", "name"),
    [("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table"), ("polars", "from_dataframe")],
)
def test_libraries_take_it_as_it_is(library, name):
    module = pytest.importorskip(library)
    if name == "from_dataframe":
        pytest.importorskip("pyarrow")
    values_of(getattr(module, name)(TABLE), library)
