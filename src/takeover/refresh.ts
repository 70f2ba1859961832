/** Every running address is announced again now and then, spread evenly over `announceEvery`, so that no cache forgets or is wrong for long. */
import type { Ms } from '../input.js';
import { announceOnce } from './announce.js';
import { type FloatingAddress, floatingAddresses } from './floating-address.js';
import { nicFor } from './placing.js';
import { netOf, type Turn } from './state.js';

/** Where a net's round of refreshes stands. */
export interface Refresh {
  dueAt: Ms;
  /** How many of the running ones are behind it in this round. */
  next: number;
}

function runningOn({ world }: Turn, net: string): FloatingAddress[] {
  return floatingAddresses(world.cluster).filter((x) => x.net === net && world.jobs[x.package]?.state === 'running');
}

export function takeRefresh(turn: Turn): void {
  const { world, state, now } = turn;
  const { refresh } = state.floating;
  for (const { net } of world.self.nets) {
    const known = refresh[net];
    if (known !== undefined && known.dueAt > now) continue;
    const running = runningOn(turn, net);
    const everyMs = netOf(world, net)?.announceEveryMs;
    if (running.length === 0 || everyMs === undefined) {
      delete refresh[net];
      continue;
    }
    const pauseMs = everyMs / running.length;
    if (known === undefined) {
      refresh[net] = { dueAt: now + pauseMs, next: 0 };
      continue;
    }
    const floating = running[known.next % running.length];
    const nic = nicFor(turn, net);
    if (floating && nic !== null)
      announceOnce(state.announcer, now, { net, nic, address: floating.prefix.address, cause: 'refresh' });
    refresh[net] = {
      dueAt: Math.max(known.dueAt + pauseMs, now + pauseMs / 2),
      next: (known.next + 1) % running.length,
    };
  }
}

export function refreshDeadline(refresh: Readonly<Record<string, Refresh>>): Ms {
  return Object.values(refresh).reduce((at, { dueAt }) => Math.min(at, dueAt), Infinity);
}
