import { expect, test } from "vitest";
import { highlightedParts, type Vehicle } from "../src/index.js";
import { highlightAll, retag } from "../src/instantsearch/highlight.js";

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
  expect(highlightAll(vehicle, PLACEHOLDER)).toEqual({
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
  const { title, features } = highlightAll(vehicle, HTML);
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
