"""What a consortium says about itself in words: whom its predictions withstand, and why nothing could be calibrated."""

from collections.abc import Mapping

from folkmoot.multiparty.models.labels import named
from folkmoot.multiparty.rules.margin import Bools, Integers
from folkmoot.multiparty.rules.validation import CONFIDENCE, CONTRADICTED, FOREIGN, MARGIN, SPREAD
from folkmoot.plurals import plural

_WHY = {
    CONTRADICTED: "half or more of the models that know both classes prefer the wrong one",
    CONFIDENCE: "the star of the label is below delta: a smaller delta lets more pass, lies too",
    SPREAD: "those behind the star do not agree within sigma: a larger sigma lets more pass, lies too",
    MARGIN: "earlier samples had set the models right",
    FOREIGN: "the senders do not know the class they gave as the label",
}


class Protection(dict[int, int]):
    """Class -> how many lying models among those that know it are tolerated by the predictor; 0: none.

    Attributes:
        predictor: its name.
        owners: class -> how many models know it.
        labels: names of the classes; empty: they have none. Printed, classes are called by them.
    """

    def __init__(self, tolerated: Integers, owners: Integers, predictor: str, labels: tuple[str, ...] = ()) -> None:
        super().__init__(enumerate(map(int, tolerated)))
        self.predictor, self.labels = predictor, labels
        self.owners = dict(enumerate(map(int, owners)))

    def __repr__(self) -> str:
        """With the predictor it is about, and classes by their names."""
        told = ", ".join(f"{named([label], self.labels)}: {count}" for label, count in self.items())
        return f"Protection({self.predictor!r}, {{{told}}})"

    def __str__(self) -> str:
        """A line for each number of owners."""
        lines = []
        for owners in sorted(set(self.owners.values())):
            classes = [label for label, count in self.owners.items() if count == owners]
            least = min(self[label] for label in classes)
            told = named(classes, self.labels)
            known = f"{plural(owners, 'model')}: classes {told}"
            why = {0: "nobody knows them", 1: "one speaks alone", 2: "both count alike; nobody can tell which is wrong"}
            lies = f"{self.predictor!r} tolerates {plural(least, 'liar') if least else 'no liar'}"
            lines.append(f"{known}: {lies}" + (f" ({why[owners]})" if owners in why and not least else ""))
        return "\n".join(lines)


def advice_on(refused: Mapping[str, int], claims: Bools) -> str:
    """Why a calibration accepted nothing, and what to do instead.

    Args:
        refused: reason -> how many samples.
        claims: [models, classes].
    """
    if not refused:
        return "no sample was found that the models disagree about: there is nothing to calibrate"
    reason, count = max(refused.items(), key=lambda item: item[1])
    why = _WHY.get(reason, "")
    if reason == CONTRADICTED and claims.all():
        why += "; where all know all classes, nobody is there who could teach the others"
    told = f"no sample was accepted, {count} of {sum(refused.values())} were refused as {reason!r}"
    return f"{told}{why and ': '}{why}. Predict with the models as they are: the mean needs no calibration"
