"""The server beside Streamlit: routes that live charts poll, and the warm-up at the start.

GET /lab/plotly.js                                   Plotly, from the installed package
GET /lab/warm                                        200 once what the pages need is imported, 503 before
GET /lab/pictures/<name>                             a picture that a page has put into the picture store
POST /lab/inbox/<key>                                a visitor's files; the answer is the inbox's number
GET /lab/runs/<id>/curves?unit=step&have=<version>   a run's curves; 204 while there is nothing newer
GET /lab/runs/<id>/status                            where it stands, in words
GET /lab/runs/<id>/classes?have=<version>            its last accuracy for each class
GET /lab/sweeps/<name>/status                        where a sweep stands, in words
"""

import asyncio
import contextlib
import functools
import gc
import gzip
import importlib
import threading
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import plotly
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cnnlab.curves import epoch_length
from cnnlab.paths import runs_dir
from cnnlab.runs import Run, RunError
from cnnlab.sweeps.folder import SweepFolder
from cnnlab.ui.followed import following
from cnnlab.ui.inbox import InboxError, end_left_sessions, find_inbox, receive
from cnnlab.ui.picture_store import ROUTE, find_picture

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
_warmed = threading.Event()


def _plotly_js(request: Request) -> Response:
    headers = {"cache-control": "max-age=3600", "vary": "accept-encoding"}  # seconds: an upgrade keeps the name
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return FileResponse(PLOTLY_JS, media_type="text/javascript", headers=headers)
    return Response(_packed_plotly(), media_type="text/javascript", headers=headers | {"content-encoding": "gzip"})


@functools.cache
def _packed_plotly() -> bytes:
    """Packed once: Streamlit would pack it for each visitor, a sixth of a second."""
    return gzip.compress(PLOTLY_JS.read_bytes())


def _picture(request: Request) -> Response:
    kept = find_picture(request.path_params["name"])
    if kept is None:
        return Response(status_code=404)
    headers = {"cache-control": "private, max-age=31536000, immutable"}  # a name never changes its meaning
    return Response(kept.content, media_type=kept.media_type, headers=headers)


async def _inbox(request: Request) -> Response:
    inbox = find_inbox(request.path_params["key"])
    if inbox is None:
        return PlainTextResponse("This page has lost its server: load it again.", 404)
    try:
        inbox.put(await receive(request.stream()))
    except InboxError as error:
        return PlainTextResponse(str(error), 413)
    except ClientDisconnect:  # the visitor changed their mind
        return Response(status_code=400)
    return PlainTextResponse(str(inbox.number))


def _warm(request: Request) -> Response:
    return Response(status_code=200 if _warmed.is_set() else 503)


def _curves(request: Request) -> Response:
    over_epochs = request.query_params.get("unit") == "epoch"
    return _answer(request, lambda reader: reader.drawn(epoch_length(reader.run) if over_epochs else 1))


def _classes(request: Request) -> Response:
    return _answer(
        request, lambda reader: {"classes": (reader.run.facts().get("class_names", []), reader.class_accuracy)}
    )


def _status(request: Request) -> Response:
    from cnnlab.ui.train.status import status  # knows torch, which may still be warming up

    try:
        return JSONResponse(asdict(status(Run(runs_dir() / request.path_params["id"]))))
    except (RunError, OSError):  # no run, or a name that no file can have
        return Response(status_code=404)


def _sweep_status(request: Request) -> Response:
    from cnnlab.sweeps.storage import SweepError
    from cnnlab.ui.train.sweep_status import read_sweep, sweep_status

    try:
        return JSONResponse(asdict(sweep_status(read_sweep(SweepFolder(runs_dir(), request.path_params["name"])))))
    except (RunError, SweepError):
        return Response(status_code=404)


def _answer(request: Request, series: Any) -> Response:
    run = Run(runs_dir() / request.path_params["id"])
    try:
        with following(run) as reader:
            if request.query_params.get("have") == reader.version:
                return Response(status_code=204)
            return JSONResponse({"version": reader.version, "series": series(reader)})
    except (RunError, OSError):
        return Response(status_code=404)


ROUTES = [
    Route("/lab/plotly.js", _plotly_js),
    Route("/lab/warm", _warm),
    Route(ROUTE + "{name}", _picture),
    Route("/lab/inbox/{key}", _inbox, methods=["POST"]),
    Route("/lab/runs/{id}/curves", _curves),
    Route("/lab/runs/{id}/status", _status),
    Route("/lab/runs/{id}/classes", _classes),
    Route("/lab/sweeps/{name}/status", _sweep_status),
]


@contextlib.asynccontextmanager
async def warm_up(app: object) -> AsyncIterator[dict[str, Any]]:
    """Import what pages need while the first person is still opening the browser; then watch for closed tabs."""
    threading.Thread(target=_import_the_heavy, daemon=True).start()
    watch = asyncio.create_task(end_left_sessions())
    yield {}
    watch.cancel()


def _import_the_heavy() -> None:
    for part in sorted(Path(__file__).parent.glob("*/*.py")):  # what each page is made of; it brings torch along
        importlib.import_module(f"cnnlab.ui.{part.parent.name}.{part.stem}")
    importlib.import_module("captum.attr")  # why an answer: it is imported where it is used, and takes a second
    from cnnlab.config import TrainConfig
    from cnnlab.explain.anatomy import anatomy
    from cnnlab.models import outline

    # torch loads what computes on its meta device at the first use: seconds that the Network page need not wait
    anatomy(outline(TrainConfig(model="resnet18"), 1, 28, 10), (1, 28, 28))
    _packed_plotly()
    gc.collect()
    gc.freeze()  # Streamlit collects garbage after each script run: torch's objects need no look each time
    _warmed.set()
