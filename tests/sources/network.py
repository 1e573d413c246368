"""A network in which no packet leaves this machine: names are told, and public addresses are served from loopback."""

from __future__ import annotations

import socket
from typing import Any

#: Passes for an address of the outer world; whoever connects to it gets to this machine.
PUBLIC = "93.184.216.34"


class Network:
    """What names lead to, and who was connected to.

    Attributes:
        names: a name to the addresses that are told for it, time after time; the last is told from then on.
        connected: the addresses that connections were made to, in order.
        looked_up: the names that were asked for.
    """

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.connected: list[str] = []
        self.looked_up: list[str] = []
        self._look_up, self._connect = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(self, host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        """As :func:`socket.getaddrinfo`, without asking anybody."""
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.strip("0123456789.") and ":" not in name:
            self.looked_up.append(name)
        if name in self.names:
            told = self.names[name]
            address = told.pop(0) if len(told) > 1 else told[0]
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return [(family, socket.SOCK_STREAM, 6, "", (address, port))]
        if name != "localhost":
            options["flags"] = socket.AI_NUMERICHOST  # raises for a name, rather than asking for it
        return self._look_up(host, port, *arguments, **options)

    def create_connection(self, address: tuple[str, int], *arguments: Any, **options: Any) -> socket.socket:
        """As :func:`socket.create_connection`, to this machine alone."""
        self.connected.append(address[0])
        place = "127.0.0.1" if address[0] == PUBLIC else address[0]
        assert place.startswith("127.") or place in ("::1", "localhost"), f"a packet to {address[0]}"
        return self._connect((place, address[1]), *arguments, **options)
