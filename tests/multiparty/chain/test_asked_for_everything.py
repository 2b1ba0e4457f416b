"""Members who ask for more than anybody needs: of contents, in one message, in a round, again and again."""

import tracemalloc

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_machines import MEMBERS, call, machine, party, played, until

from folkmoot.encoding import encode
from folkmoot.ledger.contents import name_of
from folkmoot.machine import Received
from folkmoot.multiparty.chain.exchanged import ExchangeBlock, Gate, ShownNote
from folkmoot.multiparty.chain.sheets import CHECKS, REVEAL, VOTE, Answer, Sheet
from folkmoot.multiparty.chain.talk import CONSORTIUM, Lacking

ASKER, LARGE, MANY = 3, 1 << 20, 24


def asked(own, names, times=8):
    """What is sent when somebody asks so often for these, and the most memory that it took."""
    inbox = [Received(ASKER, CONSORTIUM.to_bytes(Lacking(tuple(names))))] * times
    tracemalloc.start()
    sent = own.step(own.next, inbox, [], []).send
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return sum(len(data) for to, data in sent if to == ASKER), peak


def begun(contents):
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    for content in contents:
        play.chains[0].state.contents.put(content)
    return machine(play, 0)


def test_one_content_asked_for_512_times_is_given_once():
    """Before, 64 names in each of 8 messages were answered by 512 times its bytes: of a model of 4.9 MB, 2.5 GB."""
    content = bytes(LARGE)
    sent, peak = asked(begun([content]), [name_of(content)] * 64)
    assert LARGE <= sent < 2 * LARGE
    assert peak < 64 << 20


def test_all_contents_asked_for_in_a_loop_are_given_so_many_bytes_a_round():
    contents = [bytes([n]) * LARGE for n in range(200)]
    own = begun(contents)
    names = [name_of(content) for content in contents]
    room = own.shelf._room
    least = 0
    for _ in range(2):
        for stage in range(7):
            sent, peak = asked(own, names[stage * MANY : (stage + 1) * MANY])
            least += sent
            assert peak < 64 << 20
        assert 2 * room - LARGE <= least <= 2 * room + 7 * LARGE
        least = 0  # another round


def test_what_one_brings_with_its_answers_is_kept_only_where_something_is_asked_for():
    """Before, whoever called and answered itself laid down the bytes of 70 messages in the memory of all others."""
    play = played([party(n) for n in range(MEMBERS)]).play(1)
    call(play)
    until(play, 1)
    liar, own = machine(play, ASKER), machine(play, 1)
    for number in range(12):
        content = encode(bytes([number]) * (LARGE // 4))
        for phase in (CHECKS, VOTE):
            sheet = Sheet(ASKER, liar.chain.tip, phase, 1 + number % 3, (bytes([number]),), (), b"")
            own.answering._known[sheet.digest] = phase
            note = ShownNote(ASKER, name_of(content), ASKER, -1, bytes(64), "")
            own.answering.bring(Answer(ASKER, sheet.digest, (), (content,), b""), block_of(note))
    assert name_of(content) not in own.answering.contents
    sheet = Sheet(ASKER, liar.chain.tip, REVEAL, 3, (), (), b"")
    own.answering._known[sheet.digest] = REVEAL
    own.answering.bring(Answer(ASKER, sheet.digest, (), (content,), b""), block_of(note))
    assert name_of(content) in own.answering.contents


def block_of(note):
    return ExchangeBlock(Gate("exchange", 3, False, (), 0.0), (note,), (), (), ())
