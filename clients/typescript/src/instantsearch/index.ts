/** A search client for InstantSearch: web (JS, React, Vue) and React Native. */

import type { FacetValuesParameters, Rides, SearchParameters } from "../client.js";
import { SEARCHABLE_FACETS } from "../generated/parameters.js";
import { retag } from "./highlight.js";
import {
  type Asked,
  type Facet,
  type Reading,
  readRequest,
  type SearchRequest,
} from "./parameters.js";
import { result, type SearchResult, shows } from "./results.js";
import { type Turned, Walks } from "./walks.js";

export type { SearchRequest } from "./parameters.js";
export type { PageNotes, SearchResult, VehicleHit } from "./results.js";
export { toUiState, type VehiclesUiState } from "./state.js";

export interface AdapterOptions {
  /** The index name that stands for the default order. Default: `vehicles`. */
  indexName?: string;
  /** How many of the API's units one unit of a range widget is: `{ price: 100 }` for cents. */
  units?: Record<string, number>;
  /** How many vehicles page numbers go to: the last page costs a call for each 100. Default: 1000. */
  reach?: number;
}

export interface FacetResult {
  facetHits: { value: string; highlighted: string; count: number }[];
  exhaustiveFacetsCount: boolean;
  processingTimeMS: number;
}

export interface VehicleSearchClient {
  search(requests: readonly SearchRequest[]): Promise<{ results: SearchResult[] }>;
  /** Forgets where pages begin and what they counted; `refresh()` of InstantSearch calls it. */
  clearCache(): void;
}

/**
 * What the client has besides, and InstantSearch calls: its types declare another signature, that
 * of algoliasearch 5, which it does not call.
 */
export interface FacetSearchClient {
  searchForFacetValues(requests: readonly SearchRequest[]): Promise<FacetResult[]>;
}

/** Parameters of the API that InstantSearch sets by itself. */
type Own = "q" | "limit" | "cursor" | "sort" | "facets";

/** Typed parameters of the API for `configure`, which passes on what it does not know. */
export function apiParameters(parameters: Omit<SearchParameters, Own>): object {
  return parameters;
}

/** One HTTP call that answers several requests of InstantSearch. */
interface Call {
  asked: Asked;
  facets: Set<Facet>;
}

/** InstantSearch over a marketplace: pass it as `searchClient`. */
export function createSearchClient(
  rides: Rides,
  { indexName = "vehicles", units = {}, reach = 1000 }: AdapterOptions = {},
): VehicleSearchClient {
  const reading: Reading = { indexName, units };
  const walks = new Walks((parameters) => rides.search(parameters));

  function turn({ asked, facets }: Call): Promise<Turned> {
    // What shows no vehicle needs a page all the same, for its counts: the shortest.
    const [before, limit] = shows(asked, reach)
      ? [asked.page * asked.hitsPerPage, asked.hitsPerPage]
      : [0, 1];
    return walks.turn(asked.question, before, limit, [...facets]);
  }

  const client: VehicleSearchClient & FacetSearchClient = {
    async search(requests) {
      const asked = requests.map((request) => readRequest(request, reading));
      const calls = new Map<string, Call>();
      const answeredBy = asked.map((each) => {
        const main = each.hitsPerPage === 0 ? asked.find((one) => answers(one, each)) : undefined;
        const { question, page, hitsPerPage } = main ?? each;
        const key = JSON.stringify([question, page, hitsPerPage]);
        const call = calls.get(key) ?? { asked: main ?? each, facets: new Set() };
        calls.set(key, call);
        for (const facet of each.facets) {
          call.facets.add(facet);
        }
        return call;
      });
      const turned = new Map([...calls.values()].map((call) => [call, turn(call)]));
      return {
        results: await Promise.all(
          asked.map(async (each, at) => {
            const call = answeredBy[at] as Call;
            return result(each, await (turned.get(call) as Promise<Turned>), units, reach);
          }),
        ),
      };
    },

    searchForFacetValues(requests) {
      return Promise.all(requests.map((request) => facetValues(rides, request, reading)));
    },

    clearCache: () => walks.clear(),
  };
  return client;
}

/**
 * InstantSearch asks once more for each refined facet, without its filter, to count what another
 * choice would find. The API leaves that filter out by itself: the page has these counts already.
 */
function answers(main: Asked, other: Asked): boolean {
  const name = other.only;
  return name !== undefined && main.hitsPerPage > 0 && without(main, name) === without(other, name);
}

function without({ question }: Asked, name: string): string {
  const own = new Set([name, `${name}Min`, `${name}Max`]);
  return JSON.stringify(Object.entries(question).filter(([each]) => !own.has(each)));
}

async function facetValues(
  rides: Rides,
  request: SearchRequest,
  reading: Reading,
): Promise<FacetResult> {
  const { facetName, facetQuery, maxFacetHits, ...params } = request.params ?? {};
  const facet = SEARCHABLE_FACETS.find((each) => each === facetName);
  if (facet === undefined) {
    const there = SEARCHABLE_FACETS.join(", ");
    throw new Error(`Cannot search inside ${String(facetName)}: there are ${there}.`);
  }
  const { question, tags } = readRequest({ ...request, params }, reading);
  const { q: text, sort: _, ...filters } = question;
  const found = await rides.facetValues({
    ...filters,
    ...(typeof text === "string" && { text }),
    ...(typeof facetQuery === "string" && facetQuery.trim() && { q: facetQuery.trim() }),
    ...(typeof maxFacetHits === "number" && { limit: maxFacetHits }),
    facet,
  } as FacetValuesParameters);
  return {
    facetHits: found.values.map(({ value, label, count }) => ({
      value,
      highlighted: retag(label, tags),
      count,
    })),
    exhaustiveFacetsCount: true,
    processingTimeMS: Math.round(found.meta.tookMs),
  };
}
