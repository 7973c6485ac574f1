"""The wall clock of a Python process, as far off as the file says that RIDES_TEST_CLOCK names.

First on PYTHONPATH, this is loaded before anything else, and the file is read at every look at the
clock: all processes that share it jump while they run. It moves what Python code asks (`time.time`,
`datetime.now`), which is all that Celery, kombu and this project go by; not what C code asks the
kernel, and not PostgreSQL's or Elasticsearch's clock, which no lease or version depends on here.
"""

import datetime as dt
import os
import time
from typing import Any

_FILE = os.environ["RIDES_TEST_CLOCK"]
_time, _time_ns, _datetime = time.time, time.time_ns, dt.datetime


def _off() -> int:
    with open(_FILE) as file:  # noqa: PTH123 - pathlib would be imported before anything is patched
        return int(file.read() or 0)


class _Type(type):
    """Whatever C code makes is an instance, too."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _datetime)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _datetime)


class _Jumping(_datetime, metaclass=_Type):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return _datetime.fromtimestamp(_time() + _off(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return _datetime.fromtimestamp(_time() + _off(), dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.now()


# By these names libraries look up how to write one.
_Jumping.__name__ = _Jumping.__qualname__ = "datetime"
_Jumping.__module__ = "datetime"
time.time = lambda: _time() + _off()
time.time_ns = lambda: _time_ns() + _off() * 10**9
dt.datetime = _Jumping  # type: ignore[misc]
