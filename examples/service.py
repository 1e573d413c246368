"""A small HTTP service with agents of many users, kept in PostgreSQL: any number of its processes serve all of them.

    export MEMGPT_STORAGE=postgresql://memgpt@127.0.0.1/memgpt
    pip install 'memgpt-autogen[postgres]' starlette uvicorn
    python examples/service.py --port 8000 --workers 2

    curl -X POST localhost:8000/agents/sam/messages -H 'X-User: ann' -d '{"message": "Hello, I am Ann."}'

Who may speak for which user is not decided here: put it behind whatever signs people in, and set the header there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from memgpt_autogen import MemGPT, events
from memgpt_autogen.agent import Agent
from memgpt_autogen.errors import AgentBusy, AgentNotFound, MemGPTError, StoreError
from memgpt_autogen.llm.base import ChatModel
from memgpt_autogen.storage.engines import engine_of

#: Turns at once in a process: about as many as the pool has connections (``pool_size`` in the address).
TURNS = 10


def app(model: Callable[[], ChatModel] | None = None) -> Starlette:
    """The service.

    Args:
        model: gives each agent its model; None: the model of the settings.
    """
    address = os.environ["MEMGPT_STORAGE"]

    @cache  # all of them share one pool of connections
    def client(user: str) -> MemGPT:
        return MemGPT(store=engine_of(address).open(address, user_id=user))

    def agent_of(user: str, name: str) -> Agent:
        one = model() if model else None
        try:
            return client(user).load_agent(name, model=one)
        except AgentNotFound:
            return client(user).create_agent({"name": name}, model=one)

    def say(user: str, name: str, message: str) -> list[str]:
        return list(agent_of(user, name).run([events.user_message(message)]).said)

    free = asyncio.Semaphore(TURNS)

    async def messages(request: Request) -> JSONResponse:
        user, name = request.headers.get("X-User", ""), request.path_params["name"]
        body = await request.json()
        if not user or not isinstance(body.get("message"), str):
            return JSONResponse({"error": 'Send {"message": TEXT} with the header X-User.'}, 400)
        try:
            async with free:
                said = await asyncio.to_thread(say, user, name, body["message"])
        except AgentBusy as error:
            return JSONResponse({"error": str(error)}, 409)
        except StoreError as error:
            return JSONResponse({"error": str(error)}, 503)
        except MemGPTError as error:
            return JSONResponse({"error": str(error)}, 502 if error.retry else 500)
        return JSONResponse({"said": said})

    async def agents(request: Request) -> JSONResponse:
        user = request.headers.get("X-User", "")
        listed = await asyncio.to_thread(engine_of(address).agents, address, user)
        return JSONResponse([{"name": one.row.name, "messages": one.messages} for one in listed])

    return Starlette(
        routes=[Route("/agents/{name}/messages", messages, methods=["POST"]), Route("/agents", agents, methods=["GET"])]
    )


if __name__ == "__main__":
    import argparse

    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2, help="processes behind the port")
    given = parser.parse_args()
    folder = Path(__file__).resolve().parent
    uvicorn.run("service:app", factory=True, app_dir=str(folder), port=given.port, workers=given.workers)
