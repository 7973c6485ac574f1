/** A page of the API as a result of InstantSearch. */

import type { SearchPage, SearchParameters, Vehicle } from "../client.js";
import { type Highlights, highlightAll, namesIn } from "./highlight.js";
import type { Asked } from "./parameters.js";
import type { Turned } from "./walks.js";

export type VehicleHit = Vehicle & {
  objectID: string;
  /** No vehicle has it: for widgets, of which `_snippetResult` shows what was found in it. */
  description?: never;
  _geoloc?: { lat: number; lng: number };
  _highlightResult: Highlights;
  _snippetResult: Highlights;
};

/** What the API says beyond hits and counts: `userData[0]` of a result. */
export type PageNotes = Pick<SearchPage, "understood" | "suggestions" | "facetStats" | "meta"> & {
  /** What was asked of the API, but order, page and facets: for `clusters`, which has none. */
  parameters: Omit<SearchParameters, "sort" | "limit" | "cursor" | "facets" | "after">;
};

export interface SearchResult {
  index: string;
  query: string;
  params: string;
  hits: VehicleHit[];
  nbHits: number;
  page: number;
  nbPages: number;
  hitsPerPage: number;
  processingTimeMS: number;
  exhaustiveNbHits: boolean;
  exhaustiveFacetsCount: boolean;
  exhaustive: { nbHits: boolean; facetsCount: boolean };
  facets: Record<string, Record<string, number>>;
  facets_stats: Record<string, { min: number; max: number }>;
  userData: [PageNotes];
}

/** `reach` is how many vehicles page numbers go to. */
export function result(
  asked: Asked,
  { page, counted, tookMs }: Turned,
  units: Record<string, number>,
  reach: number,
): SearchResult {
  const { sort: _, ...parameters } = asked.question;
  const names = namesIn(page.understood);
  const exactFacets = Object.values(counted.facetStats).every(({ exact }) => exact);
  return {
    index: asked.index,
    query: typeof asked.question["q"] === "string" ? asked.question["q"] : "",
    params: "",
    hits: shows(asked, reach) ? page.items.map((vehicle) => hit(vehicle, names, asked.tags)) : [],
    nbHits: page.total.value,
    page: asked.page,
    nbPages: pages(asked, page, reach),
    hitsPerPage: asked.hitsPerPage,
    processingTimeMS: Math.round(tookMs),
    exhaustiveNbHits: page.total.exact,
    exhaustiveFacetsCount: exactFacets,
    exhaustive: { nbHits: page.total.exact, facetsCount: exactFacets },
    ...facets(counted, asked, units),
    userData: [
      {
        understood: page.understood,
        suggestions: page.suggestions,
        facetStats: counted.facetStats,
        meta: page.meta,
        parameters,
      },
    ],
  };
}

/** Whether vehicles are asked for at all, and before the last that page numbers go to. */
export function shows({ page, hitsPerPage }: Asked, reach: number): boolean {
  return hitsPerPage > 0 && page * hitsPerPage < reach;
}

/** Whether there is a next page is what the page says: the total may be of a second ago. */
function pages({ page: at, hitsPerPage }: Asked, page: SearchPage, reach: number): number {
  if (hitsPerPage === 0) {
    return 0;
  }
  const counted = Math.ceil(page.total.value / hitsPerPage);
  const upToHere = page.items.length > 0 ? at + 1 : Math.min(at, counted);
  const there = page.hasMore ? Math.max(counted, at + 2) : upToHere;
  return Math.min(there, Math.floor(reach / hitsPerPage));
}

function hit(vehicle: Vehicle, names: string[][], tags: Asked["tags"]): VehicleHit {
  const { lat, lon } = vehicle.location;
  const highlights = highlightAll(vehicle, names, tags);
  return {
    ...vehicle,
    objectID: String(vehicle.id),
    ...(lat !== null && lon !== null && { _geoloc: { lat, lng: lon } }),
    _highlightResult: highlights,
    _snippetResult: highlights,
  };
}

/** Histograms (the price) become counts by the beginning of each bar, and their bounds. */
function facets(
  { facets: found }: SearchPage,
  asked: Asked,
  units: Record<string, number>,
): Pick<SearchResult, "facets" | "facets_stats"> {
  const counts: SearchResult["facets"] = {};
  const stats: SearchResult["facets_stats"] = {};
  for (const name of asked.facets) {
    const facet = found[name];
    if (Array.isArray(facet)) {
      counts[name] = Object.fromEntries(facet.map(({ value, count }) => [value, count]));
    } else if (facet) {
      const unit = units[name] ?? 1;
      counts[name] = Object.fromEntries(
        facet.buckets.map(({ from, count }) => [from / unit, count]),
      );
      if (facet.min !== null && facet.max !== null) {
        stats[name] = { min: facet.min / unit, max: facet.max / unit };
      }
    }
  }
  return { facets: counts, facets_stats: stats };
}
