/** The picture of an audit: the cluster with its single points of failure, what cures them, and every fault that was tried. */
import type { Audit } from '../foresight/audit.js';
import { isHarmful } from '../foresight/finding.js';
import type { Effect, Trial } from '../foresight/trial.js';
import type { Setting } from '../setting.js';
import { markup, type Content, type Markup } from './markup.js';
import { pageOf, section, tableOf } from './page.js';
import { toneOfNode } from './palette.js';
import { partKey, type Part, type PartMark } from './part.js';
import { milliseconds } from './span.js';
import { topology } from './topology.js';

/** One self-contained HTML page. */
export function pictureOfAudit(audit: Audit): string {
  const { cluster, from, node, setting, findings, singles, doubles, cautions, assumed, trouble, tried } = audit;
  const names = setting.nodes.map(({ name }) => name);
  const survived = singles.filter((trial) => !isHarmful(trial)).flatMap(({ effects }) => effects.map(({ ms }) => ms));
  const longest = Math.max(0, ...survived);
  const drawing = topology({
    title: `The cluster ${cluster} and its single points of failure`,
    setting,
    marks: auditMarks(audit),
    toneOf: (name) => toneOfNode(names, name),
    notes: {},
  });
  const source = from === 'live' ? `as ${node ?? 'a node'} tells it` : 'as its cluster file promises it';
  return pageOf({
    title: `Audit of ${cluster}`,
    lead: `Every fault below was tried on this cluster in the simulator, ${source}. Nothing was touched.`,
    facts: [
      {
        name: 'single points of failure',
        value: findings.length === 0 ? 'none' : String(findings.length),
        tone: findings.length === 0 ? 'good' : 'bad',
      },
      { name: 'faults tried', value: String(tried) },
      { name: 'longest outage that ended', value: longest === 0 ? 'below 5 ms' : milliseconds(longest) },
    ],
    failures: trouble,
    body: [
      section('The cluster', markup`<figure>${drawing}${LEGEND}</figure>`),
      findings.length === 0 ? null : section('Single points of failure', findingTable(audit)),
      cautions.length === 0 ? null : section('What does not go together', listOf(cautions)),
      section('Every single fault', trialTable(singles)),
      doubles === null ? null : section('Two faults that do harm together', doublesTable(doubles)),
      assumed.length === 0 ? null : section('What was taken for granted', listOf(assumed)),
    ],
  });
}

const LEGEND = markup`<figcaption>Red with a square badge: a single point of failure, by its number below. Amber: its loss is felt for as long as the badge says, and survived. What has no mark can be lost and no client notices. NICs with a dashed frame are standbys.</figcaption>`;

/** By `partKey`. */
export function auditMarks({
  setting,
  findings,
  singles,
}: Pick<Audit, 'setting' | 'findings' | 'singles'>): Map<string, PartMark> {
  const marks = new Map<string, PartMark>();
  findings.forEach(({ kind, name, text, faults }, i) => {
    const shown = singles.find((trial) => faults.includes(trial.faults.join(', ')));
    const part = shown?.parts.find((one) => one.kind === kind && one.name === name) ?? shown?.parts[0];
    if (!part) return;
    for (const key of partsDrawn(setting, part).map(partKey)) {
      const before = marks.get(key);
      const told = `${i + 1}: ${text}`;
      marks.set(key, {
        state: 'single',
        badges: [...(before?.badges ?? []), String(i + 1)],
        text: before ? `${before.text}; ${told}` : told,
      });
    }
  });
  const felt = new Map<string, number>();
  for (const { parts, effects } of singles)
    for (const key of parts.flatMap((part) => partsDrawn(setting, part)).map(partKey))
      felt.set(key, Math.max(felt.get(key) ?? 0, ...effects.map(({ ms }) => ms)));
  for (const [key, ms] of felt)
    if (ms > 0 && !marks.has(key))
      marks.set(key, { state: 'mended', badges: [milliseconds(ms)], text: `its loss is felt for ${milliseconds(ms)}` });
  return marks;
}

/** A switch that carries several nets is drawn as one a net; a daemon is drawn with its node; a net is its switches. */
function partsDrawn(setting: Setting, { kind, name, node }: Trial['parts'][number]): Part[] {
  switch (kind) {
    case 'NIC':
      return [{ kind: 'nic', node: node ?? '', nic: name.slice((node ?? '').length + 1) }];
    case 'node':
    case 'daemon':
      return [{ kind: 'node', name }];
    case 'switch':
      return setting.switches.filter((one) => one.name.split('/')[0] === name).map((one) => ({ kind, name: one.name }));
    case 'trunk':
      return setting.trunks
        .filter((one) => one.ends.map((end) => end.split('/')[0]).join('-') === name)
        .map((one) => ({ kind, name: one.name }));
    case 'net':
      return switchesOfNet(setting, name).map((one) => ({ kind: 'switch', name: one }));
    case 'target':
      return setting.clients
        .filter(({ addresses }) => addresses.includes(name))
        .map((one) => ({ kind: 'client', name: one.name }));
    case 'arbiter':
      return [{ kind: 'arbiter' }];
    case 'serial line':
      return [{ kind: 'serial' }];
  }
}

function switchesOfNet({ nodes }: Setting, net: string): string[] {
  const nics = nodes.flatMap((node) => node.nics.filter((nic) => nic.net === net));
  return [...new Set(nics.flatMap(({ cables }) => cables.map((cable) => cable.switch)))];
}

function findingTable({ findings }: Audit): Markup {
  const columns = [{ title: 'no.' }, { title: 'what' }, { title: 'shown by' }, { title: 'what cures it' }];
  const rows = findings.map(
    ({ text, faults, cure }, i) =>
      markup`<tr><td><span class="tag bad">${i + 1}</span></td><td>${text}</td><td class="faults">${faults.map((fault) => markup`<div><code>${fault}</code></div>`)}</td><td>${cure}</td></tr>`,
  );
  return tableOf('Single points of failure', columns, rows);
}

function trialTable(trials: readonly Trial[]): Markup {
  const columns = [
    { title: 'fault' },
    { title: 'what is out' },
    { title: 'for how long', number: true },
    { title: 'who has it then' },
  ];
  return tableOf('Faults', columns, trials.map(trialRow));
}

function doublesTable(doubles: readonly Trial[]): Markup {
  return doubles.length === 0 ? markup`<p>None.</p>` : trialTable(doubles);
}

function trialRow(trial: Trial): Markup {
  const { faults, effects, twoHolders } = trial;
  const felt = effects.filter(({ ms, before, after }) => ms > 0 || before !== after);
  const lines = (content: (effect: Effect) => Content): Content =>
    felt.map((one) => markup`<div>${content(one)}</div>`);
  const nothing = felt.length + twoHolders.length === 0 ? markup`<span class="muted">nothing</span>` : null;
  const twice = twoHolders.map(
    ({ nodes, address, ms }) =>
      markup`<div class="unmet">${nodes.join(' and ')} both answer for ${address} for ${milliseconds(ms)}</div>`,
  );
  return markup`<tr><td class="faults">${faults.map((fault) => markup`<div><code>${fault}</code></div>`)}</td><td>${nothing}${lines(({ subject }) => subject)}${twice}</td><td class="number">${lines(longText)}</td><td>${lines(heldText)}</td></tr>`;
}

function longText({ ms, forGood }: Effect): Content {
  if (forGood) return markup`<span class="unmet">for good</span>`;
  return ms === 0 ? '< 5 ms' : milliseconds(ms);
}

function heldText({ before, after }: Effect): string {
  if (after === null) return 'nobody';
  return before === null || before === after ? after : `${after}, before ${before}`;
}

function listOf(texts: readonly string[]): Markup {
  return markup`<ul>${texts.map((text) => markup`<li>${text}</li>`)}</ul>`;
}
