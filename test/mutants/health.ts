/** Bugs in what is up: NICs, peers, frames that are old, forged or of another cluster file. */
import type { Mutant } from './mutant.js';

export const HEALTH: readonly Mutant[] = [
  {
    name: 'judged-before-draining',
    plants: 'whoever slept takes the silence of that time for that of others',
    edits: [
      {
        file: 'drivers/simulator/driver.ts',
        find: "    if (forMs > this.#options.timing.pollMs / 2) this.#give({ kind: 'stalled', forMs });\n",
        replace: '    void forMs;\n',
      },
      {
        file: 'drivers/simulator/driver.ts',
        find: '    while (!this.frozen && this.#unread.length > 0) this.#give(this.#unread.shift()!);',
        replace:
          '    this.#woke();\n    while (!this.frozen && this.#unread.length > 0) this.#give(this.#unread.shift()!);',
      },
    ],
    caughtBy: ['S10'],
    aim: 'stutters',
    seed: 1,
  },
  {
    name: 'two-nics-condemned',
    plants: 'a NIC that hears nobody is condemned without a third to speak against it',
    edits: [
      {
        file: 'src/health/nic.ts',
        find: '  const third = missesWhatOthersHear(evidence);',
        replace: '  const third = missesWhatOthersHear(evidence) || evidence.proven;',
      },
    ],
    caughtBy: ['S10', 'L2', 'L6'],
    aim: 'silent-standby',
    seed: 3,
  },
  {
    name: 'full-polling-skipped',
    plants: 'a missed poll starts no full polling',
    edits: [
      {
        file: 'src/health/poller.ts',
        find: '    net.holdMs = close ? Math.min(2 * net.holdMs, 50 * pollMs) : 2 * pollMs;\n  }\n  enterFull(world, state, net, net.holdMs, cause, evidence, now, out);',
        replace:
          '    net.holdMs = close ? Math.min(2 * net.holdMs, 50 * pollMs) : 2 * pollMs;\n  }\n  void [cause, evidence, out];',
      },
    ],
    caughtBy: ['L2', 'L3'],
    aim: 'silent-primary',
    seed: 1,
  },
  {
    name: 'up-delay-skipped',
    plants: 'a NIC counts as repaired the moment that it has a carrier',
    edits: [
      {
        file: 'src/health/judgement.ts',
        find: '    if (now - since < upDelayMs) {',
        replace: '    if (now - since < 0 * upDelayMs) {',
      },
    ],
    caughtBy: ['L6', 'S10'],
    aim: 'flapping-primary',
    seed: 1,
  },
  {
    name: 'flaps-forgotten',
    plants: 'however often a NIC goes down, it is switched back to',
    edits: [
      {
        file: 'src/health/flap.ts',
        find: '  if (nic.downs.length <= net.flapMax) return;',
        replace: '  if (nic.downs.length <= 1000 * net.flapMax) return;',
      },
    ],
    caughtBy: ['L6'],
    aim: 'flapping-primary',
    seed: 1,
  },
  {
    name: 'replay-window-off',
    plants: 'a heartbeat that was heard before is heard again',
    edits: [
      {
        file: 'src/health/replay.ts',
        find: '  if (sequence > seen.highest) return false;',
        replace: '  if (sequence > 0) return false;',
      },
    ],
    caughtBy: ['S5'],
    aim: 'replayed',
    seed: 1,
  },
  {
    name: 'poll-replay-off',
    plants: 'a poll frame that was heard before is heard again',
    edits: [
      {
        file: 'src/health/session.ts',
        find: '  if (poll.sequence <= (nic.hears[key]?.sequence ?? 0) || poll.sequence <= sender.settled) return ',
        replace: '  if (poll.sequence <= 0) return ',
      },
    ],
    caughtBy: ['S5'],
    aim: 'replayed',
    seed: 1,
  },
  {
    name: 'damaged-beat-taken',
    plants: 'the seal of a heartbeat is not looked at',
    edits: [
      {
        file: 'drivers/simulator/plain-cipher.ts',
        find: '      for (let i = 0; i < TAG_LENGTH; i++) if (tag[i] !== sealed[end + i]) return null;',
        replace: '      void tag;',
      },
    ],
    caughtBy: ['S5'],
    aim: 'replayed',
    seed: 2,
  },
  {
    name: 'other-file-counts',
    plants: 'a node with another cluster file counts',
    edits: [
      {
        file: 'src/health/admission.ts',
        find: '  if (!digestOf(world).startsWith(beat.digest)) {',
        replace: '  if (!digestOf(world).startsWith(beat.digest) && now < 0) {',
      },
    ],
    caughtBy: ['S12'],
    aim: 'other-file',
    seed: 1,
  },
];
