"""Folkmoot: deciding and learning together among parties who need not trust each other."""

import importlib
from typing import TYPE_CHECKING

from folkmoot import registry

if TYPE_CHECKING:
    from folkmoot import ledger as ledger
    from folkmoot import multiparty as multiparty
    from folkmoot import node as node
    from folkmoot.algorithms.base import Algorithm as Algorithm
    from folkmoot.algorithms.base import Problem as Problem
    from folkmoot.algorithms.by_hand import agent as agent
    from folkmoot.algorithms.byzantine_ucb import ByzantineUCB as ByzantineUCB
    from folkmoot.algorithms.central_ucb import CentralUCB as CentralUCB
    from folkmoot.algorithms.certificates import S3Cert as S3Cert
    from folkmoot.algorithms.cooperative_ucb import CooperativeUCB as CooperativeUCB
    from folkmoot.algorithms.dist_ucb import DistUCB as DistUCB
    from folkmoot.algorithms.drfed_ucb import DrFedUCB as DrFedUCB
    from folkmoot.algorithms.flood_se import FloodSE as FloodSE
    from folkmoot.algorithms.gosine import GoSInE as GoSInE
    from folkmoot.algorithms.gossip_ucb import GossipUCB as GossipUCB
    from folkmoot.algorithms.gse import GSE as GSE
    from folkmoot.algorithms.layered_elimination import LayeredElimination as LayeredElimination
    from folkmoot.algorithms.recommending import S3 as S3
    from folkmoot.algorithms.sharing import S1 as S1
    from folkmoot.algorithms.sharing import S2 as S2
    from folkmoot.algorithms.ucb import UCB as UCB
    from folkmoot.algorithms.ucb_sbm import UCBSBM as UCBSBM
    from folkmoot.bc_ucb.algorithm import BCUCB as BCUCB
    from folkmoot.bc_ucb.attacks import AllButOne as AllButOne
    from folkmoot.bc_ucb.attacks import AlliesOnly as AlliesOnly
    from folkmoot.bc_ucb.attacks import Attack as Attack
    from folkmoot.bc_ucb.attacks import BareMajority as BareMajority
    from folkmoot.bc_ucb.attacks import Congest as Congest
    from folkmoot.bc_ucb.attacks import ConstantReport as ConstantReport
    from folkmoot.bc_ucb.attacks import Drift as Drift
    from folkmoot.bc_ucb.attacks import Equivocate as Equivocate
    from folkmoot.bc_ucb.attacks import FalseClaim as FalseClaim
    from folkmoot.bc_ucb.attacks import FalseCounts as FalseCounts
    from folkmoot.bc_ucb.attacks import Forge as Forge
    from folkmoot.bc_ucb.attacks import LateReport as LateReport
    from folkmoot.bc_ucb.attacks import Mute as Mute
    from folkmoot.bc_ucb.attacks import PromoteArm as PromoteArm
    from folkmoot.bc_ucb.attacks import RandomReport as RandomReport
    from folkmoot.bc_ucb.attacks import ReplayOld as ReplayOld
    from folkmoot.bc_ucb.attacks import SignFlip as SignFlip
    from folkmoot.bc_ucb.attacks import SplitViews as SplitViews
    from folkmoot.bc_ucb.attacks import ToNobody as ToNobody
    from folkmoot.bc_ucb.attacks import ToOne as ToOne
    from folkmoot.bc_ucb.attacks import TrimWindow as TrimWindow
    from folkmoot.bc_ucb.attacks import TwoReports as TwoReports
    from folkmoot.bc_ucb.attacks import Withhold as Withhold
    from folkmoot.bc_ucb.result import ChainResult as ChainResult
    from folkmoot.bc_ucb.simulate import simulate_chain as simulate_chain
    from folkmoot.conformance.check import check_algorithm as check_algorithm
    from folkmoot.experiments.comparing import compare_runs as compare_runs
    from folkmoot.report.plots import plot_regret as plot_regret
    from folkmoot.simulation.coverage import coverage as coverage
    from folkmoot.simulation.frames import to_frame as to_frame
    from folkmoot.simulation.frames import write_table as write_table
    from folkmoot.simulation.network import Faults as Faults
    from folkmoot.simulation.result import Result as Result
    from folkmoot.simulation.saved import load as load
    from folkmoot.simulation.simulate import simulate as simulate
    from folkmoot.world.b_connected import BConnected as BConnected
    from folkmoot.world.block_model import StochasticBlockModel as StochasticBlockModel
    from folkmoot.world.block_model import karate_block_model as karate_block_model
    from folkmoot.world.clustered import Clustered as Clustered
    from folkmoot.world.clusters import karate_labels as karate_labels
    from folkmoot.world.corruption import FlipRandom as FlipRandom
    from folkmoot.world.corruption import Promote as Promote
    from folkmoot.world.corruption import Suppress as Suppress
    from folkmoot.world.corruption import Swap as Swap
    from folkmoot.world.corruption import Thinning as Thinning
    from folkmoot.world.feedback import Feedback as Feedback
    from folkmoot.world.half_active import HalfActive as HalfActive
    from folkmoot.world.liars import Liars as Liars
    from folkmoot.world.lies import ConstantLie as ConstantLie
    from folkmoot.world.lies import DriftingLie as DriftingLie
    from folkmoot.world.lies import FlippedLie as FlippedLie
    from folkmoot.world.lies import Lie as Lie
    from folkmoot.world.lies import PromotingLie as PromotingLie
    from folkmoot.world.lies import RandomLie as RandomLie
    from folkmoot.world.lies import SplitLie as SplitLie
    from folkmoot.world.markov import Markov as Markov
    from folkmoot.world.moving import Drifting as Drifting
    from folkmoot.world.moving import Piecewise as Piecewise
    from folkmoot.world.networks import ErdosRenyi as ErdosRenyi
    from folkmoot.world.networks import Network as Network
    from folkmoot.world.networks import Recorded as Recorded
    from folkmoot.world.networks import Static as Static
    from folkmoot.world.one_sided import OneSided as OneSided
    from folkmoot.world.presence import Presence as Presence
    from folkmoot.world.replay import Replay as Replay
    from folkmoot.world.rewards import Bernoulli as Bernoulli
    from folkmoot.world.rewards import Beta as Beta
    from folkmoot.world.rewards import Gaussian as Gaussian
    from folkmoot.world.rewards import Rewards as Rewards
    from folkmoot.world.scalarisations import Chebyshev as Chebyshev
    from folkmoot.world.scalarisations import Linear as Linear
    from folkmoot.world.scalarisations import LogSumExp as LogSumExp
    from folkmoot.world.vectors import VectorBernoulli as VectorBernoulli

# Where each public name lives. Loaded on first use, so that `folkmoot --help` need not import a compiler.
_HOMES = {
    "algorithms.base": ["Algorithm", "Problem"],
    "algorithms.by_hand": ["agent"],
    "bc_ucb.algorithm": ["BCUCB"],
    "algorithms.byzantine_ucb": ["ByzantineUCB"],
    "algorithms.central_ucb": ["CentralUCB"],
    "algorithms.certificates": ["S3Cert"],
    "algorithms.cooperative_ucb": ["CooperativeUCB"],
    "algorithms.dist_ucb": ["DistUCB"],
    "algorithms.drfed_ucb": ["DrFedUCB"],
    "algorithms.flood_se": ["FloodSE"],
    "algorithms.gosine": ["GoSInE"],
    "algorithms.gossip_ucb": ["GossipUCB"],
    "algorithms.gse": ["GSE"],
    "algorithms.layered_elimination": ["LayeredElimination"],
    "algorithms.recommending": ["S3"],
    "algorithms.sharing": ["S1", "S2"],
    "algorithms.ucb": ["UCB"],
    "algorithms.ucb_sbm": ["UCBSBM"],
    "simulation.coverage": ["coverage"],
    "simulation.frames": ["to_frame", "write_table"],
    "simulation.network": ["Faults"],
    "bc_ucb.result": ["ChainResult"],
    "bc_ucb.simulate": ["simulate_chain"],
    "conformance.check": ["check_algorithm"],
    "experiments.comparing": ["compare_runs"],
    "report.plots": ["plot_regret"],
    "simulation.result": ["Result"],
    "simulation.saved": ["load"],
    "simulation.simulate": ["simulate"],
    "world.b_connected": ["BConnected"],
    "world.block_model": ["StochasticBlockModel", "karate_block_model"],
    "bc_ucb.attacks": [
        "AllButOne",
        "AlliesOnly",
        "Attack",
        "BareMajority",
        "Congest",
        "ConstantReport",
        "Drift",
        "Equivocate",
        "FalseClaim",
        "FalseCounts",
        "Forge",
        "LateReport",
        "Mute",
        "PromoteArm",
        "RandomReport",
        "ReplayOld",
        "SignFlip",
        "SplitViews",
        "ToNobody",
        "ToOne",
        "TrimWindow",
        "TwoReports",
        "Withhold",
    ],
    "world.clustered": ["Clustered"],
    "world.clusters": ["karate_labels"],
    "world.corruption": ["FlipRandom", "Promote", "Suppress", "Swap", "Thinning"],
    "world.markov": ["Markov"],
    "world.liars": ["Liars"],
    "world.lies": ["ConstantLie", "DriftingLie", "FlippedLie", "Lie", "PromotingLie", "RandomLie", "SplitLie"],
    "world.feedback": ["Feedback"],
    "world.moving": ["Drifting", "Piecewise"],
    "world.networks": ["ErdosRenyi", "Network", "Recorded", "Static"],
    "world.one_sided": ["OneSided"],
    "world.presence": ["Presence"],
    "world.replay": ["Replay"],
    "world.half_active": ["HalfActive"],
    "world.rewards": ["Bernoulli", "Beta", "Gaussian", "Rewards"],
    "world.scalarisations": ["Chebyshev", "Linear", "LogSumExp"],
    "world.vectors": ["VectorBernoulli"],
}
_HOME = {name: f"folkmoot.{module}" for module, names in _HOMES.items() for name in names}
_PACKAGES = ["ledger", "multiparty", "node"]  # public as a whole: folkmoot.ledger.open

registry.places(registry.LEDGERS).update(
    notes="folkmoot.ledger.notes:NOTES",
    bc_ucb="folkmoot.bc_ucb.reader:READING",
    bema="folkmoot.multiparty.chain.kind:BEMA",
)
registry.places(registry.RESULTS).update(
    bandit="folkmoot.simulation.result:Result",
    chain="folkmoot.bc_ucb.result:ChainResult",
    consortium="folkmoot.multiparty.games.result:ConsortiumResult",
)
registry.places(registry.MOVED).update(
    {
        "folkmoot.ledger.Verdict": "folkmoot.ledger:Verification",
        "folkmoot.ledger.settle": "folkmoot.node:settle",
        "folkmoot.world.datasets.fetch": "folkmoot.node.fetch:fetch",
    }
)

__version__ = "0.2.0"
__all__ = sorted([*_HOME, *_PACKAGES])  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name in _HOME:
        globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
        return globals()[name]
    if name in _PACKAGES:
        return importlib.import_module(f"folkmoot.{name}")
    raise AttributeError(f"module 'folkmoot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
