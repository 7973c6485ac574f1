/** The API's highlights (HTML: `<em>`, everything else escaped) as InstantSearch expects them. */

import type { SearchPage, Vehicle } from "../client.js";
import { unescapeHtml } from "../highlighted.js";
import { kindOf, list } from "./filters.js";
import type { Asked } from "./parameters.js";

type Tags = Asked["tags"];

export interface Highlighted {
  value: string;
  matchLevel: "none" | "partial";
  matchedWords: string[];
}

type HighlightedText<Value> = Value extends string
  ? Highlighted
  : Value extends string[]
    ? Highlighted[]
    : Value extends object
      ? HighlightedFields<Value>
      : never;
type HighlightedFields<Fields> = { [Name in keyof Fields]?: HighlightedText<Fields[Name]> };

/** By field, as in a vehicle; of a description only what was found, if anything was. */
export type Highlights = HighlightedFields<Omit<Vehicle, "highlights">> & {
  description?: Highlighted;
};

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Every text of a vehicle, marked where the search found it, or else where it says one of `names`. */
export function highlightAll(
  { highlights, ...vehicle }: Vehicle,
  names: string[][],
  tags: Tags,
): Highlights {
  const found = Object.entries(highlights).map(([name, html]) => [name, marked(html, tags)]);
  return {
    ...highlightFields(vehicle, (text) => marked(emphasize(text, names), tags)),
    ...Object.fromEntries(found),
  };
}

/** The names (a make, a city), word by word, that a text became filters by: the API marks only the rest. */
export function namesIn(understood: SearchPage["understood"]): string[][] {
  return understood
    .filter(({ applied }) => applied)
    .flatMap(({ parameters }) => Object.entries(parameters))
    .filter(([name]) => kindOf(name) === "any" || kindOf(name) === "all")
    .flatMap(([, values]) => list(values))
    .map((name) => wordsOf(name).map(({ folded }) => folded))
    .filter((words) => words.length > 0);
}

/** HTML of a text, with `<em>` around whole names. */
function emphasize(text: string, names: string[][]): string {
  const words = wordsOf(text);
  let html = "";
  let at = 0;
  for (const [first, { start }] of words.entries()) {
    const says = (name: string[]) =>
      name.every((word, next) => word === words[first + next]?.folded);
    const length = Math.max(0, ...names.filter(says).map((name) => name.length));
    const end = words[first + length - 1]?.end ?? 0;
    if (length > 0 && start >= at) {
      html += `${escapeHtml(text.slice(at, start))}<em>${escapeHtml(text.slice(start, end))}</em>`;
      at = end;
    }
  }
  return html + escapeHtml(text.slice(at));
}

/** What lies between spaces and marks. Not every React Native knows Unicode's classes of letters. */
const WORD = /[^\s!-/:-@[-`{-~\u2000-\u206f]+/g;

function wordsOf(text: string): { folded: string; start: number; end: number }[] {
  return [...text.matchAll(WORD)].map(({ 0: word, index }) => ({
    folded: word
      .normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase(),
    start: index,
    end: index + word.length,
  }));
}

function highlightFields(fields: object, mark: (text: string) => Highlighted): object {
  const texts: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") {
      texts[name] = mark(value);
    } else if (Array.isArray(value)) {
      texts[name] = value.map((each) => mark(String(each)));
    } else if (typeof value === "object" && value !== null) {
      texts[name] = highlightFields(value, mark);
    }
  }
  return texts;
}

/** HTML with `<em>` in the tags that were asked for. */
export function retag(html: string, { pre, post }: Tags): string {
  return html
    .split(/<(\/?)em>/)
    .map((part, at) => (at % 2 ? (part ? post : pre) : escaping(pre) ? part : unescapeHtml(part)))
    .join("");
}

function marked(html: string, tags: Tags): Highlighted {
  const words = [...html.matchAll(/<em>(.*?)<\/em>/g)].map(([, word = ""]) => unescapeHtml(word));
  return {
    value: retag(html, tags),
    matchLevel: words.length > 0 ? "partial" : "none",
    matchedWords: [...new Set(words)],
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => ENTITIES[each] ?? each);
}

/**
 * Who asks for a placeholder (`__ais-highlight__`) escapes what comes, and puts the tags in after
 * that. Anybody else may show it as HTML: then a host's text must not become markup.
 */
function escaping(pre: string): boolean {
  return !/^__.*__$/.test(pre);
}
