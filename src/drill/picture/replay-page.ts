/** The picture of merged recordings: who held what when, what each node made of it, and what changed, closer. No client told of an outage. */
import type { Ms } from '../../input.js';
import type { TimelineLine } from '../report.js';
import { describeEntry } from '../judge.js';
import { clockText } from '../replay/clock.js';
import { overlapsIn } from '../replay/recorded-holds.js';
import type { ReplayReport } from '../replay/replay.js';
import { requestText } from '../replay/request-text.js';
import type { Absence } from './absence.js';
import { chart } from './chart.js';
import { closer, CLOSER_MAX, tellingMoments } from './closer.js';
import { lanesOf, type Lanes } from './drill-lanes.js';
import { markup, type Markup } from './markup.js';
import { pageOf, section, tableOf, type Fact } from './page.js';
import { partKey, type Act, type Part, type PartMark } from './part.js';
import { milliseconds, moment } from './span.js';
import { timelineList } from './timeline.js';
import { topology } from './topology.js';

/** One self-contained HTML page. */
export function pictureOfReplay(report: ReplayReport): string {
  const { cluster, setting, holds, endedAt, clock } = report;
  const away = silences(report);
  const commands = commandsOf(report);
  const timeline = timelineOf(report, commands);
  const overlaps = overlapsIn(holds, clock.uncertaintyMs);
  const totalMs = overlaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const twoHolders = setting.packages.length === 0 ? null : { totalMs, overlaps };
  const lanes = lanesOf({ setting, timeline, holds, outages: [], twoHolders, endedAt }, away);
  const changes = changesOf(lanes, commands);
  const drawing = topology({
    title: `What stood there in ${cluster}, and what failed`,
    setting,
    marks: marksOf(lanes, away, changes, endedAt),
    toneOf: lanes.toneOf,
    notes: notesOf(report),
  });
  const { fromMs, toMs, groups } = lanes;
  const lanesChart = chart({ title: `${cluster}: lanes over ${moment(toMs)}`, fromMs, toMs, groups, acts: changes });
  return pageOf({
    title: `Cluster ${cluster}, replayed`,
    lead: `${report.recordings.length} flight recordings of ${setting.nodes.map(({ name }) => name).join(', ')}, played again: ${clockText(clock)}.`,
    facts: factsOf(report, totalMs),
    failures: failuresOf(report),
    body: [
      section('The cluster', markup`<figure>${drawing}${TOPOLOGY_LEGEND}</figure>`),
      section('Who held what, and when', markup`<figure>${lanesChart}${CHART_LEGEND}</figure>`),
      section('What changed', changeTable(cluster, lanes, changes)),
      section('Timeline', timelineList(timeline)),
    ],
  });
}

const TOPOLOGY_LEGEND = markup`<figcaption>At the end of the recordings. Numbers are those of the changes below: a red frame is a NIC that is down or a node of which nothing more is recorded, an amber one was so, and is well again. Switches are those that the cluster file names, else one a net. NICs with a dashed frame are standbys.</figcaption>`;

const CHART_LEGEND = markup`<figcaption>A node answers for an address that its kernel shows behind a gate that was told to let it through. Flags are the changes below. A NIC's bar is as high as its lane while it carries addresses, and thin while it waits; hatched red is down, lost or an alarm. A veil over all lanes of a node says that nothing of it is recorded. Each bar tells more when pointed at.</figcaption>`;

/** Recordings of nodes that run on end at moments of their own. */
const LAST_WORDS_MS: Ms = 1000;

/** When nothing of a node is recorded, between its runs and about them. */
function silences({ runs, setting, endedAt }: ReplayReport): Absence[] {
  return setting.nodes.flatMap(({ name: node }) => {
    const own = runs.filter((run) => run.node === node).sort((a, b) => a.fromMs - b.fromMs);
    const ends = [0, ...own.map(({ toMs }) => toMs)];
    const starts = [...own.map(({ fromMs }) => fromMs), endedAt];
    return ends.flatMap((fromMs, i): Absence[] => {
      const toMs = starts[i]!;
      const isRest = i === ends.length - 1 && i > 0;
      if (toMs - fromMs <= (isRest ? LAST_WORDS_MS : 0)) return [];
      return [{ node, fromMs, toMs, text: 'nothing recorded' }];
    });
  });
}

/** What changes nothing is left out. */
function commandsOf({ asked }: ReplayReport): Act[] {
  return asked
    .filter(({ request }) => request.ask !== 'poll-now' && request.dryRun !== true)
    .map(({ at, node, request }) => ({ at, kind: 'do', what: `${node}: ${requestText(request)}` }));
}

function timelineOf({ timeline, violation }: ReplayReport, acts: readonly Act[]): TimelineLine[] {
  const lines = [
    ...acts.map(({ at, what }): TimelineLine => ({ at, what: 'do', text: what })),
    ...timeline.map(({ at, node, entry }): TimelineLine => {
      const told = { ...entry, node, at };
      return { at, what: 'journal', text: describeEntry(told), entry: told };
    }),
  ];
  if (violation) lines.push({ at: violation.at, what: 'unmet', text: `${violation.invariant}: ${violation.text}` });
  return lines.sort((a, b) => a.at - b.at);
}

function marksOf(
  { journal }: Lanes,
  away: readonly Absence[],
  changes: readonly Change[],
  endMs: Ms,
): Map<string, PartMark> {
  const marks = new Map<string, PartMark>();
  const note = (part: Part, state: PartMark['state'], at: Ms, text: string): void => {
    const number = String(changes.findIndex((change) => change.toMs >= at) + 1 || changes.length);
    const before = marks.get(partKey(part));
    const badges = [...new Set([...(before?.badges ?? []), number])];
    marks.set(partKey(part), { state, badges, text: before ? `${before.text}; ${text}` : text });
  };
  for (const { node, nic, event, to = '', at } of journal) {
    if (event !== 'nic-health' || nic === undefined) continue;
    const part: Part = { kind: 'nic', node, nic };
    if (to.startsWith('down')) note(part, 'broken', at, `${to} from ${moment(at)}`);
    else if (marks.get(partKey(part))?.state === 'broken') note(part, 'mended', at, `${to} at ${moment(at)}`);
  }
  // A node that starts later than the first one has not failed.
  for (const { node, fromMs, toMs } of away.filter((absence) => absence.fromMs > 0)) {
    const text = `nothing recorded from ${moment(fromMs)} to ${moment(toMs)}`;
    note({ kind: 'node', name: node }, toMs === endMs ? 'broken' : 'mended', fromMs, text);
  }
  return marks;
}

/** Who holds what in the end. */
function notesOf({ holds, setting, endedAt }: ReplayReport): Record<string, string> {
  const notes: Record<string, string> = {};
  for (const { name, addresses } of setting.packages)
    for (const { node } of holds.filter(({ address, toMs }) => address === addresses[0] && toMs === endedAt))
      notes[node] = `${notes[node] === undefined ? 'holds' : `${notes[node]},`} ${name}`;
  return notes;
}

function factsOf({ recordings, violation, invariants, endedAt, clock }: ReplayReport, twiceMs: Ms): Fact[] {
  const differ = recordings.filter(({ differs }) => differs !== undefined).length;
  return [
    differ === 0
      ? { name: 'journals', value: 'the same again', tone: 'good' }
      : { name: 'journals', value: `${differ} of ${recordings.length} differ`, tone: 'bad' },
    violation === undefined
      ? { name: 'holds', value: invariants.join(' ') }
      : { name: 'does not hold', value: violation.invariant, tone: 'bad' },
    { name: 'length', value: `${(endedAt / 1000).toFixed(1)} s` },
    { name: 'inputs', value: String(recordings.reduce((sum, { inputs }) => sum + inputs, 0)) },
    ...(clock.uncertaintyMs > 0 ? [{ name: 'clocks apart', value: `≤ ${milliseconds(clock.uncertaintyMs)}` }] : []),
    ...(twiceMs > 0 ? [{ name: 'two holders', value: milliseconds(twiceMs) }] : []),
  ];
}

function failuresOf({ violation, recordings }: ReplayReport): string[] {
  const differing = recordings.flatMap(({ path, node, differs }) =>
    differs ? [`${path}: after input ${differs.input} of ${node} the journal differs`] : [],
  );
  if (!violation) return differing;
  return [`${violation.invariant} does not hold at ${moment(violation.at)}: ${violation.text}`, ...differing];
}

/** Those that are closer together are one. */
const APART_MS: Ms = 2000;
const WORDS_MAX = 4;

/** Something changed, while nothing else had for a while. */
interface Change extends Act {
  toMs: Ms;
}

function changesOf(lanes: Lanes, commands: readonly Act[]): Change[] {
  const spans: { fromMs: Ms; toMs: Ms }[] = [];
  for (const at of [...tellingMoments(lanes), ...commands.map((command) => command.at)].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last && at - last.toMs < APART_MS) last.toMs = at;
    else spans.push({ fromMs: at, toMs: at });
  }
  return spans.map(({ fromMs, toMs }): Change => {
    const told = [
      ...commands.filter(({ at }) => at >= fromMs && at <= toMs).map(({ what }) => what),
      ...lanes.journal.filter(({ at }) => at >= fromMs && at <= toMs).map((entry) => describeEntry(entry)),
    ];
    const more = told.length > WORDS_MAX ? `; and ${told.length - WORDS_MAX} more` : '';
    return { at: fromMs, toMs, kind: 'do', what: `${told.slice(0, WORDS_MAX).join('; ')}${more}` };
  });
}

/** Each with its first words, and a closer look. */
function changeTable(cluster: string, lanes: Lanes, changes: readonly Change[]): Markup {
  const columns = [
    { title: 'no.' },
    { title: 'at', number: true },
    { title: 'lasted', number: true },
    { title: 'what' },
  ];
  const rows = changes.map((change, i) => {
    const { at, toMs, what } = change;
    const title = `${cluster}, change ${i + 1}`;
    const look = changes.length > CLOSER_MAX ? null : closer(title, lanes, changes, { fromMs: at, toMs });
    return markup`<tr><td><span class="tag do quiet">${i + 1}</span></td><td class="number">${moment(at)}</td><td class="number">${milliseconds(toMs - at)}</td><td>${what}${look}</td></tr>`;
  });
  return tableOf('What changed', columns, rows);
}
