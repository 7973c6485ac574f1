/** The search client without widgets, on the real API: calls, pages, counts. */

import type { Hit, InstantSearchOptions } from "instantsearch.js";
import { describe, expect, expectTypeOf, test } from "vitest";
import { Rides } from "../src/index.js";
import {
  type AdapterOptions,
  createSearchClient,
  type FacetSearchClient,
  type VehicleHit,
  type VehicleSearchClient,
} from "../src/instantsearch/index.js";
import { baseUrl, day, OF_A_MODEL, recorded, VEHICLES } from "./api.js";

function adapter(options: AdapterOptions = {}) {
  const { rides, asked } = recorded();
  const client = createSearchClient(rides, options) as VehicleSearchClient & FacetSearchClient;
  async function search(params: Record<string, unknown>, indexName = "vehicles") {
    const { results } = await client.search([{ indexName, params }]);
    const [result] = results;
    if (!result) {
      throw new Error("no result");
    }
    return result;
  }
  return { client, search, asked, rides };
}

test("it is what InstantSearch takes", () => {
  expectTypeOf<VehicleSearchClient>().toExtend<InstantSearchOptions["searchClient"]>();
  expectTypeOf<Hit<VehicleHit>["_highlightResult"]["title"]>().toExtend<
    { value: string } | undefined
  >();
});

describe("facets", () => {
  test("the queries of refined facets are one call, each counted without its own filter", async () => {
    const { client, asked } = adapter();
    const { results } = await client.search([
      {
        indexName: "vehicles",
        params: {
          facets: ["fuel", "make", "price", "year"],
          facetFilters: [["fuel:Petrol"], ["make:Jeep"]],
          numericFilters: ["price>=4000", "year>=2016"],
          hitsPerPage: 5,
        },
      },
      ...["fuel", "make", "price", "year"].map((facet) => ({
        indexName: "vehicles",
        params: {
          facets: facet,
          facetFilters: [
            ...(facet === "fuel" ? [] : [["fuel:Petrol"]]),
            ...(facet === "make" ? [] : [["make:Jeep"]]),
          ],
          numericFilters: [
            ...(facet === "price" ? [] : ["price>=4000"]),
            ...(facet === "year" ? [] : ["year>=2016"]),
          ],
          hitsPerPage: 0,
          page: 0,
        },
      })),
    ]);
    expect(asked).toHaveLength(1);
    const [main, fuel, make, price, year] = results;
    expect(main?.hits).toHaveLength(5);
    expect(fuel?.hits).toEqual([]);
    expect(Object.keys(make?.facets["make"] ?? {})).toContain("Ford");
    expect(Object.keys(fuel?.facets["fuel"] ?? {})).toEqual(["Petrol"]);
    expect(price?.facets_stats["price"]).toEqual({
      min: expect.any(Number),
      max: expect.any(Number),
    });
    expect(year?.facets).toEqual({});
  });

  test("another question is another call", async () => {
    const { client, asked } = adapter();
    const { results } = await client.search([
      { indexName: "vehicles", params: { facets: ["make"], facetFilters: [["make:Jeep"]] } },
      { indexName: "vehicles", params: { facets: ["make"], hitsPerPage: 0 } },
      { indexName: "vehicles", params: { facets: ["fuel"], query: "tesla", hitsPerPage: 0 } },
      { indexName: "vehicles_price", params: { hitsPerPage: 3 } },
    ]);
    expect(asked).toHaveLength(3);
    expect(results.map(({ nbHits }) => nbHits)).toEqual([
      OF_A_MODEL,
      OF_A_MODEL, // the first one's: the same but for the filter by make
      OF_A_MODEL,
      VEHICLES,
    ]);
  });

  test("prices in units of a widget", async () => {
    const { search } = adapter({ units: { price: 100 } });
    const { facets_stats, nbHits } = await search({
      facets: ["price"],
      numericFilters: ["price>=40", "price<=49.99"],
    });
    expect(facets_stats).toEqual({ price: { min: 40, max: 169 } });
    expect(nbHits).toBe(10);
  });

  test("searching inside one, under the other filters", async () => {
    const { client, asked } = adapter();
    const [found] = await client.searchForFacetValues([
      {
        indexName: "vehicles_price",
        params: {
          facetName: "model",
          facetQuery: "ta",
          maxFacetHits: 10,
          query: "toyota",
          facetFilters: [["make:Toyota"]],
          highlightPreTag: "__ais-highlight__",
          highlightPostTag: "__/ais-highlight__",
        },
      },
    ]);
    expect(found?.facetHits).toEqual([
      {
        value: "Tacoma",
        highlighted: "__ais-highlight__Ta__/ais-highlight__coma",
        count: OF_A_MODEL,
      },
    ]);
    expect(asked[0]?.searchParams.get("text")).toBe("toyota");
    await expect(
      client.searchForFacetValues([{ params: { facetName: "price", facetQuery: "1" } }]),
    ).rejects.toThrow("there are make, model");
  });
});

describe("pages", () => {
  test("all are different, in order, and the next is one call", async () => {
    const { search, asked } = adapter();
    const prices: number[] = [];
    for (let page = 0; page < 7; page++) {
      const { hits, nbPages, nbHits } = await search({ page, facets: ["make"] }, "vehicles_price");
      expect([nbPages, nbHits]).toEqual([7, VEHICLES]);
      prices.push(...hits.map(({ dailyRate }) => dailyRate));
    }
    expect(prices).toEqual(Array.from({ length: VEHICLES }, (_, n) => 4_000 + 100 * n));
    expect(asked).toHaveLength(7);
    // Only the first page counts: facets are the same on all.
    expect(asked.map(({ searchParams }) => searchParams.get("facets"))).toEqual([
      "make",
      ...Array<string>(6).fill("none"),
    ]);
  });

  test("a page far off is reached by calls of 100, and has the facets", async () => {
    const { search, asked } = adapter();
    const { hits, facets } = await search(
      { page: 12, hitsPerPage: 10, facets: ["make"] },
      "vehicles_price",
    );
    expect(hits[0]?.dailyRate).toBe(4_000 + 100 * 120);
    expect(facets["make"]?.["Jeep"]).toBe(OF_A_MODEL);
    expect(asked.map(({ searchParams }) => searchParams.get("limit"))).toEqual(["100", "20", "10"]);
    await search({ page: 11, hitsPerPage: 10, facets: ["make"] }, "vehicles_price");
    expect(asked).toHaveLength(5); // from 100 on
  });

  test("a strip of the same vehicles beside the list keeps its place", async () => {
    const { client, asked } = adapter();
    const both = async (page: number) => {
      const requests = [{ params: { page } }, { params: { hitsPerPage: 3 } }];
      const { results } = await client.search(requests);
      return results.map(({ hits }) => hits.length);
    };
    for (const page of [0, 1, 2, 3]) {
      expect(await both(page)).toEqual([20, 3]);
    }
    expect(asked).toHaveLength(8);
  });

  test("behind the last there is nothing", async () => {
    const { search } = adapter();
    const { hits, nbPages } = await search({ page: 9 });
    expect([hits, nbPages]).toEqual([[], 7]);
  });

  test("page numbers go as far as `reach`, the count says all", async () => {
    const { search, asked } = adapter({ reach: 60 });
    expect(await search({ page: 2 })).toMatchObject({ nbPages: 3, nbHits: VEHICLES });
    expect((await search({ page: 50 })).hits).toEqual([]);
    expect(asked.length).toBeLessThan(6);
  });

  test("a cursor that the API no longer takes starts the walk again", async () => {
    const asked: URL[] = [];
    const rides = new Rides({
      baseUrl,
      fetch: (request) => {
        const url = new URL(request.url);
        asked.push(url);
        if (asked.length === 2) {
          url.searchParams.set("cursor", "of-an-index-that-is-gone");
        }
        return fetch(url);
      },
    });
    const client = createSearchClient(rides);
    const page = (number: number) =>
      client.search([{ indexName: "vehicles_price", params: { page: number } }]);
    await page(0);
    const { results } = await page(1);
    expect(results[0]?.hits[0]?.dailyRate).toBe(6_000);
    expect(asked).toHaveLength(4);
  });

  test("clearing forgets them", async () => {
    const { client, search, asked } = adapter();
    await search({ page: 1 });
    client.clearCache();
    await search({ page: 1 });
    expect(asked).toHaveLength(4);
  });
});

test("dates, and what the API says beside hits", async () => {
  const { search } = adapter();
  const { hits, userData } = await search({
    query: "jeep with snorkels under $80",
    start: day(30),
    end: day(33),
    highlightPreTag: "<b>",
    highlightPostTag: "</b>",
  });
  expect(userData[0].understood.map(({ kind }) => kind)).toContain("price");
  expect(userData[0].meta.degraded).toBe(false);
  expect(hits[0]?.total).toBeGreaterThan(hits[0]?.dailyRate ?? 0);
  expect(hits[0]?._geoloc).toEqual({ lat: expect.any(Number), lng: expect.any(Number) });
  expect(hits[0]?._snippetResult.description).toMatchObject({
    value: "<b>Snorkels</b> &amp; &lt;b&gt;&quot;surf&quot;&lt;&#x2F;b&gt; boards on request.",
    matchedWords: ["Snorkels"],
  });
});

test("what was asked of the API, for a map of the same vehicles", async () => {
  const { search, rides } = adapter({ units: { price: 100 } });
  const { userData, nbHits } = await search(
    {
      query: "wrangler",
      facetFilters: [["city:Hilo"]],
      numericFilters: ["price>=50"],
      insideBoundingBox: "20,-155,19,-156",
      start: day(30),
      end: day(33),
    },
    "vehicles_price_desc",
  );
  const { parameters } = userData[0];
  expect(parameters).toEqual({
    q: "wrangler",
    typing: true,
    city: ["Hilo"],
    priceMin: 5_000,
    bbox: "-156,19,-155,20",
    start: day(30),
    end: day(33),
  });
  const map = await rides.clusters({ bbox: "-156,19,-155,20", zoom: 8, ...parameters });
  expect(map.total.value).toBe(nbHits);
});

test("an unknown parameter is the API's error, naming the fix", async () => {
  const { search } = adapter();
  await expect(search({ strat: "2027-06-01" })).rejects.toThrow("did you mean start?");
});
