/** What InstantSearch asks, in the API's parameters: whole questions. */

import { describe, expect, test } from "vitest";
import { FACETS, PARAMETERS } from "../src/generated/parameters.js";
import { readRequest } from "../src/instantsearch/parameters.js";

function question(params: Record<string, unknown>, indexName = "vehicles", units = {}) {
  return readRequest({ indexName, params }, { indexName: "vehicles", units }).question;
}

describe("text and facets", () => {
  test("what is empty asks for nothing", () => {
    const nothing = { query: "  ", facetFilters: [], numericFilters: [], tagFilters: "" };
    expect(question({ ...nothing, insideBoundingBox: "", aroundLatLng: undefined })).toEqual({});
  });

  test("alternatives of a facet, all of another, a flag", () => {
    const facetFilters = [
      ["make:Jeep", "make:Land Rover"],
      "features:GPS",
      "features:Bluetooth",
      ["instantBook:true"],
    ];
    expect(question({ query: " jeep ", facetFilters })).toEqual({
      q: "jeep",
      make: ["Jeep", "Land Rover"],
      features: ["GPS", "Bluetooth"],
      instantBook: true,
    });
  });

  test("a text is being typed, unless a blank follows or the app knows better", () => {
    expect(question({ query: " jeep wra" })).toEqual({ q: "jeep wra", typing: true });
    expect(question({ query: "jeep " })).toEqual({ q: "jeep" });
    expect(question({ query: "jeep", typing: false })).toEqual({ q: "jeep", typing: false });
  });

  test("a flag that may be either is no filter", () => {
    expect(question({ facetFilters: [["instantBook:true", "instantBook:false"]] })).toEqual({});
  });

  test("a value may hold a colon, and begin with a minus that InstantSearch escapes", () => {
    expect(question({ facetFilters: [["model:\\-9:3"]] })).toEqual({ model: ["-9:3"] });
  });

  test("every facet of the contract can be asked for and filtered by", () => {
    const { facets } = readRequest({ params: { facets: ["*"] } }, { indexName: "v", units: {} });
    expect(facets).toEqual(FACETS);
    for (const [name, kind] of Object.entries(PARAMETERS)) {
      if (kind === "any" || kind === "all") {
        expect(question({ facetFilters: [[`${name}:x`]] })).toEqual({ [name]: ["x"] });
      }
    }
  });
});

describe("numbers", () => {
  test("bounds, the tighter of two, and one value", () => {
    const numericFilters = ["price>=5000", "price>=6000", "price<=9000", "year=2019"];
    expect(question({ numericFilters })).toEqual({
      priceMin: 6000,
      priceMax: 9000,
      yearMin: 2019,
      yearMax: 2019,
    });
  });

  test("bounds are inclusive: of whole numbers, more than 5 is at least 6", () => {
    expect(question({ numericFilters: [["seats>5"], "price<9000"] })).toEqual({
      seatsMin: 6,
      priceMax: 8999,
    });
  });

  test("units: a slider in dollars asks in cents, exactly", () => {
    const numericFilters = ["price>=19.99", "rating>=4.5"];
    expect(question({ numericFilters }, "vehicles", { price: 100 })).toEqual({
      priceMin: 1999,
      ratingMin: 4.5,
    });
  });
});

describe("places", () => {
  test("a point measures, and filters only with a radius, in metres", () => {
    expect(question({ aroundLatLng: "19.7, -155.08" })).toEqual({ lat: 19.7, lon: -155.08 });
    expect(question({ aroundLatLng: "19.7,-155.08", aroundRadius: 2500 })).toEqual({
      lat: 19.7,
      lon: -155.08,
      radiusKm: 2.5,
    });
    expect(question({ aroundLatLng: "0,0", aroundRadius: "all" })).toEqual({ lat: 0, lon: 0 });
  });

  test("a box from north-east and south-west, also across the 180th meridian", () => {
    expect(question({ insideBoundingBox: "20,-154,19,-156" })).toEqual({ bbox: "-156,19,-154,20" });
    expect(question({ insideBoundingBox: [[19, -156, 20, -154]] })).toEqual({
      bbox: "-156,19,-154,20",
    });
    expect(question({ insideBoundingBox: "-16,-179,-18,177" })).toEqual({
      bbox: "177,-18,-179,-16",
    });
  });
});

describe("maps that were panned round the world, or show more than all of it", () => {
  test.each([
    ["22.3,206,18.5,199.5", "-160.5,18.5,-154,22.3"],
    ["22.3,-514,18.5,-520.5", "-160.5,18.5,-154,22.3"],
    ["25,210,-20,160", "160,-20,-150,25"],
    ["80,250,-80,-250", "-180,-80,180,80"],
    ["95,180,-91,-180", "-180,-90,180,90"],
    ["20,185,10,-170", "-170,10,-175,20"],
  ])("%s", (insideBoundingBox, bbox) => {
    expect(question({ insideBoundingBox })).toEqual({ bbox });
  });

  test("points as well", () => {
    expect(question({ aroundLatLng: "19.7,204.5" })).toEqual({ lat: 19.7, lon: -155.5 });
    expect(question({ aroundLatLng: "-90.5,-180" })).toEqual({ lat: -90, lon: -180 });
  });
});

describe("orders", () => {
  test.each([
    ["vehicles", {}],
    ["vehicles_relevance", {}],
    ["vehicles_price", { sort: "price" }],
    ["vehicles_price_asc", { sort: "price" }],
    ["vehicles_price_desc", { sort: "-price" }],
    ["vehicles_-price", { sort: "-price" }],
    ["vehicles_newest", { sort: "newest" }],
  ])("%s", (index, expected) => {
    expect(question({}, index)).toEqual(expected);
  });
});

describe("parameters of the API, by configure", () => {
  test("pass through, single values of a facet as a list", () => {
    const dates = { start: "2027-06-01", end: "2027-06-08", priceBasis: "total", keep: ["make"] };
    expect(question({ ...dates, city: "Hilo", flexDays: 2 })).toEqual({
      ...dates,
      city: ["Hilo"],
      flexDays: 2,
    });
  });

  test("so does what nobody knows: the API names what there is", () => {
    expect(question({ strat: "2027-06-01" })).toEqual({ strat: "2027-06-01" });
  });

  test("instructions to another engine change nothing", () => {
    const others = {
      analytics: false,
      clickAnalytics: true,
      userToken: "u",
      maxValuesPerFacet: 10,
    };
    expect(question({ ...others, attributesToSnippet: ["description:20"] })).toEqual({});
  });
});

test("equal questions are equal as text", () => {
  const one = question({ start: "2027-06-01", end: "2027-06-08", query: "jeep" });
  const other = question({ query: "jeep", end: "2027-06-08", start: "2027-06-01" });
  expect(JSON.stringify(one)).toBe(JSON.stringify(other));
});

describe("what the API cannot be asked is refused, with the fix", () => {
  test.each([
    [{ facetFilters: ["make:Jeep", "make:Ford"] }, 'Give its widget operator: "or"'],
    [{ facetFilters: [["features:GPS", "features:USB"]] }, 'Give its widget operator: "and"'],
    [{ facetFilters: ["make:-Jeep"] }, "not its opposite"],
    [{ facetFilters: [["make:Jeep", "fuel:Diesel"]] }, "alternatives must be of one facet"],
    [{ facetFilters: ["colour:red"] }, "There are make, model,"],
    [{ facets: ["colour"] }, "There are make, model,"],
    [{ numericFilters: ["seats<=5"] }, "the API has yearMin, yearMax, seatsMin,"],
    [{ numericFilters: ["rating>4"] }, "inclusive"],
    [{ numericFilters: ["price!=5"] }, "write it as attribute>=number"],
    [{ numericFilters: [["price=1", "price=2"]] }, "write it as attribute>=number"],
    [{ filters: "make:Jeep" }, "filters is not supported"],
    [{ aroundLatLngViaIP: true }, "aroundLatLngViaIP is not supported"],
    [{ aroundLatLng: "Hilo" }, "aroundLatLng must be 2 number(s)"],
    [{ limit: 5 }, "use hitsPerPage instead"],
    [{ hitsPerPage: 101 }, "hitsPerPage is 101: a page has at most 100 vehicles"],
    [{ make: "Jeep", facetFilters: ["make:Jeep"] }, "make is set twice"],
  ])("%j", (params, fix) => {
    expect(() => question(params)).toThrow(fix);
  });

  test("an order by distance from nowhere", () => {
    expect(() => question({}, "vehicles_distance")).toThrow("give aroundLatLng by configure");
    const somewhere = { lat: 19.7, lon: -155.08, sort: "distance" };
    expect(question({ aroundLatLng: "19.7,-155.08" }, "vehicles_distance")).toEqual(somewhere);
    expect(question({ lat: 19.7, lon: -155.08 }, "vehicles_distance")).toEqual(somewhere);
  });

  test("an index that is no order", () => {
    expect(() => question({}, "vehicles_cheapest")).toThrow("vehicles_price");
    expect(() => question({}, "products")).toThrow("Unknown index products");
  });
});
