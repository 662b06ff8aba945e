"""A host and a port → a connected socket.

A name with several addresses is tried in the order of the resolver, families in turn, each a
quarter of a second after the last or at once when that has failed; the first to connect is kept
(RFC 8305). Written on sockets, since not every loop's ``create_connection`` can do this.
"""

from __future__ import annotations

import asyncio
import socket
from itertools import chain, zip_longest
from typing import TypeAlias

import anyio

__all__ = ["dial"]

HEAD_START_SECONDS = 0.25  # RFC 8305 §5

_Found: TypeAlias = tuple[socket.AddressFamily, tuple[object, ...]]


async def dial(host: str, port: int) -> socket.socket:
    """Connect.

    Raises:
        OSError: The name has no address, or none of its addresses takes a connection.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = in_turn([(entry[0], entry[4]) for entry in found])
    return await (_connect(*addresses[0]) if len(addresses) == 1 else _race(addresses))


def in_turn(addresses: list[_Found]) -> list[_Found]:
    """IPv6 and IPv4 alternating, each in its given order, the first one's family first."""
    by_family: dict[socket.AddressFamily, list[_Found]] = {}
    for address in dict.fromkeys(addresses):
        by_family.setdefault(address[0], []).append(address)
    return [address for address in chain(*zip_longest(*by_family.values())) if address]


async def _race(addresses: list[_Found]) -> socket.socket:
    connected: list[socket.socket] = []
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
        async with anyio.create_task_group() as tasks:
            for address in addresses:
                failed = anyio.Event()
                tasks.start_soon(attempt, address, failed)
                with anyio.move_on_after(HEAD_START_SECONDS):
                    await failed.wait()
    except BaseException:
        _close(connected)
        raise
    _close(connected[1:])
    return _winner(connected, errors)


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
