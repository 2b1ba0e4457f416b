"""A consortium in a folder: its terms and parties in one file, the parameters of each model in another."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.encoding import decode, encode
from folkmoot.errors import DamagedFile
from folkmoot.files import new_folder, or_say
from folkmoot.json_text import parsed
from folkmoot.multiparty.models.kinds import blank
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.terms import Terms

FILE, FORMAT = "consortium.json", 1
MOST_FILE = 1 << 24  # bytes


def write(folder: str | os.PathLike[str], terms: Terms, seed: int, iterations: int, parties: list[Party]) -> Path:
    """Write a new folder; it appears whole or not at all.

    Args:
        folder: must not exist yet.
        parties: with their models as they now are; their data are not written.

    Raises:
        ValueError: there is such a folder already, or it cannot be written.
    """
    target = Path(folder)
    if target.exists():
        raise ValueError(f"{target}: exists already; a consortium is saved into a new folder")
    members: list[dict[str, Any]] = []
    with or_say(str(target)), new_folder(target) as fresh:
        for number, party in enumerate(parties):
            name = f"{number}.parameters"
            (fresh / name).write_bytes(party.model.to_bytes())
            settings = encode(party.model.settings()).hex()
            model = {"model": party.model.kind, "classes": list(party.model.classes), "settings": settings}
            members.append({"name": party.name, "kind": party.kind, **model, "parameters": name})
        head = {"format": FORMAT, "terms": _told(terms), "seed": seed, "iterations": iterations}
        (fresh / FILE).write_text(json.dumps(head | {"parties": members}, indent=1) + "\n", encoding="utf-8")
    return target


def _told(terms: Terms) -> dict[str, Any]:
    """As in earlier versions, which knew no checks that are left out, if none is."""
    told = asdict(terms)
    return told if told["without"] else {name: value for name, value in told.items() if name != "without"}


def read(folder: str | os.PathLike[str]) -> tuple[Terms, int, int, list[Party]]:
    """Terms, seed, iterations and parties (without data) from a folder.

    Raises:
        ValueError: there is no such folder, or its models are of a kind that is not known here.
        DamagedFile, Malformed: not what `write` wrote.
    """
    source = Path(folder)
    try:
        if (source / FILE).stat().st_size > MOST_FILE:
            raise DamagedFile(f"{source / FILE}: more than {MOST_FILE} bytes")
        told = parsed((source / FILE).read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise DamagedFile(f"{source}: of format {told['format']!r:.20}, only {FORMAT} is understood")
        told["terms"]["shape"] = tuple(told["terms"]["shape"])
        told["terms"]["without"] = tuple(told["terms"].get("without", ()))  # a field of later days
        terms = Terms(**told["terms"])
        parties = [_party(source, member, terms) for member in told["parties"]]
        return terms, int(told["seed"]), int(told["iterations"]), parties
    except OSError as error:
        raise ValueError(f"{source}: not a saved consortium ({error.strerror})") from None
    except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DamagedFile(f"{source}: not a saved consortium ({type(error).__name__}: {str(error)[:120]})") from None


def _party(folder: Path, member: dict[str, Any], terms: Terms) -> Party:
    model = blank(member["model"], tuple(member["classes"]), decode(bytes.fromhex(member["settings"])))
    file = folder / Path(member["parameters"]).name
    model = model.from_bytes(file.read_bytes())
    empty = np.zeros((0, *terms.shape), np.float32)
    return Party(member["name"], model, empty, np.zeros(0, np.int64), member["kind"])
