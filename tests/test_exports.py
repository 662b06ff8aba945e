"""The public names: listed, sorted, real, and documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
import types

import pytest

import step_tts

PUBLIC_MODULES = ("step_tts", "step_tts.otel", "step_tts.sandbox")


def _names(module: types.ModuleType) -> set[str]:
    """Everything that a type checker lets a user reach as ``module.name``, by its source."""
    tree = ast.parse(inspect.getsource(module))
    imported = [
        alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names = {alias.asname or alias.name for alias in imported} | {node.name for node in defined}
    return {name for name in names if not name.startswith("_")} - {"annotations", "TYPE_CHECKING"}


def _place(name: str) -> tuple[bool, bool, str]:
    """Constants, then classes, then functions: the order ruff keeps."""
    return not name.isupper(), not name[0].isupper(), name


def _documented_members(owner: type) -> list[str]:
    """Methods and properties a public class defines itself."""
    kinds = (types.FunctionType, property, classmethod, staticmethod)
    return [
        name
        for name, value in vars(owner).items()
        if not name.startswith("_") and isinstance(value, kinds)
    ]


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_list_is_sorted_and_unique(name: str) -> None:
    """``__all__`` reads like an index."""
    exported = list(importlib.import_module(name).__all__)

    assert exported == sorted(set(exported), key=_place)


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_list_equals_the_namespace(name: str) -> None:
    """Nothing public is missing from ``__all__``, and nothing in it is missing."""
    module = importlib.import_module(name)

    assert set(module.__all__) - {"__version__"} == _names(module)


def test_a_name_is_imported_when_it_is_asked_for() -> None:
    """Having the package costs next to nothing; an error costs no client."""
    program = (
        "import sys, step_tts; before = set(sys.modules); step_tts.APIError;"
        "print(*before, '|', *sys.modules)"
    )
    shown = subprocess.check_output([sys.executable, "-c", program], text=True)
    before, after = (set(part.split()) for part in shown.split("|"))

    assert not before & {"attr", "anyio", "httpx", "step_tts._errors"}
    assert not after & {"anyio", "httpx", "step_tts._client"}


def test_what_is_not_there_is_an_attribute_error() -> None:
    """As in any module, and each name is listed."""
    with pytest.raises(AttributeError, match="has no attribute 'Client'"):
        _ = step_tts.Client  # type: ignore[attr-defined]
    assert dir(step_tts) == step_tts.__all__


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_every_name_is_documented(name: str) -> None:
    """Each exported class and function says what it is."""
    module = importlib.import_module(name)
    objects = {item: getattr(module, item) for item in module.__all__}
    ours = {k: v for k, v in objects.items() if inspect.isclass(v) or inspect.isroutine(v)}

    assert [k for k, v in ours.items() if not inspect.getdoc(v)] == []


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_every_member_is_documented(name: str) -> None:
    """Each public method and property of an exported class says what it does."""
    module = importlib.import_module(name)
    classes = [v for item in module.__all__ if inspect.isclass(v := getattr(module, item))]

    assert [
        f"{owner.__name__}.{member}"
        for owner in classes
        for member in _documented_members(owner)
        if not inspect.getdoc(getattr(owner, member))
    ] == []


def test_every_error_has_one_root() -> None:
    """``except StepTTSError`` catches whatever this package raises on purpose."""
    errors = [
        value
        for name in step_tts.__all__
        if inspect.isclass(value := getattr(step_tts, name)) and issubclass(value, BaseException)
    ]

    assert errors
    assert all(issubclass(error, step_tts.StepTTSError) for error in errors)


def test_every_defined_error_is_exported() -> None:
    """The tree in ``_errors`` is public as a whole."""
    from step_tts import _errors

    assert set(_errors.__all__) <= set(step_tts.__all__)


def test_every_module_says_what_it_knows() -> None:
    """Each module of the package opens with a docstring."""
    found = pkgutil.walk_packages(step_tts.__path__, "step_tts.")
    silent = [
        info.name
        for info in found
        if not info.name.endswith("__main__")
        and not (importlib.import_module(info.name).__doc__ or "").strip()
    ]

    assert silent == []
