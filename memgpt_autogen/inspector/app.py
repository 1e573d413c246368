"""The app: routes, pages as HTML, actions, and a stream that tells a page when something has changed."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from ..embeddings.base import Embedder
from ..errors import AgentBusy, MemGPTError
from ..exchange import export_agent
from ..storage.base import Store
from ..views.render import environment
from .actions import ACTIONS
from .pages import PAGES, Inspected, Values, turn
from .security import Guard, hosts

#: Seconds between two looks at the store, and after which a silent stream says that it lives.
LOOK, ALIVE = 0.7, 15
#: Bytes of a form at most.
_FORM = 2_000_000
_STATIC = {"page.css": "text/css", "parts.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Inspector:
    """The page, as an ASGI app.

    Args:
        store: whose agents are shown.
        token: the secret in the address.
        port: the port that it is served on.
        home: the home folder, whose history of typed lines is cleaned by forgetting.
        embedder: for searches; None: full text search only.

    Attributes:
        app: the ASGI app, guarded.
    """

    def __init__(self, store: Store, token: str, port: int, home: Path, embedder: Embedder | None = None) -> None:
        self._store = store
        self._base = f"/{token}"
        self._home = home
        self._embedder = embedder
        self._key = secrets.token_urlsafe(24)
        self._templates = environment(inspector=__package__ or "")
        self._notices: dict[str, tuple[str, bool]] = {}
        routes = [
            Route("/", self._index),
            Route("/static/{name}", self._static),
            Route("/{agent}/events", self._events),
            Route("/{agent}/export", self._export),
            Route("/{agent}/turn/{turn}", self._turn),
            Route("/{agent}/turn/{turn}/prompt/{call}", self._prompt),
            Route("/{agent}/do/{action}", self._act, methods=["POST"]),
            Route("/{agent}/{page}", self._page),
        ]
        self._stopping = False
        handlers: Any = {MemGPTError: self._failed, HTTPException: self._failed}
        self.app = Guard(Starlette(routes=routes, exception_handlers=handlers), token, hosts(port))

    # -- pages ----------------------------------------------------------------------------------------------------

    def _index(self, _: Request) -> Response:
        rows = self._store.agents.list()
        if len(rows) == 1:
            return RedirectResponse(f"{self._base}/{rows[0].id}/memory", 303)
        counts = {row.id: self._store.log.count(row.id) for row in rows}
        return self._html("index", title="Agents", agents=rows, counts=counts)

    def _page(self, request: Request) -> Response:
        name = request.path_params["page"]
        if name not in PAGES:
            raise HTTPException(404, "There is no such page.")
        title, read = PAGES[name]
        agent = self._agent(request)
        return self._of_agent(agent, name, title, read(agent, request.query_params), request)

    def _turn(self, request: Request) -> Response:
        agent, number = self._agent(request), request.path_params["turn"]
        return self._of_agent(agent, "turn", f"Turn {number}", turn(agent, {"turn": number}), request)

    def _prompt(self, request: Request) -> Response:
        """A prompt, byte by byte."""
        prompts = turn(self._agent(request), {"turn": request.path_params["turn"]})["prompts"]
        call = request.path_params["call"]
        if not call.isdecimal() or not 1 <= int(call) <= len(prompts):
            raise HTTPException(404, "There is no such call.")
        return Response(prompts[int(call) - 1].sent.to_json(), media_type="application/json")

    def _of_agent(self, agent: Inspected, name: str, title: str, values: Values, request: Request) -> Response:
        notice, failed = self._notices.pop(request.query_params.get("notice", ""), ("", False))
        return self._html(name, title=title, agent=agent.row, notice=notice, failed=failed, **values)

    def _html(self, name: str, *, status: int = 200, title: str, **values: Any) -> HTMLResponse:
        common: Values = {"agent": None, "notice": "", "failed": False, "name": name, "title": title}
        common |= {"base": self._base, "key": self._key, "nav": {at: page[0] for at, page in PAGES.items()}}
        text = self._templates.get_template(f"inspector/{name}.html").render(common | values)
        return HTMLResponse(text, status)

    def _failed(self, _: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 409 if isinstance(error, AgentBusy) else 400
        told = error.detail if isinstance(error, HTTPException) else str(error)
        return self._html("error", status=status, title="That did not work", told=told)

    def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            raise HTTPException(404, "There is no such file.")
        package, folder = ("views", "templates") if name == "parts.css" else ("inspector", "static")
        file = resources.files(f"memgpt_autogen.{package}") / folder / name
        return Response(file.read_text(encoding="utf-8"), media_type=_STATIC[name])

    # -- actions --------------------------------------------------------------------------------------------------

    async def _act(self, request: Request) -> Response:
        form = dict(parse_qsl((await _body(request)).decode("utf-8", "replace"), keep_blank_values=True))
        if not secrets.compare_digest(form.get("key", "").encode(), self._key.encode()):
            raise HTTPException(403, "This form is of an earlier page. Load the page anew.")
        return await run_in_threadpool(self._acted, request, form)

    def _acted(self, request: Request, form: dict[str, str]) -> Response:
        action = request.path_params["action"]
        if action not in ACTIONS:
            raise HTTPException(404, "There is no such action.")
        act, page = ACTIONS[action]
        agent = self._agent(request)
        try:
            notice = act(agent, form, self._home), False
        except MemGPTError as error:
            notice = str(error), True
        number = secrets.token_urlsafe(6)
        self._notices = {number: notice}  # one at a time: shown by the page that the browser is sent to
        return RedirectResponse(f"{self._base}/{agent.id}/{page}?notice={number}", 303)

    def _export(self, request: Request) -> Response:
        agent = self._agent(request)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "agent.json"
            export_agent(self._store, agent.row.name, path)
            text = path.read_text(encoding="utf-8")
        name = quote(f"{agent.row.name}.json", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(text, media_type="application/json", headers=headers)

    # -- live -----------------------------------------------------------------------------------------------------

    async def _events(self, request: Request) -> Response:
        agent = await run_in_threadpool(self._agent, request)
        return StreamingResponse(self._changes(agent, request), media_type="text/event-stream")

    def stop(self) -> None:
        """End the streams, so that a server can stop."""
        self._stopping = True

    async def _changes(self, agent: Inspected, request: Request) -> AsyncIterator[str]:
        """Server-sent events: one whenever the agent's memory has changed."""
        before, silent = await run_in_threadpool(agent.state), 0.0
        yield "event: open\ndata: \n\n"
        while not (self._stopping or await request.is_disconnected()):
            await asyncio.sleep(LOOK)
            try:
                now = await run_in_threadpool(agent.state)
            except MemGPTError:  # deleted, or the store is closed
                return
            silent += LOOK
            if now != before:
                before, silent = now, 0.0
                yield "event: changed\ndata: \n\n"
            elif silent > ALIVE:
                silent = 0.0
                yield ": alive\n\n"

    def _agent(self, request: Request) -> Inspected:
        wanted = request.path_params["agent"]
        row = next((row for row in self._store.agents.list() if row.id == wanted), None)
        if row is None:
            raise HTTPException(404, "There is no such agent. It may have been deleted.")
        return Inspected(self._store, row, self._embedder)


async def _body(request: Request) -> bytes:
    """The body of a form.

    Raises:
        HTTPException: it is too long.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _FORM:
            raise HTTPException(413, "That is too much text for one form.")
    return body
