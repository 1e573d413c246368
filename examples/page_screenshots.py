"""Draws the page of memgpt inspect as a browser shows it: docs/images/inspect.png and inspect-narrow.png.

    python examples/page_screenshots.py [FOLDER]

The agent is the one of the tests, with a scripted model. Needs the development requirements and Chromium
(Debian: apt-get install chromium). With a FOLDER every page is drawn there at 1280 and 390 px, light and dark.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.inspector.conftest import Site, launched, served  # noqa: E402

PAGES = ("memory", "log", "changes", "search?q=railway&in=archival", "sources", "usage", "manage?about=Lena", "turn/3")
WIDE, NARROW = (1280, 900), (390, 844)


def draw(browser: Browser, site: Site, page: str, size: tuple[int, int], scheme: str, to: Path, *, whole: bool) -> None:
    """One page as a picture; ``whole``: beyond the edge of the screen too."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    tab = context.new_page()
    tab.goto(site.page(page))
    tab.locator("#live", has_text="Live").wait_for()
    tab.screenshot(path=to, full_page=whole)
    context.close()
    print(to)


def main() -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver, launched(driver) as browser:
        for site in served(Path(home)):
            if len(sys.argv) > 1:
                folder = Path(sys.argv[1])
                folder.mkdir(parents=True, exist_ok=True)
                for page in PAGES:
                    name = page.partition("?")[0].replace("/", "-")
                    for size in (WIDE, NARROW):
                        for scheme in ("light", "dark"):
                            to = folder / f"{name}-{size[0]}-{scheme}.png"
                            draw(browser, site, page, size, scheme, to, whole=True)
            else:
                images = ROOT / "docs" / "images"
                draw(browser, site, "memory", WIDE, "light", images / "inspect.png", whole=False)
                draw(browser, site, "changes", NARROW, "dark", images / "inspect-narrow.png", whole=False)


if __name__ == "__main__":
    main()
