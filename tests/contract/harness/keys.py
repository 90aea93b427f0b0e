"""Hotkeys and what they sign, with the libraries of wallets.

Called by everything that uploads. Nothing here is taken from the service: the texts that are signed are written out.
"""

import hashlib
import itertools
import os
import time

from bittensor_wallet import Keypair

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"

_numbers = itertools.count(1)


def alice() -> Keypair:
    """Return the first account of every development chain."""
    return Keypair.create_from_uri("//Alice")


def fresh() -> Keypair:
    """Return a hotkey that nobody has used."""
    return Keypair.create_from_seed("0x" + os.urandom(32).hex())


def nonce() -> str:
    """Return a text that no other call returns."""
    return f"n-{os.getpid()}-{next(_numbers)}"


def sha256(body: bytes) -> str:
    """Return the SHA-256 of the bytes on the wire, in lower-case digits."""
    return hashlib.sha256(body).hexdigest()


def now() -> str:
    """Return the present as a header holds it."""
    return str(int(time.time()))


def upload_text(hotkey: str, used: str, at: str, body: bytes) -> bytes:
    """Return what is signed of an upload straight to the service."""
    return f"prism:{hotkey}:{used}:{at}:{sha256(body)}".encode()


def upload_headers(
    key: Keypair,
    body: bytes,
    *,
    used: str | None = None,
    at: str | None = None,
    wrapped: bool = False,
) -> dict[str, str]:
    """Return the four headers of a signed upload."""
    used, at = used or nonce(), at or now()
    text = upload_text(key.ss58_address, used, at, body)
    signature = key.sign(b"<Bytes>" + text + b"</Bytes>" if wrapped else text)
    return {
        "X-Hotkey": key.ss58_address,
        "X-Signature": signature.hex(),
        "X-Nonce": used,
        "X-Timestamp": at,
    }


def owner_headers(
    key: Keypair,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    used: str | None = None,
    at: str | None = None,
) -> dict[str, str]:
    """Return the four headers of what only an owner may ask; the query is not signed."""
    used, at = used or nonce(), at or now()
    bare = path.split("?", maxsplit=1)[0]
    text = f"prism-request:{method}:{bare}:{key.ss58_address}:{used}:{at}:{sha256(body)}"
    return {
        "X-Prism-Hotkey": key.ss58_address,
        "X-Prism-Signature": key.sign(text.encode()).hex(),
        "X-Prism-Nonce": used,
        "X-Prism-Timestamp": at,
    }
