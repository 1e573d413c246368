"""Discord on loopback: the part of its HTTP API and gateway that the bot uses."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from aiohttp import WSMsgType, web

BOT, APPLICATION, CHANNEL = "1", "2", "30"
TOKEN = "MQ.token.of-a-bot"


class FakeDiscord:
    """Runs in a thread of its own.

    Attributes:
        said: texts of the bot's messages in channels, in order.
        answered: texts with which it answered commands.
        commands: those that it has registered, by name.
        calls: every request as ``METHOD path``.
        refusals: how many of the next messages are answered with status 429.
    """

    def __init__(self) -> None:
        self.said: list[str] = []
        self.answered: list[str] = []
        self.commands: dict[str, Any] = {}
        self.calls: list[str] = []
        self.bodies: list[Any] = []
        self.refusals = 0
        self.identified: list[Any] = []
        self._ids = itertools.count(1000)
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._sockets: list[web.WebSocketResponse] = []
        self._sequence = itertools.count(1)
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._started.wait(20)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    # -- what people do -------------------------------------------------------------------------------------------

    def write(self, user: int, text: str, **more: Any) -> None:
        """A user writes to the bot."""
        message = {**self._message(text), "author": person(user), **more}
        self._send("MESSAGE_CREATE", message)

    def command(self, user: int, name: str, **given: Any) -> None:
        """A user runs a slash command, in their direct messages with the bot."""
        kinds = {str: 3, bool: 5}
        options = [{"name": key, "type": kinds[type(value)], "value": value} for key, value in given.items()]
        data = {"id": self.commands[name]["id"], "name": name, "type": 1, "options": options}
        identity = next(self._ids)
        self._send(
            "INTERACTION_CREATE",
            {
                "id": str(identity),
                "application_id": APPLICATION,
                "type": 2,
                "token": f"token{identity}",
                "version": 1,
                "data": data,
                "channel": {"id": CHANNEL, "type": 1},
                "channel_id": CHANNEL,
                "user": person(user),
                "locale": "en-GB",
                "context": 1,
                "entitlements": [],
                "authorizing_integration_owners": {},
                "attachment_size_limit": 1,
            },
        )

    def wait(self, until: Callable[[], Any], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, (self.said, self.answered, self.calls)
            time.sleep(0.01)

    def _send(self, kind: str, data: Any) -> None:
        frame = json.dumps({"op": 0, "t": kind, "s": next(self._sequence), "d": data})
        for socket in self._sockets:
            asyncio.run_coroutine_threadsafe(socket.send_str(frame), self._loop).result(5)

    def _message(self, text: str) -> dict[str, Any]:
        return {
            "id": str(next(self._ids)),
            "channel_id": CHANNEL,
            "channel_type": 1,
            "content": text,
            "timestamp": "2026-01-01T00:00:00.000000+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "components": [],
        }

    # -- the server -----------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_get("/", self._gateway)
        application.router.add_route("*", "/api/v10/{path:.*}", self._api)
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = cast(Any, site._server).sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        for socket in self._sockets:
            await socket.close()
        await runner.cleanup()

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41250}})
        async for frame in socket:
            if frame.type != WSMsgType.TEXT:
                break
            sent = json.loads(frame.data)
            if sent["op"] == 1:
                await socket.send_json({"op": 11})
            elif sent["op"] == 2:
                self.identified.append(sent["d"])
                ready = {
                    "v": 10,
                    "user": person(int(BOT), bot=True),
                    "guilds": [],
                    "session_id": "s",
                    "resume_gateway_url": str(request.url.with_scheme("ws").origin()),
                    "application": {"id": APPLICATION, "flags": 0},
                }
                await socket.send_json({"op": 0, "t": "READY", "s": next(self._sequence), "d": ready})
                self._sockets.append(socket)
        return socket

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        body = await request.json() if request.can_read_body else None
        self.calls.append(f"{request.method} {path}")
        self.bodies.append(body)
        if not path.startswith(("interactions", "webhooks")) and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return reply({"message": "401: Unauthorized", "code": 0}, status=401)
        match path.split("/"):
            case ["users", "@me"]:
                return reply(person(int(BOT), bot=True))
            case ["oauth2", "applications", "@me"] | ["applications", "@me"]:
                return reply(
                    {"id": APPLICATION, "name": "memory", "description": "", "bot_public": True, "flags": 0}
                    | {
                        "bot_require_code_grant": False,
                        "verify_key": "",
                        "owner": person(9),
                        "icon": None,
                        "team": None,
                    }
                )
            case ["applications", _, "commands"]:
                made = [
                    {"id": str(next(self._ids)), "application_id": APPLICATION, "version": "1", **one} for one in body
                ]
                self.commands = {one["name"]: one for one in made}
                return reply(made)
            case ["channels", _, "typing"]:
                return web.Response(status=204)
            case ["channels", _, "messages"]:
                return self._posted(body)
            case ["interactions", identity, _, "callback"]:
                if text := (body.get("data") or {}).get("content"):
                    self.answered.append(text)
                return reply({"interaction": {"id": identity, "type": 2, "response_message_id": str(next(self._ids))}})
            case ["webhooks", *_]:
                self.answered.append(body["content"])
                return reply({**self._message(body["content"]), "author": person(int(BOT), bot=True)})
        return reply({"message": "404: Not Found", "code": 0}, status=404)

    def _posted(self, body: Any) -> web.Response:
        if self.refusals:
            self.refusals -= 1
            told = {"message": "You are being rate limited.", "retry_after": 0.2, "global": False}
            return reply(told, status=429, **{"Retry-After": "0.2", "Via": "1.1 fake"})
        if len(body["content"]) > 2000:
            return reply({"message": "Invalid Form Body", "code": 50035}, status=400)
        self.said.append(body["content"])
        return reply({**self._message(body["content"]), "author": person(int(BOT), bot=True)})


def reply(data: Any, status: int = 200, **headers: str) -> web.Response:
    """JSON without a charset in its type, as Discord sends it and discord.py wants it."""
    headers = {"Content-Type": "application/json", **headers}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=headers)


def person(user: int, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(user),
        "username": f"user{user}",
        "global_name": f"User {user}",
        "discriminator": "0",
        "avatar": None,
        "bot": bot,
    }
