/** Filters of facets and ranges, in the API's parameters. */

import { FACETS, PARAMETERS } from "../generated/parameters.js";

type Filters = Record<string, string[] | number | boolean>;

/** @throws {Error} an exclusion, alternatives of several facets, or another meaning than the API's. */
export function readFacetFilters(filters: unknown): Filters {
  const question: Filters = {};
  for (const group of Array.isArray(filters) ? filters : list(filters)) {
    const [name, values] = readGroup(list(group));
    if (kindOf(name) === "boolean") {
      // Both of yes and no is no filter.
      if (new Set(values).size === 1) {
        question[name] = values[0] === "true";
      }
    } else {
      question[name] = together(name, question[name], values);
    }
  }
  return question;
}

/** One group after another must all match; the values of one group are alternatives. */
function together(name: string, before: Filters[string] | undefined, values: string[]): string[] {
  const match = kindOf(name);
  if (match === "any" && before === undefined) {
    return values;
  }
  if (match === "all" && values.length === 1) {
    return [...(Array.isArray(before) ? before : []), ...values];
  }
  if (match !== "any" && match !== "all") {
    throw unknownFacet(name);
  }
  const operator = match === "any" ? "or" : "and";
  throw new Error(
    `${name}: ${match} of the values must match. Give its widget operator: "${operator}".`,
  );
}

function readGroup(group: string[]): [name: string, values: string[]] {
  const names = new Set<string>();
  const values: string[] = [];
  for (const filter of group) {
    const colon = filter.indexOf(":");
    const value = filter.slice(colon + 1);
    if (colon < 1 || value.startsWith("-")) {
      throw new Error(`Cannot search by ${filter}: only "attribute:value", not its opposite.`);
    }
    names.add(filter.slice(0, colon));
    // InstantSearch escapes a value that begins with a minus, for it would exclude.
    values.push(value.replace(/^\\-/, "-"));
  }
  const [name, another] = names;
  if (name === undefined || another !== undefined) {
    throw new Error(`Cannot search by ${group.join(" or ")}: alternatives must be of one facet.`);
  }
  return [name, values];
}

const NUMERIC = /^([^!<>=]+?)\s*(<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?)$/;
/** Which ends of a range an operator sets, and by how much it moves them: the API's are inclusive. */
const ENDS: Record<string, { Min?: number; Max?: number }> = {
  ">=": { Min: 0 },
  ">": { Min: 1 },
  "<=": { Max: 0 },
  "<": { Max: -1 },
  "=": { Min: 0, Max: 0 },
};

/** @throws {Error} no bound of the API says this. */
export function readNumericFilters(
  filters: unknown,
  units: Record<string, number>,
): Record<string, number> {
  const question: Record<string, number> = {};
  for (const group of Array.isArray(filters) ? filters : list(filters)) {
    const [filter = "", another] = list(group);
    const [, name = "", operator = "", amount] = NUMERIC.exec(filter) ?? [];
    if (another !== undefined || !name) {
      throw new Error(`Cannot search by ${String(group)}: write it as attribute>=number.`);
    }
    const value = Number(amount) * (units[name] ?? 1);
    for (const [end, moved] of Object.entries(ENDS[operator] ?? {})) {
      const parameter = name + end;
      const exact = exactBound(parameter, filter, value, moved);
      const tighter = end === "Min" ? Math.max : Math.min;
      question[parameter] = tighter(question[parameter] ?? exact, exact);
    }
  }
  return question;
}

/** More than 5 seats are at least 6; there is no least rating above 4. */
function exactBound(parameter: string, filter: string, value: number, moved: number): number {
  const kind = kindOf(parameter);
  if (kind === "integer") {
    // Cents of a decimal amount: 19.99 * 100 is 1998.9999999999998.
    return Math.round(value) + moved;
  }
  if (kind === "number" && moved === 0) {
    return value;
  }
  const bounds = Object.keys(PARAMETERS).filter((name) => /(Min|Max)$/.test(name));
  throw new Error(`Cannot search by ${filter}: the API has ${bounds.join(", ")}, inclusive.`);
}

export function unknownFacet(name: string): Error {
  return new Error(`${name} is no facet of the API. There are ${FACETS.join(", ")}.`);
}

export function kindOf(parameter: string): string | undefined {
  return (PARAMETERS as Record<string, string>)[parameter];
}

/** A parameter's value or values as text, without what is empty. */
export function list(value: unknown): string[] {
  const values = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return values.filter((each) => each !== null && each !== "").map(String);
}
