"""How the Elasticsearch client speaks HTTP where every search waits for it.

The client's own node is aiohttp's, which takes three times the CPU of the request that it makes
(docs/adr/0036). This is the client's documented place for another: HTTP/1.1 over kept connections,
one request at a time on each, parsed by httptools, which is what uvicorn serves by.
"""

import asyncio
import ssl
import time
from contextlib import suppress
from typing import cast

import httptools
from elastic_transport import (
    ApiResponseMeta,
    BaseAsyncNode,
    ConnectionError,  # noqa: A004 - the client's
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    TlsError,
)
from elastic_transport._node import NodeApiResponse  # what a node answers; not exported
from elastic_transport.client_utils import DEFAULT, DefaultType

_JSON = "accept: application/json\r\ncontent-type: application/json\r\n"


class _Connection(asyncio.Protocol):
    """One connection; `idle` is where it waits for its next request, and leaves when it is cut."""

    def __init__(self, idle: list["_Connection"]) -> None:
        self._idle = idle
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[None] | None = None
        self._bodiless = self._kept = False

    async def request(self, head: bytes, body: bytes, *, bodiless: bool) -> None:
        """Send it and wait until the answer is whole.

        Raises:
            OSError: the connection was cut.
            httptools.HttpParserError: what came is not HTTP.
        """
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.begun = False  # whether any of the answer has come
        self._bodiless, self._kept = bodiless, False
        self._parser = httptools.HttpResponseParser(self)
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(head + body)
        await self._answered

    @property
    def reusable(self) -> bool:
        """Whether the answer left the connection fit for another request."""
        return self._kept and not self._transport.is_closing()

    def abort(self) -> None:
        """Cut it."""
        self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of its own kind

    def data_received(self, data: bytes) -> None:
        if self._answered is None or self._answered.done():
            self._transport.abort()  # nothing was asked
            return
        self.begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        with suppress(ValueError):
            self._idle.remove(self)
        self._fail(exc or ConnectionResetError("closed before the answer was whole"))

    # What httptools calls

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self._bodiless:
            self._finish()

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        self._kept = self._parser.should_keep_alive()  # which only knows it here
        self._finish()

    def _finish(self) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(error)


class HttpNode(BaseAsyncNode):
    """A server, over at most `connections_per_node` connections; certificates by the system's."""

    _CLIENT_META_HTTP_CLIENT = ("ht", httptools.__version__)

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._tls = None
        if config.scheme == "https":
            self._tls = config.ssl_context or ssl.create_default_context(cafile=config.ca_certs)
        self._idle: list[_Connection] = []
        self._places = asyncio.Semaphore(config.connections_per_node)
        own = {"host": f"{self.host}:{self.port}", **self.headers}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in own.items())

    async def perform_request(  # type: ignore[override]  # as the client's own async nodes
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """One request; connecting and waiting for a connection count in `request_timeout` seconds.

        Raises:
            ConnectionTimeout: it took longer.
            ConnectionError: the server cannot be reached, cut the connection, or speaks no HTTP.
            TlsError: the server cannot prove who it is.
        """
        timeout = self.config.request_timeout if request_timeout is DEFAULT else request_timeout
        given = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        begun = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                answer = await self._answer(method, target, given, body or b"")
        except TimeoutError as error:
            msg = f"no answer within {timeout} s"
            raise ConnectionTimeout(msg, errors=(error,)) from None
        meta = ApiResponseMeta(
            node=self.config,
            duration=time.monotonic() - begun,
            http_version="1.1",
            status=answer.status,
            headers=HttpHeaders(
                {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
            ),
        )
        return NodeApiResponse(meta, b"".join(answer.body))

    async def post(self, target: str, body: bytes) -> tuple[int, bytes]:
        """What the server answers to JSON: its status, and its body as it stands.

        For as long as the caller waits. The client's transport would choose among servers, parse
        the answer, and try again.

        Raises:
            ConnectionError, TlsError: as `perform_request`.
        """
        answer = await self._answer("POST", target, _JSON, body)
        return answer.status, b"".join(answer.body)

    async def _answer(self, method: str, target: str, given: str, content: bytes) -> _Connection:
        """The connection that holds the answer; `given` are header lines."""
        head = (
            f"{method} {self.path_prefix}{target} HTTP/1.1\r\n{self._head}{given}"
            f"content-length: {len(content)}\r\n\r\n"
        ).encode("latin-1")
        try:
            async with self._places:
                return await self._exchange(head, content, bodiless=method == "HEAD")
        except ssl.SSLError as error:
            raise TlsError(str(error), errors=(error,)) from None
        except (OSError, httptools.HttpParserError) as error:
            raise ConnectionError(str(error), errors=(error,)) from None

    async def _exchange(self, head: bytes, content: bytes, *, bodiless: bool) -> _Connection:
        """The connection that holds the answer; it is kept if it may be.

        A kept one that is cut before it answers was closed while it was idle, and the request met
        that: it is sent again. So this is for what may be done twice, as all is that is searched.
        """
        while True:
            kept = bool(self._idle)
            connection = self._idle.pop() if kept else await self._connect()
            try:
                await connection.request(head, content, bodiless=bodiless)
            except OSError:
                connection.abort()
                if kept and not connection.begun:
                    continue
                raise
            except BaseException:
                connection.abort()
                raise
            break
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.abort()
        return connection

    async def _connect(self) -> _Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(self._idle), self.host, self.port, ssl=self._tls
        )
        return connection

    async def close(self) -> None:  # type: ignore[override]  # as the client's own async nodes
        """Cut the connections."""
        for connection in self._idle.copy():
            connection.abort()
        self._idle.clear()
