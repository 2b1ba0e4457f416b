"""What an agent thinks: one file an algorithm, maths only.

`ALGORITHMS` names them for experiment files; adding one is a module, its test and a line here.
"""

ALGORITHMS = {
    "ucb": "folkmoot.algorithms.ucb:UCB",
    "cooperative_ucb": "folkmoot.algorithms.cooperative_ucb:CooperativeUCB",
    "central_ucb": "folkmoot.algorithms.central_ucb:CentralUCB",
    "gse": "folkmoot.algorithms.gse:GSE",
    "drfed_ucb": "folkmoot.algorithms.drfed_ucb:DrFedUCB",
}
