/** Light polling: whose next frame is when overdue, and what it means that it is. */
import type { Poll } from '../frame/poll.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { carryingNics, FAR, type HealthState, type NetState, type NicKey, type NicState } from './state.js';
import { graceMs } from './window.js';

/** On a grid, so that hundreds of nets are looked at in few wake-ups. */
function overdueAt(world: World, now: Ms): Ms {
  const gridMs = graceMs(world) / 10;
  return Math.ceil((now + world.cluster.timing.pollMs + graceMs(world)) / gridMs) * gridMs;
}

/** A frame came; when the next one of its sender is overdue. Only pollers and those who answer ours can be counted on. */
export function expectNext(
  world: World,
  state: HealthState,
  net: NetState,
  nic: NicState,
  key: NicKey,
  poll: Poll,
  now: Ms,
): void {
  if (poll.node !== world.self.name) followPeerPoller(state, net, key, poll);
  const counted = poll.kind === 'full' ? poll.poller : poll.kind === 'poll' || nic.nic === net.poller;
  if (net.polling === 'full' || !counted) return;
  const dueAt = overdueAt(world, now);
  const wasDueAt = nic.expects[key] ?? FAR;
  nic.expects[key] = dueAt;
  // Frames that come in time put the look off, again and again: it is for the one that does not.
  net.checkDueAt = wasDueAt > net.checkDueAt ? Math.min(net.checkDueAt, dueAt) : firstDue(state, net);
}

function firstDue(state: HealthState, net: NetState): Ms {
  let first = FAR;
  for (const name of net.nics) {
    const nic = state.nics[name]!;
    if (nic.link !== 'up') continue;
    for (const of in nic.expects) first = Math.min(first, nic.expects[of]!);
  }
  return first;
}

/** A node has one poller a net: its new one ends what was expected of the old one. */
function followPeerPoller(state: HealthState, net: NetState, key: NicKey, poll: Poll): void {
  const sender = state.senders[key]!;
  if (poll.poller && !sender.poller)
    for (const member of net.members) {
      if (member.node !== poll.node || member.key === key) continue;
      const other = state.senders[member.key];
      if (other !== undefined) other.poller = false;
      for (const name of net.nics) delete state.nics[name]!.expects[member.key];
    }
  sender.poller = poll.poller;
  sender.polls = poll.kind === 'poll';
}

/** One overdue frame. */
export interface Miss {
  nic: NicState;
  of: NicKey;
}

/** Takes out what is overdue, and sets the net's next look. */
export function overdue(state: HealthState, net: NetState, now: Ms): Miss[] {
  const misses: Miss[] = [];
  let next = FAR;
  for (const nic of carryingNics(state, net))
    for (const [of, dueAt] of Object.entries(nic.expects)) {
      if (dueAt <= now) {
        delete nic.expects[of];
        misses.push({ nic, of });
      } else next = Math.min(next, dueAt);
    }
  net.checkDueAt = next;
  return misses;
}

/** After the own stall everything has a whole interval again. */
export function postpone(world: World, state: HealthState, net: NetState, now: Ms): void {
  const dueAt = overdueAt(world, now);
  for (const name of net.nics) {
    const { expects } = state.nics[name]!;
    for (const key of Object.keys(expects)) expects[key] = dueAt;
  }
  if (net.polling === 'light') net.checkDueAt = dueAt;
}
