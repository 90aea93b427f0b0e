"""Disguises of a bundle, for measuring how much of it the comparison still finds (docs/similarity.md).

    python bench/similarity_variants.py BUNDLES OUT

BUNDLES is a directory of bundles, each with flat Python files. For each bundle and each disguise a directory is written
to OUT/<disguise>/<bundle>. The results parse, but are not meant to run. Needs only the standard library.
"""

import ast
import builtins
import copy
import random
import sys
from pathlib import Path

KEPT = {"build_model", "train", "forward", "backward", "step", "ctx", "architecture", "training", "reset_parameters"}
KEPT |= {"setup_context", "jvp", "vmap", "right_inverse", "closure", "extra_repr"} | set(dir(builtins))
KEPT |= {"param_groups", "zero_grad", "state", "state_dict", "load_state_dict", "parameters", "named_parameters", "apply"}
# Attributes that a bundle may share with PyTorch; they are renamed only where they belong to `self`.
SHARED = {"weight", "bias", "data", "grad", "shape", "norm", "state", "param_groups", "mode", "scale", "size", "dim", "step"}
SHARED |= {"inputs", "targets", "mask", "T", "ndim", "device", "dtype", "max", "min", "mean", "var", "add", "loss", "log"}


TEXTS = {".py", ".yaml", ".json", ".md", ".txt", ".toml"}


def bound(trees):
    """Names and attributes that the bundle itself makes."""
    names, attributes = set(), set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
            attributes.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            attributes.add(node.attr)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names -= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    keep = {name for name in names | attributes if name.startswith("__")} | KEPT
    return names - keep, attributes - keep - {"shape"}


class Rename(ast.NodeTransformer):
    def __init__(self, names, attributes):
        self.names = {name: f"v{number}" for number, name in enumerate(sorted(names | attributes))}
        self.plain, self.attributes = names, attributes

    def name(self, name):
        return self.names[name] if name in self.plain else name

    def visit_Name(self, node):
        node.id = self.name(node.id)
        return node

    def visit_arg(self, node):
        node.arg = self.name(node.arg)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        node.name = self.names.get(node.name, node.name) if node.name in self.plain else node.name
        return self.generic_visit(node)

    visit_ClassDef = visit_FunctionDef

    def visit_alias(self, node):
        node.name = self.name(node.name)
        return node

    def visit_keyword(self, node):
        return self.generic_visit(node)

    def visit_Attribute(self, node):
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        self.generic_visit(node)
        if node.attr in self.attributes and (own or node.attr not in SHARED):
            node.attr = self.names[node.attr]
        return node


class Literals(ast.NodeTransformer):
    def visit_Constant(self, node):
        if isinstance(node.value, bool) or node.value is None:
            return node
        if isinstance(node.value, int):
            return ast.Constant(node.value * 3 + 1)
        if isinstance(node.value, float):
            return ast.Constant(node.value * 1.7)
        return node


class Talk(ast.NodeTransformer):
    """Docstrings, type hints, prints, assertions."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.body.insert(0, ast.parse("print('here')").body[0])
        node.body.insert(0, ast.parse("'''Does something quite new.'''").body[0])
        node.body.insert(2, ast.parse("assert True, 'never'").body[0])
        node.returns = ast.Name("object", ast.Load())
        for argument in node.args.args:
            argument.annotation = ast.Name("object", ast.Load())
        return node


class Commute(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, (ast.Add, ast.Mult)):
            node.left, node.right = node.right, node.left
        return node


class Wrap(ast.NodeTransformer):
    """Everything under `if True`, and code that never runs."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        dead = ast.parse("unused_number = len('x') * 3").body
        never = ast.parse("if False:\n    while_never = [q * q for q in range(9) if q % 2]").body
        node.body = [*dead, ast.If(ast.Constant(True), node.body, []), *never]
        return node


class Temporaries(ast.NodeTransformer):
    """Gives a name to each part of a returned expression and of an assigned call."""

    def __init__(self):
        self.count = 0

    def named(self, expr):
        self.count += 1
        name = f"tmp{self.count}"
        return ast.Assign([ast.Name(name, ast.Store())], expr), ast.Name(name, ast.Load())

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.body = self.body(node.body)
        return node

    def body(self, statements):
        out = []
        for stmt in statements:
            if isinstance(stmt, (ast.Return, ast.Assign)) and isinstance(stmt.value, (ast.Call, ast.BinOp)):
                for parts in ([stmt.value.args] if isinstance(stmt.value, ast.Call) else []):
                    for at, part in enumerate(parts):
                        if isinstance(part, (ast.Call, ast.BinOp)):
                            assign, parts[at] = self.named(part)
                            out.append(assign)
                if isinstance(stmt.value, ast.BinOp) and isinstance(stmt.value.right, (ast.Call, ast.BinOp)):
                    assign, stmt.value.right = self.named(stmt.value.right)
                    out.append(assign)
                if isinstance(stmt, ast.Return):
                    assign, stmt.value = self.named(stmt.value)
                    out.append(assign)
            elif isinstance(stmt, (ast.For, ast.If, ast.With)):
                stmt.body = self.body(stmt.body)
            out.append(stmt)
        return out


def names_of(node):
    reads, writes = set(), set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self":
            (reads if isinstance(part.ctx, ast.Load) else writes).add(f"self.{part.attr}")
        elif isinstance(part, ast.Name) and part.id != "self":
            (reads if isinstance(part.ctx, ast.Load) else writes).add(part.id)
        elif isinstance(part, (ast.Subscript, ast.Attribute)) and isinstance(part.ctx, ast.Store):
            writes |= {name.id for name in ast.walk(part) if isinstance(name, ast.Name)}
    return reads, writes


class Reorder(ast.NodeTransformer):
    """Shuffles members, definitions, keyword arguments and neighbours that do not need one another."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        self.random.shuffle(node.body)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        self.random.shuffle(node.keywords)
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        for _ in range(3):
            for at in range(len(node.body) - 1):
                one, two = node.body[at], node.body[at + 1]
                plain = all(isinstance(stmt, ast.Assign) for stmt in (one, two))
                (r1, w1), (r2, w2) = names_of(one), names_of(two)
                if plain and not (w1 & (r2 | w2)) and not (r1 & w2) and self.random.random() < 0.6:
                    node.body[at], node.body[at + 1] = two, one
        return node

    def visit_Module(self, node):
        self.generic_visit(node)
        movable = [at for at, s in enumerate(node.body) if isinstance(s, (ast.FunctionDef, ast.ClassDef))]
        moved = [node.body[at] for at in movable]
        self.random.shuffle(moved)
        for at, stmt in zip(movable, moved, strict=True):
            node.body[at] = stmt
        return node


def edit(tree, share, seed):
    """Changes the meaning: replaces a share of all simple statements by something else."""
    draw = random.Random(seed)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for at, stmt in enumerate(body):
                if isinstance(stmt, (ast.Assign, ast.Return)) and draw.random() < share:
                    stmt.value = ast.parse(f"torch.special.entr(torch.logit(x) - {draw.random():.3f}, y)").body[0].value
    return tree


def apply(*transformers):
    def run(files, seed):
        trees = {path: ast.parse(text) for path, text in files.items()}
        for make in transformers:
            for path in trees:
                trees[path] = make(list(trees.values()), seed)(trees[path])
        return {path: ast.unparse(ast.fix_missing_locations(tree)) for path, tree in trees.items()}

    return run


def rename_all(files, _seed):
    trees = {path: ast.parse(text) for path, text in files.items()}
    names, attributes = bound(trees.values())
    return {path: ast.unparse(Rename(names, attributes).visit(tree)) for path, tree in trees.items()}


def split(files, _seed):
    """Moves every other definition of architecture.py to a file of its own."""
    tree = ast.parse(files["architecture.py"])
    defs = [s for s in tree.body if isinstance(s, (ast.FunctionDef, ast.ClassDef)) and s.name != "build_model"]
    moved = defs[::2]
    rest = [s for s in tree.body if s not in moved]
    imports = [s for s in tree.body if isinstance(s, (ast.Import, ast.ImportFrom))]
    helper = ast.Module([*imports, *moved], [])
    brings = ast.parse("from extra_parts import " + ", ".join(s.name for s in moved)).body if moved else []
    out = dict(files)
    out["architecture.py"] = ast.unparse(ast.Module([*brings, *rest], []))
    out["extra_parts.py"] = ast.unparse(helper)
    return out


def chain(*steps):
    def run(files, seed):
        for step in steps:
            files = step(files, seed)
        return files

    return run


REORDERED = apply(lambda _, seed: Reorder(seed).visit)
LITERALS = apply(lambda *_: Literals().visit)
TALKED = apply(lambda *_: Talk().visit)
COMMUTED = apply(lambda *_: Commute().visit)
WRAPPED = apply(lambda *_: Wrap().visit)
NAMED = apply(lambda *_: Temporaries().visit)
DISGUISES = {
    "reformatted": apply(lambda *_: lambda tree: tree),
    "renamed": rename_all,
    "literals": LITERALS,
    "commented": TALKED,
    "reordered": REORDERED,
    "commuted": COMMUTED,
    "wrapped": WRAPPED,
    "temporaries": NAMED,
    "split": split,
    "all-of-these": chain(split, WRAPPED, NAMED, COMMUTED, REORDERED, LITERALS, TALKED, rename_all),
    "edited-10-percent": apply(lambda _, seed: lambda tree: edit(tree, 0.1, seed)),
    "edited-20-percent": apply(lambda _, seed: lambda tree: edit(tree, 0.2, seed)),
    "edited-30-percent": apply(lambda _, seed: lambda tree: edit(tree, 0.3, seed)),
    "edited-50-percent": apply(lambda _, seed: lambda tree: edit(tree, 0.5, seed)),
}


def mixed(files, other):
    """The architecture of one with the training of another."""
    out = {path: text for path, text in files.items() if path != "training.py"}
    out["training.py"] = other["training.py"]
    return out


def padded(files, other):
    """All of one, renamed, beside all of another that nothing needs but a mention."""
    out = dict(rename_all(files, 0))
    tree = ast.parse(other["architecture.py"])
    names = [s.name for s in tree.body if isinstance(s, (ast.FunctionDef, ast.ClassDef)) and s.name != "build_model"]
    out["padding.py"] = other["architecture.py"] + (f"\n\nUSED = ({', '.join(names)},)\n" if names else "")
    return out


def write(root, files, extra):
    root.mkdir(parents=True, exist_ok=True)
    for path, text in {**extra, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def main():
    source, out = map(Path, sys.argv[1:3])
    bundles = {}
    for root in sorted(path for path in source.iterdir() if path.is_dir()):
        texts = {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.suffix in TEXTS}
        texts.pop("case.toml", None)
        python = {path: text for path, text in texts.items() if path.endswith(".py")}
        if {"architecture.py", "training.py"} <= python.keys():
            bundles[root.name] = (python, {k: v for k, v in texts.items() if k not in python})
    names = list(bundles)
    for number, name in enumerate(names):
        python, extra = bundles[name]
        other = bundles[names[(number + 7) % len(names)]][0]
        for disguise, make in DISGUISES.items():
            write(out / disguise / name, make(copy.deepcopy(python), number), extra)
        write(out / "architecture-only" / name, mixed(python, other), extra)
        write(out / "padded" / name, padded(python, other), extra)


if __name__ == "__main__":
    main()
