"""Scripts that judge a forecast and lie beside the data, not in this project."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_script(path: Path) -> ModuleType | None:
    """The script as a module; None if there is none."""
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"eval_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their own module up
    spec.loader.exec_module(module)
    return module
