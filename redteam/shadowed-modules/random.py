"""Shadows `random`: importing this one by mistake is the attack."""

print("shadow: random was imported from the bundle")


def pack(*args):
    return b""
