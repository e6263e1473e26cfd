"""The contract of the Site port on the embedded site."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.tests import site_contract
from tests.contract.embedded_world import EmbeddedWorld


class TestEmbeddedSite(site_contract.SiteContract):
    site: EmbeddedSite

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.site = EmbeddedSite.create(Path(folder.name) / "site.db", now=datetime(2026, 11, 21, 9, 30))
        cls.addClassCleanup(cls.site.close)
        cls.world = EmbeddedWorld(cls.site)
        cls.business = site_contract.make_business(cls.world, cls.site.now().date())
        cls.site.commit()

    def on_another_connection(self, check: Callable[[Site], list[bool]]) -> list[bool]:
        self.site.commit()
        with EmbeddedSite(self.site.path, now=self.site.now()) as other:
            return check(other)
