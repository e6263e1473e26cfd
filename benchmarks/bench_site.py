"""Run a benchmark inside a bench's own Python, connected to one of its sites."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bench", type=Path, default=Path("~/frappe-bench"), help="folder of the bench")
    parser.add_argument("--site", required=True, help="a site of it that may be written to: no customer's")
    return parser


def inside_bench(bench: Path, module: str) -> Path:
    """The bench's folder; starts this program again with the bench's Python where frappe is not at hand."""
    bench = bench.expanduser().resolve()
    python = bench / "env" / "bin" / "python"
    if importlib.util.find_spec("frappe") is None:
        if not python.exists():
            sys.exit(f"{bench} is no bench: {python} is missing.")
        os.chdir(REPOSITORY)
        os.execv(python, [str(python), "-m", module, *sys.argv[1:]])
    return bench


@contextmanager
def connected(bench: Path, site: str) -> Iterator[Any]:
    """frappe, connected to the site as Administrator; nothing is committed at the end by itself."""
    import frappe

    os.chdir(bench / "sites")
    frappe.init(site=site, sites_path=str(bench / "sites"))
    frappe.connect()
    frappe.set_user("Administrator")
    try:
        yield frappe
    finally:
        frappe.destroy()
