/**
 * The takeover stage: on this node the addresses of each net lie on one NIC, and it is one that works.
 *
 *   host-observed ──learn──▶ portfolio ─┐
 *   verdicts ──choose──▶ carrier ───────┴─plan──▶ change-host ──▶ host-changed ──▶ announce
 *                                        ▲
 *            mend what others undo ──────┘
 *
 * Everything is level-triggered: each look compares what should be with what is seen.
 */
import type { HealthState } from '../health/state.js';
import type { Ms } from '../input.js';
import type { Alarm, Decision, NetStatus, NicStatus } from '../status.js';
import type { World } from '../world.js';
import { announceDeadline } from './announce.js';
import { carriedOn, floatingDeadline } from './floating.js';
import { addressKey } from './portfolio.js';
import { allNics, nicsOf, startState, type TakeoverState } from './state.js';
import { stopDeadline } from './stopping.js';

export type { TakeoverState } from './state.js';

export interface TakeoverStatus {
  alarms: Alarm[];
  decisions: Decision[];
  nics: Record<string, Pick<NicStatus, 'carrying' | 'locked'>>;
  nets: Record<string, Pick<NetStatus, 'carrier' | 'switching' | 'switches'>>;
  dropped: Record<string, number>;
}

export function start(world: World, now: Ms): TakeoverState {
  return startState(world, now);
}

export function deadline(world: World, state: TakeoverState): Ms {
  if (state.stopping?.phase === 'done') return Infinity;
  const locks = Object.values(state.locks).map((lock) => lock.until ?? Infinity);
  return Math.min(
    state.lookAt ?? Infinity,
    ...locks,
    stopDeadline(state.stopping),
    announceDeadline(world, state.announcer),
    floatingDeadline(world, state.floating),
  );
}

export function status(world: World, state: TakeoverState, _now: Ms, _health: HealthState): TakeoverStatus {
  return {
    alarms: Object.values(state.alarms),
    decisions: state.decisions,
    nics: Object.fromEntries(allNics(world.self).map((nic) => [nic, nicStatus(world, state, nic)])),
    nets: Object.fromEntries(
      Object.values(state.nets).map(({ net, carrier, change, switches }) => [
        net,
        { carrier, switching: change?.kind === 'switch', switches },
      ]),
    ),
    dropped: { ...state.dropped, ...state.announcer.dropped },
  };
}

function nicStatus(world: World, state: TakeoverState, nic: string): Pick<NicStatus, 'carrying' | 'locked'> {
  const nets = world.self.nets.filter((own) => nicsOf(own).includes(nic));
  const keys = new Set(nets.flatMap((own) => state.nets[own.net]?.portfolio.addresses.map(addressKey) ?? []));
  const there = world.host[nic]?.addresses.filter((address) => keys.has(addressKey(address))) ?? [];
  const own = there.map(({ local, prefixLength }) => `${local}/${prefixLength}`);
  const floating = carriedOn(
    { world },
    nic,
    nets.map(({ net }) => net),
  );
  const carrying = [...own, ...floating];
  const locked = state.locks[nic];
  return locked ? { carrying, locked } : { carrying };
}
