"""Where every outcome comes at once and nobody is absent, algorithms pull and send what they did before.

Made by the code in which `seen.arm` was always this round's pull: digests of the pulls,
and of messages and bytes. Rules that have changed since on purpose are not in the table.
"""

import hashlib

import numpy as np
import pytest
from cases import CASES, DIFFERENT, complete

import folkmoot as fm

BEFORE = {
    "UCB": "ec0b01459949 1dd714cf3d9c",
    "CooperativeUCB": "9d4837d4ebf6 1b45ee0ee9df",
    "CentralUCB": "a6a3624b9218 1dd714cf3d9c",
    "GSE": "b02c584e9bde 0647444d2134",
    "GSE, p estimated": "12a38ade798e 0647444d2134",
    "DrFedUCB": "6a164f869139 85d6647ad7a2",
    "DrFedUCB, recalled C1": "c5162e9fb491 85d6647ad7a2",
    "GoSInE, c1 = 0.5": "089f1a14d1e9 06fccdff25fc",
    "GossipUCB": "b113ca515187 15ee11347cd9",
    "GossipUCB, matching, c1 = 0.5": "bccc22d1ce6a 15ee11347cd9",
    "DistUCB": "0b56f9a5f2ae e33b33b4a61b",
    "DistUCB, c1 = 0.5": "656845fb8edd e33b33b4a61b",
    "S1, naive": "85f3d31720d4 2de66540039c",
    "S1, oracle": "d4c231229e95 2de66540039c",
    "S2, naive": "29965902d5fb 4532f594277f",
    "S2, oracle": "be894b9c321d 4532f594277f",
    "S3, naive": "d3f4e9906f34 a1ba009d6923",
    "S3, oracle": "d3f4e9906f34 a1ba009d6923",
    "S3Cert, undecided": "d3f4e9906f34 840dfafa1656",
    "S3Cert, oracle": "d3f4e9906f34 840dfafa1656",
    "S3Cert, decides": "b596b355022b 1f88e705a677",
    "Layered": "bbfe4c3a3ffa 2de66540039c",
    "Layered, two": "1d65815e07ce 2de66540039c",
}


def digest(array: np.ndarray) -> str:
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()[:12]


@pytest.mark.parametrize("case", [c for c in CASES if c.name in BEFORE], ids=lambda case: case.name)
def test_pulls_and_messages_are_those_of_before(case) -> None:
    world, more = (fm.Bernoulli(DIFFERENT), complete(6, 0.6)), case.verified(6, 2_000)
    result = fm.simulate(case.algorithm, *world, horizon=2_000, seed=11, replicates=2, progress=False, **more)
    sent = np.stack([result.messages, result.bytes])
    assert f"{digest(result.pulls)} {digest(sent)}" == BEFORE[case.name]


def test_the_table_is_of_algorithms_that_there_are() -> None:
    assert set(BEFORE) <= {case.name for case in CASES}
