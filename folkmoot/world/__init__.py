"""What agents face: what arms pay, who can talk to whom, who lies about it.

The tables name the classes for experiment files; adding one is a module, its test and a line here.
"""

from typing import TYPE_CHECKING

from folkmoot.configuration import Kinds

if TYPE_CHECKING:
    from folkmoot.world.networks import Network
    from folkmoot.world.rewards import Rewards
    from folkmoot.world.scalarisations import Scalarisation

REWARDS: "Kinds[Rewards]" = Kinds(
    {
        "bernoulli": "folkmoot.world.rewards:Bernoulli",
        "gaussian": "folkmoot.world.rewards:Gaussian",
        "beta": "folkmoot.world.rewards:Beta",
        "replay": "folkmoot.world.replay:Replay",
        "clustered": "folkmoot.world.clustered:Clustered",
        "half_active": "folkmoot.world.half_active:HalfActive",
        "piecewise": "folkmoot.world.moving:Piecewise",
        "drifting": "folkmoot.world.moving:Drifting",
        "vector_bernoulli": "folkmoot.world.vectors:VectorBernoulli",
    },
    "folkmoot.world.rewards:Rewards",
)
NETWORKS: "Kinds[Network]" = Kinds(
    {
        "static": "folkmoot.world.networks:Static",
        "erdos_renyi": "folkmoot.world.networks:ErdosRenyi",
        "recorded": "folkmoot.world.networks:Recorded",
        "stochastic_block_model": "folkmoot.world.block_model:StochasticBlockModel",
        "markov": "folkmoot.world.markov:Markov",
        "b_connected": "folkmoot.world.b_connected:BConnected",
        "one_sided": "folkmoot.world.one_sided:OneSided",
    },
    "folkmoot.world.networks:Network",
)
SCALARISATIONS: "Kinds[Scalarisation]" = Kinds(
    {
        "linear": "folkmoot.world.scalarisations:Linear",
        "chebyshev": "folkmoot.world.scalarisations:Chebyshev",
        "log_sum_exp": "folkmoot.world.scalarisations:LogSumExp",
    },
    "folkmoot.world.scalarisations:Scalarisation",
)
