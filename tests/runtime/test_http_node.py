"""The client's HTTP, against real Elasticsearch and a server that answers as it should not."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from elastic_transport import ConnectionError as TransportConnectionError
from elastic_transport import ConnectionTimeout, HttpHeaders, NodeConfig, TlsError
from elasticsearch import AsyncElasticsearch, NotFoundError

from runtime.http_node import HttpNode

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop])
def run(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


class Server:
    """Answers each request with the next of `answers`, b"" for cutting the connection."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.heads: list[str] = []
        self.bodies: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while self.answers:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            self.heads.append(head.decode())
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            self.bodies.append(await reader.readexactly(length))
            answer = self.answers.pop(0)
            writer.write(answer)
            if answer not in (OK, CHUNKED):
                break
        writer.close()


@asynccontextmanager
async def served(*answers: bytes, tls: ssl.SSLContext | None = None, **config: object):
    """The server and a node that speaks to it."""
    server = Server(*answers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    node = HttpNode(NodeConfig("https" if tls else "http", "127.0.0.1", port, **config))
    try:
        yield server, node
    finally:
        await node.close()
        listening.close()


@pytest.mark.usefixtures("elastic")
def test_the_official_client_works_over_it(run, settings):
    index_alias = f"{settings.index_alias}-node"

    async def asked():
        async with AsyncElasticsearch(settings.elasticsearch_url, node_class=HttpNode) as client:
            assert not await client.indices.exists(index=index_alias)  # HEAD: without a body
            await client.indices.create(index=index_alias)
            await client.index(index=index_alias, id="1", document={"name": "é" * 70_000})
            found = await client.get(index=index_alias, id="1")
            assert found["_source"] == {"name": "é" * 70_000}
            with pytest.raises(NotFoundError):
                await client.get(index=index_alias, id="2")
            many = await asyncio.gather(*(client.get(index=index_alias, id="1") for _ in range(30)))
            assert len(many) == 30
            await client.indices.delete(index=index_alias)

    run(asked())


def test_connections_are_kept_and_what_is_sent_is_http(run):
    async def asked():
        headers = {"authorization": "Basic abc"}
        async with served(OK, OK, OK, headers=headers, path_prefix="es") as (server, node):
            sent = HttpHeaders({"content-type": "application/json"})
            for _ in range(3):
                answer = await node.perform_request("POST", "/_search?a=b", b'{"q":1}', sent)
                assert (answer.meta.status, answer.meta.mimetype) == (200, "text/plain")
                assert answer.body == b"hello"
            assert server.connections == 1
            assert server.bodies == [b'{"q":1}'] * 3
            lines = server.heads[0].splitlines()
            assert lines[0] == "POST /es/_search?a=b HTTP/1.1"
            assert {"authorization: Basic abc", "content-type: application/json"} <= {*lines}

    run(asked())


def test_a_posted_question_is_answered_as_it_stands(run):
    async def asked():
        async with served(OK, headers={"authorization": "Basic abc"}) as (server, node):
            assert await node.post("/_search?a=b", b'{"q":1}') == (200, b"hello")
            assert server.bodies == [b'{"q":1}']
            lines = server.heads[0].splitlines()
            assert lines[0] == "POST /_search?a=b HTTP/1.1"
            assert {"authorization: Basic abc", "content-type: application/json"} <= {*lines}

    run(asked())


def test_no_more_connections_than_allowed(run):
    async def asked():
        async with served(*[OK] * 9, connections_per_node=1) as (server, node):
            answers = [node.perform_request("GET", "/") for _ in range(9)]
            assert {each.body for each in await asyncio.gather(*answers)} == {b"hello"}
            assert server.connections == 1

    run(asked())


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED,
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ],
    ids=["chunked", "closing", "HTTP/1.0"],
)
def test_whatever_way_it_ends_the_answer_is_whole_and_the_next_is_its_own(run, answer):
    async def asked():
        async with served(answer, OK) as (server, node):
            assert (await node.perform_request("GET", "/")).body == b"hello"
            assert (await node.perform_request("GET", "/")).body == b"hello"
            assert server.connections == (1 if answer == CHUNKED else 2)

    run(asked())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        OK[:-2],
        OK[:20],
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    ],
    ids=["cut", "not HTTP", "cut in the body", "cut in the head", "no length"],
)
def test_what_is_no_whole_answer_is_an_error_and_the_next_one_is_not(run, answer):
    async def asked():
        async with served(answer, OK) as (_, node):
            with pytest.raises(TransportConnectionError):
                await node.perform_request("GET", "/")
            assert (await node.perform_request("GET", "/")).body == b"hello"

    run(asked())


def test_a_server_that_is_not_there(run):
    async def asked():
        node = HttpNode(NodeConfig("http", "127.0.0.1", 1))
        with pytest.raises(TransportConnectionError):
            await node.perform_request("GET", "/")

    run(asked())


def test_a_late_answer_is_not_the_next_one_s(run):
    """The connection on which it would come is cut."""

    async def asked():
        hold = asyncio.Event()

        async def late(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            if b" /late " in head:
                await hold.wait()
            writer.write(OK)
            writer.close()

        listening = await asyncio.start_server(late, "127.0.0.1", 0)
        node = HttpNode(NodeConfig("http", "127.0.0.1", listening.sockets[0].getsockname()[1]))
        with pytest.raises(ConnectionTimeout):
            await node.perform_request("GET", "/late", request_timeout=0.05)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await node.post("/late", b"")
        assert (await node.perform_request("GET", "/")).body == b"hello"
        hold.set()
        await node.close()
        listening.close()

    run(asked())


def test_a_kept_connection_that_the_server_closed_is_not_used_again(run):
    async def asked():
        closed = asyncio.Event()

        async def once(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            writer.close()
            await writer.wait_closed()
            closed.set()

        listening = await asyncio.start_server(once, "127.0.0.1", 0)
        node = HttpNode(NodeConfig("http", "127.0.0.1", listening.sockets[0].getsockname()[1]))
        for _ in range(3):
            closed.clear()
            assert (await node.perform_request("GET", "/")).body == b"hello"
            await closed.wait()
            await asyncio.sleep(0)  # the end has been read
        await node.close()
        listening.close()

    run(asked())


def test_who_the_server_is_must_be_proved(run, tmp_path):
    own, trusting = certificate(tmp_path)

    async def asked():
        async with served(OK, tls=own) as (_, node):
            with pytest.raises(TlsError, match=r"self.signed"):
                await node.perform_request("GET", "/")
        async with served(OK, tls=own, ssl_context=trusting) as (_, node):
            assert (await node.perform_request("GET", "/")).body == b"hello"

    run(asked())


def certificate(folder) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server at 127.0.0.1 that vouches for itself; the client's that takes its word."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(pem)
    return own, ssl.create_default_context(cafile=pem)
