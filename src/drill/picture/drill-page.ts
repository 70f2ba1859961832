/** The picture of a drill: what stood there and what failed, who held what when, each blow and what it cost, the timeline. */
import type { Ms } from '../../input.js';
import type { DrillReport } from '../report.js';
import { chart } from './chart.js';
import { closer, CLOSER_MAX, tellingMoments } from './closer.js';
import { lanesOfDrill, type DrillLanes } from './drill-lanes.js';
import { markup, type Content, type Markup } from './markup.js';
import { pageOf, section, tableOf, type Fact } from './page.js';
import type { Tone } from './palette.js';
import { marksOf } from './part.js';
import { milliseconds, moment } from './span.js';
import { timelineList } from './timeline.js';
import { topology } from './topology.js';

type Act = DrillReport['acts'][number];

/** One self-contained HTML page. */
export function pictureOfDrill(report: DrillReport): string {
  const { title, scenario, lab, verdict, reason, failures, setting } = report;
  const lanes = lanesOfDrill(report);
  const drawing = topology({
    title: `What stood there in ${scenario}, and what was struck`,
    setting,
    marks: marksOf(lanes.strokes),
    toneOf: lanes.toneOf,
    notes: notesOf(report),
  });
  const body: Content =
    verdict === 'skipped'
      ? section('The cluster', drawing)
      : [
          section('The cluster', markup`<figure>${drawing}${TOPOLOGY_LEGEND}</figure>`),
          section('Who held what, and when', markup`<figure>${chartOf(report, lanes)}${CHART_LEGEND}</figure>`),
          report.acts.length === 0 ? null : section('Blows, and what each cost', actTable(report, lanes)),
          report.outages.length + report.connections.length === 0 ? null : section('Clients', clientTable(report)),
          section('Timeline', timelineList(report.timeline)),
        ];
  const lead = `Drill ${scenario} on the ${lab === 'kernel' ? 'kernel, with real daemons and real packets' : 'simulator, in virtual time'}.`;
  return pageOf({
    title: capital(title),
    lead: verdict === 'skipped' ? `${lead} Skipped: ${reason ?? 'no reason given'}.` : lead,
    facts: factsOf(report),
    failures,
    body,
  });
}

const TONE_OF_VERDICT: Record<DrillReport['verdict'], Tone> = { passed: 'good', failed: 'bad', skipped: 'warn' };

function factsOf({ verdict, outages, twoHolders, judged, endedAt, acts }: DrillReport): Fact[] {
  const facts: Fact[] = [{ name: 'verdict', value: verdict, tone: TONE_OF_VERDICT[verdict] }];
  if (verdict === 'skipped') return facts;
  const met = judged.filter(({ wrong }) => wrong.length === 0).length;
  const longest = Math.max(0, ...outages.map(({ longestMs }) => longestMs));
  facts.push(
    { name: 'length', value: `${(endedAt / 1000).toFixed(1)} s` },
    { name: 'blows', value: String(acts.length) },
  );
  if (judged.length > 0) facts.push({ name: 'expectations met', value: `${met} of ${judged.length}` });
  if (outages.length > 0)
    facts.push({ name: 'longest outage', value: longest === 0 ? 'below 5 ms' : milliseconds(longest) });
  if (twoHolders)
    facts.push({ name: 'two holders', value: twoHolders.totalMs === 0 ? '0 ms' : milliseconds(twoHolders.totalMs) });
  return facts;
}

function notesOf({ holders }: DrillReport): Record<string, string> {
  const notes: Record<string, string> = {};
  for (const [name, node] of Object.entries(holders))
    if (node !== null) notes[node] = `${notes[node] === undefined ? 'holds' : `${notes[node]},`} ${name}`;
  return notes;
}

function chartOf({ scenario, acts }: DrillReport, { groups, fromMs, toMs }: DrillLanes): Markup {
  return chart({ title: `${scenario}: lanes over ${moment(toMs)}`, fromMs, toMs, groups, acts });
}

const TOPOLOGY_LEGEND = markup`<figcaption>At the end of the drill. Numbers are those of the blows below: a red cross or frame is still broken, an amber one was broken and is whole again. NICs with a dashed frame are standbys.</figcaption>`;

const CHART_LEGEND = markup`<figcaption>Flags are the blows: pointed for a fault, round for what heals it, square for a command. A NIC's bar is as high as its lane while it carries addresses, and thin while it waits; hatched red is down, lost or an alarm. A veil over all lanes of a node says that its daemon was away. Each bar tells more when pointed at.</figcaption>`;

/** How the blow, what came of it and what was expected of it stand together. */
function actTable(report: DrillReport, lanes: DrillLanes): Markup {
  const { acts, outages, timeline } = report;
  const clients = new Set(outages.map(({ client }) => client));
  const columns = [
    { title: 'no.' },
    { title: 'at', number: true },
    { title: 'blow' },
    ...outages.map(({ client, address }) => ({
      title: clients.size > 1 ? `${client} missed ${address}` : `missed ${address}`,
      number: true,
    })),
    { title: 'expected' },
  ];
  const stories = timeline.filter(({ what }) => what === 'say');
  const rows = acts.map((act, i): Content => {
    const said = stories.filter(({ at }) => at <= act.at && at > (acts[i - 1]?.at ?? -Infinity));
    return [
      said.map(
        ({ text }) => markup`<tr class="story"><td></td><td></td><td colspan="${columns.length - 2}">${text}</td></tr>`,
      ),
      actRow(report, lanes, act, i),
    ];
  });
  return tableOf('Blows', columns, rows);
}

function actRow(report: DrillReport, lanes: DrillLanes, act: Act, i: number): Markup {
  const missed = report.outages.map(({ gaps }) => {
    const longest = longestFrom(gaps, act.at, report.acts.find(({ at }) => at > act.at)?.at ?? Infinity);
    return markup`<td class="number">${longest === 0 ? '< 5 ms' : milliseconds(longest)}</td>`;
  });
  const judged = report.judged.filter(({ from, label }) => from === act.at && label === act.what);
  const verdicts = judged.map(({ at, wrong }) =>
    wrong.length === 0
      ? markup`<div class="met">${`after ${milliseconds(at - act.at)}`}</div>`
      : markup`<div class="unmet">${wrong.join('; ')}</div>`,
  );
  const tone: Record<Act['kind'], Tone> = { fault: 'bad', heal: 'good', do: 'quiet' };
  return markup`<tr><td><span class="tag ${act.kind} ${tone[act.kind]}">${i + 1}</span></td><td class="number">${moment(act.at)}</td><td>${act.kind === 'do' ? '' : `${act.kind} `}<code>${act.what}</code>${closerTo(report, lanes, act, i)}</td>${missed}<td>${verdicts}</td></tr>`;
}

/** Probes are a millisecond apart, so a gap that a blow made began shortly before it. */
const BEFORE_MS: Ms = 5;

/** Of the gaps that began between two blows. */
function longestFrom(gaps: DrillReport['outages'][number]['gaps'], from: Ms, to: Ms): Ms {
  const own = gaps.filter(({ fromMs }) => fromMs >= from - BEFORE_MS && fromMs < to - BEFORE_MS);
  return own.reduce((longest, { fromMs, toMs }) => Math.max(longest, toMs - fromMs), 0);
}

const CLOSER_MAX_MS = 4000;

/** From shortly before the blow until all that came of it. */
function closerTo(report: DrillReport, lanes: DrillLanes, act: Act, i: number): Markup | null {
  if (report.acts.length > CLOSER_MAX) return null;
  const limit = Math.min(report.acts[i + 1]?.at ?? report.endedAt, act.at + CLOSER_MAX_MS);
  const moments = [
    ...tellingMoments(lanes).filter((at) => at >= act.at && at < limit),
    ...report.outages.flatMap(({ gaps }) => gaps.map(({ toMs }) => toMs)).filter((at) => at > act.at && at < limit),
  ];
  if (moments.length === 0) return null;
  const title = `${report.scenario}, blow ${i + 1}: ${act.what}`;
  return closer(title, lanes, report.acts, { fromMs: act.at, toMs: Math.max(...moments) });
}

function clientTable({ outages, connections }: DrillReport): Markup {
  const columns = [
    { title: 'client' },
    { title: 'address' },
    { title: 'longest outage', number: true },
    { title: 'answered', number: true },
  ];
  const rows = [
    ...outages.map(
      ({ client, address, longestMs, answered, sent }) =>
        markup`<tr><td>${client}</td><td>${address}</td><td class="number">${longestMs === 0 ? '< 5 ms' : milliseconds(longestMs)}</td><td class="number">${answered} of ${sent}</td></tr>`,
    ),
    ...connections.map(
      ({ client, address, alive, pauseMaxMs }) =>
        markup`<tr><td>${client}</td><td>${address}, one TCP connection</td><td class="number">${milliseconds(pauseMaxMs)}</td><td class="number">${alive ? 'alive' : markup`<span class="unmet">broken</span>`}</td></tr>`,
    ),
  ];
  return tableOf('Clients', columns, rows);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
