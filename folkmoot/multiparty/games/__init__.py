"""Consortia that are played many times: data sets, who has what, how models are trained, who lies, what is measured.

The tables name the classes for experiment files; adding one is a class and a line here.
"""

from typing import TYPE_CHECKING

from folkmoot.configuration import Kinds

if TYPE_CHECKING:
    from folkmoot.multiparty.games.data import Data
    from folkmoot.multiparty.games.division import Division
    from folkmoot.multiparty.games.liars import Liars
    from folkmoot.multiparty.games.training import Training

DATA: "Kinds[Data]" = Kinds(
    {
        "digits": "folkmoot.multiparty.games.data:SmallDigits",
        "mnist": "folkmoot.multiparty.games.data:Mnist",
        "shapes": "folkmoot.multiparty.games.shapes:Shapes",
    }
)
DIVISIONS: "Kinds[Division]" = Kinds(
    {
        "consecutive": "folkmoot.multiparty.games.division:Consecutive",
        "listed": "folkmoot.multiparty.games.division:Listed",
    }
)
MODELS: "Kinds[Training]" = Kinds(
    {
        "softmax": "folkmoot.multiparty.games.training:Softmax",
        "svm": "folkmoot.multiparty.games.training:SupportVectors",
        "lenet5": "folkmoot.multiparty.games.training:TrainLeNet5",
        "lenet4": "folkmoot.multiparty.games.training:TrainLeNet4",
        "two_hidden_layers": "folkmoot.multiparty.games.training:TrainTwoHiddenLayers",
    }
)
LIARS: "Kinds[Liars]" = Kinds(
    {
        "swapped_labels": "folkmoot.multiparty.games.liars:SwapLabels",
        "swapped_within": "folkmoot.multiparty.games.liars:SwapWithin",
        "random_labels": "folkmoot.multiparty.games.liars:LabelAtRandom",
        "poisoned_samples": "folkmoot.multiparty.games.liars:Poison",
        "duplicates": "folkmoot.multiparty.games.liars:Duplicate",
    }
)
