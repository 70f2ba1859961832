/** Judges a drill from the world's truth (kernel tables, frames, probes); the daemon's own opinion counts only where it is what is asked. */
import type { Lab, NodeTruth, ProbeReport } from '../../drivers/lab.js';
import type { Ms } from '../input.js';
import type { JournalEntry } from '../status.js';
import { floatingAddresses } from './floating.js';
import { showUnsettled, unsettled } from './invariant/convergence.js';
import { overlapsWrong } from './invariant/one-holder.js';
import { strayMacs } from './invariant/one-port.js';
import { strayAddresses } from './invariant/stationary-stays.js';
import type { Expectation, NicRef, Scenario } from './scenario.js';

/** Probes tell of a silence once it has lasted 5 ms; a blow's own needs a little longer to begin. */
const SILENCE_TOLD_MS: Ms = 10;

/** A gap that begins so early began before the drill. */
const START_MS: Ms = 5;

/** An expectation under way. */
export interface Pending {
  from: Ms;
  until: Ms;
  /** Its end in the story's own time, which no delay of this machine has shifted. */
  dueAt: Ms;
  expected: Expectation;
  label: string;
}

/** What the drill knew before the first blow. */
export interface Baseline {
  routes: Record<string, string[]>;
}

/** What of the expectation does not hold now, in words; empty if all does. `events` are counted only when `final`. */
export async function unmet(
  lab: Lab,
  scenario: Scenario,
  pending: Pending,
  baseline: Baseline,
  final: boolean,
): Promise<string[]> {
  const { expected } = pending;
  const wrong: string[] = [];
  for (const [address, where] of Object.entries(expected.carried ?? {}))
    wrong.push(...(await carriedWrong(lab, address, nicOf(where))));
  for (const [where, wanted] of Object.entries(expected.health ?? {})) {
    const { node, nic } = nicOf(where);
    const seen = (await lab.status(node))?.nics.find((candidate) => candidate.name === nic);
    const found = seen ? [seen.health, seen.reason].filter(Boolean).join(' ') : 'not shown';
    if (found !== wanted && !(wanted === 'down' && seen?.health === 'down'))
      wrong.push(`${where} is ${found}, not ${wanted}`);
  }
  for (const [where, wanted] of Object.entries(expected.ports ?? {}))
    wrong.push(...(await portsWrong(lab, nicOf(where), wanted)));
  for (const node of expected.routesKept ?? [])
    wrong.push(...routesWrong(node, baseline.routes[node] ?? [], (await lab.truth(node)).routes));
  for (const [node, words] of Object.entries(expected.alarms ?? {})) {
    const raised = (await lab.status(node))?.alarms.map((alarm) => alarm.what) ?? [];
    for (const word of words)
      if (!raised.includes(word)) wrong.push(`${node} has no alarm ${word} (has: ${raised.join(', ') || 'none'})`);
  }
  wrong.push(...(await clusterWrong(lab, scenario, expected)));
  if (expected.peace) wrong.push(...(await unsettled(lab, scenario, expected.peace)).map(showUnsettled));
  for (const address of expected.dark ?? []) wrong.push(...darkWrong(lab, address));
  const dealtAt = pending.until - expected.within;
  if (expected.answers && !expected.throughout && !final && lab.now() < dealtAt + SILENCE_TOLD_MS)
    wrong.push('too early to tell who answers');
  for (const address of expected.answers ?? []) wrong.push(...answersWrong(lab, address));
  for (const [where, mac] of Object.entries(expected.neighbour ?? {})) {
    const [client = '', address = ''] = where.split(' ');
    const found = await lab.neighbour(client, address);
    if (found !== mac) wrong.push(`${client} has ${found ?? 'no MAC'} for ${address}, not ${mac}`);
  }
  if (expected.multicast !== undefined && scenario.topology.multicast) {
    const got = lab.multicastReceived(scenario.topology.multicast.node, lab.now() - 300) > 0;
    if (got !== expected.multicast) wrong.push(`the multicast stream ${got ? 'arrives' : 'does not arrive'}`);
  }
  if (final) wrong.push(...eventsWrong(lab, expected, pending));
  return wrong;
}

async function carriedWrong(lab: Lab, address: string, where: NicRef): Promise<string[]> {
  const { addresses } = await lab.truth(where.node);
  const on = Object.keys(addresses).filter((nic) =>
    addresses[nic]!.some((candidate) => candidate.split('/')[0] === address),
  );
  return on.length === 1 && on[0] === where.nic
    ? []
    : [`${address} is on ${on.join(' and ') || 'no NIC'} of ${where.node}, not on ${where.nic} alone`];
}

/** A team does not tell which of its ports sends: `up` is as good as either. */
async function portsWrong(lab: Lab, { node, nic }: NicRef, wanted: Record<string, string>): Promise<string[]> {
  const ports = (await lab.status(node))?.nics.find((candidate) => candidate.name === nic)?.ports ?? [];
  return Object.entries(wanted).flatMap(([name, state]) => {
    const found = ports.find((port) => port.nic === name)?.state ?? 'not shown';
    const fits = found === state || (found === 'up' && state !== 'down');
    return fits ? [] : [`port ${name} of ${node}.${nic} is ${found}, not ${state}`];
  });
}

/** Routes compared without their device: a switch moves it, and nothing else (S7). */
function routesWrong(node: string, before: string[], now: string[]): string[] {
  const aside = (routes: string[]): string[] => routes.map((route) => route.replace(/\bdev \S+/g, 'dev *')).sort();
  const [was, is] = [aside(before), aside(now)];
  const lost = was.filter((route) => !is.includes(route)).map((route) => `${node} lost the route ${route}`);
  const added = is.filter((route) => !was.includes(route)).map((route) => `${node} has a new route ${route}`);
  if (lost.length + added.length === 0 && was.length !== is.length)
    return [`${node} has ${is.length} routes, had ${was.length}`];
  return [...lost, ...added];
}

function answersWrong(lab: Lab, address: string): string[] {
  const now = lab.now();
  return lab
    .probes()
    .filter((probe) => probe.address === address && silentAt(probe, now))
    .map((probe) => `${address} does not answer ${probe.client}`);
}

function silentAt(probe: ProbeReport, now: Ms): boolean {
  const last = probe.gaps.at(-1);
  return probe.answered === 0 || (last !== undefined && last.toMs >= now - 2);
}

function eventsWrong(lab: Lab, expected: Expectation, pending: Pending): string[] {
  return Object.entries(expected.events ?? {}).flatMap(([key, count]) => {
    const [node, event] = key.split(' ');
    const seen = lab
      .journal()
      .filter(
        (entry) =>
          entry.node === node && entry.event === event && entry.at >= pending.from && entry.at <= pending.until,
      );
    return seen.length === count ? [] : [`${node} journalled ${event} ${seen.length} times, not ${count}`];
  });
}

/** What nodes say of each other, and who answers for a package. */
async function clusterWrong(lab: Lab, scenario: Scenario, expected: Expectation): Promise<string[]> {
  const wrong: string[] = [];
  for (const [name, node] of Object.entries(expected.holder ?? {}))
    wrong.push(...holderWrong(lab, scenario, name, node));
  if (expected.coordinator !== undefined) wrong.push(...(await coordinatorWrong(lab, scenario, expected.coordinator)));
  for (const [where, wanted] of Object.entries(expected.peers ?? {})) {
    const [node, peer] = where.split('.');
    const found = (await lab.status(node!))?.peers.find((one) => one.node === peer)?.health ?? 'not shown';
    if (found !== wanted) wrong.push(`${peer} is ${found} to ${node}, not ${wanted}`);
  }
  for (const [where, wanted] of Object.entries(expected.paths ?? {})) {
    const [node, peer, net] = where.split('.');
    const path = (await lab.status(node!))?.paths.find((one) => one.peer === peer && one.net === net);
    const found = path ? `${path.state}${path.rerouted ? ' rerouted' : ''}` : 'not shown';
    if (found !== wanted) wrong.push(`the path ${where} is ${found}, not ${wanted}`);
  }
  for (const [node, words] of Object.entries(expected.noAlarms ?? {})) {
    const raised = (await lab.status(node))?.alarms.map((alarm) => alarm.what) ?? ['no-answer'];
    const bad = words.length === 0 ? raised : raised.filter((what) => words.includes(what));
    if (bad.length > 0) wrong.push(`${node} has the alarm ${bad.join(', ')}`);
  }
  for (const [node, wanted] of Object.entries(expected.gate ?? {})) {
    const found = (await lab.status(node))?.gate ?? 'not shown';
    if (found !== wanted) wrong.push(`the gate of ${node} is ${found}, not ${wanted}`);
  }
  wrong.push(...(await votersWrong(lab, expected)));
  return wrong;
}

async function votersWrong(lab: Lab, { voters, waiting }: Expectation): Promise<string[]> {
  const wrong: string[] = [];
  for (const [node, wanted] of Object.entries(voters ?? {})) {
    const seen = (await lab.status(node))?.membership;
    const found = seen ? [...seen.voters].sort().join(' ') : 'not shown';
    const former = seen?.previousVoters === undefined ? '' : ` with ${seen.previousVoters.join(' ')}`;
    if (`${found}${former}` !== [...wanted].sort().join(' '))
      wrong.push(`the voters are ${found}${former} to ${node}, not ${wanted.join(' ')}`);
  }
  for (const [node, wanted] of Object.entries(waiting ?? {})) {
    const found = (await lab.status(node))?.membership?.waiting ?? 'for nothing';
    if (!found.startsWith(wanted)) wrong.push(`${node} ${found}, not ${wanted}`);
  }
  return wrong;
}

function holderWrong(lab: Lab, scenario: Scenario, name: string, wanted: string | null): string[] {
  const addresses = floatingAddresses(scenario).filter((floating) => floating.package === name);
  if (addresses.length === 0) return [`package ${name} has no address`];
  return addresses.flatMap(({ address }) => {
    const found = lab.holder(address);
    return found === wanted
      ? []
      : [`${found ?? 'nobody'} answers for ${address} of ${name}, not ${wanted ?? 'nobody'}`];
  });
}

async function coordinatorWrong(lab: Lab, scenario: Scenario, wanted: string | null): Promise<string[]> {
  const named: Record<string, string | null> = {};
  for (const node of Object.keys(scenario.topology.nodes)) {
    const status = await lab.status(node);
    if (status) named[node] = status.membership?.coordinator ?? null;
  }
  const names = Object.values(named);
  const right =
    wanted === 'any'
      ? typeof names[0] === 'string' && names.every((name) => name === names[0])
      : names.every((name) => name === wanted);
  if (names.length > 0 && right) return [];
  const told = Object.entries(named).map(([node, name]) => `${node} names ${name ?? 'no'} coordinator`);
  return [`${told.join(', ') || 'nobody tells who coordinates'}; expected ${wanted ?? 'none'}`];
}

/** By the watcher's word, and by that of whoever asks for it. */
function darkWrong(lab: Lab, address: string): string[] {
  const holder = lab.holder(address);
  // Asked before the probes are: what goes on then ends later.
  const now = lab.now();
  const heard = lab.probes().filter((probe) => probe.address === address && !silentAt(probe, now));
  return [
    ...(holder === null ? [] : [`${holder} answers for ${address}`]),
    ...heard.map((probe) => `${address} answers ${probe.client}`),
  ];
}

/** What must hold over the whole drill. */
export async function alwaysWrong(lab: Lab, scenario: Scenario): Promise<string[]> {
  const wrong: string[] = [];
  const floating = floatingAddresses(scenario);
  for (const [address, bound] of Object.entries(scenario.always.outage)) {
    const boundMs = typeof bound === 'number' ? bound : bound[lab.name];
    const floats = floating.some((one) => one.address === address);
    const probes = lab
      .probes()
      .filter((probe) => probe.address === address)
      .map((probe) => (floats ? sinceItFirstAnswered(probe) : probe));
    if (probes.length === 0) wrong.push(`nobody probes ${address}`);
    for (const probe of probes) {
      const longest = longestGap(probe);
      if (probe.answered === 0) wrong.push(`${address} never answered ${probe.client}`);
      else if (longest > boundMs)
        wrong.push(`${address} was out for ${longest.toFixed(1)} ms to ${probe.client}, more than ${boundMs} ms`);
    }
  }
  if (scenario.always.tcp) {
    for (const one of lab.connections())
      if (!one.alive) wrong.push(`the TCP connection of ${one.client} to ${one.address} broke`);
  }
  if (scenario.always.still) {
    const moves = lab.journal().filter((entry) => entry.event === 'switch-started');
    if (moves.length > 0) wrong.push(`${moves.length} switches where none was due: ${describeEntry(moves[0]!)}`);
  }
  if (scenario.always.unmoved) {
    const moves = lab.journal().filter(isMove);
    if (moves.length > 0) wrong.push(`${moves.length} times something moved: ${describeEntry(moves[0]!)}`);
    for (const { address } of floating) {
      const holders = lab.holders(address);
      if (holders.length > 1) wrong.push(`${address} moved: ${holders.join(', then ')} answered for it`);
    }
  }
  // What the explorer draws is judged by the invariants alone, which know of exceptions.
  if (scenario.world !== undefined) return wrong;
  wrong.push(...overlapsWrong(lab.overlaps(), scenario.always.twoHolders));
  // In memory the same rules are looked at all the while.
  if (lab.name === 'simulator') return wrong;
  wrong.push(...strayMacs(lab.stays(), lab.journal()));
  const truths: Record<string, NodeTruth> = {};
  for (const node of Object.keys(scenario.topology.nodes)) truths[node] = await lab.truth(node);
  wrong.push(...strayAddresses(stationaryAddresses(scenario), truths));
  return wrong;
}

/** A package goes from one node to another, or a lease runs out. */
function isMove(entry: JournalEntry): boolean {
  if (entry.event === 'lease') return entry.to === 'over';
  return entry.event === 'placed' && entry.from !== undefined && entry.to !== undefined && entry.from !== entry.to;
}

/** From the drill's start until a package runs its addresses answer nobody: that is no outage. */
export function sinceItFirstAnswered(probe: ProbeReport): ProbeReport {
  return { ...probe, gaps: probe.gaps.filter((gap) => gap.fromMs > START_MS) };
}

export function longestGap(probe: ProbeReport): Ms {
  return probe.gaps.reduce((longest, gap) => Math.max(longest, gap.toMs - gap.fromMs), 0);
}

/** Node → its addresses as the cluster file has them, without prefix length. */
function stationaryAddresses(scenario: Scenario): Record<string, string[]> {
  const nodes = (scenario.cluster['nodes'] ?? {}) as Record<string, Record<string, { address?: string | string[] }>>;
  return Object.fromEntries(
    Object.entries(nodes).map(([node, nets]) => {
      const prefixes = Object.values(nets).flatMap((net) => net.address ?? []);
      return [node, prefixes.map((prefix) => prefix.split('/')[0]!)];
    }),
  );
}

export function describeEntry(entry: JournalEntry & { node: string }): string {
  const subject = entry.nic ?? entry.net ?? '';
  const change = entry.from !== undefined || entry.to !== undefined ? ` ${entry.from ?? '?'} → ${entry.to ?? '?'}` : '';
  const address = entry.address !== undefined ? ` ${entry.address}` : '';
  return `${entry.node} ${entry.event} ${subject}${change}${address} (${entry.cause})`.replace(/ +/g, ' ');
}

function nicOf(text: string): NicRef {
  const [node, nic] = text.split('.');
  return { node: node!, nic: nic ?? '' };
}
