/** Somebody else adds or removes floating addresses of this host: put right at once, and ever more slowly against one who keeps at it. */
import type { Ms } from '../input.js';
import { clear, journal, raise } from './account.js';
import type { FloatingAddress } from './floating-address.js';
import { BACK_OFF_FIRST, BACK_OFF_LONGEST, QUIET, TIMES_UNTIL_ALARM } from './mending.js';
import type { Turn } from './state.js';

export function isHeldOff({ state, now }: Turn, { prefix }: FloatingAddress): boolean {
  return (state.floating.tampering[prefix.address]?.holdUntil ?? now) > now;
}

/** It is being put right: told and counted. */
export function tampered(turn: Turn, floating: FloatingAddress, nic: string, cause: string): void {
  const { state, now } = turn;
  const { address } = floating.prefix;
  const times = (state.floating.tampering[address]?.times ?? 0) + 1;
  const over = times - TIMES_UNTIL_ALARM;
  const holdUntil = over < 0 ? now : now + Math.min(BACK_OFF_FIRST * 2 ** over, BACK_OFF_LONGEST);
  state.floating.tampering[address] = { times, holdUntil };
  const evidence = { times };
  journal(turn, { event: 'mended', net: floating.net, nic, address, package: floating.package, cause, evidence });
  if (over < 0) return;
  const text = `something else keeps ${cause === 'removed-by-other' ? 'removing' : 'adding'} ${address} on ${nic}`;
  raise(turn, `tampering ${address}`, 'rival-manager', text);
}

/** Quiet for so long that nobody tampers any more. */
export function forgetTampering(turn: Turn): void {
  const { tampering } = turn.state.floating;
  for (const [address, { holdUntil }] of Object.entries(tampering)) {
    if (turn.now < holdUntil + QUIET) continue;
    delete tampering[address];
    clear(turn, `tampering ${address}`);
  }
}

/** When a hold or the quiet time after it ends; Infinity: there is none. */
export function tamperingDeadline({ state, now }: Turn): Ms {
  let at = Infinity;
  for (const { holdUntil } of Object.values(state.floating.tampering)) {
    at = Math.min(at, holdUntil > now ? holdUntil : holdUntil + QUIET);
  }
  return at;
}
