"""One bulk into one index, and the verdict on each document by its error's type."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from indexer.documents import Document, operations

DONE = "version_conflict_engine_exception"  # something newer is there already
_NEWER = re.compile(r"current version \[(\d+)\]")
POISON = "document_parsing_exception"  # the document itself can never be indexed
# The index cannot take any document until somebody acts. A full disk answers 429 like an overload:
# only the type tells them apart.
_UNKNOWN_FIELD = "strict_dynamic_mapping_exception"
STOPPED = frozenset(
    {
        "cluster_block_exception",
        "index_closed_exception",
        "index_not_found_exception",
        _UNKNOWN_FIELD,
    }
)
LARGEST_BODY = 5_000_000  # bytes of one request; a batch above it goes in several
# Every build has an alias of this ending, and a bulk goes to the alias or nowhere: otherwise one
# that comes after its index was removed would bring the index back, untyped.
FEED = "-feed"
_ALARM_SHARE, _ALARM_FROM = 0.05, 20  # of a batch of at least so many documents
_ALARM_LEAST = 10  # refusals: two that meet in a page of 20 must not keep a rebuild from its end
_LONGEST_REASON = 1000  # characters; the reason may quote a whole document


class BuildStoppedError(RuntimeError):
    """The index takes no documents until somebody acts; the message is the index's own."""


class UnknownFieldError(BuildStoppedError):
    """The documents have a field that the index was not made for."""


class OverloadedError(RuntimeError):
    """The server could not take the batch now; the same batch may go through later."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that the index refused for what it is."""

    document: Document
    error: str


@dataclass(slots=True)
class Outcome:
    """What did not go in: documents that never will, and those that may later, with the reason.

    `newest` is the highest version that the index had instead of one that was sent, or 0.
    """

    refused: list[Refused] = field(default_factory=list)
    later: list[Document] = field(default_factory=list)
    reason: str = ""
    newest: int = 0


def send(client: Elasticsearch, index: str, documents: Sequence[Document], version: int) -> Outcome:
    """Write the documents, all with this version; what did not go in comes back.

    Raises:
        BuildStoppedError: the index is full, closed, gone or of another mapping, or ten documents
            and more than 5 % of a batch are refused, which speaks against the mapping rather than
            the documents.
        OverloadedError: anything that may pass: timeouts, rejections, a server that is away.
    """
    outcome = Outcome()
    for part in _parts(documents):
        one = _send(client, index, part, version)
        outcome.refused += one.refused
        outcome.later += one.later
        outcome.reason = outcome.reason or one.reason
        outcome.newest = max(outcome.newest, one.newest)
    return outcome


def _parts(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    """The documents in requests of at most `LARGEST_BODY`, or of one document."""
    start, size = 0, 0
    for n, document in enumerate(documents):
        if n > start and size + len(document.source) > LARGEST_BODY:
            yield documents[start:n]
            start, size = n, 0
        size += len(document.source)
    yield documents[start:]


def _send(
    client: Elasticsearch, index: str, documents: Sequence[Document], version: int
) -> Outcome:
    try:
        answer = client.perform_request(
            "POST",
            f"/{index}{FEED}/_bulk",
            params={
                "require_alias": "true",
                "filter_path": "errors,items.*._id,items.*.error.type,items.*.error.reason",
            },
            headers={"accept": "application/json", "content-type": "application/x-ndjson"},
            body=operations(documents, version),
        ).body
    except ApiError as error:
        if error.error in STOPPED:
            raise BuildStoppedError(str(error)) from error
        raise OverloadedError(str(error)) from error
    except TransportError as error:
        raise OverloadedError(str(error)) from error
    return _judge(documents, answer["items"]) if answer["errors"] else Outcome()


def _judge(documents: Sequence[Document], items: list[Any]) -> Outcome:
    by_id = {str(document.vehicle_id): document for document in documents}
    outcome = Outcome()
    for item in items:
        result = item["index"]
        error = result.get("error")
        if not error:
            continue
        if error["type"] == DONE:
            found = _NEWER.search(error["reason"])
            outcome.newest = max(outcome.newest, int(found[1]) if found else 0)
            continue
        message = f"{error['type']}: {error['reason']}"[:_LONGEST_REASON]
        if error["type"] == _UNKNOWN_FIELD:
            raise UnknownFieldError(message)
        if error["type"] in STOPPED:
            raise BuildStoppedError(message)
        document = by_id[result["_id"]]
        if error["type"] == POISON:
            outcome.refused.append(Refused(document, message))
        else:
            outcome.later.append(document)
            outcome.reason = outcome.reason or message
    refused = outcome.refused
    many = len(refused) >= _ALARM_LEAST and len(refused) > _ALARM_SHARE * len(documents)
    if many and len(documents) >= _ALARM_FROM:
        msg = f"{len(refused)} of {len(documents)} documents refused, first: {refused[0].error}"
        raise BuildStoppedError(msg)
    return outcome
