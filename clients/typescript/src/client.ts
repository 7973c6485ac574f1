import createHttp, { type Client } from "openapi-fetch";
import type { components, operations, paths } from "./generated/schema.js";
import { answered, expectJson, ProblemError } from "./problem.js";

type Schemas = components["schemas"];
type QueryOf<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;

export type SearchParameters = QueryOf<"searchVehicles">;
export type FacetValuesParameters = QueryOf<"findFacetValues">;
export type ClustersParameters = QueryOf<"clusterVehicles">;
export type SearchPage = Schemas["SearchPage"];
export type Vehicle = Schemas["Item"];
export type FacetValues = Schemas["FacetValues"];
export type Suggestions = Schemas["Suggestions"];
export type Clusters = Schemas["Clusters"];

const WRITE_TOKEN = "X-Write-Token";
/** Vehicles on one page, at most. */
export const LARGEST_PAGE = 100;

export interface RidesOptions {
  /** Where the API is: `https://api.example.com`. */
  baseUrl: string;
  /** The bearer token, or a function that is asked for it before each call. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Instead of the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
}

export interface CallOptions {
  /** Aborts the call; it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What says whether it waited for a write. */
type Waited = { meta: { afterSatisfied: boolean | null } };

/**
 * The API of a marketplace. Every method rejects with `ProblemError` when the API says no, and with
 * what `fetch` rejects with when there is no answer.
 */
export class Rides {
  /** Every route, typed from the contract; `answered(rides.http.GET(…))` gives its data. */
  readonly http: Client<paths>;
  #written: string | undefined;

  constructor({ baseUrl, token, fetch }: RidesOptions) {
    this.http = createHttp<paths>({ baseUrl, ...(fetch && { fetch }) });
    this.http.use({
      onRequest: async ({ request }) => {
        const bearer = typeof token === "function" ? await token() : token;
        if (bearer) {
          request.headers.set("Authorization", `Bearer ${bearer}`);
        }
      },
      onResponse: async ({ response, options }) => {
        this.#written = response.headers.get(WRITE_TOKEN) ?? this.#written;
        if (response.ok && options.parseAs === "json") {
          await expectJson(response);
        }
      },
    });
  }

  /** One page of a search. */
  search(parameters: SearchParameters = {}, options: CallOptions = {}): Promise<SearchPage> {
    return this.#afterWrite(parameters, (query) =>
      answered(this.http.GET("/v1/search/vehicles", { params: { query }, ...options })),
    );
  }

  /** The pages of a search, each fetched when the loop gets to it. */
  async *searchPages(
    parameters: SearchParameters = {},
    options: CallOptions = {},
  ): AsyncGenerator<SearchPage, void, undefined> {
    let cursor = parameters.cursor;
    do {
      const page = await this.search({ ...parameters, cursor }, options);
      yield page;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** Every vehicle that a search finds, in its order; leave the loop to stop fetching. */
  async *searchAll(
    parameters: Omit<SearchParameters, "facets"> = {},
    options: CallOptions = {},
  ): AsyncGenerator<Vehicle, void, undefined> {
    const all: SearchParameters = { limit: LARGEST_PAGE, ...parameters, facets: ["none"] };
    for await (const page of this.searchPages(all, options)) {
      yield* page.items;
    }
  }

  /** Makes, models, places and features while a renter types. */
  suggest(query: QueryOf<"suggestSearches">, options: CallOptions = {}): Promise<Suggestions> {
    return answered(this.http.GET("/v1/search/suggest", { params: { query }, ...options }));
  }

  /** The values of one facet that begin so, under a search. */
  facetValues(parameters: FacetValuesParameters, options: CallOptions = {}): Promise<FacetValues> {
    return this.#afterWrite(parameters, (query) =>
      answered(this.http.GET("/v1/search/facet-values", { params: { query }, ...options })),
    );
  }

  /** A search on a map. */
  clusters(parameters: ClustersParameters, options: CallOptions = {}): Promise<Clusters> {
    return this.#afterWrite(parameters, (query) =>
      answered(this.http.GET("/v1/search/clusters", { params: { query }, ...options })),
    );
  }

  /**
   * Asks, after a write of this client, so that the answer waits until the write counts, as
   * `meta.afterSatisfied` says; an `after` of the caller's own goes first.
   */
  async #afterWrite<Query extends { after?: string }, Found extends Waited>(
    parameters: Query,
    ask: (query: Query) => Promise<Found>,
  ): Promise<Found> {
    const written = this.#written;
    if (written === undefined || parameters.after !== undefined) {
      return ask(parameters);
    }
    try {
      const found = await ask({ ...parameters, after: written });
      if (found.meta.afterSatisfied) {
        this.#forget(written);
      }
      return found;
    } catch (error) {
      if (error instanceof ProblemError && error.code === "invalid-write-token") {
        // Issued before the server's secret changed. The caller never saw it: ask without.
        this.#forget(written);
        return this.#afterWrite(parameters, ask);
      }
      throw error;
    }
  }

  #forget(written: string): void {
    // A newer one may have come in while this one was out.
    if (this.#written === written) {
      this.#written = undefined;
    }
  }
}
