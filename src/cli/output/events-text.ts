/** One line per journal entry, and the decisions behind `why`. */
import type { JournalLine } from '../../client/document.js';
import type { Decision, JournalEvent } from '../../status.js';
import type { Paint } from './paint.js';
import { span } from './words.js';

const GRAVE: readonly JournalEvent[] = [
  'alarm-raised',
  'switch-failed',
  'switch-refused',
  'clash',
  'cabling',
  'stalled',
  'address-conflict',
  'rival',
  'state-lost',
];
const GOOD: readonly JournalEvent[] = ['alarm-cleared', 'switch-done', 'adopted', 'mended', 'announce-confirmed'];

function paintEvent(event: JournalEvent, paint: Paint): string {
  const text = event.padEnd(15);
  if (GRAVE.includes(event)) return paint.bad(text);
  return GOOD.includes(event) ? paint.good(text) : text;
}

/** Fractions of a microsecond and brackets tell nobody anything. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(' ');
  return JSON.stringify(value);
}

/** `{ a: 1, b: "x", c: ["y", "z"] }` → `a 1, b x, c y z`. */
export function evidenceText(evidence: Record<string, unknown>): string {
  return Object.entries(evidence)
    .map(([key, value]) => `${key} ${valueText(value)}`)
    .join(', ');
}

/** `time node event subject: from → to (cause; evidence)` */
export function eventText(line: JournalLine, paint: Paint): string {
  const subject = [line.package, line.peer, line.net, line.nic, line.address]
    .filter((it) => it !== undefined)
    .join(' ');
  const change = [line.from, line.to].filter((it) => it !== undefined).join(' → ');
  const evidence = line.evidence === undefined ? '' : evidenceText(line.evidence);
  const why = [line.cause, evidence].filter((it) => it !== '').join('; ');
  const what = [subject, change].filter((it) => it !== '').join(': ');
  return `${paint.dim(line.time)} ${line.node} ${paintEvent(line.event, paint)} ${what}${what === '' ? '' : ' '}${paint.dim(`(${why})`)}`;
}

/** One decision: what was decided, when, on what evidence. */
export function decisionText(decision: Decision, now: number, paint: Paint): string[] {
  const evidence = Object.entries(decision.evidence).map(([key, value]) => `    ${key}: ${valueText(value)}`);
  const about = decision.text.startsWith(`${decision.subject}:`)
    ? decision.text
    : `${decision.subject}: ${decision.text}`;
  return [
    `${paint.bold(about)} ${paint.dim(`${span(now - decision.at)} ago`)}`,
    `  because ${decision.cause}`,
    ...(evidence.length > 0 ? ['  evidence:', ...evidence] : []),
  ];
}
