"""A consortium in a folder: its terms and parties in one file, the parameters of each model in another, digests."""

import json
import os
from dataclasses import MISSING, asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.encoding import Value, decode, encode
from folkmoot.errors import DamagedFile, brief
from folkmoot.files import new_folder, or_say, read_plain
from folkmoot.json_text import parsed
from folkmoot.ledger.contents import MOST_CONTENT
from folkmoot.multiparty.models.kinds import blank, is_known
from folkmoot.multiparty.models.labels import every
from folkmoot.multiparty.models.model import checked_classes
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.predictors import Predictor
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.written_predictors import from_told
from folkmoot.multiparty.written_predictors import told as told_of

FILE, FORMAT = "consortium.json", 1
SUMS = "SHA256SUMS"  # a digest of every other file, as `sha256sum -c` takes them; folders of earlier versions have none
MOST_FILE = 1 << 24  # bytes


def write(
    folder: str | os.PathLike[str],
    terms: Terms,
    seed: int,
    iterations: int,
    parties: list[Party],
    predictor: Predictor | None,
) -> Path:
    """Write a new folder; it appears whole or not at all.

    Args:
        folder: must not exist yet.
        parties: with their models as they now are; their data are not written.
        predictor: how they predict together; None: the only way that earlier versions knew.

    Raises:
        ValueError: there is such a folder already, or it cannot be written.
    """
    target = Path(folder)
    if target.exists():
        raise ValueError(f"{target}: exists already; a consortium is saved into a new folder")
    members: list[dict[str, Any]] = []
    with or_say(str(target)), new_folder(target) as fresh:
        for number, party in enumerate(parties):
            name = _name_of(number)
            (fresh / name).write_bytes(party.model.to_bytes())
            settings = encode(party.model.settings()).hex()
            model = {"model": party.model.kind, "classes": list(party.model.classes), "settings": settings}
            members.append({"name": party.name, "kind": party.kind, **model, "parameters": name})
        head = {"format": FORMAT, "terms": _told(terms), "seed": seed, "iterations": iterations}
        if predictor is not None:
            head["predictor"] = told_of(predictor)
        (fresh / FILE).write_text(json.dumps(head | {"parties": members}, indent=1) + "\n", encoding="utf-8")
        sums = "".join(f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(fresh.iterdir()))
        (fresh / SUMS).write_text(sums, encoding="utf-8")
    return target


def _name_of(number: int) -> str:
    return f"{number}.parameters"


def _told(terms: Terms) -> dict[str, Any]:
    """As in earlier versions, which did not know the last fields, where those say nothing."""
    last = {"without": (), "edition": 1, "labels": (), "refusals": 0, "approvals": 0, "outside": 1.0}
    return {name: value for name, value in asdict(terms).items() if name not in last or value != last[name]}


def read(folder: str | os.PathLike[str]) -> tuple[Terms, int, int, list[Party], Predictor | None]:
    """Terms, seed, iterations, parties (without data) and predictor from a folder; earlier versions named none.

    Raises:
        ValueError: there is no such folder, or its models are of a kind that is not known here.
        DamagedFile, Malformed: not what `write` wrote.
    """
    source = Path(folder)
    try:
        sums = _sums(source)
        told = _head(source, sums)
        terms = _terms(_field(told, "terms", dict))
        seed, iterations = (_whole(name, _field(told, name, int)) for name in ("seed", "iterations"))
        members = [_member(source, number, member, sums) for number, member in enumerate(_field(told, "parties", list))]
        if not members or len({member["name"] for member, _, _ in members}) < len(members):
            raise ValueError("parties: expected at least one, and no two of one name")
        predictor = from_told(told["predictor"]) if "predictor" in told else None
    except OSError as error:
        raise ValueError(f"{source}: not a saved consortium ({error.strerror})") from None
    except ValueError as error:
        raise DamagedFile(f"{source}: not a saved consortium ({' '.join(str(error).split())[:300]})") from None
    return terms, seed, iterations, [_party(source, *member, terms) for member in members], predictor


_CALLED: dict[type, str] = {dict: "an object", list: "a list", str: "text", int: "an integer"}


def _field(table: dict[str, Any], name: str, kind: type, place: str = "") -> Any:
    """What stands there under a name.

    Raises:
        ValueError: nothing does, or another kind of thing.
    """
    if name not in table:
        raise ValueError(f"{place}{name}: missing; expected {_CALLED[kind]}")
    if type(table[name]) is not kind:
        raise ValueError(f"{place}{name} = {brief(table[name])}: expected {_CALLED[kind]}")
    return table[name]


def _terms(told: dict[str, Any]) -> Terms:
    """The terms; later days gave them fields that the files of earlier versions have not."""
    known = {field.name: field.default is MISSING for field in fields(Terms)}
    wrong = [name for name in told if name not in known] or [name for name in known if known[name] and name not in told]
    if wrong:
        raise ValueError(f"terms.{wrong[0]}: {'unknown' if wrong[0] in told else 'missing'}")
    given = dict(told)
    for name in {"shape", "without", "labels"} & set(told):
        given[name] = tuple(_field(told, name, list, "terms."))
    return Terms(**given)


def _sums(source: Path) -> dict[str, str] | None:
    """The digest of each file by its name; None in a folder of an earlier version."""
    file = source / SUMS
    if not os.path.lexists(file):
        return None
    text = _text(SUMS, _bytes(file, MOST_FILE))
    rows = [row.split("  ") for row in text.removesuffix("\n").split("\n")]
    if not all(len(row) == 2 for row in rows):
        raise DamagedFile(f"{file}: expected a digest and a name in each line")
    return {name: told for told, name in rows}


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: byte {content[error.start]:#04x} at {error.start}: expected UTF-8") from None


def _bytes(file: Path, most: int) -> bytes:
    content = read_plain(file, most + 1)
    if len(content) > most:
        raise DamagedFile(f"{file}: more than {most} bytes")
    return content


def _content(file: Path, most: int, sums: dict[str, str] | None) -> bytes:
    content = _bytes(file, most)
    if sums is not None and sums.get(file.name) != sha256(content).hexdigest():
        raise DamagedFile(f"{file}: does not have the digest that stands in {SUMS}; one of the two has been changed")
    return content


def _head(source: Path, sums: dict[str, str] | None) -> dict[str, Any]:
    """What stands in the folder's first file."""
    told: Any = parsed(_text(FILE, _content(source / FILE, MOST_FILE, sums)))
    if type(told) is not dict:
        raise ValueError(f"{FILE}: expected an object")
    if _field(told, "format", int) != FORMAT:
        raise DamagedFile(f"{source}: of format {told['format']!r:.20}, only {FORMAT} is understood")
    return told


def _whole(name: str, value: int) -> int:
    if not 0 <= value < 1 << 63:
        raise ValueError(f"{name} = {brief(value)}: expected an integer from 0 to 2**63 - 1")
    return value


def _member(source: Path, number: int, member: Any, sums: dict[str, str] | None) -> tuple[dict[str, Any], Value, bytes]:
    """A party as it stands in the head, the settings of its model, and its parameters.

    Raises:
        OSError, ValueError, OtherSide: something is not as `write` writes it.
    """
    place = f"parties[{number}]"
    if type(member) is not dict:
        raise ValueError(f"{place} = {brief(member)}: expected an object")
    for name in ("name", "kind", "model", "settings", "parameters"):
        _field(member, name, str, f"{place}.")
    classes = _field(member, "classes", list, f"{place}.")
    if checked_classes(classes) != tuple(classes):
        raise ValueError(f"{place}.classes = {brief(classes)}: expected ascending order")
    if member["parameters"] != _name_of(number):
        raise ValueError(f"{place}.parameters = {brief(member['parameters'])}: expected {_name_of(number)}")
    parameters = _content(source / _name_of(number), MOST_CONTENT, sums)
    try:
        settings = bytes.fromhex(member["settings"])
    except ValueError:
        raise ValueError(f"{place}.settings = {brief(member['settings'])}: expected hexadecimal digits") from None
    return member, decode(settings), parameters


def _party(folder: Path, member: dict[str, Any], settings: Value, parameters: bytes, terms: Terms) -> Party:
    """A party without data.

    Raises:
        ValueError: a kind of model that is not known here.
        DamagedFile, Malformed: it could not have been saved like this.
    """
    kind, name = member["model"], member["name"]
    if not is_known(kind):
        raise ValueError(f"{folder}: model of kind {brief(kind)}: unknown here; enter it with register_architecture or "
                         "register_model_kind")  # fmt: skip
    try:
        model = blank(kind, tuple(member["classes"]), settings).from_bytes(parameters)
        empty = np.zeros((0, *terms.shape), np.float32)
        if model.classes[-1] >= terms.n_classes:
            raise ValueError(f"class {model.classes[-1]}: the classes are {every(terms.n_classes, terms.labels)}")
        return Party(name, model, empty, np.zeros(0, np.int64), member["kind"])
    except ValueError as error:
        what = " ".join(str(error).split())[:160]
        raise DamagedFile(f"{folder}: party {name!r:.80} is none that can be saved ({what})") from None
