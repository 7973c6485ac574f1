"""The demo's mails: what its worker prints instead of sending it, shown to who is watching."""

import json
from collections.abc import Iterator
from pathlib import Path


class Mails:
    """Reads on in the worker's log, from where it was."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0

    def new(self) -> Iterator[str]:
        """Mails since the last time, each as a text to print."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):
                    return  # the rest of it is being written
                self._read += len(line)
                if line.startswith(b"{") and b'"event":"mail"' in line:
                    mail = json.loads(line)
                    yield f"mail to {mail['to']}: {mail['subject']}\n\n{mail['text']}"
