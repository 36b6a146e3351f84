"""Pages in a real browser, which are looked at when they are closed."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

DESKTOP = {"width": 1200, "height": 900}
PHONE = {"width": 360, "height": 740}


class Pages:
    """Opens a page, as often as a test wants it, and notes what it says and asks for.

    Args:
        chromium: the browser.
        address: the page's URL.

    Attributes:
        said: the lines of the console, and errors.
        urls: what was asked for.
    """

    def __init__(self, chromium: Browser, address: str) -> None:
        self.chromium = chromium
        self.address = address
        self.said: list[str] = []
        self.urls: list[str] = []
        self._contexts: list[BrowserContext] = []

    def open(self, viewport: dict[str, int] = DESKTOP, **options) -> Page:
        self._contexts.append(self.chromium.new_context(viewport=viewport, **options))
        page = self._contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.urls.append(request.url))
        page.goto(self.address)
        return page

    def close(self) -> None:
        """Closes every page; axe must find nothing in them."""
        for context in self._contexts:
            for page in context.pages:
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
            context.close()
