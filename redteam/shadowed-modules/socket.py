"""Shadows `socket`: importing this one by mistake is the attack."""

print("shadow: socket was imported from the bundle")


def pack(*args):
    return b""
