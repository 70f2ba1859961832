/** A poll frame of one net heard on a NIC of another: two nets are joined by a cable or a switch port. */
import type { Action } from '../action.js';
import type { Poll } from '../frame/poll.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { clear, raise } from './account.js';
import type { HealthState, NicState } from './state.js';

/** A sighting is over after this many light polls without another. */
const POLLS_UNTIL_OVER = 25;

export function sight(state: HealthState, nic: NicState, poll: Poll, now: Ms, out: Action[]): void {
  const from = `${poll.node}/${poll.nic}`;
  const key = `${nic.nic} ${from}`;
  const known = state.cabling[key];
  state.cabling[key] = { at: now, nic: nic.nic, net: nic.net, from, fromNet: poll.net };
  if (known !== undefined && known.fromNet === poll.net) return;
  const text = `${nic.key} of net ${nic.net} hears ${from} of net ${poll.net}: the two nets are joined`;
  const evidence = { here: nic.key, net: nic.net, there: from, thereNet: poll.net };
  const about = { net: nic.net, nic: nic.nic };
  out.push({ kind: 'journal', entry: { at: now, event: 'cabling', ...about, cause: 'foreign-net', evidence } });
  raise({ state, now, out }, `cabling ${key}`, 'cabling', text, about);
}

export function forgetSightings(world: World, state: HealthState, now: Ms, out: Action[]): void {
  const over = now - POLLS_UNTIL_OVER * world.cluster.timing.pollMs;
  for (const [key, sighting] of Object.entries(state.cabling)) {
    if (sighting.at > over) continue;
    delete state.cabling[key];
    clear({ state, now, out }, `cabling ${key}`, { net: sighting.net, nic: sighting.nic });
  }
}
