"""Chromium, for tests of pages: how it is started, and what is written down of a page."""

import shutil
from contextlib import contextmanager

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)")
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_QUIET += ["--disable-sync", "--no-first-run", "--disable-quic"]


@contextmanager
def launched():
    """A browser that asks nobody by itself."""
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield found
        found.close()


def watched(page, whom):
    """The page, with what goes wrong in its script (`wrong`), and whom it asks (`asked`): `whom` of each address."""
    page.wrong, page.asked = [], set()
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda said: page.wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda request: page.asked.add(whom(request.url)))
    return page
