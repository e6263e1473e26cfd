"""A learned state as bytes and back.

Pickle, as the models of scikit-learn have no other full form, but read through a list of what may stand in it: the
planner's own dataclasses, numpy arrays and the parts of scikit-learn's histogram boosting. A site file that somebody
hands on can thus hold wrong numbers, but no program.
"""

import dataclasses
import io
import pickle
import zlib
from importlib import import_module
from typing import Any, Final

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _

_OWN: Final = "erp_forecast_addon.planning."
_NAMES: Final[dict[str, frozenset[str]]] = {
    "builtins": frozenset({"slice", "set", "frozenset", "complex", "range"}),
    "collections": frozenset({"OrderedDict"}),
    "datetime": frozenset({"date", "datetime", "timedelta"}),
    "functools": frozenset({"partial"}),  # of what stands here, as everything else
    "numpy": frozenset({"dtype", "ndarray", "float64", "float32", "int64", "int32", "bool", "bool_"}),
    "numpy.random._pcg64": frozenset({"PCG64"}),
    "numpy.random._pickle": frozenset({"__bit_generator_ctor", "__generator_ctor"}),
    "numpy.random.bit_generator": frozenset({"SeedSequence", "__pyx_unpickle_SeedSequence"}),
    "sklearn.utils.validation": frozenset({"check_array"}),
}
# numpy 1 has no underscore.
_NUMPY_CORE: Final = {"multiarray": frozenset({"_reconstruct", "scalar"}), "numeric": frozenset({"_frombuffer"})}
_CLASSES_OF: Final = (
    "sklearn._loss.",
    "sklearn.compose._column_transformer",
    "sklearn.ensemble._hist_gradient_boosting.",
    "sklearn.preprocessing._encoders",
    "sklearn.preprocessing._function_transformer",
    "sklearn.preprocessing._label",
)
# Level 1: a third of the time of the usual one for a few percent more.
_COMPRESSION: Final = 1


def to_bytes(state: Any) -> bytes:
    return zlib.compress(pickle.dumps(state, protocol=5), _COMPRESSION)


def from_bytes(content: bytes) -> Any:
    """The state. Raises BadInput when the bytes are damaged or hold anything that to_bytes does not write here."""
    try:
        return _Reader(io.BytesIO(zlib.decompress(content))).load()
    except (zlib.error, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError) as error:
        raise BadInput(
            _("What was learned cannot be read ({error}); it is learned anew by the next run."), error=str(error)
        ) from error


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name in _allowed_names(module):
            return super().find_class(module, name)
        found = _class(module, name)
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} may not stand in a learned state")
        return found


def _allowed_names(module: str) -> frozenset[str]:
    for core in ("numpy._core.", "numpy.core."):
        if module.startswith(core):
            return _NUMPY_CORE.get(module.removeprefix(core), frozenset())
    return _NAMES.get(module, frozenset())


def _class(module: str, name: str) -> type | None:
    """A dataclass of the planner or a class of the listed parts of scikit-learn; never a function."""
    ours = module.startswith(_OWN)
    if not (ours or module.startswith(_CLASSES_OF)) or "." in name:
        return None
    found = getattr(import_module(module), name, None)
    if not isinstance(found, type) or found.__module__ != module:
        return None
    return found if not ours or dataclasses.is_dataclass(found) else None
