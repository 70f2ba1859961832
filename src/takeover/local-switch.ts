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
import { nicNames } from '../health/place.js';
import { announceDeadline } from './announce.js';
import { carriedOn, floatingDeadline } from './floating.js';
import { addressKey } from './portfolio.js';
import { nicsOf, startState, type TakeoverState } from './state.js';
import { stopDeadline } from './stopping.js';

export type { TakeoverState } from './state.js';

type MovedNic = Pick<NicStatus, 'carrying' | 'locked' | 'macs'>;

export interface TakeoverStatus {
  alarms: Alarm[];
  decisions: Decision[];
  nics: Record<string, MovedNic>;
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
    nics: Object.fromEntries(nicNames(world.self).map((nic) => [nic, nicStatus(world, state, nic)])),
    nets: Object.fromEntries(
      Object.values(state.nets).map(({ net, carrier, change, switches }) => [
        net,
        { carrier, switching: change?.kind === 'switch', switches },
      ]),
    ),
    dropped: { ...state.dropped, ...state.announcer.dropped },
  };
}

function nicStatus(world: World, state: TakeoverState, nic: string): MovedNic {
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
  const macs = macsOn(world, state, nic);
  return { carrying, ...(locked && { locked }), ...(macs.length > 0 && { macs }) };
}

/** MACs that travel, as far as they are on this NIC or belong there. */
function macsOn(world: World, state: TakeoverState, nic: string): NonNullable<NicStatus['macs']> {
  const trials = Object.values(state.floating.trials.own).filter((trial) => trial.nic === nic);
  const floating = trials
    .filter(({ of }) => of === 'floating')
    .map(({ mac, use }) => ({ mac, of: 'floating', use }) as const);
  const seen = world.host[nic];
  const nets = Object.entries(state.nets).filter(([, net]) => nic in net.macs && net.macs[nic]?.mac !== seen?.mac);
  const moved = nets.flatMap(([name]) => (seen ? ({ mac: seen.mac, of: 'net', net: name, use: 'mac' } as const) : []));
  return [...floating, ...moved];
}
