"""The Elasticsearch index, derived from the table of fields."""

import hashlib
import json
from typing import Any

from search.fields import FIELDS, LONGEST_TOTAL, Field, Kind

# Every filter of the chain exists under this name in the official distribution.
ANALYZER = "folded"
WORDS_ANALYZER = "words"  # not stemmed: the beginning of a word is the beginning of a term
INDEX_SETTINGS: dict[str, Any] = {
    "number_of_shards": 1,  # one shard makes every count exact
    "auto_expand_replicas": "0-1",
    # The drain refreshes the serving index itself; set explicitly so that an idle shard never
    # skips refreshes.
    "refresh_interval": "30s",
    # A term scores its field's weight whatever else is in the index: scores, and with them pages,
    # hold still under writes (docs/adr/0003).
    "similarity": {"default": {"type": "boolean"}},
    "analysis": {
        "analyzer": {
            ANALYZER: {
                "type": "custom",
                "tokenizer": "standard",
                "filter": ["lowercase", "asciifolding", "porter_stem"],
            },
            WORDS_ANALYZER: {
                "type": "custom",
                "tokenizer": "standard",
                "filter": ["lowercase", "asciifolding"],
            },
        }
    },
}
_TEXT = {"type": "text", "analyzer": ANALYZER, "norms": False}
# For values as they are typed (search/words.py); only whether a value has a word matters.
_WORDS = {"type": "text", "analyzer": WORDS_ANALYZER, "norms": False, "index_options": "docs"}


def _property(field: Field) -> dict[str, Any]:
    match field.kind:
        case Kind.KEYWORD:
            parts: dict[str, Any] = {}
            if field.match:
                # Filters compare in lower case, facets count the display form.
                parts["key"] = {"type": "keyword", "normalizer": "lowercase", "doc_values": False}
                parts["words"] = _WORDS
            if field.weight:
                parts["text"] = _TEXT
            return {"type": "keyword"} | ({"fields": parts} if parts else {})
        case Kind.TEXT:
            return dict(_TEXT)
        case Kind.STORED:
            return {"type": "object", "enabled": False}
        case Kind.TOTALS:
            days = range(1, LONGEST_TOTAL + 1)
            return {
                "properties": {str(n): {"type": "integer", "index": False} for n in days},
            }
        case Kind.DATES:
            return {"type": "date_range", "format": "yyyy-MM-dd"}
        case _:
            return {"type": str(field.kind)}


def _properties() -> dict[str, Any]:
    own = {
        # A vehicle that must not be found stays as a hidden document: a deleted one's version is
        # forgotten after 60 s, and a late write would bring it back.
        "hidden": {"type": "boolean"},
        "content_hash": {"type": "keyword", "index": False},
    }
    return {field.name: _property(field) for field in FIELDS} | own


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


_PROPERTIES = _properties()
# The function by which documents are written: with another, all have other content hashes.
FORM = "row_to_json"
MAPPING_HASH: str = _hash(INDEX_SETTINGS, _PROPERTIES, FORM)
"""What a build was created from; another hash means that a reindex is due."""
MAPPINGS: dict[str, Any] = {
    "dynamic": "strict",
    "_meta": {"mapping_hash": MAPPING_HASH},
    "properties": _PROPERTIES,
}
