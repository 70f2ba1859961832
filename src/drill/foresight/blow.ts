/** Faults as a user words them: known names only, and what each is in the lab. */
import { unknownWord } from '../../config/problem.js';
import type { Ms } from '../../input.js';
import { isArbiterFault, isDiskOnly, parseFault, type Fault, type NicRef } from '../scenario.js';
import { FaultError } from './fault-error.js';
import { fenceName } from './model.js';
import type { Situation } from './situation.js';

export interface Blow {
  at: Ms;
  /** `switch-off left` */
  fault: string;
}

/** What there is to fail, by kind; empty kinds left out. */
export function whatCanFail({ cluster, wiring }: Situation): Record<string, string[]> {
  const nics = cluster.nodes.flatMap(({ name, nets }) =>
    nets.flatMap(({ primary, standby }) => [primary, ...standby]).map((nic) => `${name}.${nic}`),
  );
  const all = {
    nodes: cluster.nodes.map(({ name }) => name),
    NICs: [...new Set(nics)],
    switches: Object.keys(wiring.switches),
    trunks: Object.keys(wiring.trunks),
    targets: targetsOf(cluster),
    arbiter: arbiterKind(cluster) === null ? [] : [arbiterKind(cluster)!],
    'serial line': cluster.nodes.some(({ serial }) => serial)
      ? ['serial-cut, serial-unplug NODE, serial-noise N%']
      : [],
    'fence devices': cluster.fenceAgents.map((_, i) => fenceName(i)),
  };
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

export function arbiterKind({ quorum }: Situation['cluster']): 'etcd' | 'disk' | null {
  return typeof quorum === 'object' ? (quorum.arbiter?.kind ?? null) : null;
}

function targetsOf({ nets }: Situation['cluster']): string[] {
  return [...new Set(nets.flatMap(({ targets }) => targets.map(({ address }) => address)))];
}

const EXAMPLES =
  'power-off NODE, kill NODE, freeze NODE, cut NODE.NIC, drop both NODE.NIC, switch-off SWITCH, switch-mute SWITCH';

/** Throws FaultError. */
export function checkFault(situation: Situation, text: string): Fault {
  const refuse = (why: string): never => {
    const known = Object.entries(whatCanFail(situation)).map(([kind, names]) => `  ${kind}: ${names.join(', ')}`);
    throw new FaultError([`"${text}": ${why}`, `what can fail here (${EXAMPLES}, …):`, ...known].join('\n'));
  };
  let fault: Fault;
  try {
    fault = parseFault(text);
  } catch (error) {
    return refuse(error instanceof Error ? error.message.split(/\n|; known: /)[0]! : String(error));
  }
  const why = wrongWith(situation, fault);
  return why === null ? fault : refuse(why);
}

/** Faults that are none of a running cluster, or need what only the other lab or a drill has. */
const NOT_HERE: readonly Fault['fault'][] = [
  ...(['rtnl-busy', 'cpu-busy', 'firewall-busy', 'new-file', 'copy-key'] as const),
  ...(['replay', 'claim', 'arbiter-backup', 'arbiter-restore'] as const),
];

function wrongWith(situation: Situation, fault: Fault): string | null {
  const { cluster, wiring } = situation;
  if (NOT_HERE.includes(fault.fault)) return `${fault.fault} is for scenarios`;
  const known = whatCanFail(situation);
  const among = (what: string, name: string, kind: string): string | null =>
    known[kind]?.includes(name) ? null : unknownWord(what, name, known[kind] ?? []);
  const nic = (at: NicRef): string | null => among('NIC', `${at.node}.${at.nic}`, 'NICs');
  const arbiter = arbiterKind(cluster);
  if (isArbiterFault(fault)) {
    if (arbiter === null) return 'this cluster has no arbiter';
    if (isDiskOnly(fault) && arbiter !== 'disk') return `${fault.fault} is for disks: the arbiter is an etcd`;
    if ('member' in fault) return 'the arbiter is taken as one; name no member';
  }
  if (fault.fault.startsWith('serial-') && !known['serial line']) return 'this cluster has no serial line';
  const ends = 'groups' in fault ? fault.groups.flat() : fault.fault === 'block' ? [fault.from, fault.to] : [];
  const stranger = ends.find((end) => end !== 'arbiter' && !known['nodes']!.includes(end));
  if (stranger !== undefined) return unknownWord('node', stranger, [...known['nodes']!, 'arbiter']);
  if (ends.includes('arbiter') && arbiter === null) return 'this cluster has no arbiter';
  if ('at' in fault && fault.at !== undefined) return nic(fault.at);
  if ('node' in fault) return among('node', fault.node, 'nodes');
  if ('switch' in fault) return among('switch', fault.switch, 'switches');
  if ('trunk' in fault && !(fault.trunk in wiring.trunks))
    return known['trunks']
      ? unknownWord('trunk', fault.trunk, known['trunks'])
      : 'no net here has more than one switch, as far as is known';
  if ('client' in fault) return among('target', fault.client, 'targets');
  if ('device' in fault) return among('fence device', fault.device, 'fence devices');
  return null;
}

/** What it is in the lab: a switch that carries several nets is several bridges there. `targets`: as in `Model`. */
export function inLab({ wiring }: Situation, targets: Record<string, string>, text: string): string[] {
  const fault = parseFault(text);
  if ('switch' in fault) return wiring.switches[fault.switch]!.bridges.map((bridge) => `${fault.fault} ${bridge}`);
  if ('trunk' in fault) return wiring.trunks[fault.trunk]!.map((trunk) => `${fault.fault} ${trunk}`);
  if (fault.fault === 'client-off') return [`client-off ${targets[fault.client]!}`];
  return [text];
}

/** How long the world goes on to be at odds by the fault itself. */
export function lastsMs(fault: Fault): Ms {
  if (fault.fault === 'flap') return fault.times * (fault.downMs + fault.upMs);
  return fault.fault === 'freeze-for' ? fault.forMs : 0;
}
