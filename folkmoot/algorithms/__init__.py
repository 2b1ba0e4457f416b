"""What an agent thinks: one file an algorithm, maths only.

`ALGORITHMS` names them for experiment files; adding one is a module, its test and a line here.
"""

from typing import TYPE_CHECKING

from folkmoot.configuration import Kinds

if TYPE_CHECKING:
    from folkmoot.algorithms.base import Algorithm

ALGORITHMS: "Kinds[Algorithm]" = Kinds(
    {
        "ucb": "folkmoot.algorithms.ucb:UCB",
        "cooperative_ucb": "folkmoot.algorithms.cooperative_ucb:CooperativeUCB",
        "central_ucb": "folkmoot.algorithms.central_ucb:CentralUCB",
        "gse": "folkmoot.algorithms.gse:GSE",
        "flood_se": "folkmoot.algorithms.flood_se:FloodSE",
        "drfed_ucb": "folkmoot.algorithms.drfed_ucb:DrFedUCB",
        "ucb_sbm": "folkmoot.algorithms.ucb_sbm:UCBSBM",
        "gosine": "folkmoot.algorithms.gosine:GoSInE",
        "gossip_ucb": "folkmoot.algorithms.gossip_ucb:GossipUCB",
        "dist_ucb": "folkmoot.algorithms.dist_ucb:DistUCB",
        "byzantine_ucb": "folkmoot.algorithms.byzantine_ucb:ByzantineUCB",
        "s1": "folkmoot.algorithms.sharing:S1",
        "s2": "folkmoot.algorithms.sharing:S2",
        "s3": "folkmoot.algorithms.recommending:S3",
        "s3_cert": "folkmoot.algorithms.certificates:S3Cert",
        "layered_elimination": "folkmoot.algorithms.layered_elimination:LayeredElimination",
    },
    "folkmoot.algorithms.base:Algorithm",
)
