"""The built wheel holds everything that a bench needs of the app."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "erp_forecast_addon"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built by the project's own build backend from a copy of what the wheel is made of, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def source_files() -> set[str]:
    """Every file of the package as it stands in the source tree."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_every_file_of_the_package_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    assert source_files() - set(wheel.namelist()) == set()


def test_the_wheel_holds_every_doctype_with_its_controller(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    doctypes = [
        path for path in (ROOT / PACKAGE / PACKAGE / "doctype").iterdir() if (path / f"{path.name}.json").exists()
    ]
    assert len(doctypes) >= 10
    for folder in doctypes:
        inside = f"{PACKAGE}/{PACKAGE}/doctype/{folder.name}"
        assert {f"{inside}/{folder.name}.json", f"{inside}/{folder.name}.py", f"{inside}/__init__.py"} <= names


@pytest.mark.parametrize("name", ["hooks.py", "modules.txt", "patches.txt", "commands.py", "__init__.py"])
def test_the_wheel_holds_what_frappe_reads_first(wheel: zipfile.ZipFile, name: str) -> None:
    assert f"{PACKAGE}/{name}" in wheel.namelist()


def test_the_wheel_holds_the_public_files_and_the_desk_records(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert any(name.startswith(f"{PACKAGE}/public/js/") and name.endswith(".js") for name in names)
    assert any("/workspace/" in name and name.endswith(".json") for name in names)


def test_the_console_script_is_declared(wheel: zipfile.ZipFile) -> None:
    (entry,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "erp-forecast=erp_forecast_addon.commands:embedded_main" in wheel.read(entry).decode().replace(" ", "")


def test_nothing_but_the_package_is_installed(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {PACKAGE}
