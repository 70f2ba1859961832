/** The lanes of the cluster as a whole: who answered for what, what clients missed, who coordinated, who voted. */
import type { Ms } from '../../input.js';
import type { DrillReport } from '../report.js';
import type { Absence, Told } from './absence.js';
import { Track, type Lane, type Segment } from './lane.js';
import type { Tone } from './palette.js';
import { milliseconds } from './span.js';

/** Above so many floating addresses one stands for all of its package. */
const ADDRESSES_MAX = 10;

export function holderLanes(
  { setting, holds, twoHolders, endedAt }: Pick<DrillReport, 'setting' | 'holds' | 'twoHolders' | 'endedAt'>,
  toneOf: (node: string) => Tone,
): Lane[] {
  const all = setting.packages.flatMap(({ name, addresses }) => addresses.map((address) => ({ name, address })));
  const few = all.length <= ADDRESSES_MAX;
  const shown = few ? all : all.filter(({ name }, i) => all.findIndex((one) => one.name === name) === i);
  return shown.map(({ name, address }) => {
    const segments = holds
      .filter((hold) => hold.address === address)
      .map(({ node, fromMs, toMs }): Segment => {
        const detail = `${node} answered for ${address}`;
        return { fromMs, toMs: Math.min(toMs, endedAt), tone: toneOf(node), text: node, detail };
      });
    const twice = (twoHolders?.overlaps ?? []).filter((overlap) => overlap.address === address);
    for (const { nodes, fromMs, toMs } of twice) {
      const detail = `${nodes.join(' and ')} both answered for ${address}`;
      segments.push({ fromMs, toMs, tone: 'bad', text: 'two holders', detail, loud: true });
    }
    const others = few
      ? ''
      : `, as the other ${setting.packages.find((one) => one.name === name)!.addresses.length - 1}`;
    return { label: `${name} ${address}`, detail: `who answered for ${address} of ${name}${others}`, segments };
  });
}

/** Gaps as bars with their milliseconds. */
export function outageLanes(outages: DrillReport['outages']): Lane[] {
  const several = new Set(outages.map(({ client }) => client)).size > 1;
  return outages.map(({ client, address, gaps, longestMs, answered, sent }) => ({
    label: several ? `${client} ${address}` : address,
    detail: `${client} asked ${address} each millisecond: ${answered} of ${sent} questions were answered`,
    segments: gaps.map(({ fromMs, toMs }) => {
      const text = milliseconds(toMs - fromMs);
      return { fromMs, toMs, tone: 'bad', text, detail: `${client} missed ${address} for ${text}`, loud: true };
    }),
    sum: answered === 0 ? 'never answered' : gaps.length === 0 ? 'none' : `longest ${milliseconds(longestMs)}`,
  }));
}

export function coordinatorLane(
  journal: readonly Told[],
  away: readonly Absence[],
  toneOf: (node: string) => Tone,
  endMs: Ms,
): Lane {
  const track = new Track();
  let present: string | null = null;
  const become = (at: Ms, node: string | null, term?: unknown): void => {
    present = node;
    const words = node === null ? '' : `${node}${typeof term === 'number' ? `, term ${term}` : ''}`;
    track.set(at, node === null ? null : { tone: toneOf(node), text: words, detail: `coordinator: ${words}` });
  };
  const changes = [
    ...journal.filter(({ event }) => event === 'role').map((entry) => ({ at: entry.at, entry })),
    ...away
      .filter(({ text }) => text !== 'daemon frozen')
      .map((absence) => ({ at: absence.fromMs, gone: absence.node })),
  ].sort((a, b) => a.at - b.at);
  for (const change of changes) {
    if ('gone' in change) {
      if (present === change.gone) become(change.at, null);
      continue;
    }
    const { node, to, from, evidence } = change.entry;
    if (to === 'coordinator') become(change.at, node, evidence?.['term']);
    else if (from === 'coordinator' && present === node) become(change.at, null);
  }
  return { label: 'coordinator', segments: track.segments(endMs) };
}

/** As any node first tells of a change. */
export function votersLane(journal: readonly Told[], endMs: Ms): Lane {
  const track = new Track();
  let first = true;
  for (const { at, event, from, to, cause } of journal) {
    if (event !== 'voters' || to === undefined) continue;
    if (first && from !== undefined) track.set(Math.min(0, at), { tone: 'quiet', text: from });
    first = false;
    track.set(at, { tone: cause === 'joint' ? 'warn' : 'quiet', text: to, detail: `voters: ${to} (${cause})` });
  }
  return { label: 'voters', segments: track.segments(endMs) };
}
