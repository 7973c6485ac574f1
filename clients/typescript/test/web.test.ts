// @vitest-environment happy-dom

/** The real widgets of InstantSearch.js, in a DOM, on the real API. */

import instantsearch, { type InstantSearch, type Widget } from "instantsearch.js";
import {
  connectGeoSearch,
  connectQueryRules,
  connectToggleRefinement,
} from "instantsearch.js/es/connectors";
import type { GeoSearchRenderState } from "instantsearch.js/es/connectors/geo-search/connectGeoSearch";
import {
  clearRefinements,
  configure,
  currentRefinements,
  hits,
  hitsPerPage,
  infiniteHits,
  menu,
  numericMenu,
  pagination,
  queryRuleCustomData,
  rangeInput,
  ratingMenu,
  refinementList,
  searchBox,
  sortBy,
  stats,
  toggleRefinement,
} from "instantsearch.js/es/widgets";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  apiParameters,
  createSearchClient,
  type PageNotes,
  toUiState,
  type VehicleHit,
} from "../src/instantsearch/index.js";
import { day, OF_A_MODEL, recorded, VEHICLES } from "./api.js";

let search: InstantSearch;
let asked: URL[];
const failures: Error[] = [];

function start(...widgets: Widget[]): void {
  const recording = recorded();
  asked = recording.asked;
  const searchClient = createSearchClient(recording.rides, { units: { price: 100 } });
  search = instantsearch({ indexName: "vehicles", searchClient });
  search.on("error", ({ error }) => failures.push(error));
  search.addWidgets(widgets);
  search.start();
}

function container(): HTMLElement {
  return document.body.appendChild(document.createElement("div"));
}

function texts(selector: string): string[] {
  return [...document.querySelectorAll(selector)].map((each) => each.textContent ?? "");
}

function element<Kind extends Element>(selector: string): Kind {
  const found = document.querySelector<Kind>(selector);
  if (!found) {
    throw new Error(`${selector} is not on the page`);
  }
  return found;
}

function click(label: string): void {
  const found = [...document.querySelectorAll<HTMLElement>("label, a, button")].find((each) =>
    each.textContent?.trim().startsWith(label),
  );
  (found?.querySelector("input") ?? found)?.click();
}

function type(selector: string, text: string): void {
  const input = element<HTMLInputElement>(selector);
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

async function shown(count: number): Promise<void> {
  await vi.waitFor(() => expect(texts(".ais-Stats-text")[0]).toMatch(`${count} results`), {
    timeout: 5_000,
  });
}

const prices = () => texts(".price").map(Number);
const cards = {
  templates: {
    item: (hit: { dailyRate: number }) => `<i class="price">${hit.dailyRate}</i>`,
  },
};

beforeEach(() => {
  document.body.innerHTML = "";
  failures.length = 0;
});

afterEach(() => {
  search.dispose();
  expect(failures).toEqual([]);
});

describe("searchBox, hits, stats", () => {
  test("what is typed is found, marked, and nothing of a host's text is markup", async () => {
    start(
      searchBox({ container: container() }),
      stats({ container: container() }),
      hits<VehicleHit>({
        container: container(),
        templates: {
          item: (hit, { html, components }) => html`<p>
            <b class="title">${components.Highlight({ attribute: "title", hit })}</b>
            <q>${components.Snippet({ attribute: "description", hit })}</q>
          </p>`,
        },
      }),
    );
    await shown(VEHICLES);
    expect(texts(".title")[0]).toMatch(/^20\d\d /);
    type(".ais-SearchBox-input", "snorkels");
    await vi.waitFor(() => expect(texts("q mark")).toContain("Snorkels"));
    expect(texts("q")[0]).toBe('Snorkels & <b>"surf"</b> boards on request.');
    expect(document.querySelectorAll("q b")).toHaveLength(0);
    type(".ais-SearchBox-input", "jeep"); // which becomes a filter
    await shown(OF_A_MODEL);
    expect(texts(".title mark")[0]).toBe("Jeep");
  });
});

test("a word is found while it is being typed", async () => {
  start(searchBox({ container: container() }), stats({ container: container() }));
  await shown(VEHICLES);
  type(".ais-SearchBox-input", "wrang");
  await shown(OF_A_MODEL);
  expect(asked.at(-1)?.searchParams.get("typing")).toBe("true");
});

describe("refinementList", () => {
  test("alternatives of a facet keep the others in sight, in one call", async () => {
    start(
      stats({ container: container() }),
      refinementList({ container: container(), attribute: "make" }),
      refinementList({ container: container(), attribute: "fuel" }),
    );
    await shown(VEHICLES);
    const before = asked.length;
    click("Jeep");
    await shown(OF_A_MODEL);
    expect(asked).toHaveLength(before + 1);
    const counts = () =>
      texts(".ais-RefinementList-item").map((each) =>
        each.replace(/(\D)\s*(\d+)\s*$/, "$1 $2").trim(),
      );
    expect(counts()).toContain("Toyota 52");
    expect(counts()).toContain("Petrol 26");
    click("Tesla");
    await shown(2 * OF_A_MODEL);
    expect(counts()).toContain("Electric 26");
  });

  test("features must all be there", async () => {
    start(
      stats({ container: container() }),
      refinementList({ container: container(), attribute: "features", operator: "and" }),
    );
    click("GPS");
    await shown(VEHICLES);
    click("GPS");
    await shown(44);
    click("Bluetooth");
    await vi.waitFor(() => expect(asked.at(-1)?.searchParams.getAll("features")).toHaveLength(2));
    await shown(44);
  });

  test("searches inside the facet", async () => {
    start(refinementList({ container: container(), attribute: "model", searchable: true }));
    await vi.waitFor(() => expect(texts(".ais-RefinementList-labelText")).toContain("Tacoma"));
    type(".ais-SearchBox-input", "mus");
    await vi.waitFor(() => expect(texts(".ais-RefinementList-labelText")).toEqual(["Mustang"]));
    expect(texts(".ais-RefinementList-labelText mark")).toEqual(["Mus"]);
  });
});

test("menu, currentRefinements, clearRefinements", async () => {
  start(
    stats({ container: container() }),
    menu({ container: container(), attribute: "body" }),
    currentRefinements({ container: container() }),
    clearRefinements({ container: container() }),
  );
  await shown(VEHICLES);
  click("SUV");
  await shown(2 * OF_A_MODEL);
  expect(texts(".ais-Menu-item").length).toBe(4);
  expect(texts(".ais-CurrentRefinements-categoryLabel")).toEqual(["SUV"]);
  click("Clear refinements");
  await shown(VEHICLES);
});

describe("ranges", () => {
  test("rangeInput knows the bounds of prices, in dollars", async () => {
    start(
      stats({ container: container() }),
      rangeInput({ container: container(), attribute: "price" }),
    );
    await shown(VEHICLES);
    const least = element<HTMLInputElement>(".ais-RangeInput-input--min");
    expect([least.min, least.max]).toEqual(["40", "169"]);
    type(".ais-RangeInput-input--max", "49");
    await new Promise(requestAnimationFrame); // until the form has taken it
    element<HTMLFormElement>(".ais-RangeInput-form").dispatchEvent(new Event("submit"));
    await shown(10);
    expect(asked.at(-1)?.searchParams.get("priceMax")).toBe("4900");
    expect(least.max).toBe("169"); // without its own filter, as a slider needs it
  });

  test("numericMenu, and a flag by toggleRefinement", async () => {
    start(
      stats({ container: container() }),
      numericMenu({
        container: container(),
        attribute: "seats",
        items: [{ label: "Any" }, { label: "7 seats", start: 7 }],
      }),
      toggleRefinement({ container: container(), attribute: "instantBook" }),
    );
    await shown(VEHICLES);
    click("7 seats");
    await shown(33);
    element<HTMLInputElement>(".ais-ToggleRefinement-checkbox").click();
    await vi.waitFor(() => expect(asked.at(-1)?.searchParams.get("instantBook")).toBe("true"));
    await shown(33);
  });
});

describe("pages and orders", () => {
  test("pagination jumps, sortBy starts again", async () => {
    start(
      stats({ container: container() }),
      hits({ container: container(), ...cards }),
      pagination({ container: container() }),
      sortBy({
        container: container(),
        items: ["vehicles", "vehicles_price_asc", "vehicles_price_desc"].map((value) => ({
          label: value,
          value,
        })),
      }),
    );
    await shown(VEHICLES);
    const select = element<HTMLSelectElement>(".ais-SortBy-select");
    select.value = "vehicles_price_desc";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await vi.waitFor(() => expect(prices()[0]).toBe(16_900));
    element<HTMLElement>(".ais-Pagination-item--lastPage a").click();
    await vi.waitFor(() =>
      expect(prices()).toEqual(Array.from({ length: 10 }, (_, n) => 4_900 - 100 * n)),
    );
    expect(document.querySelectorAll(".ais-Pagination-item--disabled")).not.toHaveLength(0);
  });

  test("infiniteHits goes on to the end, a call a page", async () => {
    start(
      stats({ container: container() }),
      configure({ hitsPerPage: 50 }),
      infiniteHits({ container: container(), ...cards }),
    );
    for (const count of [50, 100, 130]) {
      await vi.waitFor(() => expect(prices()).toHaveLength(count));
      element<HTMLButtonElement>(".ais-InfiniteHits-loadMore").click();
    }
    expect(new Set(prices()).size).toBe(VEHICLES);
    expect(element<HTMLButtonElement>(".ais-InfiniteHits-loadMore").disabled).toBe(true);
    expect(asked).toHaveLength(3);
  });

  test("hitsPerPage", async () => {
    start(
      hits({ container: container(), ...cards }),
      hitsPerPage({
        container: container(),
        items: [
          { label: "8", value: 8, default: true },
          { label: "16", value: 16 },
        ],
      }),
    );
    await vi.waitFor(() => expect(prices()).toHaveLength(8));
  });
});

test("geoSearch: vehicles on the map, and a search as the map moves", async () => {
  let map: GeoSearchRenderState | undefined;
  const geoSearch = connectGeoSearch((state) => {
    map = state;
  });
  start(stats({ container: container() }), geoSearch({}));
  await shown(VEHICLES);
  expect(map?.items[0]?._geoloc).toEqual({ lat: expect.any(Number), lng: expect.any(Number) });
  map?.refine({ northEast: { lat: 19.8, lng: -155 }, southWest: { lat: 19.6, lng: -155.2 } });
  await shown(VEHICLES / 2);
  expect(asked.at(-1)?.searchParams.get("bbox")).toBe("-155.2,19.6,-155,19.8");
});

test("dates by configure, what was understood by queryRuleCustomData", async () => {
  start(
    searchBox({ container: container() }),
    stats({ container: container() }),
    configure(apiParameters({ start: day(30), end: day(33), priceBasis: "total" })),
    hits<VehicleHit>({
      container: container(),
      templates: { item: (hit) => `<i class="total">${hit.total}</i>` },
    }),
    queryRuleCustomData({
      container: container(),
      templates: {
        default: ({ items }: { items: PageNotes[] }) =>
          (items[0]?.understood ?? []).map(({ words }) => `<u>${words}</u>`).join(""),
      },
    }),
  );
  await shown(VEHICLES);
  expect(Number(texts(".total")[0])).toBeGreaterThan(4_000);
  type(".ais-SearchBox-input", "7 seater");
  await vi.waitFor(() => expect(texts("u")).toEqual(["7 seater"]));
  await shown(33);
});

test("other dates begin at the first page", async () => {
  let dates = configure({});
  // As example/main.ts does it.
  function change(parameters: object) {
    search.removeWidgets([dates]);
    dates = configure(parameters);
    search.addWidgets([dates]);
    search.mainIndex.setIndexUiState((state) => ({ ...state, page: undefined }));
  }
  start(
    stats({ container: container() }),
    dates,
    infiniteHits({ container: container(), ...cards }),
  );
  await vi.waitFor(() => expect(prices()).toHaveLength(20));
  element<HTMLButtonElement>(".ais-InfiniteHits-loadMore").click();
  await vi.waitFor(() => expect(prices()).toHaveLength(40));
  change(apiParameters({ make: ["Tesla"], start: day(40), end: day(43) }));
  await shown(OF_A_MODEL);
  expect(prices()).toHaveLength(20);
  expect(asked).toHaveLength(3);
  change({});
  await shown(VEHICLES);
  expect(asked.at(-1)?.searchParams.has("start")).toBe(false);
});

test("a suggestion is pressed: its parameters become the widgets' state", async () => {
  let found: PageNotes | undefined;
  let rest = configure({});
  start(
    searchBox({ container: container() }),
    stats({ container: container() }),
    refinementList({ container: container(), attribute: "make" }),
    rangeInput({ container: container(), attribute: "price" }),
    toggleRefinement({ container: container(), attribute: "instantBook" }),
    currentRefinements({ container: container() }),
    connectQueryRules(({ items }) => {
      found = items[0] as PageNotes;
    })({}),
    rest,
  );
  await shown(VEHICLES);
  function press(parameters: object) {
    const { configure: others, ...state } = toUiState(parameters, { units: { price: 100 } });
    search.removeWidgets([rest]);
    rest = configure(others);
    search.addWidgets([rest]);
    search.mainIndex.setIndexUiState(state);
  }
  const dates = { start: day(30), end: day(33) };
  press({ q: "snorkels", make: ["Jeep"], priceMax: 3_000, instantBook: true, ...dates });
  await vi.waitFor(() => expect(found?.suggestions.relaxed).not.toHaveLength(0));
  expect(texts(".ais-CurrentRefinements-categoryLabel")).toEqual(["Jeep", "true", "≤ 30"]);
  const [suggestion] = found?.suggestions.relaxed ?? [];
  press(suggestion?.parameters ?? {});
  await vi.waitFor(() => expect(found?.parameters).toEqual(suggestion?.parameters));
  await shown(suggestion?.count ?? 0);
  expect(found?.parameters).toMatchObject(dates);
});

test("an error reaches the developer, and says what to do", async () => {
  start(refinementList({ container: container(), attribute: "colour" }));
  await vi.waitFor(() => expect(failures).toHaveLength(1));
  expect(failures.splice(0)[0]?.message).toContain("There are make, model");
});

test("flags and ratings are not counted: a toggle says so, ratingMenu offers nothing", async () => {
  let toggled: { value: { count: number | null }; canRefine: boolean } | undefined;
  const toggle = connectToggleRefinement((state) => {
    toggled = { value: state.value.onFacetValue, canRefine: state.canRefine };
  });
  start(
    stats({ container: container() }),
    toggle({ attribute: "instantBook" }),
    ratingMenu({ container: container(), attribute: "rating" }),
  );
  await shown(VEHICLES);
  expect(toggled?.value.count ?? 0).toBe(0);
  expect(toggled?.canRefine).toBe(false);
  expect(texts(".ais-RatingMenu-item:not(.ais-RatingMenu-item--disabled)")).toEqual([]);
});
