"""Frames on a real socket: cut, oversized, foreign, and the channel on top of them."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from prism_runtime.channel import Channel
from prism_runtime.errors import PeerGoneError, ProtocolError
from prism_runtime.limits import NOTE_MAX_BYTES, NOTES_MAX, PROTOCOL_VERSION
from prism_runtime.messages import BatchData, Claims, Done, Note, Ready, Resume
from prism_runtime.wire import encode_frame, read_frame

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    left, right = socket.socketpair()
    left.settimeout(60)
    right.settimeout(60)
    yield left, right
    left.close()
    right.close()


def test_a_frame_arrives_in_any_number_of_pieces(pair: Pair) -> None:
    left, right = pair
    message = Claims(3, 2, struct.pack("<2f", 0.5, 2.0))

    def trickle() -> None:
        for byte in encode_frame(message):
            left.send(bytes([byte]))

    sender = threading.Thread(target=trickle)
    sender.start()
    received = read_frame(right)
    sender.join()
    assert received == message


def test_the_end_of_the_stream_is_told_apart(pair: Pair) -> None:
    left, right = pair
    left.sendall(encode_frame(Ready(1)))
    left.close()
    assert read_frame(right) == Ready(1)
    with pytest.raises(PeerGoneError):
        read_frame(right)


@pytest.mark.parametrize("cut_bytes", [1, 7, 8, 15])
def test_a_frame_cut_short_is_the_end_of_the_stream(pair: Pair, cut_bytes: int) -> None:
    left, right = pair
    left.sendall(encode_frame(Ready(1))[:cut_bytes])
    left.close()
    with pytest.raises(PeerGoneError):
        read_frame(right)


def test_an_oversized_frame_is_refused_before_its_body_is_read(pair: Pair) -> None:
    left, right = pair
    too_long = BatchData.limit_bytes + 1
    left.sendall(struct.pack("<IBBH", too_long, PROTOCOL_VERSION, BatchData.kind, 0))
    with pytest.raises(ProtocolError, match="limit"):
        read_frame(right)


def test_another_version_is_refused(pair: Pair) -> None:
    left, right = pair
    left.sendall(struct.pack("<IBBH", 8, PROTOCOL_VERSION + 1, Ready.kind, 0))
    with pytest.raises(ProtocolError, match=f"version {PROTOCOL_VERSION + 1}"):
        read_frame(right)


def test_a_message_that_does_not_fit_is_never_sent() -> None:
    with pytest.raises(ProtocolError):
        Done(2).encode()
    with pytest.raises(ProtocolError):
        Ready(2**64).encode()
    with pytest.raises(ProtocolError):
        Note("n" * (NOTE_MAX_BYTES + 1)).encode()


def test_expect_names_both_kinds(pair: Pair) -> None:
    left, right = pair
    Channel(left).send(Ready(1))
    with pytest.raises(ProtocolError, match="expected Resume, got Ready"):
        Channel(right).expect(Resume)


def test_a_note_is_sent_once_shortened_and_at_most_so_many(pair: Pair) -> None:
    left, right = pair
    sender = Channel(left)
    sender.note("once")
    sender.note("once")
    sender.note("ü" * NOTE_MAX_BYTES)
    for number in range(2 * NOTES_MAX):
        sender.note(f"note {number}")
    left.close()
    receiver = Channel(right)
    texts = [receiver.expect(Note).text for _ in range(NOTES_MAX)]
    with pytest.raises(PeerGoneError):
        receiver.receive()
    assert texts[:2] == ["once", "ü" * (NOTE_MAX_BYTES // 2)]
    assert len(set(texts)) == NOTES_MAX


def test_frames_of_two_threads_do_not_mix(pair: Pair) -> None:
    left, right = pair
    sender, receiver = Channel(left), Channel(right)
    body = struct.pack("<1000f", *range(1000))

    def send_all(step: int) -> None:
        for _ in range(100):
            sender.send(Claims(step, 1000, body))

    threads = [threading.Thread(target=send_all, args=(step,)) for step in range(2)]
    for thread in threads:
        thread.start()
    steps = [receiver.expect(Claims).step for _ in range(200)]
    for thread in threads:
        thread.join()
    assert sorted(steps) == [0] * 100 + [1] * 100
