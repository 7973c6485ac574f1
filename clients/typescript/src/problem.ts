/** What the API says when it does not do what it was asked (RFC 9457). */

import type { components } from "./generated/schema.js";

export type Problem = components["schemas"]["Problem"];

/** An answer that is an error. `code` is what to switch on; `errors` name the wrong fields. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly type: string;
  /** The end of `type`: `vehicle-unavailable`, `invalid-cursor`. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: Problem["errors"];
  /** Quote it when you ask for help; empty where the answer was not the API's own. */
  readonly requestId: string;
  /** Seconds after which to try again, where the API says so. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter?: number) {
    const fields = problem.errors.map(({ pointer, message }) => `${pointer}: ${message}`);
    super([`${problem.title}. ${problem.detail}`, ...fields].join("\n"));
    this.type = problem.type;
    this.code = problem.type.slice(problem.type.lastIndexOf(":") + 1);
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors;
    this.requestId = problem.requestId;
    this.retryAfter = retryAfter;
  }
}

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/**
 * The data of a call of `Rides.http`.
 *
 * @throws {ProblemError} the API, or something before it, answered with an error.
 */
export async function answered<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await call;
  if (response.ok) {
    return data as Data;
  }
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  throw new ProblemError(
    isProblem(error) ? { ...foreign(response), ...error } : foreign(response),
    Number.isNaN(seconds) ? undefined : seconds,
  );
}

/**
 * Reads no answer whose type says JSON.
 *
 * @throws {ProblemError} a page where data should be.
 */
export async function expectJson(response: Response): Promise<void> {
  if (response.headers.get("Content-Type")?.includes("json")) {
    return;
  }
  const text = await response.clone().text();
  try {
    JSON.parse(text || "null");
  } catch {
    throw new ProblemError(foreign(response));
  }
}

/** A problem document of anybody: what stands before the API may leave out all but the type. */
function isProblem(error: unknown): error is Partial<Problem> {
  if (typeof error !== "object" || error === null || !("type" in error)) {
    return false;
  }
  return typeof error.type === "string" && (!("errors" in error) || Array.isArray(error.errors));
}

/** A page of a proxy, or of a server that is not this API. */
function foreign(response: Response): Problem {
  return {
    type: `about:http-${response.status}`,
    title: `HTTP ${response.status}`,
    status: response.status,
    detail: "The answer is not the API's: check `baseUrl` and what stands before the API.",
    errors: [],
    requestId: response.headers.get("X-Request-Id") ?? "",
  };
}
