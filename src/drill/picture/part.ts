/** The parts of a drawn cluster that faults strike, and what became of each of them. */
import type { Ms } from '../../input.js';
import { parseFault, type Fault } from '../fault.js';

export type Part =
  | { kind: 'cable' | 'nic'; node: string; nic: string }
  | { kind: 'node'; name: string }
  | { kind: 'switch' | 'trunk' | 'client'; name: string }
  | { kind: 'arbiter'; name?: string }
  | { kind: 'serial' };

/** The same for the same part: what a drawing looks its marks up by. */
export function partKey(part: Part): string {
  switch (part.kind) {
    case 'cable':
    case 'nic':
      return `${part.kind} ${part.node}.${part.nic}`;
    case 'arbiter':
      return part.name === undefined ? 'arbiter' : `arbiter ${part.name}`;
    case 'serial':
      return 'serial';
    default:
      return `${part.kind} ${part.name}`;
  }
}

const AT_THE_NIC: readonly Fault['fault'][] = ['admin-down', 'delete', 'rename', 'manager', 'add-address'];

/** None: it strikes the whole net, or this machine. */
export function partsStruck(fault: Fault): Part[] {
  if ('at' in fault && fault.at) return [{ kind: AT_THE_NIC.includes(fault.fault) ? 'nic' : 'cable', ...fault.at }];
  if (fault.fault.startsWith('arbiter-'))
    return [{ kind: 'arbiter', ...('member' in fault && { name: fault.member }) }];
  if (fault.fault.startsWith('serial-')) return [{ kind: 'serial' }];
  if ('trunk' in fault) return [{ kind: 'trunk', name: fault.trunk }];
  if ('switch' in fault) return [{ kind: 'switch', name: fault.switch }];
  if ('client' in fault) return [{ kind: 'client', name: fault.client }];
  if ('groups' in fault) return fault.groups.flat().map(memberPart);
  if ('from' in fault) return [fault.from, fault.to].map(memberPart);
  return 'node' in fault ? [{ kind: 'node', name: fault.node }] : [];
}

function memberPart(name: string): Part {
  return name === 'arbiter' ? { kind: 'arbiter' } : { kind: 'node', name };
}

/** Over at once, or by themselves; nobody heals them. */
const MOMENTARY: readonly string[] = [
  ...['restart', 'flap', 'freeze-for', 'remove-address', 'flush-firewall', 'replay', 'claim', 'copy-key', 'new-file'],
  ...['arbiter-forget', 'arbiter-backup', 'arbiter-restore', 'disk-lost', 'rtnl-busy', 'rename'],
];

/** A fault, the number of its blow on the axis (null: in force from before the start), and from when to when it was in force. */
export interface Stroke {
  number: number | null;
  what: string;
  fault: Fault;
  from: Ms;
  /** Infinity: still at the end. Of a momentary one: its own moment. */
  to: Ms;
}

export interface Act {
  at: Ms;
  kind: 'fault' | 'heal' | 'do';
  what: string;
}

/** Blows are numbered from 1, those that heal and commands among them. */
export function strokes(before: readonly string[], acts: readonly Act[]): Stroke[] {
  const all: Stroke[] = before.map((what) => stroke(null, what, -Infinity));
  acts.forEach(({ at, kind, what }, i) => {
    if (kind === 'fault') all.push(stroke(i + 1, what, at));
    if (kind !== 'heal') return;
    const healed = JSON.stringify(parseFault(what));
    const open = all.findLast((one) => one.to > at && JSON.stringify(one.fault) === healed);
    if (open) open.to = at;
  });
  return all;
}

function stroke(number: number | null, what: string, from: Ms): Stroke {
  const fault = parseFault(what);
  return { number, what, fault, from, to: MOMENTARY.includes(fault.fault) ? from : Infinity };
}

/** How a part is marked on the drawing. */
export interface PartMark {
  /** `broken`: at the end, too; `mended`: it was; `single`: a single point of failure; `noted`: only named. */
  state: 'broken' | 'mended' | 'single' | 'noted';
  /** Short words on the drawing: numbers of blows, of table rows. */
  badges: string[];
  /** In full, for the tooltip. */
  text: string;
}

export function marksOf(all: readonly Stroke[]): Map<string, PartMark> {
  const marks = new Map<string, PartMark>();
  for (const { number, what, fault, to } of all) {
    const badge = number === null ? 'from the start' : String(number);
    for (const part of partsStruck(fault)) {
      const key = partKey(part);
      const before = marks.get(key);
      const state = to === Infinity || before?.state === 'broken' ? 'broken' : 'mended';
      const badges = [...(before?.badges ?? []), badge];
      const told = `${number === null ? '' : `${number}: `}${what}${to === Infinity ? ', until the end' : ''}`;
      marks.set(key, { state, badges, text: before ? `${before.text}; ${told}` : told });
    }
  }
  return marks;
}
