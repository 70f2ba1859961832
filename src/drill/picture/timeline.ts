/** The timeline as text, line by line; behind a line of the journal its evidence. */
import type { TimelineLine } from '../report.js';
import { markup, type Markup } from './markup.js';

const WORDS: Record<TimelineLine['what'], string> = {
  say: 'story',
  fault: 'fault',
  heal: 'heal',
  do: 'command',
  journal: 'journal',
  met: 'met',
  unmet: 'unmet',
  outage: 'outage',
};

export function timelineList(lines: readonly TimelineLine[]): Markup {
  return markup`<div class="search" hidden><label for="search">Search</label> <input id="search" type="search" autocomplete="off"> <output class="muted"></output></div>
<ol class="timeline">${lines.map(lineItem)}</ol>`;
}

function lineItem({ at, what, text, entry }: TimelineLine): Markup {
  const evidence = entry?.evidence;
  const shown =
    evidence === undefined || Object.keys(evidence).length === 0
      ? markup`<span>${text}</span>`
      : markup`<details><summary>${text}</summary><pre>${evidenceText(evidence)}</pre></details>`;
  return markup`<li class="${what}"><time>${(at / 1000).toFixed(3)}</time><span class="what">${WORDS[what]}</span>${shown}</li>`;
}

/** A line each; what is not a word or number as JSON. */
function evidenceText(evidence: Record<string, unknown>): string {
  const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.entries(evidence)
    .map(([name, value]) => `${name}: ${shown(value)}`)
    .join('\n');
}
