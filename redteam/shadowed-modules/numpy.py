"""Shadows `numpy`: importing this one by mistake is the attack."""

print("shadow: numpy was imported from the bundle")


def pack(*args):
    return b""
