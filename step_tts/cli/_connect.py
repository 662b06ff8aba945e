"""Options → an open client, over the network or against the built-in sandbox.

The client, an engine for HTTP and the sandbox are imported here, when a command runs, so that
``--help`` need not wait for them.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from step_tts._client import AsyncClient
    from step_tts._observe import Listener
    from step_tts.cli._options import ClientOptions, PaceOptions

__all__ = ["connect"]


@contextlib.asynccontextmanager
async def connect(
    options: ClientOptions, pace: PaceOptions | None = None, on_event: Listener | None = None
) -> AsyncIterator[AsyncClient]:
    """Open the client that these options describe, after the sandbox if they ask for it.

    Raises:
        ConfigurationError: There is no key, or an option is invalid.
    """
    from step_tts import AsyncClient

    async with contextlib.AsyncExitStack() as stack:
        api_key, base_url = options.api_key, options.base_url
        if options.sandbox:
            from step_tts.sandbox import serve

            server = await stack.enter_async_context(serve())
            api_key, base_url = server.api_key, server.base_url
        yield await stack.enter_async_context(
            AsyncClient(
                api_key=api_key,
                base_url=base_url,
                model=options.model,
                timeout=options.timeout,
                max_retries=options.max_retries,
                concurrency=pace.max_concurrency if pace else 1,
                rate=pace.rate() if pace else None,
                on_event=on_event,
                prompt_placement=options.prompt_placement,
                proxy=options.proxy,
                trust_env=not options.sandbox,  # a proxy from the environment cannot reach loopback
            )
        )
