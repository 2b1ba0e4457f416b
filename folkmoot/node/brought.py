"""What a member of a consortium of models brings: a model, and samples of its own, in its data folder.

model.toml      the model by name: its kind, classes, settings, and the digest of its parameters; the others need this
renewed.toml    another model, if there is one that is to take its place (`renew`)
parameters      of the model, as it is; whoever else has them can give them to the others (`lend`)
contents/       parameters and samples by digest, also those that the chain names
samples.sqlite  own samples, those that an application hands in, and the check set; they stay on this machine, but for
                those that the member sends for calibration
models.py       there if models need code of the members' own; each member has the same
"""

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from folkmoot.configuration import Configuration, Wrong, read_table
from folkmoot.doors import guarded
from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.errors import DamagedFile
from folkmoot.files import copy_plain, or_say, read_plain, write_file
from folkmoot.ledger.contents import MOST_CONTENT, FolderContents
from folkmoot.node.charter import BadCharter, read_toml, write_table
from folkmoot.node.database import Database
from folkmoot.node.folder import Folder

if TYPE_CHECKING:
    from folkmoot.multiparty.models.model import Model
    from folkmoot.multiparty.party import Party

MODEL, PARAMETERS, CONTENTS = "model.toml", "parameters", "contents"
RENEWED = "renewed.toml"  # another model, which is to take its place
SAMPLES, CODE = "samples.sqlite", "models.py"
MOST_SAMPLE_BYTES = 1 << 28  # of all own samples together
OWN, CHECK = "own", "check"
_SETTINGS = Limits(size=1 << 14, depth=4, items=1 << 10, int_size=8)  # as chains take them
_APPLICATION = 0x464D5853  # "FMXS", in the header of the file
_ENTERED: set[bytes] = set()  # code that this process has run
_TABLES = """
CREATE TABLE sample (
    number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, part TEXT NOT NULL, label INTEGER NOT NULL, x BLOB NOT NULL
);
"""


class Brought(Configuration):
    """A model as a charter names it.

    Attributes:
        member: whose it is.
        kind: of the model, such as "linear/softmax".
        classes: that it knows, ascending, from 0 on.
        settings: what besides its parameters decides its scores, in hex.
        parameters: their digest, in hex.
        size: bytes of the parameters.
    """

    says_its_name = False

    member: str
    kind: str
    classes: tuple[int, ...]
    settings: str
    parameters: str
    size: int = Field(ge=1)


def contents_of(folder: Path) -> FolderContents:
    """The store of contents in a data folder."""
    return FolderContents(folder / CONTENTS)


@guarded
def bring(folder: Folder | Path | str, party: "Party", code: Path | str | None = None) -> dict[str, Any]:
    """Put the model and the samples of a party into the data folder of a member, before a charter is proposed.

    Args:
        folder: of the member, see `folkmoot node init`; the party's name and key are not used.
        party: with its model, its samples, and its check set if it has one.
        code: a Python file that enters architectures or kinds of models of the members' own. It is copied, and run by
            the node of this member alone; each member brings the same.

    Returns:
        The table that the terms of the charter have for this model, as it stands in `model.toml`.

    Raises:
        ValueError: it has brought a model already, or something cannot be written.
    """
    place = folder if isinstance(folder, Folder) else Folder(Path(folder))
    if (place.path / MODEL).exists():
        raise ValueError(f"{place.path / MODEL}: is there already; a member brings one model")
    model, name = party.model, place.card.name
    parameters = model.to_bytes()
    digest_of = lend(place, parameters)
    with or_say(f"file {place.path / PARAMETERS}"):
        write_file(place.path / PARAMETERS, parameters, durable=True)
    table: dict[str, Any] = {
        "member": name, "kind": model.kind, "classes": list(model.classes), "settings": encode(model.settings()).hex(),
        "parameters": digest_of.hex(), "size": len(parameters),
    }  # fmt: skip
    if code is not None:
        with or_say(f"file {place.path / CODE}"):
            write_file(place.path / CODE, Path(code).read_bytes(), durable=True)
    samples = OwnSamples(place.path / SAMPLES, party.x.shape[1:])
    try:
        samples.add(party.x, party.y, OWN)
        if party.check is not None:
            samples.add(*party.check, CHECK)
    finally:
        samples.close()
    write_table(place.path / MODEL, {"settings": {"models": [table]}})
    return table


@guarded
def lend(folder: Folder | Path | str, parameters: bytes) -> bytes:
    """Put the parameters of a model, of any member, into a data folder; their digest.

    A consortium begins when the models of all members are there. A member that comes late holds up nobody if somebody
    else has its parameters, so send the file `parameters` along with the card.

    Raises:
        ValueError: too many bytes, or they cannot be written.
    """
    place = folder if isinstance(folder, Folder) else Folder(Path(folder))
    try:
        return contents_of(place.path).put(parameters)
    except OSError as error:
        raise ValueError(f"{place.path / CONTENTS}: cannot be written ({error})") from None


@guarded
def renew(folder: Folder | Path | str, model: "Model") -> None:
    """Put another model into the data folder of a member, of the same classes; `folkmoot node ask DIR update` asks the
    others to take it in the place of the one that is there.

    Raises:
        ValueError: it cannot be written.
    """
    place = folder if isinstance(folder, Folder) else Folder(Path(folder))
    parameters = model.to_bytes()
    table: dict[str, Any] = {
        "member": place.card.name, "kind": model.kind, "classes": list(model.classes),
        "settings": encode(model.settings()).hex(), "parameters": lend(place, parameters).hex(),
        "size": len(parameters),
    }  # fmt: skip
    write_table(place.path / RENEWED, {"settings": {"models": [table]}})


def renewed_in(folder: Path) -> "tuple[Model, bytes] | None":
    """The other model in a data folder, and its parameters; None: there is none.

    Raises:
        ValueError: it cannot be read, or models of its kind are not known here.
        OtherSide: its parameters are missing or damaged.
    """
    found = read_brought(folder, RENEWED)
    if found is None:
        return None
    return own_model(folder, found), contents_of(folder).get(bytes.fromhex(found.parameters))


def read_brought(folder: Path, name: str = MODEL) -> Brought | None:
    """The model in a data folder, or in another file there; None: there is none.

    Raises:
        ValueError: the file cannot be read.
        BadCharter: it holds something else.
    """
    file = folder / name
    if not file.exists():
        return None
    document = read_toml(file)
    try:
        (table,) = document["settings"]["models"]
        found: Brought = read_table(Brought, table, "a model")
    except Wrong as wrong:
        raise BadCharter(f"{file}: {'; '.join(wrong.lines(()))}") from None
    except (KeyError, TypeError, ValueError):
        raise BadCharter(f"{file}: not what a member brings; expected [[settings.models]] with one model") from None
    return found


def enter_code(folder: Path) -> None:
    """Run the code that a member has brought, if it has any: once in a process, however many members bring the same.

    Raises:
        ValueError: it cannot be read, or it fails.
    """
    from folkmoot.multiparty.models import kinds

    file = folder / CODE
    try:
        text = read_plain(file, MOST_CONTENT) if file.exists() else None
    except OSError as error:
        raise ValueError(f"file {file}: cannot be read ({error.strerror})") from None
    if text is not None and text not in _ENTERED:
        kinds.enter_from(file)
        _ENTERED.add(text)


def own_model(folder: Path, brought: Brought) -> "Model":
    """The model that a member has brought.

    Raises:
        ValueError: models of its kind are not known here, or their library is not installed.
        OtherSide: its parameters are missing or damaged.
    """
    from folkmoot.multiparty.models import kinds

    enter_code(folder)
    parameters = contents_of(folder).get(bytes.fromhex(brought.parameters))
    try:
        settings = decode(bytes.fromhex(brought.settings), _SETTINGS)
        return kinds.blank(brought.kind, brought.classes, settings).from_bytes(parameters)
    except ImportError as error:
        raise ValueError(
            f"models of kind {brought.kind} need {error.name}: pip install 'folkmoot[multiparty]'"
        ) from None


class OwnSamples(Database):
    """The samples of a member, in a file of their own.

    Raises:
        DamagedFile: the file is none of ours, or damaged.
        Full: it cannot be made or read.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        """`shape`: of one sample."""
        self._shape = tuple(int(n) for n in shape)
        self._most = MOST_SAMPLE_BYTES // (4 * math.prod(self._shape))
        super().__init__(path)

    def _open(self) -> None:
        if self._is_new:
            self._db.executescript(f"BEGIN; PRAGMA application_id = {_APPLICATION}; {_TABLES} COMMIT;")
        elif self._kind != _APPLICATION:
            raise DamagedFile(f"{self._path}: holds no samples of a member")

    def add(self, x: NDArray[np.floating], y: NDArray[np.integer], part: str = OWN) -> list[bool]:
        """Keep samples [samples, *shape] with their labels; was each new? They are on the disk when this returns.

        Raises:
            ValueError: more than a member may have.
            Full: the disk takes them not; none is kept.
        """
        new = []
        with self._writing() as db:
            ((there,),) = db.execute("SELECT count(*) FROM sample")
            if there + len(x) > self._most:
                raise ValueError(f"{there} samples and {len(x)} more: expected at most {self._most} in all")
            for sample, label in zip(np.ascontiguousarray(x, "<f4"), y, strict=True):
                data = sample.tobytes()
                row = (digest("own sample", (data, int(label), part)), part, int(label), data)
                said = "INSERT OR IGNORE INTO sample (name, part, label, x) VALUES (?, ?, ?, ?)"
                new.append(db.execute(said, row).rowcount == 1)
        return new

    def read(self, part: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Samples [samples, *shape] and labels [samples], in the order in which they came.

        Raises:
            DamagedFile: one of another shape.
        """
        with self._reading():
            rows = self._db.execute("SELECT x, label FROM sample WHERE part = ? ORDER BY number", (part,)).fetchall()
        size = 4 * math.prod(self._shape)
        if any(type(x) is not bytes or len(x) != size or type(label) is not int for x, label in rows):
            raise DamagedFile(f"{self._path}: samples of another shape than {self._shape}")
        x = np.frombuffer(b"".join(x for x, _ in rows), "<f4").astype(np.float32)
        return x.reshape(len(rows), *self._shape), np.array([label for _, label in rows], np.int64)


def copy(there: Path, fresh: Path) -> None:
    """What a member has brought, and what its node has fetched, also while it runs.

    Raises:
        OSError: it cannot be written.
    """
    for name in (MODEL, RENEWED, PARAMETERS, CODE):
        if (there / name).exists():
            copy_plain(there / name, fresh / name, MOST_CONTENT)
    if (there / SAMPLES).exists():
        samples = OwnSamples(there / SAMPLES, (1,))
        try:
            samples.copy_to(fresh / SAMPLES)
        finally:
            samples.close()
    copy_contents(there, fresh / CONTENTS)


def _copy_content(source: str, target: str) -> str:
    copy_plain(Path(source), Path(target), MOST_CONTENT)
    return target


def copy_contents(there: Path, target: Path) -> None:
    """The contents in a data folder, into a new folder.

    Raises:
        OSError: it cannot be written.
    """
    if (there / CONTENTS).exists():  # what is being written beside others has another name
        shutil.copytree(there / CONTENTS, target, ignore=shutil.ignore_patterns("*.part"), copy_function=_copy_content)


def brought_of(folder: Path, member: str) -> Brought:
    """The model that a member has brought.

    Raises:
        ValueError: none, or it cannot be read.
        BadCharter: it makes no sense.
    """
    found = read_brought(folder)
    if found is None:
        raise ValueError(f"{folder}: {member} has brought no model; expected what folkmoot.node.bring puts there")
    return found


def decoded(brought: Brought) -> tuple[bytes, bytes]:
    """Settings and digest of the parameters, as bytes.

    Raises:
        Malformed: they are none.
    """
    try:
        settings, parameters = bytes.fromhex(brought.settings), bytes.fromhex(brought.parameters)
    except ValueError:
        raise Malformed(f"model of {brought.member}: settings and parameters: expected hex") from None
    return settings, parameters
