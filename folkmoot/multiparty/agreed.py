"""The terms of a consortium, from its parties and from what its user sets."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from folkmoot.errors import brief
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.terms import Terms


def terms_of(parties: Sequence[Party], n_classes: int | None, settings: Mapping[str, object]) -> Terms:
    """Terms for these parties; C is one more than the largest class if it is not given.

    Raises:
        ValueError: no parties, two of one name, or settings out of range.
    """
    if not parties or not all(isinstance(party, Party) for party in parties):
        raise ValueError("parties: expected at least one folkmoot.multiparty.Party")
    names = [party.name for party in parties]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"parties: two are named {twice[0]}, each needs a name of its own")
    labels = settings.get("labels", _labels_of(parties))
    settings = {"edition": 2, **settings, "labels": tuple(labels) if isinstance(labels, list | tuple) else labels}
    settings = {"approvals": 0 if settings["edition"] == 1 else 1, **settings}
    if n_classes is None:
        named = settings["labels"]
        most = 1 + max(max(party.model.classes) for party in parties)
        n_classes = len(named) if isinstance(named, tuple) and named else most
    allowed = [field.name for field in fields(Terms) if field.name not in ("n_classes", "shape")]
    for name in settings:
        if name not in allowed:
            raise ValueError(f"{name}: unknown; the settings are {', '.join(allowed)}")
    whole = ("edition", "refusals", "approvals")
    given = {
        k: float(v) if isinstance(v, int) and not isinstance(v, bool) and k not in whole else v
        for k, v in settings.items()
    }
    return Terms(n_classes, tuple(int(n) for n in parties[0].x.shape[1:]), **given)  # type: ignore[arg-type]


def _labels_of(parties: Sequence[Party]) -> tuple[str, ...]:
    """Names of the classes, as the models have them; empty: they have none.

    Raises:
        ValueError: two that differ.
    """
    found = {tuple(getattr(party.model, "labels", ())): party.name for party in parties}
    if len(found) > 1:
        (one, first), (other, second), *_ = found.items()
        raise ValueError(
            f"labels: the model of {first} has {brief(list(one))}, that of {second} {brief(list(other))}: expected the "
            "same for all, in the same order"
        )
    return next(iter(found))
