/**
 * What beats say of NICs and nets. A NIC whose net is dead for it cannot hear what the poll frames of the others say; by
 * heartbeat it learns that they hear each other, or that a target answers them.
 */
import { decodeNicReport, encodeNicReport, NIC_REPORT, NICS_A_REPORT, packNic } from '../frame/nic-report.js';
import type { Part } from '../frame/part.js';
import type { HearingRow, TargetTestimony } from '../frame/poll.js';
import {
  decodeHearing,
  decodeTargets,
  encodeHearing,
  encodeTargets,
  ENTRIES_A_TESTIMONY,
  fitsHearing,
  HEARING,
  NETS_A_TESTIMONY,
  NOT_LATELY,
  TARGETS,
  type HearingTestimony,
  type MemberRow,
} from '../frame/testimony.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { bridgedNet } from './bridged.js';
import { bookRows, rowsOf } from './hearing.js';
import { nicNames } from './place.js';
import { carryingNics, drop, nicKey, type HealthState, type NetState, type PeerState } from './state.js';

const TARGET_WORDS: readonly TargetTestimony[] = ['not-asked', 'answers', 'silent'];

/** What the beat with that sequence says, the most important first; large hosts say it in turns. */
export function testimony(world: World, state: HealthState, sequence: number, now: Ms): Part[] {
  const parts = [nicReport(world, state, sequence)];
  const inFull = Object.values(state.nets).filter(({ polling }) => polling === 'full');
  const chosen = inFull[sequence % inFull.length];
  if (chosen !== undefined) parts.push(hearingReport(world, state, chosen, Math.floor(sequence / inFull.length), now));
  if (world.cluster.nets.some(({ targets }) => targets.length > 0))
    parts.push(targetReport(world, state, sequence, now));
  return parts;
}

function nicReport(world: World, state: HealthState, sequence: number): Part {
  const names = nicNames(world.self);
  const first = turn(sequence, names.length, NICS_A_REPORT);
  const nics = names.slice(first, first + NICS_A_REPORT).map((name) => {
    const { health, reason } = state.nics[name]!.verdict;
    return packNic(health, reason);
  });
  return encodeNicReport({ first, nics });
}

function turn(sequence: number, count: number, atOnce: number): number {
  return (sequence % Math.max(1, Math.ceil(count / atOnce))) * atOnce;
}

function targetReport(world: World, state: HealthState, sequence: number, now: Ms): Part {
  const { nets } = world.self;
  const first = turn(sequence, nets.length, NETS_A_TESTIMONY);
  const agoMs = nets
    .slice(first, first + NETS_A_TESTIMONY)
    .map(({ net }) =>
      Math.min(
        NOT_LATELY,
        ...carryingNics(state, state.nets[bridgedNet(world, net)]!).map((nic) => now - answeredAt(nic)),
      ),
    );
  return encodeTargets({ first, agoMs });
}

function answeredAt(nic: HealthState['nics'][string]): Ms {
  let latest = -Infinity;
  for (const address in nic.targets) latest = Math.max(latest, nic.targets[address]!.answeredAt);
  return latest;
}

function hearingReport(world: World, state: HealthState, net: NetState, turn: number, now: Ms): Part {
  const first = state.nics[net.poller]!;
  const places = new Map(net.members.map(({ key }, place) => [key, place]));
  const placeOf = (node: string, nic: string): number => places.get(nicKey(node, nic))!;
  const rows = rowsOf(world, state, net, first, now).map((row) => ({
    member: placeOf(world.self.name, row.nic),
    target: TARGET_WORDS.indexOf(row.target),
    lossPermille: row.lossPermille,
    heard: row.heard.map(({ node, nic, agoMs }) => ({ member: placeOf(node, nic), agoMs })),
  }));
  const place = world.cluster.nets.findIndex(({ name }) => name === net.name);
  return encodeHearing({ net: place, rows: fitsHearing(rows) ? rows : [rowInTurn(rows, turn)] });
}

/** Of one row as many entries as fit, in the order of the cluster file: each has its turn. */
function rowInTurn(rows: MemberRow[], turn: number): MemberRow {
  const row = rows[turn % rows.length]!;
  const pieces = Math.max(1, Math.ceil(row.heard.length / ENTRIES_A_TESTIMONY));
  const from = (Math.floor(turn / rows.length) % pieces) * ENTRIES_A_TESTIMONY;
  const heard = [...row.heard].sort((a, b) => a.member - b.member);
  return { ...row, heard: heard.slice(from, from + ENTRIES_A_TESTIMONY) };
}

/** What is not of this stage's kinds is left to others. */
export function takeTestimony(world: World, state: HealthState, peer: PeerState, part: Part, now: Ms): void {
  switch (part.kind) {
    case NIC_REPORT:
      return takeNicReport(state, peer, part.bytes);
    case TARGETS:
      return takeTargets(world, state, peer, part.bytes, now);
    case HEARING: {
      const said = decodeHearing(part.bytes);
      if (said === null) drop(state, 'heartbeat-malformed');
      else takeHearing(world, state, peer, said, now);
    }
  }
}

function takeNicReport(state: HealthState, peer: PeerState, bytes: Uint8Array): void {
  const report = decodeNicReport(bytes);
  if (report === null || report.first + report.nics.length > peer.nicCount) return drop(state, 'heartbeat-malformed');
  report.nics.forEach((packed, i) => {
    while (peer.nics.length < report.first + i) peer.nics.push(-1);
    peer.nics[report.first + i] = packed;
  });
}

function takeTargets(world: World, state: HealthState, peer: PeerState, bytes: Uint8Array, now: Ms): void {
  const said = decodeTargets(bytes);
  if (said === null) return drop(state, 'heartbeat-malformed');
  const nets = world.cluster.nodes.find(({ name }) => name === peer.node)!.nets;
  said.agoMs.forEach((agoMs, i) => {
    const net = nets[said.first + i]?.net;
    if (net !== undefined && agoMs < NOT_LATELY) peer.targetAt[bridgedNet(world, net)] = now - agoMs;
  });
}

function takeHearing(world: World, state: HealthState, peer: PeerState, said: HearingTestimony, now: Ms): void {
  const net = state.nets[world.cluster.nets[said.net]?.name ?? ''];
  if (net === undefined) return;
  const rows: HearingRow[] = [];
  for (const { member, target, lossPermille, heard } of said.rows) {
    const by = net.members[member];
    const word = TARGET_WORDS[target];
    if (by?.node !== peer.node || word === undefined) return drop(state, 'heartbeat-malformed');
    const entries = heard.flatMap((entry) => {
      const of = net.members[entry.member];
      return of === undefined ? [] : [{ node: of.node, nic: of.nic, agoMs: entry.agoMs }];
    });
    rows.push({ nic: by.nic, target: word, lossPermille, heard: entries });
  }
  bookRows(world, net, { node: peer.node, kind: 'full', rows }, now);
}
