/** What InstantSearch asks, in the API's parameters. Whatever cannot be asked is refused by name. */

import { LARGEST_PAGE, type SearchParameters } from "../client.js";
import { FACETS, SORTS } from "../generated/parameters.js";
import { kindOf, list, readFacetFilters, readNumericFilters, unknownFacet } from "./filters.js";
import { readPlace } from "./place.js";

/** A search without its position and facets: equal questions find the same vehicles. */
export type Question = Record<string, unknown>;
export type Facet = Exclude<NonNullable<SearchParameters["facets"]>[number], "none">;

export interface Asked {
  index: string;
  question: Question;
  facets: Facet[];
  /** The one facet that a request without hits is about, counted by the API or not. */
  only: string | undefined;
  page: number;
  hitsPerPage: number;
  tags: { pre: string; post: string };
}

export interface Reading {
  /** Name of the index in its default order; `<indexName>_<sort>` are the other orders. */
  indexName: string;
  /** How many of the API's units one unit of a range widget is: `{ price: 100 }`. */
  units: Record<string, number>;
}

export interface SearchRequest {
  indexName?: string;
  params?: Record<string, unknown>;
}

const DEFAULT_HITS = 20;
/** They change what is found in a way that the API has no parameter for. */
const REFUSED = new Set([
  "filters",
  "optionalFilters",
  "tagFilters",
  "insidePolygon",
  "minimumAroundRadius",
  "aroundLatLngViaIP",
  "offset",
  "length",
]);
/** Instructions to another engine that change nothing here. */
const IGNORED = new Set([
  "advancedSyntax",
  "allowTyposOnNumericTokens",
  "analytics",
  "analyticsTags",
  "aroundPrecision",
  "attributesToHighlight",
  "attributesToRetrieve",
  "attributesToSnippet",
  "clickAnalytics",
  "distinct",
  "enableABTest",
  "enablePersonalization",
  "enableReRanking",
  "enableRules",
  "explain",
  "facetingAfterDistinct",
  "getRankingInfo",
  "maxFacetHits",
  "maxValuesPerFacet",
  "percentileComputation",
  "personalizationImpact",
  "responseFields",
  "restrictHighlightAndSnippetArrays",
  "ruleContexts",
  "snippetEllipsisText",
  "sortFacetValuesBy",
  "sumOrFiltersScores",
  "synonyms",
  "typoTolerance",
  "userToken",
]);
const ELSEWHERE = new Set([
  ...REFUSED,
  ...IGNORED,
  "aroundLatLng",
  "aroundRadius",
  "insideBoundingBox",
]);
/** The adapter sets these itself. */
const OWN: Record<string, string> = {
  q: "query",
  limit: "hitsPerPage",
  cursor: "page",
  sort: "the index name",
};

/**
 * Reads one request of InstantSearch. A parameter of the API (`start`, `end`, `priceBasis`) is
 * passed on as it is, and so is what nobody knows: the API names the parameters that there are.
 *
 * @throws {Error} the request filters in a way that the API cannot; the message names the fix.
 */
export function readRequest(request: SearchRequest, reading: Reading): Asked {
  const { query, page, hitsPerPage, facets, highlightPreTag, highlightPostTag, ...rest } =
    request.params ?? {};
  const { facetFilters, numericFilters, ...others } = rest;
  const index = request.indexName ?? reading.indexName;
  const filters = [
    readSort(index, reading.indexName),
    readPlace(others),
    readFacetFilters(facetFilters),
    readNumericFilters(numericFilters, reading.units),
    readOthers(others),
  ];
  const question = merge([readText(query, others), ...filters]);
  if (question["sort"] === "distance" && question["lat"] === undefined) {
    throw new Error(`${index} needs a point to measure from: give aroundLatLng by configure.`);
  }
  if (Number(hitsPerPage) > LARGEST_PAGE) {
    throw new Error(`hitsPerPage is ${hitsPerPage}: a page has at most ${LARGEST_PAGE} vehicles.`);
  }
  const asked = list(facets);
  return {
    index,
    question,
    facets: readFacets(asked),
    only: asked.length === 1 ? asked[0] : undefined,
    page: typeof page === "number" ? page : 0,
    hitsPerPage: typeof hitsPerPage === "number" ? hitsPerPage : DEFAULT_HITS,
    tags: { pre: tag(highlightPreTag, "<em>"), post: tag(highlightPostTag, "</em>") },
  };
}

/**
 * Nothing tells a text that is being typed from one that is not, but a blank behind its last word.
 * An app that searches only for whole texts says `typing: false` by configure.
 */
function readText(query: unknown, others: Record<string, unknown>): Question {
  const text = typeof query === "string" ? query.trim() : "";
  if (text === "") {
    return {};
  }
  const typing = others["typing"] === undefined && String(query).endsWith(text);
  return typing ? { q: text, typing } : { q: text };
}

/** `price_desc` is the API's `-price`; any of its orders may also be named as it is. */
function readSort(index: string, base: string): Question {
  if (index === base) {
    return {};
  }
  const named = index.startsWith(`${base}_`) ? index.slice(base.length + 1) : undefined;
  const descending = named?.match(/^(.*)_(asc|desc)$/);
  const wanted = descending
    ? `${descending[2] === "desc" ? "-" : ""}${descending[1]}`
    : (named ?? "");
  const sort = SORTS.find((each) => each === named || each === wanted);
  if (sort === undefined) {
    const orders = SORTS.map((each) => `${base}_${each}`).join(", ");
    throw new Error(`Unknown index ${index}: there are ${base}, ${orders}.`);
  }
  return sort === SORTS[0] ? {} : { sort };
}

function readOthers(others: Record<string, unknown>): Question {
  const question: Question = {};
  for (const [name, value] of Object.entries(others)) {
    const own = OWN[name];
    if (own !== undefined) {
      throw new Error(`${name} is set by InstantSearch: use ${own} instead.`);
    }
    if (REFUSED.has(name) && value !== false && list(value).length > 0) {
      throw new Error(`${name} is not supported: filter by facets, ranges, a box or a radius.`);
    }
    const kind = kindOf(name);
    const several = kind === "any" || kind === "all" || kind === "list";
    if (!ELSEWHERE.has(name) && list(value).length > 0) {
      question[name] = several ? list(value) : value;
    }
  }
  return question;
}

/** Facets that are not counted (a range of years) are known all the same, for their filters are. */
function readFacets(asked: string[]): Facet[] {
  if (asked.includes("*")) {
    return [...FACETS];
  }
  const known = ["", "Min", "Max"];
  for (const name of asked) {
    if (!isCounted(name) && !known.some((end) => kindOf(name + end))) {
      throw unknownFacet(name);
    }
  }
  return asked.filter(isCounted);
}

export function isCounted(name: string): name is Facet {
  return (FACETS as readonly string[]).includes(name);
}

/** Two filters of one parameter would be both, which the API cannot be asked. */
function merge(parts: Question[]): Question {
  const question: Question = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      if (name in question) {
        throw new Error(`${name} is set twice: by a widget and by configure. Use one of them.`);
      }
      question[name] = value;
    }
  }
  // Sorted, so that equal questions are equal as text.
  return Object.fromEntries(Object.entries(question).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function tag(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
