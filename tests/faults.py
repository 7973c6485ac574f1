"""Servers to break: real ones of a test's own, and a wire to one that can be cut."""

import asyncio
import os
import shutil
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from itertools import cycle
from pathlib import Path
from secrets import token_hex

import psutil

from devstack import elasticsearch, places, postgres, processes, valkey
from tests import servers


class _Own(ABC):
    """A server started by `devstack` in a directory of its own; it keeps its port and its data."""

    def __init__(self, state_dir: Path) -> None:
        """Start it.

        Raises:
            DevstackError: it does not start; carries the last log lines.
        """
        state_dir.mkdir(parents=True, exist_ok=True)
        self._state_dir = state_dir
        self._data = places.data_dir(state_dir)
        self._password = token_hex(16)
        self.port = processes.free_port()
        self.start()

    @abstractmethod
    def _start(self) -> int:
        """Start it; its pid."""

    def start(self) -> None:
        """Start it (again), on the data that it had."""
        self._pid = self._start()
        self._created = processes.creation_time(self._pid)

    def kill(self) -> None:
        """End it with SIGKILL, and whatever it has forked."""
        if not processes.alive(self._pid, self._created):
            return
        forked = psutil.Process(self._pid).children(recursive=True)
        processes.end(self._pid, self._created, polite=signal.SIGKILL, patience=10)
        for process in forked:
            if process.is_running():
                process.kill()
        psutil.wait_procs(forked, timeout=10)

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


class OwnElasticsearch(_Own):
    """Elasticsearch.

    Raises:
        ElasticsearchUnavailableError: this machine cannot have one; says what is missing.
    """

    def __init__(self, state_dir: Path) -> None:
        self._home, self._java = elasticsearch.install(print)
        super().__init__(state_dir)
        self.url = elasticsearch.url(self.port)

    def _start(self) -> int:
        return elasticsearch.start(
            self._data, self._home, self._java, port=self.port, short_lived=True
        )


class OwnValkey(_Own):
    """Valkey; what it held is gone when it is killed, as deployed."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir)
        self.url = valkey.url(self.port, self._password)

    def _start(self) -> int:
        return valkey.start(self._data, port=self.port, password=self._password, durable=False)


class OwnPostgres(_Own):
    """PostgreSQL; what it has acknowledged it must still have after a kill."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir)
        self.url = postgres.url(self.port, self._password)
        self._backup = self._data / "backup"

    def _start(self) -> int:
        return postgres.start(self._data, port=self.port, password=self._password, durable=True)

    def stop(self) -> None:
        """End it as an administrator does who does not wait for its clients to leave."""
        processes.end(self._pid, self._created, polite=signal.SIGINT, patience=30)

    def back_up(self) -> None:
        """Copy it as it runs, in the place of an earlier backup."""
        shutil.rmtree(self._backup, ignore_errors=True)
        processes.run(
            [
                postgres._install() / "bin" / "pg_basebackup",
                *("--host=127.0.0.1", f"--port={self.port}", "--username=rides"),
                *("--checkpoint=fast", f"--pgdata={self._backup}"),
            ],
            what="pg_basebackup",
            log=self._data / "pg_basebackup.log",
            timeout=120,
            environment={"PGPASSWORD": self._password},
        )

    def restore(self) -> None:
        """Put the backup in the place of its data, while it is stopped; start it."""
        cluster = postgres.pid_file(self._data).parent
        shutil.rmtree(cluster)
        self._backup.rename(cluster)
        self.start()


class Fault(Enum):
    """What becomes of a call that reaches the wire."""

    NONE = auto()
    LATE = auto()  # passed on after longer than anybody waits
    RESET = auto()
    OVERLOADED = auto()  # 429
    UNAVAILABLE = auto()  # 503
    GARBAGE = auto()  # 200, and no answer


_LATE_S = 2.0
SEARCH = b"allow_partial_search_results=false"  # in the first line of every search
ANYTHING = b" HTTP/1.1\r\n"  # ends the first line of every request
_STATUS = {Fault.OVERLOADED: 429, Fault.UNAVAILABLE: 503, Fault.GARBAGE: 200}


class Wire:
    """A TCP proxy in front of a server on loopback, which counts calls and can fail them.

    A call is what has `call` in it: a search, unless told otherwise.
    """

    def __init__(self, port: int, call: bytes = SEARCH) -> None:
        self._upstream, self._call = port, call
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
                for _ in range(data.count(self._call)):
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
