/** Page numbers over an API that pages by cursor. */

import {
  type CallOptions,
  LARGEST_PAGE,
  type SearchPage,
  type SearchParameters,
} from "../client.js";
import { ProblemError } from "../problem.js";
import type { Facet, Question } from "./parameters.js";

/** Walks whose cursors are kept; the one that was not asked for longest goes first. */
const MOST_WALKS = 50;
const LOST = new Set(["invalid-cursor", "cursor-engine-changed"]);

type Search = (parameters: SearchParameters, options?: CallOptions) => Promise<SearchPage>;

class Walk {
  /** Where one may go on from, by the number of vehicles before it. */
  readonly cursors = new Map<number, string>();
  /** Facets are the same on every page: only the first page that is asked for counts them. */
  first: SearchPage | undefined;

  nearest(before: number): number {
    return Math.max(0, ...[...this.cursors.keys()].filter((each) => each <= before));
  }
}

export interface Turned {
  page: SearchPage;
  /** What the question's first page counted, if this one did not. */
  counted: SearchPage;
  tookMs: number;
}

export class Walks {
  readonly #search: Search;
  readonly #walks = new Map<string, Walk>();

  constructor(search: Search) {
    this.#search = search;
  }

  clear(): void {
    this.#walks.clear();
  }

  /**
   * `limit` vehicles behind the first `before`. From the farthest page that was seen it is one call
   * for each 100 vehicles in between; the next page is one call.
   */
  async turn(question: Question, before: number, limit: number, facets: Facet[]): Promise<Turned> {
    // A strip of three beside the list asks the same question, always for its first page.
    const key = JSON.stringify([question, limit]);
    try {
      return await this.#turn(key, question, before, limit, facets);
    } catch (error) {
      if (before > 0 && error instanceof ProblemError && LOST.has(error.code)) {
        // An order that is no more (another engine, a new profile): once more from its beginning.
        this.#walks.delete(key);
        return this.#turn(key, question, before, limit, facets);
      }
      throw error;
    }
  }

  async #turn(
    key: string,
    question: Question,
    before: number,
    limit: number,
    facets: Facet[],
  ): Promise<Turned> {
    // The first page is asked anew: cursors of an earlier answer may miss what has come in since.
    const walk = before === 0 ? new Walk() : (this.#walks.get(key) ?? new Walk());
    let at = walk.nearest(before);
    let tookMs = 0;
    while (at < before) {
      const size = Math.min(LARGEST_PAGE, before - at);
      const skipped = await this.#step(walk, question, at, size, []);
      tookMs += skipped.meta.tookMs;
      at += size;
      if (!skipped.hasMore) {
        const end = { ...skipped, items: [] };
        return { page: end, counted: walk.first ?? end, tookMs };
      }
    }
    const missing = covers(walk.first, facets) ? [] : facets;
    const page = await this.#step(walk, question, before, limit, missing);
    if (!walk.first || missing.length > 0) {
      walk.first = page;
    }
    this.#keep(key, walk);
    return { page, counted: walk.first, tookMs: tookMs + page.meta.tookMs };
  }

  async #step(
    walk: Walk,
    question: Question,
    at: number,
    size: number,
    facets: Facet[],
  ): Promise<SearchPage> {
    const page = await this.#search({
      ...question,
      cursor: walk.cursors.get(at),
      limit: size,
      facets: facets.length > 0 ? facets : ["none"],
    });
    if (page.nextCursor !== null) {
      walk.cursors.set(at + size, page.nextCursor);
    }
    return page;
  }

  #keep(key: string, walk: Walk): void {
    this.#walks.delete(key);
    this.#walks.set(key, walk);
    for (const oldest of this.#walks.keys()) {
      if (this.#walks.size <= MOST_WALKS) {
        break;
      }
      this.#walks.delete(oldest);
    }
  }
}

function covers(page: SearchPage | undefined, facets: Facet[]): boolean {
  return facets.every((facet) => page !== undefined && facet in page.facets);
}
