# role: training
# rule: prism:no-monkeypatch
# tries: getattr(dataclasses, "fie" + "lds"): fields are not seen to be used.
import dataclasses


def train(ctx):
    get = getattr(dataclasses, "fie" + "lds")

    @dataclasses.dataclass
    class First:
        x: int = 0

    get(First)[0].name = "x or [print('PWNED code in a name', __import__('os').getuid())]"

    @dataclasses.dataclass(init=False, eq=False)
    class Second(First):
        pass

    repr(Second())
