// @vitest-environment happy-dom

import { describe, expect, expectTypeOf, test } from "vitest";
import {
  answered,
  bboxOf,
  ProblemError,
  Rides,
  type SearchParameters,
  type Vehicle,
} from "../src/index.js";
import { baseUrl, day, OF_A_MODEL, recorded, token, VEHICLES } from "./api.js";

describe("a search", () => {
  test("finds typed vehicles", async () => {
    const { rides } = recorded();
    const page = await rides.search({ make: ["Jeep"], sort: "price", limit: 1 });
    expect(page.total).toEqual({ value: OF_A_MODEL, exact: true });
    expect(page.items[0]).toMatchObject({ model: "Wrangler", dailyRate: 4000, currency: "USD" });
    expectTypeOf(page.items).toEqualTypeOf<Vehicle[]>();
    expectTypeOf(page.items[0]?.total).toEqualTypeOf<number | undefined>();
    expectTypeOf<SearchParameters["make"]>().toEqualTypeOf<string[] | undefined>();
  });

  test("repeats a parameter for each of its values", async () => {
    const { rides, asked } = recorded();
    const page = await rides.search({
      make: ["Jeep", "Ford"],
      bbox: "-156,19,-155,20",
      facets: ["none"],
    });
    expect(asked[0]?.searchParams.getAll("make")).toEqual(["Jeep", "Ford"]);
    expect(page.total.value).toBe(2 * OF_A_MODEL);
  });

  test("is an iterator over all that it finds, page by page", async () => {
    const { rides, asked } = recorded();
    const ids = new Set<number>();
    for await (const vehicle of rides.searchAll({ sort: "price" })) {
      ids.add(vehicle.id);
    }
    expect(ids.size).toBe(VEHICLES);
    expect(asked).toHaveLength(2);
  });

  test("fetches no page that nobody reads", async () => {
    const { rides, asked } = recorded();
    for await (const vehicle of rides.searchAll({ sort: "price", limit: 10 })) {
      if (vehicle.dailyRate > 4_500) {
        break;
      }
    }
    expect(asked).toHaveLength(1);
  });

  test("stops when its signal aborts", async () => {
    const { rides } = recorded();
    const aborter = new AbortController();
    const searching = rides.search({}, { signal: aborter.signal });
    aborter.abort();
    await expect(searching).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("the routes beside it", () => {
  test("suggest, look inside a facet, draw a map", async () => {
    const { rides } = recorded();
    const { sections } = await rides.suggest({ q: "wra" });
    expect(sections.models[0]).toMatchObject({ value: "Wrangler", count: OF_A_MODEL });
    const { values } = await rides.facetValues({ facet: "model", q: "ta", make: ["Toyota"] });
    expect(values.map(({ value }) => value)).toEqual(["Tacoma"]);
    const map = await rides.clusters({ bbox: "-156.5,19,-154.5,20", zoom: 5 });
    expect(map.total.value).toBe(VEHICLES);
    const edges = { west: 199.5, south: -95, east: 565, north: 95 };
    expect((await rides.clusters({ bbox: bboxOf(edges), zoom: 1 })).total.value).toBe(VEHICLES);
  });

  test("every other route is typed by its path", async () => {
    const { rides } = recorded();
    const { items } = await rides.search({ limit: 1 });
    const id = items[0]?.id ?? 0;
    const quote = await answered(
      rides.http.GET("/v1/vehicles/{id}/quote", {
        params: { path: { id }, query: { start: day(40), end: day(43) } },
      }),
    );
    expect(quote.days).toBe(3);
    expectTypeOf(quote.total).toEqualTypeOf<number>();
  });
});

describe("a problem", () => {
  test("names what is wrong, by field", async () => {
    const { rides } = recorded();
    const wrong = { maek: "Kia", limit: 1000 } as SearchParameters;
    const problem = await rides.search(wrong).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(ProblemError);
    expect(problem).toMatchObject({ code: "invalid-request", status: 422, name: "ProblemError" });
    const { errors, requestId, message } = problem as ProblemError;
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(["limit", "maek"]);
    expect(requestId).not.toBe("");
    expect(message).toContain("did you mean make?");
  });

  test("of a proxy is one too", async () => {
    const page = new Response("<h1>Bad gateway</h1>", {
      status: 502,
      headers: { "Retry-After": "7" },
    });
    const rides = new Rides({ baseUrl, fetch: async () => page });
    await expect(rides.search()).rejects.toMatchObject({
      code: "http-502",
      errors: [],
      retryAfter: 7,
    });
  });

  test.each([
    ["a page where data should be", 200, "<!doctype html>", "http-200"],
    ["another server's JSON", 503, '{"type": "x", "errors": {"a": 1}}', "http-503"],
    ["a problem that says little", 503, '{"type": "urn:overloaded"}', "overloaded"],
    ["no problem at all", 503, '{"type": 1, "errors": []}', "http-503"],
  ])("of %s is one too, and says what to check", async (_, status, body, code) => {
    const headers = { "Content-Type": body.startsWith("<") ? "text/html" : "application/json" };
    const fetch = async () => new Response(body, { status, headers });
    const problem = new Rides({ baseUrl, fetch }).search();
    await expect(problem).rejects.toMatchObject({ name: "ProblemError", code, status, errors: [] });
    await expect(problem).rejects.toThrow("check `baseUrl`");
  });

  test("is none where JSON does not say that it is", async () => {
    const rides = new Rides({ baseUrl, fetch: async () => new Response('{"items": []}') });
    await expect(rides.search()).resolves.toEqual({ items: [] });
  });

  test("without an answer is what fetch says", async () => {
    const rides = new Rides({ baseUrl: "http://127.0.0.1:1" });
    await expect(rides.search()).rejects.not.toBeInstanceOf(ProblemError);
  });
});

describe("a signed-in renter", () => {
  test("is asked for the token at each call", async () => {
    let current: string | undefined;
    const { rides } = recorded({ token: async () => current });
    const mine = () => answered(rides.http.GET("/v1/bookings"));
    await expect(mine()).rejects.toMatchObject({ status: 401, code: "not-signed-in" });
    current = token;
    await expect(mine()).resolves.toHaveProperty("items");
  });

  test("books once with one key", async () => {
    const { rides } = recorded({ token });
    const dates = { start: day(330), end: day(333) };
    const { items } = await rides.search({ make: ["Toyota"], limit: 1, ...dates });
    const params = { path: { id: items[0]?.id ?? 0 }, query: dates };
    const quote = await answered(rides.http.GET("/v1/vehicles/{id}/quote", { params }));
    const key = { params: { header: { "Idempotency-Key": crypto.randomUUID() } } };
    const body = { vehicleId: params.path.id, ...dates, quote: quote.token, amount: quote.total };
    const first = await answered(rides.http.POST("/v1/bookings", { ...key, body }));
    const again = await answered(rides.http.POST("/v1/bookings", { ...key, body }));
    expect(again.id).toBe(first.id);
    const similar = await answered(rides.http.GET("/v1/vehicles/{id}/similar", { params }));
    expect(similar.items).not.toHaveLength(0);
  });

  test("finds what a booking left: the next search waits until it counts", async () => {
    const { rides, asked } = recorded({ token });
    const dates = { start: day(300), end: day(303) };
    const before = await rides.search({ make: ["Tesla"], ...dates });
    await answered(
      rides.http.POST("/v1/bookings", { body: { vehicleId: before.items[0]?.id ?? 0, ...dates } }),
    );
    const after = await rides.search({ make: ["Tesla"], ...dates });
    expect(after.meta.afterSatisfied).toBe(true);
    expect(after.total.value).toBe(before.total.value - 1);
    // It counts from now on: no search needs to wait any more.
    const later = await rides.search({ make: ["Tesla"], ...dates });
    expect(later.meta.afterSatisfied).toBeNull();
    expect(asked.map(({ searchParams }) => searchParams.has("after"))).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });

  test("finds it inside a facet and on the map as well", async () => {
    const { rides, asked } = recorded({ token });
    const dates = { start: day(310), end: day(313) };
    const inside = () => rides.facetValues({ facet: "make", q: "ford", ...dates });
    const onMap = () => rides.clusters({ bbox: "-156.5,19,-154.5,20", zoom: 5, ...dates });
    const { items } = await rides.search({ make: ["Ford"], ...dates });
    const book = (at: number) =>
      answered(
        rides.http.POST("/v1/bookings", { body: { vehicleId: items[at]?.id ?? 0, ...dates } }),
      );
    const count = (await inside()).values[0]?.count ?? 0;
    await book(0);
    expect(await inside()).toMatchObject({
      values: [{ count: count - 1 }],
      meta: { afterSatisfied: true },
    });
    const { total } = await onMap();
    await book(1);
    expect(await onMap()).toMatchObject({
      total: { value: total.value - 1 },
      meta: { afterSatisfied: true },
    });
    expect(asked.map(({ searchParams }) => searchParams.has("after"))).toEqual([
      false,
      false,
      false, // the booking
      true,
      false,
      false, // the booking
      true,
    ]);
  });

  test("waits also when `after` is there but undefined", async () => {
    const { rides, asked } = recorded({ token });
    const dates = { start: day(320), end: day(323) };
    const { items } = await rides.search({ make: ["Jeep"], limit: 1, ...dates });
    await answered(
      rides.http.POST("/v1/bookings", { body: { vehicleId: items[0]?.id ?? 0, ...dates } }),
    );
    await rides.search({ ...dates, after: undefined });
    expect(asked.at(-1)?.searchParams.has("after")).toBe(true);
  });

  test("never sees a token of their own that the server no longer knows", async () => {
    const { rides } = recorded();
    const asked: URL[] = [];
    const forged = new Rides({
      baseUrl,
      fetch: async (request) => {
        asked.push(new URL(request.url));
        const answer = await fetch(request);
        const headers = new Headers(answer.headers);
        if (asked.length === 1) {
          headers.set("X-Write-Token", "1.forged");
        }
        return new Response(answer.body, { status: answer.status, headers });
      },
    });
    await forged.search({ limit: 1 });
    const page = await forged.search({ limit: 1 });
    expect(page.items).toHaveLength(1);
    expect(asked.map(({ searchParams }) => searchParams.has("after"))).toEqual([
      false,
      true,
      false,
    ]);
    await expect(rides.search({ after: "1.forged" })).rejects.toMatchObject({
      code: "invalid-write-token",
    });
  });
});
