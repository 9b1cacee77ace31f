"""Make view.png of docs/view.md: the page with the README's landscape, in Chromium without a window.

python docs/make_view_picture.py d1.zarr
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from threading import Thread

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from thalweg.analysis.view.page_server import PageServer
from thalweg.analysis.view.viewed_landscape import ViewedLandscape

FIRST, SECOND = "lowest", 7


def picture(url: str, output: Path) -> None:
    """Click two minima of the page, go some way along the path, and save what is seen."""
    options = webdriver.ChromeOptions()
    for word in ("headless=new", "no-sandbox", "window-size=1400,1000"):
        options.add_argument(f"--{word}")
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    browser.get(url)
    wait = WebDriverWait(browser, 60)
    wait.until(lambda _: browser.execute_script("return document.body.dataset.ready"))
    browser.find_element(By.ID, FIRST).click()
    wait.until(lambda _: browser.find_elements(By.CSS_SELECTOR, "#point .neighbours"))
    browser.find_element(By.ID, "row").send_keys(str(SECOND))
    browser.find_element(By.CSS_SELECTOR, "#search button").click()
    wait.until(lambda _: browser.find_element(By.ID, "path").get_attribute("data-shown"))
    half = "const s = document.getElementById('frame'); s.value = 0.4 * s.max; s.dispatchEvent(new Event('input'));"
    browser.execute_script(half)
    browser.save_screenshot(str(output))
    browser.quit()


if __name__ == "__main__":
    server = PageServer([ViewedLandscape(sys.argv[1])])
    Thread(target=server.serve, daemon=True).start()
    picture(server.url, Path(__file__).resolve().parent / "view.png")
    server.stop()
