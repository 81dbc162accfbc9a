"""The sandbox house of the integration tests, for attacks."""

from tests.integration.sandbox.conftest import open_browser, sandbox_house

__all__ = ["open_browser", "sandbox_house"]
