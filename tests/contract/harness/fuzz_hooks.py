"""What schemathesis is told of this interface beyond its description: bodies of archives, and how requests are signed.

Loaded by schemathesis, not by pytest. Without it
every upload would end at its signature, and nothing behind that be asked.
"""

import os
import random
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis

from harness import bundles, keys

# Half of the requests keep what was made up for them.
_SIGNED = 0.5
_HOTKEYS = [keys.fresh() for _ in range(4)]
_IDS = os.environ.get("PRISM_CONTRACT_IDS", "").split()
_draws = random.Random(7)  # noqa: S311  not a secret


@schemathesis.serializer("application/zip")
def archive(_: Any, value: Any) -> Any:
    """Send what was made up, or an archive."""
    if _draws.random() < _SIGNED:
        return bundles.bundle()
    return value.encode(errors="surrogatepass") if isinstance(value, str) else bytes(str(value), "utf-8")


class Signature(requests.auth.AuthBase):
    """Signs what is about to be sent, as its hotkey would."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the headers of a signature in the place of those that were made up."""
        path = urlsplit(request.url or "").path
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        key = _draws.choice(_HOTKEYS)
        if _draws.random() < _SIGNED:
            return request
        for made in (
            keys.upload_headers(key, body),
            keys.owner_headers(key, request.method or "", path, body=body),
            {
                "X-Base-Verified-Hotkey": key.ss58_address,
                "X-Base-Request-Hash": keys.sha256(body),
            },
        ):
            # One that lacks a header is to be refused for that.
            if all(name in request.headers for name in made):
                request.headers.update(made)
        return request


@schemathesis.hook
def map_path_parameters(_: Any, values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Ask for what there is, half of the time."""
    if values and _draws.random() < _SIGNED:
        for name in {"id", "other"} & values.keys():
            values[name] = _draws.choice(_IDS)
    return values


@schemathesis.hook
def before_call(_: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Have a request pass the signature, unless it is made to be wrong: then it stays as wrong as it is."""
    if case.meta is not None and case.meta.generation.mode == schemathesis.GenerationMode.POSITIVE:
        kwargs["auth"] = Signature()
