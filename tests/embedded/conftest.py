from pathlib import Path

import pytest
from embedded_shop import EmbeddedShop


@pytest.fixture
def shop(tmp_path: Path) -> EmbeddedShop:
    return EmbeddedShop(tmp_path / "shop.db")
