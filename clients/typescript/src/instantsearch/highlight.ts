/** The API's highlights (HTML: `<em>`, everything else escaped) as InstantSearch expects them. */

import type { Vehicle } from "../client.js";
import type { Asked } from "./parameters.js";

type Tags = Asked["tags"];

export interface Highlighted {
  value: string;
  matchLevel: "none" | "partial";
  matchedWords: string[];
}
export type Highlights = Record<string, Highlighted | Highlighted[]>;

const CHARACTERS: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Every text of a vehicle, marked where the search found it. */
export function highlightAll(vehicle: Vehicle, tags: Tags): Highlights {
  const texts: Highlights = {};
  for (const [name, value] of Object.entries(vehicle)) {
    if (typeof value === "string") {
      texts[name] = plain(value, tags);
    } else if (Array.isArray(value)) {
      texts[name] = value.map((each) => plain(String(each), tags));
    }
  }
  return { ...texts, ...highlightFound(vehicle, tags) };
}

/** Only what the search found, also in texts of which a vehicle has no more than that. */
export function highlightFound(vehicle: Vehicle, tags: Tags): Highlights {
  const found = Object.entries(vehicle.highlights);
  return Object.fromEntries(found.map(([name, html]) => [name, marked(html, tags)]));
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
  return { value: retag(html, tags), matchLevel: "partial", matchedWords: [...new Set(words)] };
}

function plain(text: string, { pre }: Tags): Highlighted {
  const value = escaping(pre) ? text.replace(/[&<>"']/g, (each) => ENTITIES[each] ?? each) : text;
  return { value, matchLevel: "none", matchedWords: [] };
}

/**
 * Who asks for a placeholder (`__ais-highlight__`) escapes what comes, and puts the tags in after
 * that. Anybody else may show it as HTML: then a host's text must not become markup.
 */
function escaping(pre: string): boolean {
  return !/^__.*__$/.test(pre);
}

function unescapeHtml(html: string): string {
  return html.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) {
      return CHARACTERS[name] ?? whole;
    }
    const code = hex === undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
