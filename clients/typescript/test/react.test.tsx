// @vitest-environment happy-dom

/** The real widgets of React InstantSearch, rendered by React, on the real API. */

import { useState } from "react";
import { createRoot, type Root } from "react-dom/client";
import {
  Configure,
  Highlight,
  Hits,
  InstantSearch,
  Pagination,
  RangeInput,
  RefinementList,
  SearchBox,
  Snippet,
  SortBy,
  Stats,
} from "react-instantsearch";
import {
  InstantSearch as CoreInstantSearch,
  useConfigure,
  useInfiniteHits,
  useInstantSearch,
  useQueryRules,
  useRefinementList,
  useSearchBox,
} from "react-instantsearch-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { highlightedParts } from "../src/index.js";
import {
  apiParameters,
  createSearchClient,
  type PageNotes,
  type VehicleHit,
} from "../src/instantsearch/index.js";
import { day, OF_A_MODEL, recorded, VEHICLES } from "./api.js";

let root: Root;

beforeEach(() => {
  document.body.innerHTML = "<main></main>";
  root = createRoot(document.querySelector("main") as HTMLElement);
});

afterEach(() => root.unmount());

async function shows(assertion: () => void): Promise<void> {
  await vi.waitFor(assertion, { timeout: 5_000 });
}

const texts = (selector: string) =>
  [...document.querySelectorAll(selector)].map((each) => each.textContent ?? "");

test("web: search, refine, sort, dates", async () => {
  const { rides, asked } = recorded();
  root.render(
    <InstantSearch
      indexName="vehicles"
      searchClient={createSearchClient(rides, { units: { price: 100 } })}
      initialUiState={{ vehicles: { query: "snorkels", sortBy: "vehicles_price_desc" } }}
      future={{ preserveSharedStateOnUnmount: true }}
    >
      <Configure {...apiParameters({ start: day(30), end: day(33) })} hitsPerPage={5} />
      <SearchBox />
      <Stats />
      <SortBy
        items={[
          { label: "Best", value: "vehicles" },
          { label: "Dearest", value: "vehicles_price_desc" },
        ]}
      />
      <RefinementList attribute="make" />
      <RangeInput attribute="price" />
      <Hits<VehicleHit>
        hitComponent={({ hit }) => (
          <p>
            <Highlight attribute="description" hit={hit} />
            <q>
              <Highlight attribute={["location", "city"]} hit={hit} />
            </q>
            <u>
              <Snippet attribute="title" hit={hit} />
            </u>
            <i>{hit.total}</i>
          </p>
        )}
      />
      <Pagination />
    </InstantSearch>,
  );
  await shows(() => expect(texts(".ais-Stats")[0]).toContain(`${VEHICLES} results`));
  expect(texts("mark")).toHaveLength(5);
  expect(texts("q").every((city) => ["Hilo", "Kailua-Kona"].includes(city))).toBe(true);
  expect(texts("u").every((title) => /^20\d\d /.test(title))).toBe(true);
  expect(texts("p i").every((total) => Number(total) > 40_000)).toBe(true);
  expect(asked).toHaveLength(1);
  const tesla = [...document.querySelectorAll("label")].find((each) =>
    each.textContent?.startsWith("Tesla"),
  );
  tesla?.querySelector("input")?.click();
  await shows(() => expect(texts(".ais-Stats")[0]).toContain(`${OF_A_MODEL} results`));
  expect(asked).toHaveLength(2);
  expect(texts(".ais-RefinementList-labelText").sort()).toEqual([
    "Ford",
    "Jeep",
    "Tesla",
    "Toyota",
  ]);
});

/** A screen of hooks alone, as in React Native, whose views are no DOM elements. */
function Screen() {
  const { refine } = useSearchBox();
  const { items, showMore, isLastPage } = useInfiniteHits<VehicleHit>();
  const makes = useRefinementList({ attribute: "make" });
  const rules = useQueryRules({}).items as PageNotes[];
  return (
    <section>
      <button id="type" type="button" onClick={() => refine("7 seater")} />
      <button id="more" type="button" disabled={isLastPage} onClick={showMore} />
      <button id="ford" type="button" onClick={() => makes.refine("Ford")} />
      <output>{items.length}</output>
      <i>
        {highlightedParts(items[0]?._highlightResult.title?.value ?? "").map(({ value }) => value)}
      </i>
      <em>{rules[0]?.understood.map(({ words }) => words).join()}</em>
    </section>
  );
}

test("React Native: hooks alone", async () => {
  const { rides, asked } = recorded();
  const searchClient = createSearchClient(rides);
  const press = (id: string) => document.querySelector<HTMLElement>(`#${id}`)?.click();
  root.render(
    <CoreInstantSearch indexName="vehicles" searchClient={searchClient}>
      <Screen />
    </CoreInstantSearch>,
  );
  await shows(() => expect(texts("output")).toEqual(["20"]));
  expect(texts("i")[0]).toMatch(/^20\d\d /);
  press("more");
  await shows(() => expect(texts("output")).toEqual(["40"]));
  press("type");
  await shows(() => expect(texts("em")).toEqual(["7 seater"]));
  press("ford");
  await shows(() => expect(asked.at(-1)?.searchParams.get("make")).toBe("Ford"));
  await shows(() => expect(texts("output")).toEqual(["7"]));
});

/** Dates as docs/clients.md changes them, and a sheet of filters that can be closed. */
function Dates() {
  const [parameters, setParameters] = useState(apiParameters({}));
  const [open, setOpen] = useState(true);
  const { setIndexUiState, status } = useInstantSearch();
  const { items, showMore } = useInfiniteHits<VehicleHit>();
  useConfigure(parameters);
  function change() {
    setParameters(apiParameters({ start: day(50), end: day(53) }));
    setIndexUiState((state) => ({ ...state, page: undefined }));
  }
  return (
    <section>
      <button id="more" type="button" onClick={showMore} />
      <button id="dates" type="button" onClick={change} />
      <button id="close" type="button" onClick={() => setOpen(false)} />
      {open && <RefinementList attribute="fuel" />}
      <output>{items.length}</output>
      <i>{items[0]?.total}</i>
      <b>{status}</b>
    </section>
  );
}

test("other dates begin at the first page, and outlive a widget", async () => {
  const { rides, asked } = recorded();
  const press = (id: string) => document.querySelector<HTMLElement>(`#${id}`)?.click();
  root.render(
    <CoreInstantSearch
      indexName="vehicles"
      searchClient={createSearchClient(rides)}
      future={{ preserveSharedStateOnUnmount: true }}
    >
      <Dates />
    </CoreInstantSearch>,
  );
  await shows(() => expect(texts("output")).toEqual(["20"]));
  press("more");
  await shows(() => expect(texts("output")).toEqual(["40"]));
  press("dates");
  await shows(() => expect(texts("i")[0]).not.toBe(""));
  expect(texts("output")).toEqual(["20"]);
  press("close");
  await shows(() => expect(texts(".ais-RefinementList")).toEqual([]));
  await shows(() => expect(texts("b")).toEqual(["idle"]));
  press("more");
  await shows(() => expect(texts("output")).toEqual(["40"]));
  await shows(() => expect(texts("b")).toEqual(["idle"]));
  expect(asked.at(-1)?.searchParams.get("start")).toBe(day(50));
});
