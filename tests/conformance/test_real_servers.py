"""The servers people run: nginx, uvicorn, hypercorn, Node; each where it is installed."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from conformance.engines import ON_EVERY_ENGINE, ask, engine_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.parametrize(("anyio_backend", "engine"), ON_EVERY_ENGINE)

AUDIO = bytes(range(256)) * 2000
PATIENCE_SECONDS = 20

# One answer with a length, one in chunks.
ASGI_APP = """
AUDIO = bytes(range(256)) * 2000

async def app(scope, receive, send):
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    counted = scope["path"] == "/counted"
    headers = [(b"content-length", b"%d" % len(AUDIO))] if counted else []
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for start in range(0, len(AUDIO), 64000):
        part = AUDIO[start:start + 64000]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
"""
NODE_APP = """
const audio = Buffer.from([...Array(512000).keys()].map(i => i % 256));
require("http").createServer((request, response) => {
  request.resume().on("end", () => {
    if (request.url === "/counted") response.setHeader("Content-Length", audio.length);
    for (let at = 0; at < audio.length; at += 64000) response.write(audio.subarray(at, at + 64000));
    response.end();
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
"""
# A POST for a file is a 405 to nginx, and here the file all the same. Where server-side includes
# may change the length, nginx does not tell it: the answer comes in chunks.
NGINX_CONF = """
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  keepalive_requests 3;
  server {{
    listen 127.0.0.1:{port}; root {folder}; error_page 405 =200 $uri;
    location /chunked {{ ssi on; ssi_types *; }}
  }}
}}
"""


def command(server: str, folder: Path, port: int) -> list[str]:
    (folder / "app.py").write_text(ASGI_APP)
    (folder / "app.js").write_text(NODE_APP)
    (folder / "counted").write_bytes(AUDIO)
    (folder / "chunked").write_bytes(AUDIO)
    (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, port=port))
    python = [sys.executable, "-m"]
    return {
        "uvicorn": [*python, "uvicorn", "app:app", "--port", f"{port}", "--log-level", "critical"],
        "hypercorn": [*python, "hypercorn", "app:app", "--bind", f"127.0.0.1:{port}"],
        "node": ["node", "app.js", f"{port}"],
        "nginx": ["nginx", "-e", "stderr", "-c", f"{folder}/nginx.conf"],
    }[server]


@pytest.fixture(params=["nginx", "uvicorn", "hypercorn", "node"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a running server."""
    server = request.param
    if server in {"nginx", "node"} and not shutil.which(server):
        pytest.skip(f"{server} is not installed")
    if server in {"uvicorn", "hypercorn"}:
        pytest.importorskip(server)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(command(server, tmp_path, port), cwd=tmp_path)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


async def test_a_server(engine: Any, running: str) -> None:
    """Twelve clips, in both framings, some at once; nginx ends each connection after three."""
    async with engine_for(engine, keepalive_connections=4) as by:
        await until_it_listens(running)
        for path in ("/counted", "/chunked"):
            heard = [await ask(by, running + path) for _ in range(4)]
            async with anyio.create_task_group() as tasks:
                for _ in range(4):
                    tasks.start_soon(gather, by, running + path, heard)

            assert len(heard) == 8
            for one in heard:
                assert (one.status, one.error, len(one.body)) == (200, "", len(AUDIO))
                assert one.body == AUDIO
                assert ("transfer-encoding" in one.headers) == (path == "/chunked")


async def gather(by: Any, url: str, heard: list[Any]) -> None:
    heard.append(await ask(by, url))


async def until_it_listens(url: str) -> None:
    port = int(url.rsplit(":", 1)[1])
    with anyio.fail_after(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(OSError):
                await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
                return
            await anyio.sleep(0.05)
