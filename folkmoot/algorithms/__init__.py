"""What an agent thinks: one file an algorithm, maths only.

`ALGORITHMS` names them for experiment files; adding one is a module, its test and a line here.
"""

ALGORITHMS = {
    "ucb": "folkmoot.algorithms.ucb:UCB",
    "cooperative_ucb": "folkmoot.algorithms.cooperative_ucb:CooperativeUCB",
    "central_ucb": "folkmoot.algorithms.central_ucb:CentralUCB",
    "gse": "folkmoot.algorithms.gse:GSE",
    "drfed_ucb": "folkmoot.algorithms.drfed_ucb:DrFedUCB",
    "ucb_sbm": "folkmoot.algorithms.ucb_sbm:UCBSBM",
    "gosine": "folkmoot.algorithms.gosine:GoSInE",
    "gossip_ucb": "folkmoot.algorithms.gossip_ucb:GossipUCB",
    "dist_ucb": "folkmoot.algorithms.dist_ucb:DistUCB",
}
