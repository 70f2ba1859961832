/** HTML and SVG out of templates. What is put in is text and is escaped, unless it is markup itself. */

export class Markup {
  constructor(readonly source: string) {}

  toString(): string {
    return this.source;
  }
}

export type Content = Markup | string | number | null | readonly Content[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For text and for attribute values in quotes. Control characters, which no HTML may hold, become �. */
export function escapeText(text: string): string {
  // eslint-disable-next-line no-control-regex
  const clean = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, '\ufffd');
  return clean.replace(/\p{Surrogate}/gu, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** `null` stands for nothing, a list for its items one after another. Attribute values belong in double quotes. */
export function markup(template: TemplateStringsArray, ...contents: Content[]): Markup {
  const source = template.reduce((text, part, i) => text + sourceOf(contents[i - 1] ?? null) + part);
  return new Markup(source);
}

/** Of what is no one's text but ours: style and script of the page. */
export function trusted(source: string): Markup {
  return new Markup(source);
}

function sourceOf(content: Content): string {
  if (content === null) return '';
  if (content instanceof Markup) return content.source;
  if (typeof content === 'string') return escapeText(content);
  if (typeof content === 'number') return String(Math.round(content * 100) / 100);
  return content.map(sourceOf).join('');
}
