"""What a run learned comes back as it was, to the version that wrote it, and nothing else is ever read."""

import pickle
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedded_shop import NOW

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.services import learned_state, state_bytes
from erp_forecast_addon.site.embedded import EmbeddedSite

COMPANY = "Shop Ltd"


@pytest.fixture
def site(tmp_path: Path) -> EmbeddedSite:
    return EmbeddedSite.create(tmp_path / "site.sqlite", now=NOW)


@pytest.fixture(autouse=True)
def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts with nothing held."""
    learned_state._held.clear()


def state(size: int = 10) -> dict[str, Any]:
    values = np.random.default_rng(0).random((size, 7)).astype(np.float32)
    return {"driver": Driver("event", values, family="Religious"), "as_of": date(2026, 11, 20), "names": ("a", "b")}


def test_it_comes_back_as_it_was(site: EmbeddedSite) -> None:
    learned_state.save(site, COMPANY, "forecast", state(), version="1", data_hash="abc")
    learned_state._held.clear()
    kept = learned_state.load(site, COMPANY, "forecast", version="1")
    assert kept is not None
    assert (kept.data_hash, kept.learned_at, kept.state["as_of"]) == ("abc", NOW, date(2026, 11, 20))
    np.testing.assert_array_equal(kept.state["driver"].values, state()["driver"].values)


def test_a_large_state_is_cut_into_parts_and_a_smaller_one_leaves_none_of_them(site: EmbeddedSite) -> None:
    size = learned_state.save(site, COMPANY, "forecast", state(200_000), version="1")
    parts = site.read('SELECT COUNT(*), MAX(LENGTH(content)) FROM "tabForecast State"')[0]
    assert parts[0] > 2
    assert parts[1] < 2_000_000 < size
    learned_state._held.clear()
    kept = learned_state.load(site, COMPANY, "forecast", version="1")
    assert kept is not None
    np.testing.assert_array_equal(kept.state["driver"].values, state(200_000)["driver"].values)
    learned_state.save(site, COMPANY, "forecast", state(), version="1")
    assert site.read('SELECT COUNT(*) FROM "tabForecast State"') == [(1,)]


def test_another_version_company_or_kind_finds_nothing(site: EmbeddedSite) -> None:
    learned_state.save(site, COMPANY, "forecast", state(), version="1")
    assert learned_state.load(site, COMPANY, "forecast", version="2") is None
    assert learned_state.load(site, "Other Ltd", "forecast", version="1") is None
    assert learned_state.load(site, COMPANY, "boosting", version="1") is None


def test_a_process_reads_a_state_once_and_sees_a_new_one(site: EmbeddedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    learned_state.save(site, COMPANY, "forecast", state(), version="1")
    learned_state._held.clear()
    reads: list[str] = []
    content = learned_state._content
    monkeypatch.setattr(learned_state, "_content", lambda *given: reads.append("read") or content(*given))
    first = learned_state.load(site, COMPANY, "forecast", version="1")
    second = learned_state.load(site, COMPANY, "forecast", version="1")
    assert first is not None
    assert second is not None
    assert first.state is second.state
    assert len(reads) == 1
    with EmbeddedSite(site.path, now=NOW) as other:
        _write_elsewhere(other)
    third = learned_state.load(site, COMPANY, "forecast", version="1")
    assert third is not None
    assert third.state["names"] == ("new",)


def _write_elsewhere(other: EmbeddedSite) -> None:
    held = dict(learned_state._held)
    learned_state.save(other, COMPANY, "forecast", {"names": ("new",)}, version="1")
    learned_state._held.clear()
    learned_state._held.update(held)


def test_a_cut_off_state_is_as_good_as_none(site: EmbeddedSite) -> None:
    learned_state.save(site, COMPANY, "forecast", state(200_000), version="1")
    learned_state._held.clear()
    site.write('DELETE FROM "tabForecast State" WHERE part = 1')
    assert learned_state.load(site, COMPANY, "forecast", version="1") is None


def test_forget_deletes_it(site: EmbeddedSite) -> None:
    learned_state.save(site, COMPANY, "forecast", state(), version="1")
    learned_state.forget(site, COMPANY)
    assert learned_state.load(site, COMPANY, "forecast", version="1") is None


# ---- what may be read ------------------------------------------------------------------------------------------------
class Command:
    def __reduce__(self) -> Any:
        import os

        return os.system, ("true",)


class Getter:
    def __reduce__(self) -> Any:
        return getattr, ("text", "upper")


@dataclass
class Foreign:
    value: int = 1


@pytest.mark.parametrize("payload", [Command(), Getter(), Foreign(), {"deep": [Command()]}, print, np.load])
def test_nothing_but_states_is_read(payload: Any) -> None:
    with pytest.raises(BadInput, match="may not stand in a learned state"):
        state_bytes.from_bytes(state_bytes.to_bytes(payload))


def test_functions_of_the_planner_are_not_read_either() -> None:
    harmful = b"cerp_forecast_addon.planning.tables\npd\n."
    with pytest.raises(BadInput, match="may not stand"):
        state_bytes.from_bytes(zlib.compress(harmful))
    module, name = b"erp_forecast_addon.planning.tables", b"pd.read_pickle"
    texts = b"".join(pickle.SHORT_BINUNICODE + bytes([len(text)]) + text for text in (module, name))
    dotted = pickle.PROTO + b"\x04" + texts + pickle.STACK_GLOBAL + pickle.STOP
    with pytest.raises(BadInput, match="may not stand"):
        state_bytes.from_bytes(zlib.compress(dotted))


@pytest.mark.parametrize("content", [b"", b"no zlib", zlib.compress(b""), zlib.compress(b"\x80\x05garbage")])
def test_damaged_bytes_are_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        state_bytes.from_bytes(content)


def test_a_boosting_model_comes_back() -> None:
    from sklearn.ensemble import HistGradientBoostingRegressor

    rng = np.random.default_rng(0)
    features, target = rng.random((300, 4)), rng.poisson(2.0, 300)
    features[:, 3] = rng.integers(0, 4, 300)
    for chosen in (None, [3]):
        model = HistGradientBoostingRegressor(loss="poisson", max_iter=5, categorical_features=chosen)
        model.fit(features, target)
        again = state_bytes.from_bytes(state_bytes.to_bytes({"model": model}))["model"]
        np.testing.assert_array_equal(again.predict(features), model.predict(features))
