"""Shadows `numpy`: importing this one by mistake is the attack."""

print("ESCAPED numpy was imported from the bundle")
