"""What tests of the pages share: a page opened without a browser, by Streamlit's own AppTest, and what it then says."""

import base64
import functools
import io
from collections.abc import Mapping

from PIL import Image
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.conftest import PATIENCE, PROJECT

# each AppTest looks through all installed packages for components, which takes half a second and finds the same
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


def script(name: str, address: Mapping[str, str] | None = None, state: Mapping[str, object] | None = None) -> AppTest:
    """The project's script ``name``, such as ``pages/train.py``, before its first run, with an address and a state."""
    page = AppTest.from_file(str(PROJECT / name), default_timeout=PATIENCE)
    page.query_params.update(address or {})
    for key, value in (state or {}).items():
        page.session_state[key] = value
    return page


def by_menu(name: str) -> AppTest:
    """The whole app after a click on the page whose script is ``name``."""
    return script("app.py").run().switch_page(name).run()


def said(page: AppTest) -> str:
    """What the page says, as it is read."""
    kinds = (page.markdown, page.caption, page.info, page.error, page.warning, page.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def metrics(page: AppTest) -> dict[str, str]:
    """The page's figures by what they are called."""
    return {metric.label: metric.value for metric in page.metric}


def link(page: AppTest) -> dict[str, str]:
    """What the page's address says."""
    return {name: v[0] if isinstance(v, list) else v for name, v in page.query_params.items()}


def png(picture: Image.Image) -> bytes:
    """The file that holds ``picture``."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def drawing(picture: Image.Image) -> dict[str, dict[str, object]]:
    """What the canvas sends after a stroke."""
    data = "data:image/png;base64," + base64.b64encode(png(picture.convert("RGBA"))).decode()
    return {"drawing": {"raw": {"objects": [{"type": "Path", "stroke": "#000000"}]}, "data": data}}
