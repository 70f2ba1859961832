/**
 * The usual wirings, every combination of faults, and what counts as a wrong and as a missed switch:
 * wrong = a node leaves a NIC that reaches the clients for one that does not; missed = the primary does not reach the
 * clients, the standby does, and there is no switch. The clients sit on one switch; so does the target, if there is one.
 */
import { describe as describeVerdict } from '../../src/health/verdict.js';
import { judge, look, type Evidence, type TargetEvidence } from '../../src/health/nic.js';
import type { Hearing } from '../../src/health/hearing.js';

export type Fault =
  { kind: 'in' | 'out' | 'both'; at: string } | { kind: 'trunk' } | { kind: 'target' } | { kind: 'switch'; at: string };

export interface Case {
  wiring: string;
  nodes: Record<string, Record<string, string>>;
  faults: Fault[];
  side: string;
  target: boolean;
}

export type Conclusion = Record<string, string>;

const NODES = ['alpha', 'beta', 'gamma'];

export function wirings(): Pick<Case, 'wiring' | 'nodes'>[] {
  return [1, 2, 3].flatMap((count) =>
    ['AB', 'AA', 'mixed', 'single'].map((wiring) => ({
      wiring: `${count} ${wiring}`,
      nodes: Object.fromEntries(
        NODES.slice(0, count).map((node, i): [string, Record<string, string>] => {
          if (wiring === 'single') return [node, { eth0: 'A' }];
          if (wiring === 'mixed') return [node, i % 2 === 0 ? { eth0: 'A', eth1: 'B' } : { eth0: 'B', eth1: 'A' }];
          return [node, { eth0: 'A', eth1: wiring === 'AB' ? 'B' : 'A' }];
        }),
      ),
    })),
  );
}

export function nicsOf(nodes: Case['nodes']): { key: string; node: string; place: string }[] {
  return Object.entries(nodes).flatMap(([node, nics]) =>
    Object.entries(nics).map(([nic, place]) => ({ key: `${node}/${nic}`, node, place })),
  );
}

function* combinations<T>(items: T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) yield [];
  else
    for (let i = from; i <= items.length - size; i++)
      for (const rest of combinations(items, size - 1, i + 1)) yield [items[i]!, ...rest];
}

/** All combinations of up to `most` faults, one a NIC at most. */
export function* cases(target: boolean, most: number): Generator<Case> {
  for (const { wiring, nodes } of wirings()) {
    const nics = nicsOf(nodes);
    const events: Fault[] = nics.flatMap(({ key }) =>
      (['in', 'out', 'both'] as const).map((kind) => ({ kind, at: key })),
    );
    events.push({ kind: 'trunk' }, { kind: 'switch', at: 'A' }, { kind: 'switch', at: 'B' });
    if (target) events.push({ kind: 'target' });
    for (let size = 0; size <= most; size++)
      for (const faults of combinations(events, size)) {
        const at = faults.flatMap((fault) => ('at' in fault ? [fault.at] : []));
        if (new Set(at).size < at.length) continue;
        for (const side of ['A', 'B']) yield { wiring, nodes, faults, side, target };
      }
  }
}

/** What the faults leave of the net. */
export function truth({ nodes, faults, side, target }: Case) {
  const has = (kind: string, at?: string): boolean =>
    faults.some((fault) => fault.kind === kind && (at === undefined || ('at' in fault && fault.at === at)));
  const nics = nicsOf(nodes);
  const joined = (a: string, b: string): boolean =>
    !has('switch', a) && !has('switch', b) && (a === b || !has('trunk'));
  const deaf = (key: string): boolean => has('in', key) || has('both', key);
  const mute = (key: string): boolean => has('out', key) || has('both', key);
  const hears: Record<string, string[]> = {};
  const clients: Record<string, boolean> = {};
  for (const x of nics) {
    hears[x.key] = nics
      .filter((y) => y !== x && !mute(y.key) && !deaf(x.key) && joined(x.place, y.place))
      .map((y) => y.key);
    clients[x.key] = !deaf(x.key) && !mute(x.key) && joined(x.place, side);
  }
  const reach = Object.fromEntries(nics.map(({ key }) => [key, target && !has('target') && clients[key]!]));
  return { nics, hears, clients, reach };
}

/** The verdict table, fed with what is left once everything has settled. Testimony travels in poll frames only. */
export function steady(it: Case): Conclusion {
  const { nics, hears, reach } = truth(it);
  const conclusion: Conclusion = {};
  for (const node of Object.keys(it.nodes)) {
    const own = nics.filter((x) => x.node === node).map((x) => x.key);
    const heardNodes = new Set(own.flatMap((key) => hears[key]!).map((key) => key.split('/')[0]));
    const known = nics.filter((x) => x.node === node || heardNodes.has(x.node)).map((x) => x.key);
    const hearing: Hearing = {
      known,
      relation: (by, of) => (!known.includes(by) ? 'unknown' : hears[by]!.includes(of) ? 'hears' : 'not'),
      heardOf: (by) => (known.includes(by) ? hears[by]! : []),
    };
    for (const nic of own) {
      const elsewhere = known.some((key) => key !== nic && reach[key]);
      const target: TargetEvidence = reach[nic] ? 'answers' : it.target && elsewhere ? 'unreachable' : 'none';
      const evidence: Evidence = { nic, hearing, target, proven: true, wholeWindow: true };
      const finding = judge(evidence, look(evidence));
      const down = ['silent', 'deaf', 'mute', 'unreachable'].includes(finding);
      if (finding === 'up' || finding === 'undecided') conclusion[nic] = finding;
      else conclusion[nic] = describeVerdict({ health: down ? 'down' : 'up', reason: finding });
    }
  }
  return conclusion;
}

export interface Score {
  cases: number;
  wrong: Case[];
  missed: Case[];
  /** Healthy NICs condemned as silent, deaf or mute. */
  condemned: Case[];
}

export function score(all: Iterable<Case>, conclude: (it: Case) => Conclusion): Score {
  const total: Score = { cases: 0, wrong: [], missed: [], condemned: [] };
  for (const it of all) {
    total.cases++;
    const verdicts = conclude(it);
    const { nics, clients } = truth(it);
    const down = (key: string): boolean => verdicts[key]!.startsWith('down');
    for (const node of Object.keys(it.nodes)) {
      const [primary, standby] = nics.filter((x) => x.node === node).map((x) => x.key);
      if (primary === undefined || standby === undefined) continue;
      const switched = down(primary) && !down(standby);
      if (switched && clients[primary]! && !clients[standby]!) total.wrong.push(it);
      const targetDied = it.faults.some((fault) => fault.kind === 'target');
      if (!switched && clients[standby]! && !clients[primary]! && !targetDied) total.missed.push(it);
    }
    const blamed = (key: string): boolean => it.faults.some((fault) => 'at' in fault && fault.at === key);
    const innocent = nics.filter(({ key, place }) => !blamed(key) && !blamed(place));
    if (innocent.some(({ key }) => /silent|deaf|mute/.test(verdicts[key]!))) total.condemned.push(it);
  }
  return total;
}

export function tell(it: Case): string {
  const faults = it.faults.map((fault) => ('at' in fault ? `${fault.kind} ${fault.at}` : fault.kind)).join(', ');
  return `${it.wiring}, clients on ${it.side}: ${faults}`;
}
