"""What a row of the log says of a consortium's senders and newcomers: damaged, it is the other side's fault."""

import pytest

from folkmoot.errors import DamagedFile
from folkmoot.multiparty.games.result import check_told

GOOD = {"by_sender": {"party 0": {"": 3, "too far": 1}}, "admitted": ["party 1"], "refusals": {"party 2": "too poor"}}


def test_what_was_written_is_read():
    check_told(**GOOD)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"by_sender": {"party 0": [3]}}, "by_sender: party 0: expected how many"),
        ({"by_sender": {"party 0": {"": -1}}}, "by_sender: party 0"),
        ({"by_sender": {"party 0": {"": 1.0}}}, "by_sender: party 0"),
        ({"by_sender": {"party 0": {"": True}}}, "by_sender: party 0"),
        ({"by_sender": {"party 0": {"": 1 << 63}}}, "by_sender: party 0"),
        ({"admitted": [1]}, "admitted, refusals: expected names"),
        ({"refusals": {"party 2": None}}, "admitted, refusals: expected names"),
    ],
)
def test_what_was_not_is_refused(changed, said):
    with pytest.raises(DamagedFile, match=said):
        check_told(**{**GOOD, **changed})
