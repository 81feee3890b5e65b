"""The routes beside Streamlit's."""

import gzip
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from cnnlab.config import TrainConfig
from cnnlab.new_runs import create_run
from cnnlab.runs import Run
from cnnlab.ui import server
from cnnlab.ui.followed import route


def test_every_route_is_told() -> None:
    routes = [route.path.replace("{", "<").replace("}", ">") for route in server.ROUTES]
    assert routes and all(f" {path} " in str(server.__doc__) or f" {path}?" in str(server.__doc__) for path in routes)


@pytest.mark.parametrize("id", ["lab #1", "50 % off?"])
def test_a_run_of_any_name_is_found_by_its_route(fresh_folders: Path, id: str) -> None:
    run = Run(fresh_folders / id)
    create_run(run.path, {"config": TrainConfig().model_dump(mode="json")})[1].lock.release()
    assert unquote(route(run, "status")) == f"/lab/runs/{id}/status" and set("#? ").isdisjoint(route(run, "status"))
    for endpoint in (server._curves, server._classes, server._status):
        asked = Request({"type": "http", "path_params": {"id": id}, "query_string": b""})
        assert endpoint(asked).status_code == 200


def test_plotly_is_sent_packed_to_who_can_unpack_it() -> None:
    def sent(accepted: bytes) -> Response:
        return server._plotly_js(Request({"type": "http", "headers": [(b"accept-encoding", accepted)]}))

    packed, plain = sent(b"gzip, br"), sent(b"identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == server.PLOTLY_JS.read_bytes()
    assert isinstance(plain, FileResponse) and "content-encoding" not in plain.headers
