/** The state in which a daemon begins: nothing seen, nobody heard, and so everything in doubt. */
import { clusterTag } from '../frame/poll.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { bridgedNet, nicsOn } from './bridged.js';
import { planBeats } from './heartbeat.js';
import { startKeys } from './keys.js';
import { startPeers } from './peer.js';
import { startSerial } from './serial.js';
import { FAR, NEVER, nicKey, type HealthState, type NetState, type NicState } from './state.js';
import { fullPollMs } from './window.js';

/** Nets of one phase poll together; hundreds of them are spread over the interval. */
const NETS_A_PHASE = 16;
const PHASES = 10;

export function start(world: World, now: Ms): HealthState {
  const state: HealthState = {
    ...startPeers(world, now),
    keys: startKeys(world, now),
    serial: startSerial(world.self),
    words: [],
    stopping: false,
    leaving: false,
    beatDueAt: now,
    otherClusterAt: NEVER,
    dropped: {},
    nets: {},
    nics: {},
    netOf: {},
    macs: {},
    sessions: {},
    senders: {},
    cabling: {},
    alarms: {},
    decisions: [],
    clusterTag: clusterTag(world.cluster.name),
    dueAt: FAR,
  };
  for (const node of world.cluster.nodes)
    for (const part of node.nets)
      for (const nic of [part.primary, ...part.standby])
        state.netOf[nicKey(node.name, nic)] = bridgedNet(world, part.net);
  const primaries = new Set(world.self.nets.map(({ primary }) => primary));
  const names = new Set(world.self.nets.map(({ net }) => bridgedNet(world, net)));
  [...names].forEach((name, i) => {
    const phaseMs = ((Math.floor(i / NETS_A_PHASE) % PHASES) * world.cluster.timing.pollMs) / PHASES;
    const nics = nicsOn(world, world.self, name);
    for (const nic of nics) state.nics[nic] = startNic(world, name, nic, primaries.has(nic), now);
    const firstStandby = nics.find((nic) => !primaries.has(nic));
    state.nets[name] = startNet(world, name, nics, firstStandby ?? nics[0]!, now + phaseMs);
  });
  for (const net of Object.values(state.nets)) plan(state, net);
  planBeats(world, state);
  return state;
}

function startNet(world: World, name: string, nics: string[], poller: string, now: Ms): NetState {
  const members = world.cluster.nodes.flatMap((node) =>
    nicsOn(world, node, name).map((nic) => ({ node: node.name, nic, key: nicKey(node.name, nic) })),
  );
  return {
    name,
    nics,
    members,
    // A start is a doubt about everything.
    polling: 'full',
    poller,
    doubtUntil: now + 2 * world.cluster.timing.pollMs,
    askedUntil: NEVER,
    holdMs: 2 * world.cluster.timing.pollMs,
    leftFullAt: NEVER,
    pollDueAt: now,
    checkDueAt: now + fullPollMs(world) / 2,
    unsettled: false,
    reports: {},
    peers: {},
  };
}

function startNic(world: World, net: string, nic: string, primary: boolean, now: Ms): NicState {
  return {
    nic,
    key: nicKey(world.self.name, nic),
    net,
    role: primary ? 'primary' : 'standby',
    link: 'unseen',
    polled: 'unknown',
    observed: 'unknown',
    ifindex: 0,
    proven: false,
    windowFrom: now,
    receivingSince: NEVER,
    heardAnyAt: NEVER,
    waitingSince: NEVER,
    sequence: 0,
    round: 0,
    sent: null,
    hears: {},
    expects: {},
    targets: {},
    rxPackets: -1,
    txPackets: -1,
    rxLinkLocal: 0,
    movedAt: NEVER,
    downs: [],
    flapHoldMs: 0,
    // Until it was seen there is nothing to act on.
    verdict: { health: 'suspect', reason: 'waiting', since: now, rank: 3, holdUntil: NEVER },
    readiness: [],
    ports: null,
  };
}

/** When the stage next wants to be woken, from all of its nets. */
export function replan(state: HealthState): void {
  state.dueAt = FAR;
  for (const name in state.nets) plan(state, state.nets[name]!);
}

/** The stage wants to be woken when the first of its nets does, or earlier. */
export function plan(state: HealthState, net: NetState): void {
  state.dueAt = Math.min(state.dueAt, net.pollDueAt, net.checkDueAt);
}
