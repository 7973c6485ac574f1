/** The API's highlights (HTML: `<em>`, everything else escaped) as InstantSearch expects them. */

import type { Vehicle } from "../client.js";
import { unescapeHtml } from "../highlighted.js";
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

/** Every text of a vehicle, marked where the search found it. */
export function highlightAll({ highlights, ...vehicle }: Vehicle, tags: Tags): Highlights {
  const found = Object.entries(highlights).map(([name, html]) => [name, marked(html, tags)]);
  return {
    ...highlightFields(vehicle, (text) => marked(escapeHtml(text), tags)),
    ...Object.fromEntries(found),
  };
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
