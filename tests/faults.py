"""An Elasticsearch to break: a real server of a test's own, and a wire to it that can be cut."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from itertools import cycle
from pathlib import Path

from devstack import elasticsearch, places, processes
from tests import servers


class OwnElasticsearch:
    """A server started by `devstack` in a directory of its own; it keeps its port."""

    def __init__(self, state_dir: Path) -> None:
        """Start it.

        Raises:
            ElasticsearchUnavailableError: this machine cannot have one; says what is missing.
        """
        state_dir.mkdir(parents=True, exist_ok=True)
        self._state_dir = state_dir
        self._home, self._java = elasticsearch.install(print)
        self._data = places.data_dir(state_dir)
        self.port = processes.free_port()
        self.url = elasticsearch.url(self.port)
        self.start()

    def start(self) -> None:
        """Start it (again), on the data that it had."""
        self._pid = elasticsearch.start(self._data, self._home, self._java, port=self.port)
        self._created = processes.creation_time(self._pid)

    def kill(self) -> None:
        """End it with SIGKILL."""
        processes.end(self._pid, self._created, polite=signal.SIGKILL, patience=10)

    @contextmanager
    def mute(self) -> Iterator[None]:
        """Stopped, it accepts connections and answers nothing."""
        os.kill(self._pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._pid, signal.SIGCONT)

    def remove(self) -> None:
        """End it and remove its data."""
        self.kill()
        servers.remove(self._state_dir)


class Fault(Enum):
    """What becomes of a call that reaches the wire."""

    NONE = auto()
    LATE = auto()  # passed on after longer than anybody waits
    RESET = auto()
    OVERLOADED = auto()  # 429
    UNAVAILABLE = auto()  # 503
    GARBAGE = auto()  # 200, and no answer


_LATE_S = 2.0
_CALL = b"allow_partial_search_results=false"  # in the first line of every search
_STATUS = {Fault.OVERLOADED: 429, Fault.UNAVAILABLE: 503, Fault.GARBAGE: 200}


class Wire:
    """A TCP proxy in front of a server on loopback, which counts searches and can fail them."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self.calls = 0
        self.does(Fault.NONE)
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0)
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def does(self, *faults: Fault) -> None:
        """From now on, to one call after the other, over and over."""
        self._faults = cycle(faults)

    def close(self) -> None:
        """Cut it."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, questions = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(_copy(answers, writer))
        try:
            while data := await reader.read(1 << 16):
                for _ in range(data.count(_CALL)):
                    self.calls += 1
                    if await _breaks(next(self._faults), writer):
                        return
                questions.write(data)
                await questions.drain()
        except OSError:
            pass
        finally:
            back.cancel()
            questions.close()
            writer.close()


async def _breaks(fault: Fault, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection has been ended instead of passing the call on."""
    if fault is Fault.LATE:
        await asyncio.sleep(_LATE_S)
    elif fault is Fault.RESET:
        writer.transport.abort()
        return True
    elif fault in _STATUS:
        writer.write(
            f"HTTP/1.1 {_STATUS[fault]} No\r\ncontent-type: application/json\r\n"
            "content-length: 2\r\nconnection: close\r\n\r\n{}".encode()
        )
        await writer.drain()
        return True
    return False


async def _copy(answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await answers.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
