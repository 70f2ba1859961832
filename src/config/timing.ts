/**
 * Timing profiles, and the rules that a timing must keep. A lease must be over for sure before an observer gives up
 * waiting for it (MEMBERSHIP 5), and a NIC must be asked more than once before it is condemned (DESIGN 4).
 */
import type { Timing } from './cluster.js';
import type { Ms } from '../input.js';
import { leaseMs, surelyOverMs } from '../membership/span.js';
import { showDuration } from './duration.js';

export type TimingProfile = 'default' | 'fast' | 'calm';

export const profiles: Readonly<Record<TimingProfile, Timing>> = {
  default: {
    pollMs: 200,
    pollMisses: 3,
    carrierPollMs: 20,
    heartbeatMs: 200,
    nodeTimeoutMs: 1000,
    marginMs: 50,
    renewLateMaxMs: 20,
  },
  fast: {
    pollMs: 20,
    pollMisses: 3,
    carrierPollMs: 10,
    heartbeatMs: 20,
    nodeTimeoutMs: 200,
    marginMs: 40,
    renewLateMaxMs: 10,
  },
  calm: {
    pollMs: 500,
    pollMisses: 4,
    carrierPollMs: 50,
    heartbeatMs: 500,
    nodeTimeoutMs: 5000,
    marginMs: 250,
    renewLateMaxMs: 50,
  },
};

export const MARGIN_MIN_MS = 15;

export interface BrokenRule {
  /** Key of the file to which the problem belongs. */
  key: 'poll' | 'pollMisses' | 'carrierPoll' | 'heartbeat' | 'nodeTimeout' | 'margin' | 'renewLateMax';
  text: string;
}

/** Every rule that the timing breaks, with the numbers. */
export function brokenRules(timing: Timing): BrokenRule[] {
  const { pollMs, pollMisses, carrierPollMs, heartbeatMs, nodeTimeoutMs, marginMs, renewLateMaxMs } = timing;
  const longestMs = leaseMs(timing);
  const show = showDuration;
  const broken: BrokenRule[] = [];
  const refuse = (key: BrokenRule['key'], text: string): void => void broken.push({ key, text });

  if (pollMs < 5) refuse('poll', `poll is ${show(pollMs)}; at least 5ms, for the kernel's own delays come near it`);
  if (pollMisses < 2)
    refuse('pollMisses', `pollMisses is ${pollMisses}; at least 2, for one lost frame must not condemn a NIC`);
  if (carrierPollMs < 1) refuse('carrierPoll', `carrierPoll is ${show(carrierPollMs)}; at least 1ms`);
  if (carrierPollMs > pollMs) {
    refuse(
      'carrierPoll',
      `carrierPoll is ${show(carrierPollMs)}, longer than poll (${show(pollMs)}); at most ${show(pollMs)}`,
    );
  }
  if (heartbeatMs < 1) refuse('heartbeat', `heartbeat is ${show(heartbeatMs)}; at least 1ms`);
  if (marginMs < MARGIN_MIN_MS) {
    refuse(
      'margin',
      `margin is ${show(marginMs)}; at least ${show(MARGIN_MIN_MS)}, for the gate itself may be that late`,
    );
  }
  if (longestMs <= 0) {
    refuse(
      'nodeTimeout',
      `nodeTimeout is ${show(nodeTimeoutMs)}, which leaves no lease: it must exceed margin (${show(marginMs)}) with the clock error, ${show(surelyOverMs(0, timing))}`,
    );
    return broken;
  }
  const lease = `the lease of ${show(longestMs)} that nodeTimeout ${show(nodeTimeoutMs)} and margin ${show(marginMs)} leave`;
  if (heartbeatMs > longestMs / 4) {
    refuse(
      'heartbeat',
      `heartbeat is ${show(heartbeatMs)}, more than a quarter of ${lease}; at most ${show(floor(longestMs / 4))}`,
    );
  }
  if (renewLateMaxMs > longestMs / 10) {
    refuse(
      'renewLateMax',
      `renewLateMax is ${show(renewLateMaxMs)}, more than a tenth of ${lease}; at most ${show(floor(longestMs / 10))}`,
    );
  }
  return broken;
}

function floor(ms: Ms): Ms {
  return Math.floor(ms * 10) / 10;
}

/** A mapping in the file, with what it leaves out: the default profile, and no renewLateMax that its own lease forbids. */
export function completeTiming(given: Partial<Timing>): Timing {
  const timing = { ...profiles.default, ...given };
  if (given.renewLateMaxMs === undefined) {
    const tenth = floor(leaseMs(timing) / 10);
    if (tenth > 0) timing.renewLateMaxMs = Math.min(timing.renewLateMaxMs, tenth);
  }
  return timing;
}
