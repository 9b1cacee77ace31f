"""What a user does with the page, by selenium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from thalweg.analysis.view.page_server import PageServer
from thalweg.analysis.view.viewed_landscape import ViewedLandscape

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

__all__ = ["ASSETS", "Page", "served"]

ASSETS = Path(__file__).resolve().parents[3] / "analysis/view/assets"

_PLACE = """
const [graph, x, y] = arguments;
const box = document.getElementById(graph);
const { xaxis, yaxis } = box._fullLayout;
const outer = box.getBoundingClientRect();
return [outer.left + xaxis._offset + xaxis.l2p(x), outer.top + yaxis._offset + yaxis.l2p(y)];
"""


@contextmanager
def served(*sources: Any, names: list[str] | None = None) -> Iterator[PageServer]:
    """Yield a server of a page of these landscapes, which answers."""
    given = names or [None] * len(sources)
    server = PageServer([ViewedLandscape(source, name=name) for source, name in zip(sources, given, strict=True)])
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


class Page:
    """The page in a browser."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        browser.get("about:blank")  # a page before may still ask a server that has ended
        browser.get_log("browser")
        browser.get(url)
        self.wait(lambda: browser.execute_script("return document.body.dataset.ready") == "yes")

    def wait(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something holds; what is missing meanwhile does not matter."""
        from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        ignored = (NoSuchElementException, StaleElementReferenceException)
        WebDriverWait(self.browser, seconds, poll_frequency=0.02, ignored_exceptions=ignored).until(
            lambda _: condition()
        )

    def one(self, css: str) -> WebElement:
        return self.browser.find_element("css selector", css)

    def all(self, css: str) -> list[WebElement]:
        return self.browser.find_elements("css selector", css)

    def text(self, css: str) -> str:
        """Text of an element, hidden or not."""
        return str(self.one(css).get_attribute("textContent"))

    def press(self, css: str) -> None:
        self.one(css).click()

    def write(self, css: str, text: object) -> None:
        """Put text into a field, as a user does who leaves it afterwards."""
        from selenium.webdriver.common.keys import Keys

        self.one(css).send_keys(Keys.CONTROL, "a", Keys.NULL, str(text), Keys.TAB)

    def slide(self, css: str, value: int) -> None:
        self._set(css, value, "input")

    def choose(self, css: str, value: str) -> None:
        self._set(css, value, "change")

    def _set(self, css: str, value: object, event: str) -> None:
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event(arguments[2]));"
        self.browser.execute_script(script, self.one(css), value, event)

    def search(self, row: object) -> None:
        self.write("#row", row)
        self.press("#search button")

    def wait_for_point(self, row: int, kind: str = "minima", graph: int = 0) -> None:
        self.wait(lambda: self.one("#point").get_attribute("data-shown") == f"graph{graph} {kind} {row}")

    def wait_for_path(self, first: int, second: int) -> None:
        self.wait(lambda: self.one("#path").get_attribute("data-shown") == f"{first} {second}")

    def _actions_at(self, x: float, y: float, graph: int) -> Any:
        from selenium.webdriver import ActionChains

        left, top = self.browser.execute_script(_PLACE, f"graph{graph}", float(x), float(y))
        actions = ActionChains(self.browser, duration=20)
        actions.w3c_actions.pointer_action.move_to_location(round(left), round(top))
        return actions

    def click_at(self, x: float, y: float, graph: int = 0) -> None:
        """Click a place of a graph, in its own coordinates."""
        self._actions_at(x, y, graph).click().perform()

    def hover(self, x: float, y: float, graph: int = 0) -> str:
        """Return what is shown at a place of a graph."""
        self._actions_at(x, y, graph).perform()
        self.wait(lambda: self.one("#tip").is_displayed())
        return self.one("#tip").text

    def shapes(self, graph: int = 0) -> list[dict[str, Any]]:
        """Marks in a graph."""
        return list(self.browser.execute_script(f"return document.getElementById('graph{graph}').layout.shapes || []"))

    def inked(self, css: str) -> int:
        """Number of pixels of a canvas that are not empty."""
        script = """
            const c = document.querySelector(arguments[0]);
            const data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let k = 3; k < data.length; k += 4) if (data[k]) n++;
            return n;"""
        return int(self.browser.execute_script(script, css))

    def assert_no_errors(self) -> None:
        """Neither a script has failed nor has the page shown an error."""
        severe = [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert severe == []
        assert self.text("#message") == ""
