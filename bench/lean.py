"""The least that a FastAPI service can do between a client and Elasticsearch: what ours is held to.

It passes on the bodies that it is given, by the client over such connections as the API has, and
answers with the documents. It reads no parameter and no text, checks nothing, counts nothing,
orders nothing and gives no cursor.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import uvicorn
from elasticsearch import AsyncElasticsearch
from elasticsearch.serializer import OrjsonSerializer
from fastapi import FastAPI, Request, Response

from runtime.http_node import HttpNode
from runtime.settings import settings

JSON = {"accept": "application/json", "content-type": "application/json"}


@asynccontextmanager
async def _client(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncElasticsearch(
        settings().elasticsearch_url,
        serializer=OrjsonSerializer(),
        max_retries=0,
        meta_header=False,
        node_class=HttpNode,
    ) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=_client)


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """It is up."""
    return {}


@app.post("/search")
async def search(request: Request, path: str) -> Response:
    """Post each of the bodies to `path`; the last answer's documents."""
    for body in orjson.loads(await request.body()):
        answer = await request.app.state.client.transport.perform_request(
            "POST", path, headers=JSON, body=body
        )
    documents = [hit["_source"] for hit in answer.body["hits"]["hits"] if "_source" in hit]
    return Response(orjson.dumps(documents), media_type="application/json")


if __name__ == "__main__" and sys.argv[1:2] == ["serve"]:
    chosen = settings()
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.port,
        log_level="error",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
