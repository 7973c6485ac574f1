import type { IndexUiState } from "instantsearch.js";
import { expect, expectTypeOf, test } from "vitest";
import { SORTS } from "../src/generated/parameters.js";
import { toUiState } from "../src/instantsearch/index.js";
import { readRequest } from "../src/instantsearch/parameters.js";

test("every parameter has its widget, or configure", () => {
  const parameters = {
    q: "surf",
    typing: true,
    make: ["Jeep", "Ford"],
    features: ["GPS"],
    yearMin: 2019,
    priceMin: 3_050,
    priceMax: 8_000,
    instantBook: true,
    bbox: "-156,19,-155,20",
    sort: "-price",
    start: "2027-06-01",
    end: "2027-06-08",
    lat: 19.7,
    lon: -155.1,
    radiusKm: 30,
    keep: ["place"],
  };
  const ranges = { year: "2019:", price: "30.5:80" };
  expect(toUiState(parameters, { units: { price: 100 } })).toEqual({
    query: "surf",
    refinementList: { make: ["Jeep", "Ford"], features: ["GPS"] },
    range: ranges,
    numericMenu: ranges,
    toggle: { instantBook: true },
    geoSearch: { boundingBox: "20,-155,19,-156" },
    sortBy: "vehicles_price_desc",
    configure: {
      start: "2027-06-01",
      end: "2027-06-08",
      lat: 19.7,
      lon: -155.1,
      radiusKm: 30,
      keep: ["place"],
    },
  });
  expectTypeOf(toUiState(parameters)).toExtend<IndexUiState>();
});

test("what suggest says, and what no widget can say", () => {
  expect(toUiState({ make: "Jeep", model: "Wrangler" }).refinementList).toEqual({
    make: ["Jeep"],
    model: ["Wrangler"],
  });
  expect(toUiState({ instantBook: false }).configure).toEqual({ instantBook: false });
});

test("every order is one that the search client reads", () => {
  for (const sort of SORTS) {
    const { sortBy } = toUiState({ sort }, { indexName: "cars" });
    const params = { lat: 0, lon: 0 };
    const { question } = readRequest(
      { indexName: sortBy ?? "", params },
      { indexName: "cars", units: {} },
    );
    expect(question["sort"] ?? "relevance").toBe(sort);
  }
});
