/** The picture of an audit: the cluster with its single points of failure, and a table of every fault that was tried. */
import type { Ms } from '../../input.js';
import type { Setting } from '../setting.js';
import { parseFault } from '../fault.js';
import { markup, type Content, type Markup } from './markup.js';
import { pageOf, section, tableOf } from './page.js';
import { toneOfNode } from './palette.js';
import { partKey, partsStruck, type PartMark } from './part.js';
import { milliseconds } from './span.js';
import { topology } from './topology.js';

/** One fault, or two at once, and what it does to the packages and addresses that it touches. */
export interface DrawnFault {
  /** `switch-off left`: as for a scenario. */
  faults: string[];
  /** Something is out for good, though a second fault is not needed. */
  single: boolean;
  /** What goes dark: a package, or a stationary address. */
  struck: {
    what: string;
    outMs: Ms;
    forGood: boolean;
    /** Who holds it after; null: nobody. Absent: it belongs to its node. */
    after?: string | null;
  }[];
  /** What would cure it, in words. */
  cures: string[];
}

export interface DrawnAudit {
  cluster: string;
  /** Whence the configuration comes, in words. */
  from: string;
  setting: Setting;
  /** Single points of failure first. */
  faults: DrawnFault[];
  /** What else was found: cyclic backup plans, nets that share a NIC, time-outs that do not work together. */
  findings: string[];
}

/** One self-contained HTML page. */
export function pictureOfAudit(audit: DrawnAudit): string {
  const { cluster, from, setting, faults, findings } = audit;
  const singles = faults.filter(({ single }) => single);
  const names = setting.nodes.map(({ name }) => name);
  const longest = Math.max(
    0,
    ...faults.flatMap(({ struck }) => struck.flatMap((one) => (one.forGood ? [] : [one.outMs]))),
  );
  const drawing = topology({
    title: `The cluster ${cluster} and its single points of failure`,
    setting,
    marks: auditMarks(faults),
    toneOf: (node) => toneOfNode(names, node),
    notes: {},
  });
  return pageOf({
    title: `Audit of ${cluster}`,
    lead: `Every fault below was tried in the simulator, ${from}. Nothing was touched.`,
    facts: [
      {
        name: 'single points of failure',
        value: singles.length === 0 ? 'none' : String(singles.length),
        tone: singles.length === 0 ? 'good' : 'bad',
      },
      { name: 'faults tried', value: String(faults.length) },
      { name: 'longest outage of the others', value: longest === 0 ? 'below 5 ms' : milliseconds(longest) },
    ],
    failures: findings,
    body: [
      section('The cluster', markup`<figure>${drawing}${LEGEND}</figure>`),
      section('Every fault, and what is out', faultTable(faults)),
    ],
  });
}

const LEGEND = markup`<figcaption>A red frame or a red cross with a square badge: a single point of failure, by its row in the table. An amber one: its loss is felt for a while and survived. What is unmarked can be lost and nobody notices. NICs with a dashed frame are standbys.</figcaption>`;

/** Rows of one fault alone mark its part. */
export function auditMarks(faults: readonly DrawnFault[]): Map<string, PartMark> {
  const marks = new Map<string, PartMark>();
  faults.forEach(({ faults: [fault, ...more], single, struck }, i) => {
    if (fault === undefined || more.length > 0 || struck.length === 0) return;
    for (const part of partsStruck(parseFault(fault))) {
      const key = partKey(part);
      const before = marks.get(key);
      const text = `${i + 1}: ${fault}: ${struck.map(outageText).join('; ')}`;
      marks.set(key, {
        state: single || before?.state === 'single' ? 'single' : 'mended',
        badges: [...(before?.badges ?? []), String(i + 1)],
        text: before ? `${before.text}. ${text}` : text,
      });
    }
  });
  return marks;
}

function outageText({ what, outMs, forGood }: DrawnFault['struck'][number]): string {
  return `${what} is out ${forGood ? 'for good' : `for ${milliseconds(outMs)}`}`;
}

function faultTable(faults: readonly DrawnFault[]): Markup {
  const columns = [
    { title: 'row', number: true },
    { title: 'fault' },
    { title: 'what is out' },
    { title: 'for how long', number: true },
    { title: 'who holds it then' },
    { title: 'what cures it' },
  ];
  return tableOf('Faults', columns, faults.map(faultRow));
}

function faultRow({ faults, single, struck, cures }: DrawnFault, i: number): Markup {
  const lines = (content: (one: DrawnFault['struck'][number]) => Content): Content =>
    struck.map((one) => markup`<div>${content(one)}</div>`);
  const held = ({ after }: DrawnFault['struck'][number]): string => (after === undefined ? '' : (after ?? 'nobody'));
  const long = ({ outMs, forGood }: DrawnFault['struck'][number]): Content =>
    forGood ? markup`<span class="unmet">for good</span>` : milliseconds(outMs);
  const badge = single ? markup`<span class="tag bad">${i + 1}</span>` : String(i + 1);
  const nothing = struck.length === 0 ? markup`<span class="muted">nothing</span>` : null;
  return markup`<tr><td class="number">${badge}</td><td>${faults.map((fault) => markup`<div><code>${fault}</code></div>`)}</td><td>${nothing ?? lines(({ what }) => what)}</td><td class="number">${lines(long)}</td><td>${lines(held)}</td><td>${cures.join('; ')}</td></tr>`;
}
