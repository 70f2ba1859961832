/** Bugs in leases and gates: how long a node may serve, and what holds it to that. */
import type { Mutant } from './mutant.js';

export const LEASE: readonly Mutant[] = [
  {
    name: 'lease-from-arrival',
    plants: 'a lease counts from when the grant came, not from when its answer was sent',
    edits: [
      {
        file: 'src/membership/lease.ts',
        find: '  const end = sentAt + durationMs;',
        replace: '  const end = now + durationMs;',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'late-word',
    seed: 1,
  },
  {
    name: 'renewal-not-armed',
    plants: 'the gate takes a write however long ago its lease was checked',
    edits: [
      {
        file: 'drivers/simulator/gate.ts',
        find: '    if (this.#token?.key !== key || this.#clock.now >= this.#token.end) return ',
        replace: '    if (this.#token?.key !== key && key < 0) return ',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'stop-in-the-gate',
    seed: 16,
  },
  {
    name: 'gate-stays-open',
    plants: 'the element of the lease has no time-out: only the daemon closes the gate',
    edits: [
      {
        file: 'drivers/simulator/gate.ts',
        find: '    this.#write(held, this.#clock.now + forMs + this.#lateMs());',
        replace: '    this.#write(held, this.#clock.now + 1e9 * forMs + this.#lateMs());',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'holder-stopped',
    seed: 1,
  },
  {
    name: 'lease-loss-ignored',
    plants: 'a node whose lease is over goes on until it is told otherwise, and renews its gate',
    edits: [
      {
        file: 'src/membership/lease.ts',
        find: '  return state.lease.end > now ? state.lease.end : null;',
        replace: '  return state.lease.end > 0 ? Math.max(state.lease.end, now + 500) : null;',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'coordinator-cut-off',
    seed: 4,
  },
  {
    name: 'left-in-held',
    plants: 'an address stays in the set of those that the gate lets speak',
    edits: [
      {
        file: 'drivers/simulator/gate.ts',
        find: '    if (held.length !== this.#held.size || held.some((address) => !this.#held.has(address))) this.#held = new Set(held);',
        replace: '    this.#held = new Set([...this.#held, ...held]);',
      },
    ],
    caughtBy: ['S1', 'S9', 'S11'],
    aim: 'leftover',
    seed: 1,
  },
  {
    name: 'announced-after-surrender',
    plants: 'a burst of announcements goes on after its address was given away',
    edits: [
      {
        file: 'src/takeover/announce.ts',
        find: '  delete state.bursts[keyOf(net, address)];\n}\n\n/** When',
        replace: '  keyOf(net, address);\n}\n\n/** When',
      },
      {
        file: 'src/takeover/turn.ts',
        find: '  if (floatingOf(world.cluster, address)) return mayAnnounce(turn, nic, address) && (turn.mandate.leaseEnd ?? false);',
        replace: '  if (floatingOf(world.cluster, address)) return mayAnnounce(turn, nic, address) || true;',
      },
    ],
    caughtBy: ['S9'],
    aim: 'moves-on-old-kernels',
    seed: 1,
  },
  {
    name: 'gate-written-too-long',
    plants: 'the remainder of a lease is written into the kernel without the time that arming took',
    edits: [
      {
        file: 'drivers/simulator/gate-hand.ts',
        find: '        const remainder = leaseEnd - now() - tokenMs - ROUNDING_MS;',
        replace: '        const remainder = leaseEnd - now() + 60 + ROUNDING_MS;',
      },
    ],
    caughtBy: ['S1', 'S2', 'S9', 'S11'],
    aim: 'holder-stopped',
    seed: 1,
  },
];
