"""Acts of a small consortium, made by hand: honest ones, and whatever liars make of them."""

from made_voted import CLASSES, INPUTS, TERMS, data, key, model, public

from folkmoot import ledger
from folkmoot.multiparty.chain.acts import Admitted, Expelled, Left, Prediction, Rotated, Updated, to_bytes, what_of
from folkmoot.multiparty.chain.changes import models_of
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.messages import application, read_application
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.records import OP, PREDICT, ROTATE, UPDATE, Head
from folkmoot.multiparty.chain.signing import CHANGE, EXPULSION, LEAVING, PREDICTION, ROTATION, signature_of
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.rules.terms import Terms

NAMES = ("ada", "bob", "cyd", "dan")  # original parties, with the keys 0 to 3
REGULAR = 4  # number of eve, who is registered in block 1
EVE = 20  # number of her key
MAKER = 0


def started(seed=0, **terms):
    """The chain after eve has been registered."""
    contents = ledger.MemoryContents()
    originals = [entry(name, public(i), model(i), contents) for i, name in enumerate(NAMES)]
    told = Terms(CLASSES, (INPUTS,), **{**TERMS, "approvals": 1, **terms})
    chain = ledger.start(ledger.Genesis("bema", configuration(told, originals, [public(90 + seed)]), 0), contents)
    asks = entry("eve", public(EVE), model(EVE, (0, 1)), contents)
    asked = application(key(EVE), chain.genesis.hash, asks)
    if told.approvals != 1 or told.outside < 1.0:
        return chain
    return apply(chain, "register", judge(0).assess(chain, asked))


def judge(n):
    return OriginalParty(key(n), *data(n))


def block_of(chain, what, record, maker=MAKER):
    """A block of whatever its maker likes, signed."""
    head = Head(what, 1, public(maker), OP)
    return ledger.propose(chain, [head.to_bytes(), record]).signed(key(maker))


def apply(chain, what, record, maker=MAKER):
    return ledger.apply_block(chain, block_of(chain, what, record, maker))


def put(chain, act, maker=MAKER):
    """The chain after an act."""
    return apply(chain, what_of(act), to_bytes(act), maker)


def signed(chain, n, purpose, said):
    return signature_of(key(n), purpose, chain.genesis.hash, said)


def leave(chain, number, n, until=9):
    act = Left(number, until, b"")
    return act._replace(signature=signed(chain, n, LEAVING, act.said()))


def expel(chain, number, by, until=9, keys=None):
    """`by`: numbers of parties; `keys`: of those who sign in their places."""
    act = Expelled(number, "sent bogus", until, ())
    keys = by if keys is None else keys
    return act._replace(
        signatures=tuple((m, signed(chain, k, EXPULSION, act.said())) for m, k in zip(by, keys, strict=True))
    )


def rotate(chain, number, n, new, until=9, before=None, second=None):
    before = chain.state.life.acts_of(number, ROTATE) if before is None else before
    act = Rotated(number, public(new), before, until, b"", b"")
    both = (
        signed(chain, n, ROTATION, act.said()),
        signed(chain, new if second is None else second, ROTATION, act.said()),
    )
    return act._replace(old=both[0], new=both[1])


def update(chain, number, n, given, by=(0,), until=9, before=None, name=None):
    """`n`: number of the key; `by`: of the original parties that approve."""
    party, contents = chain.state.parties[number], chain.state.contents
    own = entry(party.name if name is None else name, party.key, given, contents)
    before = chain.state.life.acts_of(number, UPDATE) if before is None else before
    act = Updated(number, own, before, until, b"", ())
    act = act._replace(consent=signed(chain, n, CHANGE, act.said()))
    parameters = contents.get(own.parameters)
    said = [judge(j).review(chain, act.about(), own, parameters, number) for j in by]
    return act._replace(approvals=tuple(said))


def admit(chain, n, given, by, name="fay", until=9):
    contents = chain.state.contents
    own = entry(name, public(n), given, contents)
    asked = read_application(application(key(n), chain.genesis.hash, own))
    act = Admitted(own, asked.signature, until, ())
    said = [judge(j).review(chain, act.about(), own, contents.get(own.parameters)) for j in by]
    return act._replace(approvals=tuple(said))


def predict(chain, number, n, answers=(0, 1), until=9, before=None, models=None, predictor='{"name": "mean"}'):
    before = chain.state.life.acts_of(number, PREDICT) if before is None else before
    models = models_of(chain.state) if models is None else models
    act = Prediction(number, before, until, bytes(32), models, predictor, tuple(answers), b"")
    return act._replace(signature=signed(chain, n, PREDICTION, act.said()))
