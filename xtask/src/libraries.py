"""What the locked runtime lends: run by `xtask libraries` with the runtime's own interpreter, on a JSON request from stdin.

It imports every module that the gate allows, once, and prints one JSON object: the public names of each, the attributes
that their objects have, the attributes that nobody documents, and what is reached from what is lent. It decides nothing:
which names are refused is said in the request, by the rules of the gate.
"""

from __future__ import annotations

import ast
import builtins
import collections
import functools
import importlib
import inspect
import io
import json
import os
import sys
import types
import warnings

warnings.simplefilter("ignore")

# Texts that are longer are documentation, and so are collections of such.
TEXT_CHARS_MAX = 80
# What is walked from one object at most.
ITEMS_MAX = 2000
OBJECTS_MAX = 60_000

# Modules whose functions and classes are ways out, wherever they are found.
WAYS_OUT = {
    "_ctypes", "_frozen_importlib", "_frozen_importlib_external", "_imp", "_io", "_multiprocessing", "_pickle",
    "_posixsubprocess", "_socket", "_thread", "ast", "asyncio", "cffi", "code", "codeop", "copyreg", "ctypes",
    "dis", "faulthandler", "fcntl", "gc", "glob", "importlib", "inspect", "io", "linecache", "marshal", "mmap",
    "multiprocessing", "nt", "os", "pathlib", "pickle", "pkgutil", "posix", "posixpath", "runpy", "select",
    "selectors", "shelve", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading",
    "tokenize", "traceback", "urllib", "zipfile", "zipimport",
}
DANGEROUS_BUILTINS = {
    "__build_class__", "__import__", "breakpoint", "compile", "delattr", "dir", "eval", "exec", "getattr", "globals",
    "hasattr", "help", "input", "locals", "memoryview", "open", "setattr", "vars",
}
BASE_TYPES = [
    str, bytes, bytearray, int, float, complex, bool, list, tuple, dict, set, frozenset, range, slice, property,
    BaseException, OSError, StopIteration, KeyError, UnicodeDecodeError, type({}.keys()), type({}.items()), type({}.values()),
    types.SimpleNamespace, types.MappingProxyType, types.GeneratorType,
]


def is_data(value, depth=0):
    """Whether a value is made of numbers, short texts and types of the library."""
    if isinstance(value, (bool, int, float, complex, type(None), type(Ellipsis))):
        return True
    if isinstance(value, (str, bytes)):
        return len(value) <= TEXT_CHARS_MAX
    if depth < 3 and isinstance(value, (list, tuple, set, frozenset)):
        return all(is_data(item, depth + 1) for item in list(value)[:ITEMS_MAX])
    if depth < 3 and isinstance(value, (dict, types.MappingProxyType)):
        return all(is_data(k, depth + 1) and is_data(v, depth + 1) for k, v in list(value.items())[:ITEMS_MAX])
    home = type(value).__module__
    return depth > 0 and isinstance(value, type) or home in {"torch", "numpy"} or home.startswith("torch.backends.")


# Values of these types are lent wherever they are.
CONSTANTS = {"dtype", "layout", "memory_format", "qscheme"}


def borrowed():
    """What modules import of one another and may lend as well, since it is the same thing without conditions."""
    import collections.abc
    import typing

    import torch

    lent = {"Tensor": [torch.Tensor], "Module": [torch.nn.Module], "Parameter": [torch.nn.Parameter]}
    lent["Optimizer"] = [torch.optim.Optimizer]
    for name in ("Any", "Callable", "Iterable", "Iterator", "List", "Literal", "Mapping", "Optional", "Sequence", "Tuple", "TypeVar", "Union"):
        lent[name] = [getattr(typing, name, None), getattr(collections.abc, name, None)]
    return lent


BORROWED = borrowed() if __name__ == "__main__" else {}


def refused_objects(paths):
    """The functions and classes that rules refuse by some path, so that they are lent under no other."""
    found = {}
    for path in paths:
        parts = path.split(".")
        if parts[0] not in sys.modules or parts[0] == "builtins":
            continue
        value = sys.modules[parts[0]]
        try:
            for part in parts[1:]:
                value = getattr(value, part)
        except Exception:
            continue
        home = getattr(value, "__module__", None) or ""
        if len(parts) > 1 and kind_of(value) in ("class", "function") and not home.startswith("typing"):
            found[id(value)] = value
    return found


def kind_of(value):
    if isinstance(value, types.ModuleType):
        return "module"
    if isinstance(value, type):
        return "class"
    if callable(value):
        return "function"
    return "value"


def home_of(value):
    """The module that a value says it comes from."""
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else None


def public_names(module, given):
    """The names that a module lends: those that it lists, or those that it defines."""
    name = module.__name__
    top = name.split(".")[0]
    listed = getattr(module, "__all__", None)
    found = {}
    # Submodules and the constants of torch are on no list, and some modules are objects with settings.
    unlisted = {n for n in dir(module) if isinstance(getattr(module, n, None), types.ModuleType) or n in BORROWED}
    unlisted |= {n for n in dir(module) if type(getattr(module, n, None)).__name__ in CONSTANTS}
    if type(module) is not types.ModuleType:
        unlisted |= {n for n in vars(type(module))} | {n for n in dir(module)}
    for attribute in sorted(set(listed or dir(module)) | set(given) | unlisted):
        if attribute.startswith("_") and attribute not in given:
            continue
        try:
            value = getattr(module, attribute)
        except Exception:
            continue
        kind = kind_of(value)
        if kind == "module":
            found[attribute] = ["module", value.__name__]
            continue
        if attribute in given or (listed is not None and attribute in listed):
            if kind == "value" and not is_data(value) and home_of(type(value)) in WAYS_OUT:
                continue
            if kind == "value" and (isinstance(value, str) and len(value) > TEXT_CHARS_MAX):
                continue
            found[attribute] = [kind, home_of(value) or ""]
            continue
        home = home_of(value)
        if attribute in BORROWED and any(value is known for known in BORROWED[attribute]):
            found[attribute] = [kind, home or ""]
            continue
        if kind in ("class", "function"):
            if isinstance(value, types.BuiltinFunctionType) and top == "torch" and home == "torch":
                found[attribute] = [kind, home]
                continue
            own = home is None or home.lstrip("_") == name or home.startswith(name + ".") or (
                home.split(".")[0] == top and any(part.startswith("_") for part in home.split(".")[1:])
                and hasattr(module, "__path__") is False
            )
            typing_like = home == "typing"
            if (own and not typing_like) or (home or "").startswith(name.split(".")[0] + "._C"):
                found[attribute] = [kind, home or ""]
        elif is_data(value):
            found[attribute] = [kind, home or ""]
    return found


@functools.cache
def self_attributes(path):
    """The attributes that each class of a source file gives to `self`."""
    classes = {}
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return classes
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names = classes.setdefault(node.name, set())
            for inner in ast.walk(node):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
                    if isinstance(inner.value, ast.Name) and inner.value.id == "self":
                        names.add(inner.attr)
                elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                    names.add(inner.target.id)
    return classes


def names_of_class(cls):
    """All attributes of a class and of its instances."""
    names = set()
    for base in getattr(cls, "__mro__", (cls,)):
        names.update(vars(base))
        module = sys.modules.get(getattr(base, "__module__", "") or "")
        path = getattr(module, "__file__", None)
        if path and path.endswith(".py"):
            names |= self_attributes(path).get(base.__name__, set())
        names.update(getattr(base, "_fields", ()) if isinstance(getattr(base, "_fields", ()), tuple) else ())
    return {name for name in names if isinstance(name, str)}


def is_a_way_out(value, allowed):
    if isinstance(value, types.ModuleType):
        return value.__name__ not in allowed
    if isinstance(value, (types.CodeType, types.FrameType, types.TracebackType, types.CellType, io.IOBase)):
        return True
    try:
        kind = type(value)
        home = (getattr(value, "__module__", None) if callable(value) else kind.__module__) or ""
        if callable(value) and home == "builtins":
            return getattr(value, "__name__", "") in DANGEROUS_BUILTINS and not isinstance(value, types.MethodType)
        if not isinstance(home, str):
            return False
        return home.split(".")[0] in WAYS_OUT or kind.__module__.split(".")[0] in WAYS_OUT
    except Exception:
        return False


SEEDS = [
    "torch.ones(1)", "torch.nn.Parameter(torch.ones(1))", "torch.nn.Linear(1, 1)", "torch.nn.Sequential()",
    "torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))])", "torch.optim.SGD([torch.nn.Parameter(torch.ones(1))])",
    "torch.optim.lr_scheduler.LambdaLR(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))]), lambda s: 1.0)",
    "torch.device('cpu')", "torch.finfo(torch.float32)", "torch.iinfo(torch.int32)", "torch.Generator()", "torch.Size([1])",
    "torch.max(torch.ones(2), 0)", "torch.linalg.svd(torch.ones(1, 1))", "torch.linalg.qr(torch.ones(1, 1))",
    "torch.ones(1, requires_grad=True).sum().grad_fn", "torch.distributions.Normal(0.0, 1.0)", "torch.ones(1).untyped_storage()",
    "torch.nn.utils.rnn.pack_sequence([torch.ones(1)])", "torch.utils.data.DataLoader([1])", "torch.cuda.amp.GradScaler()",
    "torch.jit.script(torch.nn.Linear(1, 1))", "torch.compile(torch.nn.Linear(1, 1))",
    "torch.nn.AdaptiveLogSoftmaxWithLoss(4, 4, [2])(torch.ones(1, 4), torch.zeros(1, dtype=torch.long))",
    "torch.nn.MultiheadAttention(2, 1)", "torch.nn.LSTM(1, 1)", "torch.autograd.profiler.profile()",
    "numpy.ones(1)", "numpy.float32(1)", "numpy.dtype('f4')", "numpy.random.default_rng(0)", "numpy.random.RandomState(0)",
    "numpy.finfo('f4')", "numpy.iinfo('i4')", "numpy.ma.array([1])", "numpy.ones(1).flat", "numpy.nditer([1])",
    "numpy.polynomial.Polynomial([1])", "numpy.unique_counts([1])", "numpy.linalg.svd([[1.0]])",
    "re.compile('a')", "re.match('a', 'a')", "random.Random(0)", "logging.getLogger('x')", "logging.getLogger()", "warnings.catch_warnings()",
    "fractions.Fraction(1)", "collections.OrderedDict()", "collections.Counter()", "collections.deque()", "collections.defaultdict(int)",
    "collections.ChainMap()", "functools.partial(int)", "functools.lru_cache(lambda: 1)", "functools.singledispatch(lambda x: x)",
    "itertools.count()", "contextlib.ExitStack()", "contextlib.nullcontext()", "statistics.NormalDist()", "time.localtime()",
    "typing.Optional['int']", "typing.TypeVar('T')", "uuid.uuid4()", "argparse.ArgumentParser()", "hashlib.sha256()",
    "struct.Struct('i')", "datetime.datetime(2000, 1, 1)", "datetime.timedelta(1)", "decimal.Decimal(1)", "zlib.compressobj()",
    "string.Template('a')", "json.JSONDecoder()", "dataclasses.field()", "enum.auto()", "operator.itemgetter(0)", "timeit.Timer()",
]


def seeds(modules):
    scope = {name.split(".")[0]: sys.modules[name.split(".")[0]] for name in modules}
    for text in SEEDS:
        try:
            yield text, eval(text, dict(scope))
        except Exception:
            continue


def instances(lent):
    """Instances of what can be made of nothing."""
    for path, value in lent:
        if not isinstance(value, type) or issubclass(value, (type, BaseException)):
            continue
        if value.__module__.split(".")[0] == "torch" and "distributed" in value.__module__:
            continue
        try:
            yield path + "()", value()
        except BaseException:
            continue


def dictionary(value):
    try:
        inner = object.__getattribute__(value, "__dict__")
        return inner if isinstance(inner, dict) else {}
    except Exception:
        return {}


def attributes_of(value):
    names = set()
    try:
        for base in type(value).__mro__:
            names.update(vars(base))
        if isinstance(value, type):
            for base in value.__mro__:
                names.update(vars(base))
        elif isinstance(value, types.ModuleType):
            names.update(vars(value))
    except Exception:
        pass
    names.update(dictionary(value))
    return sorted(name for name in names if isinstance(name, str))


def walk(roots, sayable, allowed):
    """From what is lent through everything that may be said: the ways out that are reached, with their paths."""
    queue = collections.deque(roots)
    seen, kept, reached = set(), [], {}
    while queue and len(seen) < OBJECTS_MAX:
        path, value = queue.popleft()
        if id(value) in seen or isinstance(value, (int, float, str, bytes, bool, type(None))):
            continue
        seen.add(id(value))
        kept.append(value)
        if is_a_way_out(value, allowed):
            reached.setdefault(path, repr(value)[:100])
            continue
        if isinstance(value, types.ModuleType):
            continue
        if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
            queue.extend((f"{path}[{n}]", item) for n, item in enumerate(list(value)[:ITEMS_MAX]))
        elif isinstance(value, (dict, types.MappingProxyType)):
            try:
                for key, item in list(value.items())[:ITEMS_MAX]:
                    queue.append((f"{path}[{str(key)[:40]!r}]", item))
                    queue.append((f"{path}.keys()", key))
            except Exception:
                pass
        if not isinstance(value, type):
            queue.append((f"type({path})", type(value)))
        for name in attributes_of(value):
            if name in sayable:
                try:
                    found = getattr(value, name)
                except BaseException:
                    continue
                queue.append((f"{path}.{name}", found))
    return reached, len(seen)


def everything(roots, plain):
    """From what is lent through any attribute at all that is no dunder: the names that were seen, and those under which a
    way out was held. A bundle may call an attribute of its own as it likes, so each name may be said of each object."""
    queue = collections.deque(roots)
    reached, kept, seen, ways = set(), [], set(), collections.defaultdict(set)
    while queue and len(reached) < OBJECTS_MAX:
        path, value = queue.popleft()
        if id(value) in reached or isinstance(value, (int, float, str, bytes, bool, type(None))):
            continue
        reached.add(id(value))
        kept.append(value)
        if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
            queue.extend((f"{path}[]", item) for item in list(value)[:ITEMS_MAX] if not is_a_way_out(item, plain))
        elif isinstance(value, (dict, types.MappingProxyType)):
            try:
                items = list(value.items())[:ITEMS_MAX]
            except Exception:
                items = []
            queue.extend((f"{path}[]", part) for item in items for part in item if not is_a_way_out(part, plain))
        if not isinstance(value, type) and not is_a_way_out(type(value), plain):
            queue.append((f"type({path})", type(value)))
        for name in attributes_of(value):
            if name.startswith("__") and name.endswith("__"):
                continue
            try:
                found = getattr(value, name)
            except BaseException:
                continue
            seen.add(name)
            if isinstance(found, (types.FunctionType, types.BuiltinFunctionType)) and not is_a_way_out(found, plain):
                continue
            if is_a_way_out(found, plain):
                ways[name].add(path)
            elif not (isinstance(found, types.BuiltinFunctionType) or isinstance(found, types.MethodType)):
                queue.append((f"{path}.{name}", found))
    return seen, ways


def values_of(names, modules):
    """What is lent, with its path; whole modules are not values."""
    found = []
    for name, given in names.items():
        for attribute in given:
            value = getattr(modules[name], attribute.rstrip("*"), None)
            if not isinstance(value, types.ModuleType):
                found.append((f"{name}.{attribute.rstrip(chr(42))}", value))
    return found


def main():
    request = json.load(sys.stdin)
    # What is tried out may print.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    modules = {}
    missing = []
    for name in request["modules"]:
        try:
            modules[name] = importlib.import_module(name)
        except Exception as error:
            missing.append(f"{name}: {error}")
    allowed = {module.__name__ for module in modules.values()} | set(modules)
    answer = {"missing": missing}
    if request["task"] == "names":
        answer["names"] = {
            name: public_names(module, request["modules"][name].get("also", []))
            if request["modules"][name].get("only") is None
            else {
                attribute: [kind_of(getattr(module, attribute)), getattr(getattr(module, attribute), "__name__", "") if kind_of(getattr(module, attribute)) == "module" else home_of(getattr(module, attribute)) or ""]
                for attribute in request["modules"][name]["only"]
                if hasattr(module, attribute)
            }
            for name, module in modules.items()
        }
        refused = refused_objects(request["denied"])
        answer["same"] = sorted(
            f"{name}.{attribute}"
            for name, given in answer["names"].items()
            for attribute in given
            if id(getattr(modules[name], attribute, None)) in refused
        )
    elif request["task"] == "attributes":
        lent = values_of(request["names"], modules)
        made = list(seeds(modules)) + list(instances(lent))
        public, private, classes = set(), set(), list(BASE_TYPES)
        for _, value in lent + made:
            classes.append(value if isinstance(value, type) else type(value))
        known = set()
        for cls in classes:
            if cls in known or cls.__module__.split(".")[0] in WAYS_OUT or issubclass(cls, types.ModuleType):
                continue
            known.add(cls)
            names = {name for name in names_of_class(cls) if not (name.startswith("__") and name.endswith("__"))}
            public |= {name for name in names if not name.startswith("_")}
            private |= names - public
        for ns in request["names"].values():
            public |= {name.rstrip("*") for name in ns if not name.startswith("_")}
        roots = lent + made
        roots += [(name, modules[name]) for name in request["plain"]]
        seen, ways = everything(roots, set(request["plain"]))
        answer["public"] = sorted(public)
        answer["inner"] = sorted(name for name in (seen | private) - public if len(name) > 2 and name.isidentifier())
        answer["ways"] = {name: sorted(places)[:3] for name, places in sorted(ways.items())}
    elif request["task"] == "walk":
        lent = values_of(request["names"], modules)
        roots = lent + list(seeds(modules)) + list(instances(lent))
        reached, count = walk(roots, set(request["attributes"]), allowed)
        answer["reached"], answer["objects"] = reached, count
        answer["loaded"] = sorted({name for name in sys.modules})
    json.dump(answer, out)


if __name__ == "__main__":
    main()
