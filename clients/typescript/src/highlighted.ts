/** Text in which words are marked. */

export interface HighlightedPart {
  value: string;
  isHighlighted: boolean;
}

const CHARACTERS: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Splits HTML in which words are marked, and nothing else is markup, into texts. For where there is
 * no HTML: labels of `suggest` (`<em>`), `_highlightResult` in React Native (`<mark>`).
 */
export function highlightedParts(html: string): HighlightedPart[] {
  return html
    .split(/<\/?(?:em|mark)>/)
    .map((part, at) => ({ value: unescapeHtml(part), isHighlighted: at % 2 === 1 }))
    .filter(({ value }) => value !== "");
}

export function unescapeHtml(html: string): string {
  return html.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) {
      return CHARACTERS[name] ?? whole;
    }
    const code = hex === undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
