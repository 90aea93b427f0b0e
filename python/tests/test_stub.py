"""The stub that editors see agrees with the classes that run, name by name."""

import ast
import inspect
from itertools import pairwise
from pathlib import Path

import pytest

import prism_runtime
from prism_runtime import compat
from prism_runtime.batch import Batch
from prism_runtime.context import Context
from prism_runtime.stream import Stream
from prism_runtime.tokenizer import Tokenizer

STUB = Path(__file__).parent.parent / "stubs" / "prism_runtime" / "__init__.pyi"
TREE = ast.parse(STUB.read_text(encoding="utf-8"))
CLASSES = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef)}
REAL = {
    "Batch": Batch,
    "Context": Context,
    "PrismBatch": compat.PrismBatch,
    "PrismError": prism_runtime.PrismError,
    "Stream": Stream,
    "Tokenizer": Tokenizer,
}
# What a class has for the harness or for Python itself, and an editor need not offer.
UNLISTED = {
    "__init__",
    "__getattr__",
    "__repr__",
    "__setattr__",
    "__delattr__",
    "__copy__",
    "__deepcopy__",
    "__reduce__",
}


def stub_methods(name: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)}


def real_methods(kind: type) -> dict[str, object]:
    members = dict(vars(kind)) | (dict(vars(compat.OlderInterface)) if kind is Context else {})
    found = {
        name: value
        for name, value in members.items()
        if inspect.isfunction(value) or isinstance(value, property)
    }
    generated = {"__eq__", "__hash__", "__replace__"}
    private = {name for name in found if name.startswith("_") and not name.endswith("__")}
    return {n: v for n, v in found.items() if n not in UNLISTED | generated | private}


def parameters(node: ast.FunctionDef) -> list[tuple[str, str | None]]:
    """List names and defaults of a stub's parameters."""
    arguments = node.args
    listed: list[tuple[str, str | None]] = [(a.arg, None) for a in arguments.args]
    if arguments.vararg:
        listed.append(("*" + arguments.vararg.arg, None))
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    listed += [(a.arg, ast.unparse(d) if d else None) for a, d in pairs]
    if arguments.kwarg:
        listed.append(("**" + arguments.kwarg.arg, None))
    return listed


def real_parameters(value: object) -> list[tuple[str, str | None]]:
    function = value.fget if isinstance(value, property) else value
    assert inspect.isfunction(function)
    stars: dict[object, str] = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    return [
        (
            stars.get(parameter.kind, "") + parameter.name,
            None if parameter.default is inspect.Parameter.empty else repr(parameter.default),
        )
        for parameter in inspect.signature(function).parameters.values()
    ]


def test_the_stub_lists_the_public_classes() -> None:
    assert CLASSES.keys() == REAL.keys()
    assert set(prism_runtime.__all__) == CLASSES.keys()


@pytest.mark.parametrize("name", REAL)
def test_methods_agree(name: str) -> None:
    stub, real = stub_methods(name), real_methods(REAL[name])
    assert stub.keys() == real.keys()
    for method, node in stub.items():
        assert parameters(node) == real_parameters(real[method]), method
        is_property = any(ast.unparse(d) == "property" for d in node.decorator_list)
        assert is_property == isinstance(real[method], property), method


def annotations(name: str) -> dict[str, str]:
    body = CLASSES[name].body
    return {
        ast.unparse(n.target): ast.unparse(n.annotation)
        for n in body
        if isinstance(n, ast.AnnAssign)
    }


def test_fields_of_the_context_agree() -> None:
    real = {n: t.__name__ for n, t in Context.__annotations__.items() if not n.startswith("_")}
    assert annotations("Context") == real


def test_fields_of_a_batch_agree() -> None:
    source = ast.parse(inspect.getsource(Batch))
    assigned = {
        target.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
    }
    public = {name for name in assigned if not name.startswith("_")}
    assert annotations("Batch").keys() == public


@pytest.mark.parametrize("name", ["Tokenizer", "PrismBatch"])
def test_fields_of_the_small_classes_agree(name: str) -> None:
    assert annotations(name).keys() == inspect.get_annotations(REAL[name]).keys()


@pytest.mark.parametrize("name", CLASSES)
def test_everything_in_the_stub_is_documented(name: str) -> None:
    body = CLASSES[name].body
    assert ast.get_docstring(CLASSES[name])
    for method in stub_methods(name).values():
        assert ast.get_docstring(method), method.name
    if name in {"Batch", "Context"}:
        for field, text in pairwise(body):
            if isinstance(field, ast.AnnAssign):
                assert isinstance(text, ast.Expr), ast.unparse(field)
