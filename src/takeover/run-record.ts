/**
 * What of the local switch outlives the daemon: `switch.json` and `ledger.json` of the run directory. They are written
 * with every change of the kernel, before it, so that a daemon killed half-way finds what it was about to do.
 * Read back they are unknown JSON: whatever does not fit in every part is as if it were not there.
 */
import type { RunRecord } from '../action.js';
import type { Address, Ms, Neighbour, Route } from '../input.js';
import { booked, type Ledger } from './ledger.js';
import type { CardMac } from './mac-follow.js';
import type { Portfolio } from './portfolio.js';
import { homesOf, type Turn } from './state.js';

export interface RunNet {
  carrier: string;
  portfolio: Portfolio;
  /** The change that was under way. */
  plan: { from: string; to: string; cause: string } | null;
  manual: boolean;
  /** `mac: follow`: the cards' own MACs. */
  macs?: Record<string, CardMac>;
}

export interface RunSwitch {
  version: 1;
  cluster: string;
  node: string;
  nets: Record<string, RunNet>;
  /** `leftMs` absent: without end. The clock of the next run is another one. */
  locks: Record<string, { owner: string; reason: string; leftMs?: Ms }>;
}

/** The record as of now. What changes under way will add is in its ledger already, what they will take out still is. */
export function runRecord({ world, state, now }: Turn): RunRecord {
  const nets: Record<string, RunNet> = {};
  let ledger = state.ledger;
  for (const { net, carrier, portfolio, change, unfinished, manual, macs } of Object.values(state.nets)) {
    const waiting = unfinished === null ? null : { from: carrier, to: unfinished, cause: 'unfinished' };
    const plan = change ? { from: change.from, to: change.to, cause: change.cause } : waiting;
    nets[net] = { carrier, portfolio, plan, manual, ...(Object.keys(macs).length > 0 && { macs: { ...macs } }) };
    if (change) ledger = booked(ledger, change.steps.filter(adds), homesOf(world.self));
  }
  const locks: RunSwitch['locks'] = {};
  for (const [nic, { owner, reason, until }] of Object.entries(state.locks)) {
    locks[nic] = until === undefined ? { owner, reason } : { owner, reason, leftMs: until - now };
  }
  const record: RunSwitch = { version: 1, cluster: world.cluster.name, node: world.self.name, nets, locks };
  return { switch: record, ledger };
}

/** Writes it down. Before the first look it would say less than what an earlier run left. */
export function persist(turn: Turn): void {
  if (turn.state.ready) turn.out.push({ kind: 'persist', record: runRecord(turn) });
}

function adds(step: { do: string }): boolean {
  return !step.do.startsWith('delete-') && step.do !== 'leave-group';
}

/** Null: not a record of ours. `now`: lifetimes are taken as of now, for nobody knows how long the daemon was away. */
export function parseRunSwitch(value: unknown, now: Ms): RunSwitch | null {
  if (!isRecord(value) || value['version'] !== 1) return null;
  const { cluster, node, nets, locks } = value;
  if (typeof cluster !== 'string' || typeof node !== 'string' || !isRecord(nets) || !isRecord(locks)) return null;
  if (!Object.values(nets).every(isRunNet) || !Object.values(locks).every(isLock)) return null;
  const read = value as unknown as RunSwitch;
  for (const net of Object.values(read.nets)) net.portfolio.at = now;
  return read;
}

export function parseLedger(value: unknown): Ledger | null {
  if (!isRecord(value)) return null;
  const whole =
    isListOf(value['addresses'], (x) => isText(x['nic']) && isRecord(x['address']) && isAddress(x['address'])) &&
    isListOf(value['routes'], isRoute) &&
    isListOf(value['neighbours'], (x) => isText(x['nic']) && isRecord(x['neighbour']) && isNeighbour(x['neighbour'])) &&
    isListOf(value['groups'], (x) => isText(x['nic']) && isText(x['group'])) &&
    isListOf(value['settings'], isSetting);
  return whole ? (value as unknown as Ledger) : null;
}

type Json = Record<string, unknown>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isListOf(value: unknown, fits: (item: Json) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => isRecord(item) && fits(item));
}

function optional(value: unknown, fits: (value: unknown) => boolean): boolean {
  return value === undefined || fits(value);
}

function isFamily(value: unknown): boolean {
  return value === 4 || value === 6;
}

function isRunNet(value: unknown): value is RunNet {
  if (!isRecord(value) || !isText(value['carrier']) || typeof value['manual'] !== 'boolean') return false;
  const { plan } = value;
  const planFits =
    plan === null || (isRecord(plan) && isText(plan['from']) && isText(plan['to']) && isText(plan['cause']));
  const macsFit = optional(value['macs'], (macs) => isRecord(macs) && Object.values(macs).every(isCardMac));
  return planFits && macsFit && isPortfolio(value['portfolio']);
}

function isCardMac(value: unknown): boolean {
  return isRecord(value) && isText(value['mac']) && isCount(value['ifindex']);
}

function isPortfolio(value: unknown): value is Portfolio {
  if (!isRecord(value)) return false;
  return (
    isListOf(value['addresses'], isAddress) &&
    isListOf(value['routes'], isRoute) &&
    isListOf(value['neighbours'], isNeighbour) &&
    Array.isArray(value['groups']) &&
    value['groups'].every(isText)
  );
}

function isAddress(value: Json): value is Json & Address {
  return (
    isFamily(value['family']) &&
    isText(value['local']) &&
    [value['prefixLength'], value['scope'], value['flags']].every(isCount) &&
    [value['peer'], value['broadcast'], value['label']].every((x) => optional(x, isText)) &&
    [value['validS'], value['preferredS'], value['protocol'], value['metric']].every((x) => optional(x, isCount))
  );
}

function isRoute(value: Json): value is Json & Route {
  return (
    isFamily(value['family']) &&
    isText(value['destination']) &&
    isText(value['nic']) &&
    ['table', 'protocol', 'scope', 'type', 'tos', 'flags'].every((name) => isCount(value[name])) &&
    ['source', 'gateway', 'preferredSource'].every((name) => optional(value[name], isText)) &&
    ['metric', 'preference', 'expiresS', 'nextHopId'].every((name) => optional(value[name], isCount)) &&
    optional(value['metrics'], (x) => isRecord(x) && Object.values(x).every(isCount)) &&
    optional(value['other'], (x) => isRecord(x) && Object.values(x).every(isText)) &&
    optional(value['nextHops'], (x) => isListOf(x, isNextHop))
  );
}

function isNextHop(value: Json): boolean {
  return (
    isText(value['nic']) &&
    isCount(value['flags']) &&
    isCount(value['hops']) &&
    optional(value['gateway'], isText) &&
    optional(value['other'], (x) => isRecord(x) && Object.values(x).every(isText))
  );
}

function isNeighbour(value: Json): value is Json & Neighbour {
  return (
    isFamily(value['family']) &&
    isText(value['address']) &&
    isText(value['mac']) &&
    isCount(value['state']) &&
    isCount(value['flags']) &&
    optional(value['protocol'], isCount)
  );
}

function isLock(value: unknown): boolean {
  return isRecord(value) && isText(value['owner']) && isText(value['reason']) && optional(value['leftMs'], isCount);
}

function isSetting(value: Json): boolean {
  return ['nic', 'name', 'original', 'value'].every((name) => isText(value[name])) && isCount(value['ifindex']);
}
