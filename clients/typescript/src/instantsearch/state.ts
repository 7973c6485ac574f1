/** Parameters of the API in the state of InstantSearch's widgets. */

import { kindOf, list } from "./filters.js";
import type { Reading } from "./parameters.js";

/** The UI state of an index; `configure` is what no widget holds. */
export interface VehiclesUiState {
  query: string;
  refinementList: Record<string, string[]>;
  range: Record<string, string>;
  numericMenu: Record<string, string>;
  toggle: Record<string, boolean>;
  geoSearch: { boundingBox: string };
  sortBy: string;
  configure: object;
}

/**
 * Parameters of the API (`parameters` of a suggestion or of what was understood, `filter` of
 * `suggest`) as the UI state of an index, in place of all that was searched by before. The options
 * are those of `createSearchClient`. InstantSearch drops what none of the mounted widgets holds.
 */
export function toUiState(
  parameters: object,
  { indexName = "vehicles", units = {} }: Partial<Reading> = {},
): Partial<VehiclesUiState> & Pick<VehiclesUiState, "configure"> {
  // Whether the text is being typed, the search client says by itself.
  const {
    q,
    typing: _,
    sort,
    bbox,
    instantBook,
    ...others
  } = parameters as Record<string, unknown>;
  const ranges = rangesOf(others, units);
  const lists: VehiclesUiState["refinementList"] = {};
  const configure: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(others)) {
    if (kindOf(name) === "any" || kindOf(name) === "all") {
      lists[name] = list(value);
    } else if (!BOUND.test(name)) {
      configure[name] = value;
    }
  }
  return {
    ...(typeof q === "string" && { query: q }),
    refinementList: lists,
    range: ranges,
    numericMenu: ranges,
    ...(instantBook === true && { toggle: { instantBook } }),
    ...(typeof bbox === "string" && { geoSearch: { boundingBox: cornersOf(bbox) } }),
    ...(typeof sort === "string" && { sortBy: indexOf(sort, indexName) }),
    configure: instantBook === false ? { ...configure, instantBook } : configure,
  };
}

const BOUND = /^(.+)(?:Min|Max)$/;

function rangesOf(
  parameters: Record<string, unknown>,
  units: Record<string, number>,
): VehiclesUiState["range"] {
  const ranges: VehiclesUiState["range"] = {};
  for (const name of Object.keys(parameters)) {
    const attribute = BOUND.exec(name)?.[1];
    if (attribute !== undefined) {
      const bounds = [parameters[`${attribute}Min`], parameters[`${attribute}Max`]];
      const unit = units[attribute] ?? 1;
      const texts = bounds.map((bound) => (typeof bound === "number" ? bound / unit : ""));
      ranges[attribute] = texts.join(":");
    }
  }
  return ranges;
}

/** North-east and south-west, latitudes first, as InstantSearch says it. */
function cornersOf(bbox: string): string {
  const [west, south, east, north] = bbox.split(",");
  return [north, east, south, west].join(",");
}

/** The name that the adapter reads as this order. */
function indexOf(sort: string, base: string): string {
  const names: Record<string, string> = {
    relevance: base,
    price: `${base}_price_asc`,
    "-price": `${base}_price_desc`,
  };
  return names[sort] ?? `${base}_${sort}`;
}
