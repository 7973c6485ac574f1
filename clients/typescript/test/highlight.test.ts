import { expect, test } from "vitest";
import { highlightedParts, type SearchPage, type Vehicle } from "../src/index.js";
import { highlightAll, namesIn, retag } from "../src/instantsearch/highlight.js";

const PLACEHOLDER = { pre: "__ais-highlight__", post: "__/ais-highlight__" };
const HTML = { pre: "<mark>", post: "</mark>" };
const vehicle = {
  id: 1,
  title: 'The "<i>Beast</i>" & co',
  features: ["GPS", "<b>USB</b>"],
  location: { lat: 19.7, lon: -155.1, city: "Hilo", region: null },
  highlights: {
    title: "The &quot;&lt;i&gt;<em>Beast</em>&lt;&#x2F;i&gt;&quot; &amp; co",
    description: "a <em>beast</em> of a car",
  },
} as unknown as Vehicle;

test("who asks for a placeholder gets text, and escapes it", () => {
  expect(highlightAll(vehicle, [], PLACEHOLDER)).toEqual({
    title: {
      value: 'The "<i>__ais-highlight__Beast__/ais-highlight__</i>" & co',
      matchLevel: "partial",
      matchedWords: ["Beast"],
    },
    features: [
      { value: "GPS", matchLevel: "none", matchedWords: [] },
      { value: "<b>USB</b>", matchLevel: "none", matchedWords: [] },
    ],
    location: { city: { value: "Hilo", matchLevel: "none", matchedWords: [] } },
    description: {
      value: "a __ais-highlight__beast__/ais-highlight__ of a car",
      matchLevel: "partial",
      matchedWords: ["beast"],
    },
  });
});

test("anybody else gets HTML in which a host's text is no markup", () => {
  const { title, features } = highlightAll(vehicle, [], HTML);
  expect(title).toMatchObject({
    value: "The &quot;&lt;i&gt;<mark>Beast</mark>&lt;&#x2F;i&gt;&quot; &amp; co",
  });
  expect(features).toMatchObject([{ value: "GPS" }, { value: "&lt;b&gt;USB&lt;/b&gt;" }]);
});

test("parts of what was marked, for where there is no HTML", () => {
  expect(highlightedParts("<em>Jeep</em> <em>Wra</em>ngler &amp; &lt;em&gt;")).toEqual([
    { value: "Jeep", isHighlighted: true },
    { value: " ", isHighlighted: false },
    { value: "Wra", isHighlighted: true },
    { value: "ngler & <em>", isHighlighted: false },
  ]);
  expect(highlightedParts("no <mark>match</mark>")[1]?.isHighlighted).toBe(true);
  expect(highlightedParts("")).toEqual([]);
});

test("an escaped tag in a host's text is no highlight", () => {
  expect(retag("&lt;em&gt;<em>x</em>", PLACEHOLDER)).toBe(
    "<em>__ais-highlight__x__/ais-highlight__",
  );
});

test("where the API marked nothing, names that became filters are marked", () => {
  const named = (kind: string, parameters: object, applied = true) => ({
    ...{ kind, parameters, applied, words: "", start: 0, end: 0 },
  });
  const names = namesIn([
    named("make", { make: ["Citroën", "Land Rover"] }),
    named("model", { model: ["F-150"] }),
    named("place", { city: ["San Juan"] }),
    named("features", { features: ["USB"] }),
    named("body", { body: ["Van"] }, false), // not applied: its words are text
    named("price", { priceMax: 8000, priceBasis: "total" }),
  ] as SearchPage["understood"]);
  const value = (title: string, highlights = {}) =>
    highlightAll({ ...vehicle, title, highlights }, names, HTML).title?.value;
  expect(value("2019 CITROEN C4")).toBe("2019 <mark>CITROEN</mark> C4");
  expect(value("Ford F 150 & Land  Rover's")).toBe(
    "Ford <mark>F 150</mark> &amp; <mark>Land  Rover</mark>&#39;s",
  );
  expect(value("Juan's Van at San Juan, total <b>")).toBe(
    "Juan&#39;s Van at <mark>San Juan</mark>, total &lt;b&gt;",
  );
  expect(value("Landrover Citroënette F-1500")).not.toContain("<mark>");
  expect(value("Citroën", { title: "<em>Citr</em>oën" })).toBe("<mark>Citr</mark>oën");
  expect(highlightAll(vehicle, names, PLACEHOLDER).features).toEqual([
    { value: "GPS", matchLevel: "none", matchedWords: [] },
    {
      value: "<b>__ais-highlight__USB__/ais-highlight__</b>",
      matchLevel: "partial",
      matchedWords: ["USB"],
    },
  ]);
});
