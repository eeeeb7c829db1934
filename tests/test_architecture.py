"""The shape of the code, as far as a machine can see it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "tilth"
PACKAGES = sorted(p.parent for p in SOURCE.rglob("__init__.py") if "migrations" not in p.parts)


def test_a_lower_room_never_imports_a_higher_one() -> None:
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=SOURCE.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda p: p.name)
def test_every_folder_says_what_it_is_for(folder: Path) -> None:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
    assert text, f"{folder.name}/__init__.py has no docstring"


def test_importing_tilth_loads_nothing_heavy() -> None:
    heavy = ["numpy", "numba", "pyarrow", "duckdb", "deltalake", "scipy", "sklearn", "litestar", "sqlalchemy"]
    code = f"import sys, tilth; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_command_line_answers_help_without_loading_the_engines() -> None:
    code = (
        "import sys; from tilth.cli import main as m\n"
        "sys.argv = ['tilth', '--help']\n"
        "try: m.main()\n"
        "except SystemExit: pass\n"
        "print('LOADED', [x for x in ('numba', 'pyarrow', 'deltalake', 'scipy', 'sklearn') if x in sys.modules])"
    )
    assert "LOADED []" in subprocess.check_output([sys.executable, "-c", code], text=True)


def test_no_file_has_grown_past_the_smell() -> None:
    long = {
        str(p.relative_to(SOURCE)): n for p in SOURCE.rglob("*.py") if (n := len(p.read_text().splitlines())) > 1000
    }
    assert long == {}
