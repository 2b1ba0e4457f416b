"""JSON of others: depth is bounded before the parser sees it, whatever the limit of recursion is."""

import json
import subprocess
import sys

import pytest

from folkmoot.json_text import MOST_DEPTH, parsed


@pytest.mark.parametrize("text", ["[" * 1_000_000, "[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), '{"a":' * 100_000])
def test_depth_is_refused(text):
    with pytest.raises(json.JSONDecodeError, match="nested too deep"):
        parsed(text)


@pytest.mark.parametrize("value", [{"a": "[" * 1_000}, ["\\", '"]]]]', {}], [[[]]] * 1_000, 1.5, None])
def test_what_is_shallow_is_read(value):
    assert parsed(json.dumps(value)) == value


def test_the_process_lives_where_a_library_has_raised_the_limit():
    program = (
        "import sys; sys.setrecursionlimit(1_000_000)\n"
        "from folkmoot.json_text import parsed\n"
        "try:\n    parsed('[' * 1_000_000)\nexcept ValueError as error:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "refused\n")
