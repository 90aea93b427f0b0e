"""Shadows `struct`: importing this one by mistake is the attack."""

print("shadow: struct was imported from the bundle")


def pack(*args):
    return b""
