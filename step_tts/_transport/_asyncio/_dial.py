"""A host and a port → a connected socket.

A name with several addresses is tried in the order of the resolver, families in turn, each a
quarter of a second after the last or at once when that has failed; the first to connect is kept
(RFC 8305). Written on sockets, since not every loop's ``create_connection`` can do this. Those
who look the name up at the same time share one look-up, which takes a thread: a client that
starts opens many connections at once.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from itertools import chain, zip_longest
from typing import Any, TypeAlias

import anyio

from step_tts._runtime import task_group

__all__ = ["Dialler"]

HEAD_START_SECONDS = 0.25  # RFC 8305 §5

_Found: TypeAlias = tuple[socket.AddressFamily, tuple[object, ...]]


class Dialler:
    """Connects to one host and port."""

    def __init__(self, host: str, port: int) -> None:
        self._look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        self._looking: asyncio.Future[list[Any]] | None = None

    async def dial(self) -> socket.socket:
        """Connect.

        Raises:
            OSError: The name has no address, or none of its addresses takes a connection.
        """
        addresses = in_turn([(entry[0], entry[4]) for entry in await self._found()])
        return await (_connect(*addresses[0]) if len(addresses) == 1 else _race(addresses))

    async def _found(self) -> list[Any]:
        loop, looking = asyncio.get_running_loop(), self._looking
        if looking is None or looking.done() or looking.get_loop() is not loop:
            looking = loop.run_in_executor(None, self._look_up)
            looking.add_done_callback(_noted)
            self._looking = looking
        await asyncio.wait([looking])  # which, unlike a plain await, does not cancel it
        return looking.result()


def _noted(looking: asyncio.Future[list[Any]]) -> object:
    """Look at a failure that perhaps nobody waits for any more: asyncio would complain of it."""
    return looking.cancelled() or looking.exception()


def in_turn(addresses: list[_Found]) -> list[_Found]:
    """IPv6 and IPv4 alternating, each in its given order, the first one's family first."""
    by_family: dict[socket.AddressFamily, list[_Found]] = {}
    for address in dict.fromkeys(addresses):
        by_family.setdefault(address[0], []).append(address)
    return [address for address in chain(*zip_longest(*by_family.values())) if address]


async def _race(addresses: list[_Found]) -> socket.socket:
    connected: list[socket.socket] = []
    won: list[socket.socket] = []
    errors: list[OSError] = []

    async def attempt(address: _Found, failed: anyio.Event) -> None:
        try:
            connected.append(await _connect(*address))
        except OSError as error:
            errors.append(error)
            failed.set()
        else:
            tasks.cancel_scope.cancel()

    try:
        async with task_group() as tasks:
            for address in addresses:
                failed = anyio.Event()
                tasks.start_soon(attempt, address, failed)
                with anyio.move_on_after(HEAD_START_SECONDS):
                    await failed.wait()
        won = connected[:1]
    finally:
        _close(connected[len(won) :])
    return _winner(won, errors)


def _winner(connected: list[socket.socket], errors: list[OSError]) -> socket.socket:
    if not connected:
        raise errors[0]
    return connected[0]


async def _connect(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def _close(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.close()
