"""HTTP/1.1 on plain asyncio, to one origin: the engine for many bodies at once.

h11 writes every head and reads whatever is not plain: a plain head is matched by one pattern, a
plain chunk by another, and bodies of a known length are counted. ``_address``, ``_request``,
``_reading``, ``_chunks`` and ``_pool`` are pure; ``_dial`` finds a socket, ``_connection`` moves
bytes, ``_sender`` joins them. Kept small by what it leaves to httpx:
proxies, HTTP/2, other event loops.
"""

from step_tts._transport._asyncio._address import Address, parse_address
from step_tts._transport._asyncio._sender import AsyncioSender

__all__ = ["Address", "AsyncioSender", "parse_address"]
