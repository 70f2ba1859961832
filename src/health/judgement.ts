/** From evidence to verdict: looks at every NIC of a net under full polling, and at those that wait for their up delay. */
import type { Action } from '../action.js';
import type { Net } from '../config/cluster.js';
import type { Ms } from '../input.js';
import type { DownReason, UpNote } from '../status.js';
import type { World } from '../world.js';
import { netOf } from './bridged.js';
import { isStalled } from './counter.js';
import { hearingOf, LATE_PART, type Hearing } from './hearing.js';
import { judge, look, type Finding, type Seen } from './nic.js';
import { carryingNics, NEVER, type HealthState, type NetState, type NicState } from './state.js';
import { awaitsTarget, targetEvidence } from './target.js';
import { become } from './verdict.js';
import { framesNeeded, fullPollMs, netLoss } from './window.js';

const LINK_REASONS = { down: 'carrier', admin: 'admin', missing: 'missing' } as const;

const CONDEMNING: Finding[] = ['silent', 'deaf', 'mute', 'unreachable'];

/** The link changed: down at once; up again means to wait. Returns whether the verdict changed. */
export function judgeLink(world: World, state: HealthState, nic: NicState, now: Ms, out: Action[]): boolean {
  const net = netOf(world, nic.net);
  const { link } = nic;
  if (link === 'unseen') return false;
  if (link !== 'up') return become(state, net, nic, 'down', LINK_REASONS[link], LINK_REASONS[link], { link }, now, out);
  // Its first sight is no repair.
  if (nic.waitingSince === NEVER && nic.verdict.health === 'suspect')
    return become(state, net, nic, 'up', 'unproven', 'observed', { link }, now, out);
  return startWaiting(state, net, nic, 'carrier-returned', { link }, now, out);
}

function startWaiting(
  state: HealthState,
  net: Net,
  nic: NicState,
  cause: string,
  evidence: Record<string, unknown>,
  now: Ms,
  out: Action[],
): boolean {
  nic.waitingSince = now;
  state.nets[nic.net]!.unsettled = true;
  return become(state, net, nic, 'suspect', 'waiting', cause, evidence, now, out);
}

/** Judges every NIC with carrier by the window that ends now. Returns whether one is in doubt or its verdict changed. */
export function judgeNet(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): boolean {
  const frames = framesNeeded(world, netLoss(world, state, net, now));
  const hearing = hearingOf(world, state, net, frames, now);
  const windowMs = frames * fullPollMs(world);
  let restless = false;
  for (const nic of carryingNics(state, net)) {
    const evidence = {
      nic: nic.key,
      hearing,
      target: targetEvidence(world, state, net, nic, now),
      proven: nic.proven,
      wholeWindow: now - nic.windowFrom >= windowMs + LATE_PART * fullPollMs(world),
    };
    restless ||= evidence.target === 'undecided' && awaitsTarget(nic, now);
    const seen = look(evidence);
    const finding = lasting(net, nic, hearing, seen, judge(evidence, seen));
    restless =
      conclude(world, state, nic, finding, { ...seen, target: evidence.target, windowMs }, now, out) || restless;
  }
  return restless;
}

/**
 * What stands is not given up, and nothing is noted, before every pair was looked at for a whole window: what would
 * speak against it may just not have been heard yet. Frames both ways are proof enough that a NIC works.
 */
function lasting(net: NetState, nic: NicState, hearing: Hearing, seen: Seen, finding: Finding): Finding {
  if (finding === 'undecided' || CONDEMNING.includes(finding)) return finding;
  const { health, reason } = nic.verdict;
  const plain = health === 'suspect' || (health === 'up' && (reason === undefined || reason === 'unproven'));
  const bothWays = seen.hears.length > 0 && seen.heardBy.length > 0;
  if (finding === 'up' && (plain || (health === 'down' && bothWays))) return 'up';
  const open = net.members.some(({ key }) => key !== nic.key && hearing.relation(nic.key, key) === 'undecided');
  return open ? 'undecided' : finding;
}

function conclude(
  world: World,
  state: HealthState,
  nic: NicState,
  finding: Finding,
  evidence: Seen & Record<string, unknown>,
  now: Ms,
  out: Action[],
): boolean {
  const net = netOf(world, nic.net);
  const { health, reason } = nic.verdict;
  switch (finding) {
    case 'undecided':
      return health === 'suspect' && reason === 'missed';
    case 'silent':
    case 'deaf':
    case 'mute':
    case 'unreachable':
      if (isCondemned(world, net, nic, finding))
        return become(state, net, nic, 'down', finding, finding, evidence, now, out);
      return rise(state, net, nic, finding, evidence, now, out);
    case 'split':
    case 'one-way':
    case 'isolated':
    case 'unproven':
      return rise(state, net, nic, finding, evidence, now, out);
    case 'up':
      return rise(state, net, nic, undefined, evidence, now, out);
  }
}

/** The classic rule, `inout`, condemns only a NIC whose both counts stalled; the others are noted. */
function isCondemned(world: World, net: Net, nic: NicState, reason: DownReason): boolean {
  if (net.failureDetection === 'inonly_or_inout') return true;
  return reason === 'silent' && isStalled(nic, world.cluster.timing.pollMs);
}

/** Nothing condemns it. One that was down has to wait for its up delay first. */
function rise(
  state: HealthState,
  net: Net,
  nic: NicState,
  note: UpNote | DownReason | undefined,
  evidence: Record<string, unknown>,
  now: Ms,
  out: Action[],
): boolean {
  const { health, reason } = nic.verdict;
  const cause = note ?? 'heard';
  if (health === 'down') return startWaiting(state, net, nic, cause, evidence, now, out);
  if (health === 'suspect' && reason === 'waiting') return false;
  return become(state, net, nic, 'up', note, cause, evidence, now, out);
}

/** Ends the waiting of NICs on which frames were received for `upDelay`. Returns whether a verdict changed. */
export function endWaits(world: World, state: HealthState, net: NetState, now: Ms, out: Action[]): boolean {
  const { upDelayMs } = netOf(world, net.name);
  const { pollMs } = world.cluster.timing;
  let changed = false;
  let waiting = false;
  for (const nic of carryingNics(state, net)) {
    const { health, reason } = nic.verdict;
    if (health !== 'suspect' || reason !== 'waiting') continue;
    const receives = nic.proven && now - nic.heardAnyAt < 5 * pollMs;
    const since = receives ? Math.max(nic.waitingSince, nic.receivingSince) : alone(state, net, nic, now, pollMs);
    if (now - since < upDelayMs) {
      waiting = true;
      continue;
    }
    const note = receives ? undefined : 'unproven';
    const evidence = { receivingForMs: now - since, upDelayMs };
    changed = become(state, netOf(world, net.name), nic, 'up', note, 'up-delay-over', evidence, now, out) || changed;
  }
  net.unsettled = waiting;
  return changed;
}

/** Since when there was nobody whom it could have heard: then only time can tell. */
function alone(state: HealthState, net: NetState, nic: NicState, now: Ms, pollMs: Ms): Ms {
  const others = carryingNics(state, net).some((other) => other !== nic);
  const peers = Object.values(net.reports).some((report) => now - report.at < 5 * pollMs);
  return others || peers ? now : nic.waitingSince;
}
