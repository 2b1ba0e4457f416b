"""Checkpoints: all that the next block depends on, as bytes with a name; and chains that go on from one.

A checkpoint is a block that names the snapshot of the state before it. Who computes the chain again computes that name
too. A chain that is pruned is a new one: its genesis holds that block, with its signatures, and the snapshot is
among its contents. So a file without the blocks before says who vouches for where it begins; who has the old file as
well can check it (`folkmoot ledger verify --before`).
"""

from typing import Any, NamedTuple

from folkmoot.encoding import Limits, Malformed, Value, decode, encode
from folkmoot.ledger import merkle
from folkmoot.ledger.block import Block, is_signed
from folkmoot.ledger.chain import Chain
from folkmoot.ledger.contents import Contents, name_of
from folkmoot.multiparty.chain.acts import Checkpoint, read_act
from folkmoot.multiparty.chain.entries import NAME_BYTES, Entry, load, read_entry, typed
from folkmoot.multiparty.chain.life import Life
from folkmoot.multiparty.chain.records import CHECKPOINT, Head, read_head
from folkmoot.multiparty.chain.standing import State, configuration, read_configuration
from folkmoot.multiparty.chain.voting import Voting, quorum
from folkmoot.multiparty.exchange.bench import Commitment
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.signatures import KEY_BYTES

GOES_ON = "goes on"  # the first word of the configuration of a chain that begins at a checkpoint
_VERSION = 1
_LIMITS = Limits(size=1 << 28, depth=6, items=1 << 20, int_size=8)
_MOST_COUNT = (1 << 62) - 1


def entered(state: State, head: Head) -> State:
    """The state with a block's round and maker: what is in it is told of this."""
    number = state.number_of(head.miner)
    maker = state.parties[number].name if number >= 0 else head.miner.hex()
    state = state if head.round is None else state._replace(round=head.round)
    return state._replace(life=state.life.with_block(maker))


def snapshot_of(state: State) -> bytes:
    """All of a state but the hash of the genesis: the same bytes for the same state.

    Raises:
        ValueError: it is more than 2**28 bytes.
    """
    fleet, life = state.committee.fleet, state.life
    parties = tuple(
        tuple(party._replace(parameters=fleet.hash(n) if state.is_in(n) else bytes(NAME_BYTES)))
        for n, party in enumerate(state.parties)
    )
    begun = configuration(state.terms, state.parties[: state.originals], tuple(state.miners), state.voting)
    told: Value = (
        _VERSION,
        begun[0],
        parties,
        state.originals,
        *begun[2:3],
        tuple(begun[3:]),
        state.round,
        state.turned_away,
        tuple(sorted(life.gone)),
        tuple(sorted((number, what, count) for (number, what), count in life.counts.items())),
        tuple(sorted(life.retired)),
        tuple(sorted(life.taught.items())),
        tuple(sorted(life.made.items())),
        tuple((number, *said) for number, said in sorted(state.checks.items())),
        b"".join(sorted(state.committee.used)),
        b"".join(sorted(state.recorded)),
    )
    return encode(told, _LIMITS)


def snapshot_name(state: State) -> bytes:
    """32 bytes: what a checkpoint calls the state."""
    return name_of(snapshot_of(state))


class Snapshot(NamedTuple):
    """What a snapshot says, no model loaded."""

    terms: Terms
    parties: tuple[Entry, ...]
    originals: int
    miners: frozenset[bytes]
    voting: Voting | None
    round: int
    turned_away: int
    life: Life
    checks: dict[int, Commitment]
    used: frozenset[bytes]
    recorded: frozenset[bytes]


def read_told(data: bytes) -> Snapshot:
    """What a snapshot says.

    Raises:
        Malformed: there is none.
    """
    kinds = (int, tuple, tuple, int, tuple, tuple, int, int, *[tuple] * 6, bytes, bytes)
    version, told, rows, originals, miners, voting, *rest = typed(decode(data, _LIMITS), kinds, "snapshot")
    round, turned_away, gone, counts, retired, taught, made, checks, used, recorded = rest
    if version != _VERSION:
        raise Malformed(f"snapshot of version {version}: only {_VERSION} is understood")
    parties = tuple(map(read_entry, rows))
    if not 1 <= originals <= len(parties) or len(voting) > 1:
        raise Malformed("snapshot: expected at least one original party")
    # What a genesis may say of these it may say here; keys of original parties may have changed since.
    begun = (told, tuple(tuple(party) for party in parties[:originals]), miners, *voting)
    terms, _, keys, votes = read_configuration(begun)
    life = _life(gone, counts, retired, taught, made)
    if not all(0 <= number < len(parties) for number in life.gone) or set(range(originals)) <= life.gone:
        raise Malformed("snapshot: expected an original party that is not gone")
    if not 0 <= round <= _MOST_COUNT or not 0 <= turned_away <= _MOST_COUNT:
        raise Malformed("snapshot: expected a round and a number of refusals of at least 0")
    return Snapshot(
        *(terms, parties, originals, keys, votes, round, turned_away, life),
        *(_committed(checks, len(parties)), _names(used), _names(recorded)),
    )


def read_snapshot(data: bytes, contents: Contents) -> State:
    """The state that a snapshot is of, with its models.

    Raises:
        Malformed: there is none.
        MissingContent, TamperedContent, UnknownRules: see `entries.load`.
    """
    said = read_told(data)
    models = [
        None if number in said.life.gone else load(party, said.terms, contents)
        for number, party in enumerate(said.parties)
    ]
    committee = Committee(models, said.terms)
    committee.used = said.used
    state = State(
        *(said.terms, said.parties, said.originals, said.miners, committee, contents, b"", {}, said.voting),
        *(said.round, said.recorded, said.turned_away, said.life, said.checks),
    )
    if snapshot_of(state) != data:
        raise Malformed("snapshot: written down again it is another one")
    return state


def _life(*parts: Any) -> Life:
    gone, counts, retired, taught, made = parts
    if not all(type(number) is int for number in gone):
        raise Malformed("snapshot: expected numbers of parties that are gone")
    counted = [typed(row, (int, str, int), "acts of a party") for row in counts]
    if not all(type(key) is bytes and len(key) == KEY_BYTES for key in retired):
        raise Malformed(f"snapshot: expected retired keys of {KEY_BYTES} bytes")
    earned = [dict(typed(row, (str, int), "account") for row in rows) for rows in (taught, made)]
    return Life(frozenset(gone), {(n, what): count for n, what, count in counted}, frozenset(retired), *earned)


def _committed(rows: tuple[Value, ...], parties: int) -> dict[int, Commitment]:
    """To their check sets, by the numbers of parties."""
    found = {}
    for number, name, counts in (typed(row, (int, bytes, tuple), "commitment") for row in rows):
        pairs = tuple(typed(pair, (int, int), "count of a commitment") for pair in counts)
        if not 0 <= number < parties or len(name) != NAME_BYTES:
            raise Malformed("snapshot: commitment of nobody, or to a name of another length")
        found[number] = Commitment(name, pairs)
    return found


def _names(joined: bytes) -> frozenset[bytes]:
    if len(joined) % NAME_BYTES:
        raise Malformed(f"names of {len(joined)} bytes: expected a multiple of {NAME_BYTES}")
    return frozenset(joined[i : i + NAME_BYTES] for i in range(0, len(joined), NAME_BYTES))


# --- Chains that go on from one ------------------------------------------------------------------------------------


def going_on(terms: Terms, block: Block) -> Value:
    """What the genesis of a chain holds that goes on from a checkpoint."""
    return (GOES_ON, terms.to_value(), block.to_bytes())


def is_going_on(value: Value) -> bool:
    """Does a chain with this configuration go on from a checkpoint?"""
    return type(value) is tuple and bool(value) and type(value[0]) is str


def read_going_on(value: Value) -> tuple[Terms, Block, Head, Checkpoint]:
    """Terms, the block with the checkpoint, its head, and what it names.

    Raises:
        Malformed: not what `going_on` returns.
    """
    word, told, data = typed(value, (str, tuple, bytes), "configuration of a chain that goes on")
    if word != GOES_ON:
        raise Malformed(f"configuration of {word!r:.40}: expected {GOES_ON!r}")
    block = Block.from_bytes(data)
    if len(block.records) != 2 or merkle.root(block.records) != block.header.records_root:
        raise Malformed("block before the chain: expected the two records that its header covers")
    head, act = read_head(block.records[0]), read_act(block.records[1])
    if head.what != CHECKPOINT or not isinstance(act, Checkpoint):
        raise Malformed(f"block before the chain: one of {head.what!r:.40}, expected a checkpoint")
    return Terms.from_value(told), block, head, act


def gone_on(value: Value, contents: Contents) -> State:
    """The state that such a chain begins with; the checkpoint is signed by those who could.

    Raises:
        Malformed: something in it is not as it should be.
        MissingContent, TamperedContent, UnknownRules: see `read_snapshot`.
    """
    terms, block, head, act = read_going_on(value)
    state = read_snapshot(contents.get(act.snapshot), contents)
    if terms != state.terms:
        raise Malformed("terms of a chain that goes on: they are not those of the checkpoint")
    if state.kind_of(head.miner) != head.miner_kind or (head.round is None) != (state.voting is None):
        raise Malformed("block before the chain: not made by whom the checkpoint lets make blocks")
    signers = [key for key, signature in block.signatures if is_signed(block.header, (key, signature))]
    who, wanted = ({head.miner}, 1) if state.voting is None else (set(state.voters), quorum(len(state.voters)))
    if len(who & set(signers)) < wanted:
        raise Malformed(f"block before the chain: {len(who & set(signers))} signatures, {wanted} are needed")
    return state._replace(round=0)  # rounds of votes are counted anew


def remark_on(value: Value) -> tuple[str, ...]:
    """What a reader of such a chain cannot check from its file alone."""
    if not is_going_on(value):
        return ()
    _, block, _, _ = read_going_on(value)
    vouched = len(block.signatures)
    what = f"begins at a checkpoint of another ledger, its block {block.header.height}"
    vouch = f"{vouched} signature{'s' * (vouched != 1)} vouch{'es' * (vouched == 1)} for what was before"
    return (f"{what}; {vouch} (--before FILE verifies it)",)


def require_follows(value: Value, before: Chain) -> tuple[str, ...]:
    """Does a chain with this configuration go on from that one? The remarks that are settled by this.

    Raises:
        Malformed: no.
    """
    if not is_going_on(value) or before.genesis.kind != "bema":
        raise Malformed("it does not begin at a checkpoint of another ledger of its kind")
    if read_going_on(value)[1].hash != before.tip:
        raise Malformed(f"it goes on from another block than {before.tip.hex()}, with which that ledger ends")
    return remark_on(value)
