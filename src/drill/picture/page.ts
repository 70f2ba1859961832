/** The frame of every picture: one page that needs nothing but itself. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packageVersion } from '../../version.js';
import { markup, trusted, type Content, type Markup } from './markup.js';
import { paletteStyle, type Tone } from './palette.js';
import { SCRIPT } from './script.js';

export interface Fact {
  name: string;
  value: string;
  /** Shown as a plate of that tone. */
  tone?: Tone;
}

export interface Page {
  title: string;
  lead: string;
  facts: Fact[];
  failures: readonly string[];
  body: Content;
}

/** Of the script: the browser runs no other, whatever may have got into the page. */
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');

const POLICY = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${SCRIPT_HASH}'`;

export function pageOf({ title, lead, facts, failures, body }: Page): string {
  const style = readFileSync(new URL('page.css', import.meta.url), 'utf8');
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="baton ${packageVersion()}">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>
${paletteStyle()}
${trusted(style)}</style>
</head>
<body>
${PATTERNS}
<header>
<h1>${title}</h1>
<p>${lead}</p>
<dl class="facts">${facts.map(factItem)}</dl>
${failures.length === 0 ? null : markup`<ul class="failures bad">${failures.map((text) => markup`<li>${text}</li>`)}</ul>`}
</header>
<main>
${body}
</main>
<footer>baton ${packageVersion()}. Keep this file as it is: it needs no other, and loads none.</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`;
  return page.source;
}

/** Hatching, so that a bar that is bad and one that nobody vouches for differ by more than their colour. */
const PATTERNS = markup`<svg class="patterns" aria-hidden="true"><defs>
<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v6" stroke-width="4"/></pattern>
<pattern id="away" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect width="8" height="8"/><path d="M0 0v8" stroke-width="3"/></pattern>
</defs></svg>`;

function factItem({ name, value, tone }: Fact): Markup {
  const shown = tone === undefined ? value : markup`<span class="verdict ${tone}">${value}</span>`;
  return markup`<div><dt>${name}</dt><dd>${shown}</dd></div>`;
}

export interface Column {
  title: string;
  number?: boolean;
}

export function tableOf(caption: string, columns: readonly Column[], rows: readonly Content[]): Markup {
  const heads = columns.map(
    ({ title, number }) => markup`<th scope="col"${number ? trusted(' class="number"') : null}>${title}</th>`,
  );
  return markup`<div class="table" tabindex="0" role="region" aria-label="${caption}"><table><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function section(title: string, content: Content): Markup {
  return markup`<section><h2>${title}</h2>${content}</section>`;
}
