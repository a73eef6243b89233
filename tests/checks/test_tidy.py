"""Files stay small enough to read in one go, say what they are for, and hold nothing left unfinished.

The limits are on the tail: most code is far below them. What may exceed one stands in ALLOWED with its
reason, and has to leave when it no longer does. Dunder methods and properties do not count as methods:
Python's protocols ask for the first, and the second read like fields.
"""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FILE_LINES_MAX = 400
CLASS_LINES_MAX = 250
CLASS_METHODS_MAX = 15
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6

ALLOWED: dict[str, str] = {
    "tests/api/memory_containers.py: MemoryContainers has methods": "the twin of one protocol with 13 verbs",
}
"""Why a complaint may stand, by the complaint without figures: "node/x.py: Class.method has lines"."""

GENERATED = ("node", "rpc")
TEXT_SUFFIXES = {"", ".md", ".proto", ".py", ".sh", ".toml", ".yaml", ".yml"}

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"(?<![\w./~-])/work/")
MACHINE_PATH_IN_DOCS = re.compile(r"(?<![\w./~-])/(work|tmp|root|home)/")


# --- the checkers: text in, complaints out ---------------------------------------------------------------


def complaints_about_code(path: str, text: str) -> Iterator[str]:
    """Every limit that this Python file exceeds, as "path: what has N unit (at most M)"."""
    tree = ast.parse(text)
    if ast.get_docstring(tree) is None:
        yield f"{path}: module has no docstring"
    yield from _too_many(f"{path}: file", "lines", len(text.splitlines()), FILE_LINES_MAX)
    for name, definition in _definitions(tree):
        subject = f"{path}: {name}"
        lines = (definition.end_lineno or definition.lineno) - definition.lineno + 1
        if isinstance(definition, ast.ClassDef):
            yield from _too_many(subject, "lines", lines, CLASS_LINES_MAX)
            methods = sum(_counts_as_method(statement) for statement in definition.body)
            yield from _too_many(subject, "methods", methods, CLASS_METHODS_MAX)
        else:
            yield from _too_many(subject, "lines", lines, FUNCTION_LINES_MAX)
            yield from _too_many(subject, "parameters", _parameters(definition), PARAMETERS_MAX)


def complaints_about_text(path: str, text: str) -> Iterator[str]:
    """Words of unfinished work, and paths of one particular machine."""
    machine_path = MACHINE_PATH_IN_DOCS if path.endswith(".md") else MACHINE_PATH
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern in (UNFINISHED, machine_path):
            if found := pattern.search(line):
                yield f"{path}:{number}: {found.group()}"


def _too_many(subject: str, unit: str, figure: int, limit: int) -> Iterator[str]:
    if figure > limit:
        yield f"{subject} has {figure} {unit} (at most {limit})"


def _definitions(
    node: ast.AST, outer: str = ""
) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield outer + child.name, child
            yield from _definitions(child, f"{outer}{child.name}.")
        else:
            yield from _definitions(child, outer)


def _counts_as_method(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    is_dunder = statement.name.startswith("__") and statement.name.endswith("__")
    decorators = {ast.unparse(decorator) for decorator in statement.decorator_list}
    return not is_dunder and not decorators & {"property", "cached_property", "functools.cached_property"}


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    names = [parameter.arg for parameter in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


# --- the house -------------------------------------------------------------------------------------------


def files() -> Iterator[Path]:
    """Our text files: not what .gitignore names, not what is generated, not git's own."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line]
    folders = [ROOT]
    while folders:
        for entry in sorted(folders.pop().iterdir()):
            parts = entry.relative_to(ROOT).parts
            if entry.name == ".git" or parts == GENERATED or entry.is_symlink():
                continue
            if any(fnmatch.fnmatch(entry.name, pattern) for pattern in ignored):
                continue
            if entry.is_dir():
                folders.append(entry)
            elif entry.suffix in TEXT_SUFFIXES:
                yield entry


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_code_stays_within_its_limits() -> None:
    complaints = [
        complaint
        for path in files()
        if path.suffix == ".py"
        for complaint in complaints_about_code(name_of(path), path.read_text())
    ]
    by_rule = {re.sub(r" \d+ (\w+) \(.*", r" \1", complaint): complaint for complaint in complaints}
    assert [text for rule, text in by_rule.items() if rule not in ALLOWED] == []
    assert [rule for rule in ALLOWED if rule not in by_rule] == [], "nothing exceeds a limit there any more"


def test_nothing_is_left_unfinished() -> None:
    complaints = [
        complaint
        for path in files()
        if path != Path(__file__)  # which has to spell them out
        for complaint in complaints_about_text(name_of(path), path.read_text())
    ]
    assert complaints == []


def test_every_package_says_what_it_is() -> None:
    folders = {path.parent for path in files() if path.suffix == ".py"}
    packages = {folder for folder in folders if name_of(folder).split("/")[0] in ("node", "kvstore", "lab")}
    assert ROOT / "node" / "wire" in packages
    missing = [name_of(folder) for folder in sorted(packages) if not (folder / "__init__.py").exists()]
    assert missing == [], "a folder of code needs an __init__.py with a docstring"


# --- the checkers find what they are for -----------------------------------------------------------------

DOCSTRING = '"""A sample."""\n'

BAD_CODE = {
    "module has no docstring": "x = 1\n",
    "file has 401 lines": DOCSTRING + "x = 1\n" * 400,
    "f has 71 lines": DOCSTRING + "def f():\n" + "    x = 1\n" * 70,
    "C.f has 71 lines": DOCSTRING + "class C:\n    async def f(self):\n" + "        x = 1\n" * 70,
    "f.inner has 7 parameters": DOCSTRING + "def f():\n    def inner(a, b, c, /, d, *, e, f, g): ...\n",
    "C.f has 7 parameters": DOCSTRING + "class C:\n    def f(self, a, b, c, d, e, f, g): ...\n",
    "C has 251 lines": DOCSTRING + "class C:\n" + "    x = 1\n" * 250,
    "C has 16 methods": DOCSTRING + "class C:\n" + "".join(f"    def f{i}(self): ...\n" for i in range(16)),
}

AT_THE_LIMIT = DOCSTRING + (
    "class C:\n"
    + "    def __init__(self, a, b, c, d, e, f): ...\n"
    + "    @property\n    def p(self): ...\n"
    + "".join(f"    def f{i}(self): ...\n" for i in range(15))
    + "def f():\n"
    + "    x = 1\n" * 69
)


@pytest.mark.parametrize("complaint", BAD_CODE)
def test_a_limit_bites(complaint: str) -> None:
    found = list(complaints_about_code("bad.py", BAD_CODE[complaint]))
    assert len(found) == 1
    assert found[0].startswith(f"bad.py: {complaint}")


def test_code_at_the_limit_is_fine() -> None:
    assert list(complaints_about_code("good.py", AT_THE_LIMIT)) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", "x = 1  # TODO: finish"),
        ("a.sh", "# FIXME"),
        ("a.proto", "// XXX why"),
        ("a.md", "a HACK, then"),
        ("a.py", 'open("/work/main/x")'),
        ("a.md", "see `/tmp/x/log`"),
        ("a.md", "cd /home/somebody/shoal"),
    ],
)
def test_a_forbidden_word_is_found(path: str, line: str) -> None:
    assert len(list(complaints_about_text(path, f"fine\n{line}\n"))) == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.sh", "mktemp -d shoal.XXXXXX"),
        ("a.md", "the todo list of RFC 7348"),
        ("a.md", "at net/work/group"),
        ("a.py", 'folder = Path("/tmp/shoal")'),
    ],
)
def test_an_innocent_line_is_left_alone(path: str, line: str) -> None:
    assert list(complaints_about_text(path, line)) == []
