"""How the comparison of bundles does on real models: `python bench/similarity_real.py WORK`.

Fetches the packages below with pip into WORK (or takes those that lie there), makes a bundle of each model file with a real
optimizer beside it, disguises each, and prints two tables: what is said of pairs by different authors, and of disguised
copies. Nothing of the packages runs, and nothing of them is kept in this repository. The bundles parse, but are not
meant to run. Needs only the standard library, pip and cargo.
"""

import ast
import copy
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from similarity_variants import DISGUISES, rename_all, write

ROOT = Path(__file__).resolve().parent.parent
LUCIDRAINS = """
    x-transformers local-attention performer-pytorch reformer-pytorch linear-attention-transformer vector-quantize-pytorch
    soft-moe-pytorch titans-pytorch minGRU-pytorch native-sparse-attention-pytorch RETRO-pytorch MEGABYTE-pytorch
    recurrent-memory-transformer-pytorch compressive-transformer-pytorch routing-transformer sinkhorn-transformer
    mixture-of-experts st-moe-pytorch simple-hierarchical-transformer memory-efficient-attention-pytorch dalle-pytorch
    hyper-connections mixture-of-attention rotary-embedding-torch
""".split()
# Who wrote a package. Files by one author are not independent of each other.
AUTHORS = dict.fromkeys(LUCIDRAINS, "lucidrains") | {
    "transformers": "transformers",
    "timm": "timm",
    "litgpt": "litgpt",
    "torchtune": "torchtune",
    "mambapy": "mambapy",
    "flash-linear-attention": "fla",
}
OPTIMIZERS = ["pytorch_optimizer", "torch_optimizer", "lion-pytorch", "adam-atan2-pytorch"]
PER_AUTHOR_MAX = 30
FILE_BYTES_MAX = 120_000
CLASSES_MIN = 2


def module_name(package):
    return package.replace("-", "_").lower()


def fetch(work):
    """Unpacked wheels of all packages, by their names."""
    roots = {}
    for package in [*AUTHORS, *OPTIMIZERS]:
        root = work / "src" / module_name(package)
        if not root.is_dir():
            wheels = work / "wheels" / package
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", wheels, package],
                check=True,
            )
            with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
                wheel.extractall(root)
        roots[package] = root
    return roots


def classes_of(tree, base):
    """Names of the classes at the top that derive from something called like `base`."""
    return [
        stmt.name
        for stmt in tree.body
        if isinstance(stmt, ast.ClassDef) and any(re.search(base, ast.unparse(part)) for part in stmt.bases)
    ]


def python_files(root, base, least):
    """Files with at least so many such classes, with their trees."""
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(errors="replace")
        if len(text) > FILE_BYTES_MAX or "import torch" not in text or "test" in path.name:
            continue
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        if len(classes_of(tree, base)) >= least:
            yield path, tree


def spread(found, most):
    """At most so many, evenly over the whole."""
    step = -(-len(found) // most) if found else 1
    return found[::step]


def architecture(tree):
    """The file with a `build_model` that mentions everything, so that nothing of it is dead code."""
    tops = [s.name for s in tree.body if isinstance(s, (ast.ClassDef, ast.FunctionDef))]
    tree.body += ast.parse(f"def build_model(ctx):\n    return ({', '.join(tops)},)").body
    return ast.unparse(tree)


def training(tree, name):
    """An optimizer with a plain loop around it."""
    loop = f"def train(ctx):\n    model = ctx.build_model()\n    optimizer = {name}(model.parameters(), lr=1e-3)\n"
    loop += "    for batch in ctx.stream(model, batch_size=8, seq_len=64):\n        optimizer.zero_grad()\n"
    loop += "        batch.loss(model(batch.inputs)).backward()\n        optimizer.step()\n"
    tree.body += ast.parse(loop).body
    return ast.unparse(tree)


class Outline(ast.NodeTransformer):
    """Puts the value of each longer assignment and return into a function of its own."""

    NODES_MIN = 12
    AVOIDED = (ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.ListComp, ast.GeneratorExp, ast.Starred)
    AVOIDED += (ast.SetComp, ast.DictComp)

    def __init__(self, tops):
        self.tops, self.helpers, self.depth = tops, [], 0

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    def outlined(self, node):
        value = node.value
        parts = list(ast.walk(value)) if value is not None else []
        names = sorted({part.id for part in parts if isinstance(part, ast.Name)} - self.tops)
        is_open = any(isinstance(part, self.AVOIDED) for part in parts) or "super" in names
        if not self.depth or is_open or len(parts) < self.NODES_MIN or not isinstance(value, (ast.Call, ast.BinOp)):
            return node
        name = f"helper_{len(self.helpers)}"
        renamed = copy.deepcopy(value)
        for part in ast.walk(renamed):
            if isinstance(part, ast.Name) and part.id == "self":
                part.id = "owner"
        arguments = [ast.arg("owner" if name == "self" else name) for name in names]
        body = [ast.Return(renamed)]
        self.helpers.append(
            ast.FunctionDef(name, ast.arguments([], arguments, None, [], [], None, []), body, [], None)
        )
        node.value = ast.Call(ast.Name(name, ast.Load()), [ast.Name(name, ast.Load()) for name in names], [])
        return node

    visit_Assign = outlined
    visit_Return = outlined


def top_names(tree):
    names = set(dir(__import__("builtins"))) - {"super"}
    for stmt in tree.body:
        if isinstance(stmt, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in stmt.names}
        elif isinstance(stmt, (ast.FunctionDef, ast.ClassDef)):
            names.add(stmt.name)
        elif isinstance(stmt, ast.Assign):
            names |= {target.id for target in stmt.targets if isinstance(target, ast.Name)}
    return names


def outlined(files, _seed=0):
    """All longer expressions behind own functions."""
    out = {}
    for path, text in files.items():
        tree = ast.parse(text)
        outline = Outline(top_names(tree))
        tree = outline.visit(tree)
        tree.body += outline.helpers
        out[path] = ast.unparse(ast.fix_missing_locations(tree))
    return out


def made(files, _seed=0):
    """Each class of the model is made by a function of its own."""
    tree = ast.parse(files["architecture.py"])
    body = []
    for stmt in tree.body:
        if isinstance(stmt, ast.ClassDef):
            name = stmt.name
            maker = ast.parse(f"def make_{name}(extra=None):\n    return {name}\n{name} = make_{name}()").body
            maker[0].body.insert(0, stmt)
            body += maker
        else:
            body.append(stmt)
    return files | {"architecture.py": ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))}


def beside(files, others):
    """With whole models by others in files beside it, which it mentions."""
    out = dict(files)
    names = []
    for number, other in enumerate(others):
        out[f"foreign_{number}.py"] = other["architecture.py"].replace("build_model", f"build_foreign_{number}")
        names.append(f"foreign_{number}.build_foreign_{number}")
    imports = "".join(f"import foreign_{number}\n" for number in range(len(others)))
    out["architecture.py"] = f"{imports}{out['architecture.py']}\n\nUSED = ({', '.join(names)},)\n"
    return out


def largest_class(files):
    """The largest class of a model, with the imports of its file."""
    tree = ast.parse(files["architecture.py"])
    classes = [stmt for stmt in tree.body if isinstance(stmt, ast.ClassDef)]
    largest = max(classes, key=lambda stmt: sum(1 for _ in ast.walk(stmt)))
    imports = [stmt for stmt in tree.body if isinstance(stmt, (ast.Import, ast.ImportFrom))]
    return ast.unparse(ast.Module([*imports, largest], [])), largest.name


def one_part(files, other):
    """The largest class, renamed, in a bundle by somebody else."""
    text, name = largest_class(files)
    taken = rename_all({"taken.py": text + f"\n\nKEPT = {name}\n"}, 0)
    out = other | taken
    out["architecture.py"] = f"import taken\n{out['architecture.py']}\n\nUSED = taken\n"
    return out


def disguises(name, bundles, seed):
    """Every disguise of a bundle."""
    draw = random.Random(seed)
    author = name.split("--")[0]
    strangers = [files for other, files in sorted(bundles.items()) if other.split("--")[0] != author]
    others = draw.sample(strangers, 3)
    files = bundles[name]
    hidden = DISGUISES["all-of-these"](dict(files), seed)
    loop = {"training.py": others[0]["training.py"]}
    yield "renamed", rename_all(files, seed)
    yield "all-of-these", hidden
    yield "own-functions", outlined(rename_all(files, seed))
    yield "made-in-functions", made(rename_all(files, seed))
    yield "another-loop", rename_all(files, seed) | loop
    yield "beside-three-others", beside(rename_all(files, seed), others)
    yield "own-functions, beside, another-loop", beside(outlined(rename_all(files, seed)), others) | loop
    yield "all-of-these, beside, another-loop", beside(hidden, others) | loop
    yield "largest class in another's bundle", one_part(files, others[1])
    for percent in [10, 20, 30]:
        yield f"edited-{percent}-percent", DISGUISES[f"edited-{percent}-percent"](dict(files), seed)


def main():
    """Fetch, write and measure."""
    work = Path(sys.argv[1]).resolve()
    roots = fetch(work)
    optimizers = []
    for package in OPTIMIZERS:
        for path, tree in python_files(roots[package], r"Optimizer$", 1):
            optimizers.append((path.stem, training(tree, classes_of(tree, "Optimizer$")[0])))
    random.Random(0).shuffle(optimizers)
    by_author = {}
    for package, author in AUTHORS.items():
        under = roots[package] / "transformers" / "models" if package == "transformers" else roots[package]
        found = [
            (path, tree)
            for path, tree in python_files(under, r"Module$|PreTrainedModel$", CLASSES_MIN)
            if package != "transformers" or path.name.startswith("modeling_")
        ]
        by_author.setdefault(author, []).extend((package, path, tree) for path, tree in found)
    bundles = {}
    for author, found in by_author.items():
        for package, path, tree in spread(found, PER_AUTHOR_MAX):
            # No two bundles have one optimizer.
            if len(bundles) < len(optimizers):
                optimizer, text = optimizers[len(bundles)]
                name = f"{author}--{package}--{path.parent.name}-{path.stem}--{optimizer}"
                bundles[name] = {"architecture.py": architecture(tree), "training.py": text}
    for number, (name, files) in enumerate(sorted(bundles.items())):
        write(work / "originals" / name, files, {})
        for disguise, disguised in disguises(name, bundles, number):
            write(work / "variants" / disguise / name, disguised, {})
    print(f"{len(bundles)} model files by {len(by_author)} authors, {len(optimizers)} optimizers\n", flush=True)
    example = ["cargo", "run", "--release", "--quiet", "-p", "prism-gate", "--example", "similarity_rates", "--"]
    subprocess.run([*example, work / "originals", work / "variants"], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
