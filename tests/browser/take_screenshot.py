"""Take the README's screenshot: a run of quick_digits, trained for it, in a real browser.

python -m tests.browser.take_screenshot
"""

import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, chromium, running_server, settled

PICTURE = Path(__file__).with_name("screenshot.png")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "runs") as url:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(url)
            settled(page)
            page.get_by_role("button", name="Start training").click()
            expect(page.get_by_text("All 12 epochs are done.").first).to_be_visible(timeout=120_000)
            page.wait_for_timeout(2500)  # the last poll of the curves
            page.screenshot(path=PICTURE)
            browser.close()
    print(PICTURE)


if __name__ == "__main__":
    main()
