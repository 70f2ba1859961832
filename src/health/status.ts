/** This stage's part of the status document. */
import { healthIn, reasonIn } from '../frame/nic-report.js';
import type { Ms } from '../input.js';
import type { Alarm, Decision, KeysStatus, NetStatus, NicStatus, PathStatus, PeerStatus } from '../status.js';
import type { World } from '../world.js';
import { bridgedNet } from './bridged.js';
import { heardIn } from './hearing.js';
import { keysStatus } from './keys.js';
import { nicNames } from './place.js';
import { isRerouted } from './reroute.js';
import { NEVER, type HealthState, type NetState, type NicState, type PathState, type PeerState } from './state.js';
import { isProbeBlocked } from './target.js';
import { framesNeeded, fullPollMs, graceMs, netLoss } from './window.js';

export type HealthNicStatus = Omit<NicStatus, 'carrying' | 'locked'>;
export type HealthNetStatus = Pick<NetStatus, 'name' | 'polling' | 'hearing'>;

export interface HealthStatus {
  alarms: Alarm[];
  decisions: Decision[];
  nics: HealthNicStatus[];
  nets: HealthNetStatus[];
  peers: PeerStatus[];
  paths: PathStatus[];
  dropped: Record<string, number>;
  keys: KeysStatus;
}

export function status(world: World, state: HealthState, now: Ms): HealthStatus {
  const nets = Object.values(state.nets);
  return {
    alarms: Object.values(state.alarms),
    decisions: state.decisions,
    nics: nets.flatMap((net) => net.nics.map((name) => nicStatus(world, state, net, state.nics[name]!, now))),
    nets: world.self.nets.map(({ net }) => netStatus(world, state, net, now)),
    peers: Object.values(state.peers).map((peer) => peerStatus(world, peer)),
    paths: Object.values(state.paths).map((path) => pathStatus(state, path)),
    dropped: state.dropped,
    keys: keysStatus(state),
  };
}

/** A net of the file, with the hearing of the whole bridged net that it lies on. */
function netStatus(world: World, state: HealthState, name: string, now: Ms): HealthNetStatus {
  const net = state.nets[bridgedNet(world, name)]!;
  return { name, polling: net.polling, hearing: matrix(world, state, net, now) };
}

function peerStatus(world: World, { node, health, since, nics }: PeerState): PeerStatus {
  const self = world.cluster.nodes.find(({ name }) => name === node);
  const names = self === undefined ? [] : nicNames(self);
  const said = names.flatMap((nic, i): [string, string][] => {
    const packed = nics[i] ?? -1;
    if (packed < 0) return [];
    const reason = reasonIn(packed);
    return [[nic, reason === undefined ? healthIn(packed) : `${healthIn(packed)} ${reason}`]];
  });
  return { node, health, since, ...(said.length > 0 && { nics: Object.fromEntries(said) }) };
}

function pathStatus(state: HealthState, { peer, net, kind, state: is }: PathState): PathStatus {
  return { peer, net, kind, state: is, rerouted: kind === 'public' && isRerouted(state.peers[peer]!) };
}

/** The last window: while polling is light, as many light polls as a full window has full ones. */
function shownMs(world: World, state: HealthState, net: NetState, now: Ms): Ms {
  const { pollMs, pollMisses } = world.cluster.timing;
  if (net.polling === 'light') return pollMisses * pollMs + graceMs(world);
  return framesNeeded(world, netLoss(world, state, net, now)) * fullPollMs(world) + graceMs(world);
}

function nicStatus(world: World, state: HealthState, net: NetState, nic: NicState, now: Ms): HealthNicStatus {
  const hearing = matrix(world, state, net, now);
  const { health, reason, since } = nic.verdict;
  const hears = hearing.filter((pair) => pair.to === nic.key).map((pair) => [pair.from, pair.agoMs]);
  const heardBy = hearing.filter((pair) => pair.from === nic.key).map((pair) => [pair.to, pair.agoMs]);
  const nets = world.self.nets.filter(({ primary, standby }) => [primary, ...standby].includes(nic.nic));
  const names = nets.map((part) => part.net);
  return {
    name: nic.nic,
    net: names[0] ?? net.name,
    ...(names.length > 1 && { nets: names }),
    role: nic.role,
    health,
    ...(reason === undefined ? {} : { reason }),
    since,
    poller: nic.nic === net.poller,
    rxPackets: Math.max(0, nic.rxPackets),
    txPackets: Math.max(0, nic.txPackets),
    hears: Object.fromEntries(hears) as Record<string, Ms>,
    heardBy: Object.fromEntries(heardBy) as Record<string, Ms>,
    ...(nic.ports === null ? {} : { ports: nic.ports }),
    targets: targetsStatus(world, state, nic, now),
    ...(nic.role === 'standby' ? { ready: { ok: nic.readiness.length === 0, why: nic.readiness } } : {}),
  };
}

function targetsStatus(world: World, state: HealthState, nic: NicState, now: Ms): NicStatus['targets'] {
  const shown: NicStatus['targets'] = {};
  for (const [address, target] of Object.entries(nic.targets)) {
    const everAnswered = target.answeredAt !== NEVER;
    shown[address] = {
      answers: nic.link === 'up' && everAnswered && target.missed < world.cluster.timing.pollMisses,
      ...(everAnswered ? { agoMs: now - target.answeredAt } : {}),
      ...(isProbeBlocked(world, state, nic, target) ? { note: 'probe-blocked' as const } : {}),
    };
  }
  return shown;
}

/** `from` was heard by `to`. */
function matrix(world: World, state: HealthState, net: NetState, now: Ms): HealthNetStatus['hearing'] {
  const limit = shownMs(world, state, net, now);
  const pairs: HealthNetStatus['hearing'] = [];
  const add = (from: string, to: string, at: Ms): void => {
    if (now - at <= limit) pairs.push({ from, to, agoMs: now - at });
  };
  for (const name of net.nics) {
    const nic = state.nics[name]!;
    for (const [from, heard] of Object.entries(nic.hears)) add(from, nic.key, heard.at);
  }
  for (const [to, report] of Object.entries(net.reports))
    for (const [from, { at }] of Object.entries(heardIn(report))) add(from, to, at);
  return pairs;
}
