"""The TLS context of a client of our own, by the rules of httpx, whatever engine uses it.

Blocks for tens of milliseconds: whoever calls it picks the thread.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from step_tts._errors import ConfigurationError

__all__ = ["tls_context"]


def tls_context(
    verify: bool | str | os.PathLike[str] | ssl.SSLContext,  # noqa: FBT001  httpx's word
    *,
    trust_env: bool,
) -> ssl.SSLContext:
    """``verify`` as a context: a context as it is, a path of a CA file, or a truth value.

    ``True`` means the authorities that ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` name where the
    environment is trusted, else those of certifi.

    Raises:
        ConfigurationError: The CA file cannot be used.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str | os.PathLike):
        return _trusting(verify)
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    given = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    if trust_env and given:
        return _trusting(given)
    import certifi  # noqa: PLC0415  only here are its authorities needed

    return _trusting(certifi.where())


def _trusting(authorities: str | os.PathLike[str]) -> ssl.SSLContext:
    try:
        if Path(authorities).is_dir():
            return ssl.create_default_context(capath=authorities)
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise ConfigurationError(
            f"The CA file {os.fspath(authorities)} cannot be used ({error.strerror}): "
            "check verify and SSL_CERT_FILE."
        ) from error
