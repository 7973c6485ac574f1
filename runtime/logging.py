"""Logs: one JSON object a line on standard output; coloured text where a person is watching."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from runtime.settings import Settings


def configure_logging(settings: Settings) -> None:
    """Send structlog's and the standard library's records the same way, from `log_level` up."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered = _rendered(watched=sys.stdout.isatty())
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    # uvicorn writes a line a socket, with the client's address: `access_log` is not about it. What
    # it logs need not be text: that a port is taken is an OSError.
    logging.getLogger("uvicorn.error").addFilter(lambda line: '"WebSocket ' not in str(line.msg))
    # Libraries speak up for what an operator must see; their chatter is theirs.
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def _rendered(*, watched: bool) -> list[Processor]:
    if watched:
        return [structlog.dev.ConsoleRenderer()]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def _json(event: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
