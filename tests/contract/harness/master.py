"""What BASE's master sends, with the client that it uses."""

import httpx

from . import keys
from .server import TOKEN, Server

BRIDGE = "/internal/v1/bridge/submissions"
# The master gives a read so long.
READ_SECONDS = 10


def headers(token: str | None = TOKEN, slug: str | None = "prism") -> dict[str, str]:
    """Return the headers of every internal request."""
    found = {"Accept": "application/json"}
    if token is not None:
        found["Authorization"] = f"Bearer {token}"
    if slug is not None:
        found["X-Base-Challenge-Slug"] = slug
    return found


def get(server: Server, path: str, sent: dict[str, str] | None = None) -> httpx.Response:
    """Ask an internal route."""
    with httpx.Client(base_url=server.url, timeout=READ_SECONDS) as client:
        return client.get(path, headers=headers() if sent is None else sent)


def bridge_headers(hotkey: str, body: bytes, **changed: str | None) -> dict[str, str]:
    """Return the headers of an upload that is handed over; a name's underscores are hyphens, None removes it."""
    sent: dict[str, str | None] = {
        **headers(),
        "X-Base-Verified-Hotkey": hotkey,
        "X-Base-Verified-Nonce": "m1",
        "X-Base-Request-Hash": keys.sha256(body),
        "X-Base-Verified-Uid": "7",
        "X-Submission-Filename": "project.zip",
        "Content-Type": "application/zip",
    }
    sent |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in sent.items() if value is not None}


def bridge(server: Server, hotkey: str, body: bytes, *, query: str = "", **changed: str | None) -> httpx.Response:
    """Hand an upload over."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        sent = bridge_headers(hotkey, body, **changed)
        return client.post(BRIDGE + query, content=body, headers=sent)


def proxied(server: Server, path: str, **extra: str) -> httpx.Response:
    """Ask what the master passes on of a public read."""
    sent = {
        "X-Base-Proxy": "true",
        "X-Base-Challenge-Slug": "prism",
        "Accept-Encoding": "gzip",
        **extra,
    }
    with httpx.Client(base_url=server.url, timeout=READ_SECONDS) as client:
        return client.get(path, headers=sent)
