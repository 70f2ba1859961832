/** Missing, admin and carrier: what the kernel says of the NIC itself is acted on at once. */
import type { Ms, NicObservation } from '../input.js';
import type { Link, NicState } from './state.js';

/** Takes an observation. Returns whether the link changed. */
export function observeLink(nic: NicState, observed: NicObservation | undefined, now: Ms): boolean {
  if (observed === undefined) {
    nic.polled = 'unknown';
    nic.ifindex = 0;
    return enter(nic, 'missing', now);
  }
  if (observed.ifindex !== nic.ifindex) {
    nic.ifindex = observed.ifindex;
    nic.polled = 'unknown';
  }
  const told = !observed.admin ? 'admin' : observed.carrier ? 'up' : 'down';
  const isNews = told !== nic.observed;
  nic.observed = told;
  // The kernel may hold back what the lock-free poll has seen already, and says what it said before with every other news.
  if (nic.polled === 'up' ? !isNews : nic.polled !== 'unknown' && told === 'up') return false;
  return enter(nic, told, now);
}

/** Takes a word of the lock-free poll. Returns whether the link changed. */
export function pollLink(nic: NicState, polled: 'up' | 'down' | 'admin' | 'missing', now: Ms): boolean {
  nic.polled = polled === 'missing' ? 'unknown' : polled;
  return enter(nic, polled, now);
}

function enter(nic: NicState, link: Link, now: Ms): boolean {
  if (nic.link === link) return false;
  nic.link = link;
  nic.expects = {};
  if (link === 'up') {
    nic.proven = false;
    nic.windowFrom = now;
  }
  return true;
}
