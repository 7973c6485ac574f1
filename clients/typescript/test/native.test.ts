// @vitest-environment happy-dom

/**
 * React Native's network: `fetch` is whatwg-fetch over XMLHttpRequest, and URLSearchParams hardly
 * works, so that it is taken away here.
 */

import { beforeAll, expect, test, vi } from "vitest";
import { ProblemError, Rides } from "../src/index.js";
import {
  createSearchClient,
  type FacetSearchClient,
  type VehicleSearchClient,
} from "../src/instantsearch/index.js";
import { baseUrl, OF_A_MODEL, VEHICLES } from "./api.js";

beforeAll(async () => {
  vi.stubGlobal(
    "URLSearchParams",
    class {
      constructor() {
        throw new Error("React Native's is not to be relied on");
      }
    },
  );
  for (const [name, polyfill] of Object.entries(await import("whatwg-fetch"))) {
    vi.stubGlobal(name, polyfill);
  }
});

test("the client searches, walks, fails and is aborted", async () => {
  const rides = new Rides({ baseUrl, token: () => undefined });
  let count = 0;
  for await (const _ of rides.searchAll({ make: ["Jeep", "Ford"], q: "snorkels & surf" })) {
    count += 1;
  }
  expect(count).toBe(2 * OF_A_MODEL);
  await expect(rides.search({ limit: 0 })).rejects.toBeInstanceOf(ProblemError);
  const aborter = new AbortController();
  const searching = rides.search({}, { signal: aborter.signal });
  aborter.abort();
  await expect(searching).rejects.toMatchObject({ name: "AbortError" });
});

test("so does the search client", async () => {
  const client = createSearchClient(new Rides({ baseUrl })) as VehicleSearchClient &
    FacetSearchClient;
  const { results } = await client.search([{ indexName: "vehicles", params: { page: 2 } }]);
  expect(results[0]).toMatchObject({ nbHits: VEHICLES, page: 2 });
  const [found] = await client.searchForFacetValues([
    { params: { facetName: "city", facetQuery: "hi" } },
  ]);
  expect(found?.facetHits[0]?.value).toBe("Hilo");
});
