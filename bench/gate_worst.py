"""Bundles that cost the gate most: `python bench/gate_worst.py OUT`.

Writes a bundle for each shape that may cost more than it looks: names over names, calls over calls, nesting, star
imports, texts, findings without end; each as large as the gate reads any. Then
`cargo run --release -p prism-gate --example throughput -- --each OUT` says what each costs. Needs only the standard library.
"""

import sys
from pathlib import Path

FILES = 4
FILE_BYTES = 250_000
ARCHITECTURE = "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, 8)\n"
TRAINING = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=8, seq_len=64):\n"
TRAINING += "        batch.loss(model(batch.inputs)).backward()\n"
DUMPS = "class A:\n def dump(self):\n  pass\n"


def fill(unit, size_bytes=FILE_BYTES):
    """As many numbered pieces as fit."""
    return "".join(map(unit, range(size_bytes // len(unit(10**5).encode()))))


def same(text):
    """One text in all files."""
    return {f"part_{number}.py": text for number in range(FILES)}


def lines(text):
    """A line that has its number in `@` and the next one in `^`, over and over."""
    return fill(lambda number: text.replace("@", str(number)).replace("^", str(number + 1)) + "\n")


def stars(number):
    imports = "".join(f"from part_{other} import *\n" for other in range(FILES))
    return imports + fill(lambda at: f"x{at}=y{at}.a\n", 240_000)


SHAPES = {
    "annotations": lines('def f(a:"torch.Tensor",b:list[int])->dict[str,int]:\n  pass'),
    "assignments": lines("a@=b@"),
    "attributes-deep": "import torch\n" + lines("torch" + ".nn" * 60),
    "calls-that-hand-on": "import torch\ndef f(x,y):\n    return x\n" + lines("f(torch.relu,f)"),
    "names-of-names": "a0=1\n" + lines("a^=a@"),
    "names-of-later-names": lines("a@=a^") + "a9=eval\n",
    "classes": lines("class C^(C@):\n a=1"),
    "comprehensions": lines("[x for x in y for z in x if z]"),
    "decorators": lines("@a.b(c)\n@d\ndef f():pass".replace("@", "\0")).replace("\0", "@"),
    "dictionaries": "x={" + lines('"k@":v,') + "}\n",
    "asked-whose-it-is-over-functions": DUMPS + lines("def g@(x):\n g^(x)\n x.dump()"),
    "asked-whose-it-is-over-files": DUMPS + lines("def g@(x):\n x.dump()\ng@(A())"),
    "asked-whose-it-is-over-calls": DUMPS + "def g(x):\n x.dump()\n" + lines("g(h(g))"),
    "findings": "import os\n" + lines('os.system(eval("@"))'),
    "format-strings": lines('f"{a.b}{c!r:>{w}}"'),
    "attributes-computed": "class A:\n    def m(self,n):\n" + lines("        getattr(self,n)"),
    "globals": lines("def f@():\n global a@,b\n a@=b"),
    "branches": "if a:\n b=1\n" + lines("elif a@:\n input=eval"),
    "lambdas": lines("f=lambda a,b=1:a(b)"),
    "patterns": lines("match x:\n case A(a=b): pass\n case [c,*d]: pass"),
    "functions-nested": lines("".join(" " * depth + f"def f{depth}():\n" for depth in range(15)) + " " * 15 + "pass"),
    "nonlocals": "def o():\n x=1\n" + lines(" def f@():\n  nonlocal x\n  x=f@"),
    "numbers": "x=[" + lines("7,") + "]\n",
    "one-name-bound-often": "import torch\n" + lines("x=torch.a@"),
    "operators": lines("x=" + "-".join(["a"] * 400)),
    "parameters": lines("def f@(a,b,c,d=1):\n  return a.b(c)"),
    "brackets": lines("x=" + "(" * 180 + "a" + ")" * 180),
    "attributes-of-self": "class A:\n def __init__(self):\n" + lines("  self.a@=self.a^"),
    "sums-of-names": lines("s=" + "+".join(["a"] * 200)),
    "texts": lines('s="abc@"+"def"+n'),
    "handlers": lines("try:\n a=b\nexcept E as e:\n b=e"),
    "type-comments": lines("x=1 # type: f(__x__)"),
    "letters": lines("é@=ü@"),
}


# A first parameter that is asked often whose it is, where that costs: by what stands around its method.
OFTEN = "  setattr(self,n,1)\n" * 7_000
ONE_FILE = {
    "self-below-many-bases": "from torch import nn\nclass C("
    + "nn.Module," * 10_000
    + "):\n def m(self,n):\n"
    + OFTEN,
    "self-behind-many-decorators": "import torch\nclass C:\n"
    + " @torch.no_grad()\n" * 5_000
    + " def m(self,n):\n"
    + OFTEN,
    "self-of-a-method-defined-often": "class C:\n" + " def m(self,n):pass\n" * 5_000 + " def m(self,n):\n" + OFTEN,
    "parsers-often": "import argparse\ndef f():\n"
    + " p=argparse.ArgumentParser()\n" * 3_000
    + " vars(p.parse_args())\n" * 5_000,
    "methods-that-call-each-other": "class A:\n"
    + lines(" def m@(self,x=1):\n  self.m^(x,x)\n  return vars(self)"),
    "a-method-with-many-parameters": "class A:\n def m(self,"
    + ",".join(f"a{n}=0" for n in range(2_000))
    + "):\n  return vars(self)\n"
    + ("a.m(x," + ",".join(f"a{n}=0" for n in range(2_000)) + ")\n") * 9,
    "counters-beside-classes": "import torch\ndef train(ctx):\n"
    + " for n in range(9):\n  torch.save(x,f'{ctx.artifacts_dir}/{n}')\n" * 2_000
    + "".join(f"class C{n}(int):pass\n" for n in range(5_000)),
    "given-below-many-bases": "from torch import nn\nclass C("
    + "nn.Module," * 8_000
    + "):\n def __init__(self,ctx):\n"
    + "  vars(ctx)\n" * 7_000,
}


def main():
    """Write them all."""
    out = Path(sys.argv[1])
    bundles = {name: same(text) for name, text in SHAPES.items()}
    bundles["star-imports"] = {f"part_{number}.py": stars(number) for number in range(FILES)}
    bundles["asked-whose-it-is-in-one-function"] = {
        "helper.py": DUMPS + "def g(x):\n" + lines(" x.dump()"),
        "other.py": "from helper import g, A\n" + lines("g(A())"),
    }
    bundles["stored-often"] = {
        "helper.py": "class A:\n def __init__(self):\n" + lines("  self.x=A()"),
        "other.py": "from helper import A\na=A()\n" + lines("a.x.dump()"),
    }
    bundles |= {name: {"helper.py": text} for name, text in ONE_FILE.items()}
    below = lines("class A@x(C): pass")
    bundles["fields-with-many-classes-below"] = {
        "helper.py": "class Z:\n m: int=0\nclass C:\n def m(self,n):\n" + OFTEN,
        "other.py": "from helper import C\n" + below,
        "further.py": "from helper import C\n" + below,
    }
    for name, files in bundles.items():
        (out / name).mkdir(parents=True, exist_ok=True)
        for path, text in {"architecture.py": ARCHITECTURE, "training.py": TRAINING, **files}.items():
            (out / name / path).write_text(text)


if __name__ == "__main__":
    main()
