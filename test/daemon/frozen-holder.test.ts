/**
 * The holder's daemon is stopped again and again, for times of every length. Nobody may see two nodes answer for its
 * address: neither while it sleeps nor when it wakes in the middle of what it was about to do.
 * `BATON_FREEZES=200 npx vitest run test/daemon/frozen-holder` stops it so often.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NamespacesLab, refusal } from '../../drivers/namespaces/lab.js';
import { parseScenario } from '../../src/drill/load.js';
import { draw } from '../../src/random.js';

const FREEZES = Number(process.env['BATON_FREEZES'] ?? 4);
const SHORTEST_MS = 50;
const LONGEST_MS = 5000;
const ADDRESS = '10.77.0.100';

const scenario = parseScenario(
  `
title: the holder is frozen again and again
topology:
  switches: [left, heart]
  nodes:
    alpha: { eth0: left, hb0: heart }
    beta: { eth0: left, hb0: heart }
    gamma: { eth0: left, hb0: heart }
  clients: { client: { switch: left, addresses: [10.77.0.254/24], probes: [${ADDRESS}] } }
cluster:
  timing: fast
  nets: { public: { heartbeat: public, targets: [10.77.0.254] }, private1: { heartbeat: private } }
  nodes:
    alpha: { public: { primary: eth0, address: 10.77.0.1/24 }, private1: { primary: hb0, address: 10.78.0.1/24 } }
    beta: { public: { primary: eth0, address: 10.77.0.2/24 }, private1: { primary: hb0, address: 10.78.0.2/24 } }
    gamma: { public: { primary: eth0, address: 10.77.0.3/24 }, private1: { primary: hb0, address: 10.78.0.3/24 } }
  packages: { web: { nodes: [alpha, beta, gamma], movesMax: 1000, resources: [{ address: ${ADDRESS}, net: public }] } }
steps: []
until: 1s
`,
  'frozen.yaml',
);

const reason = refusal();

describe.skipIf(reason !== null)(`the holder frozen ${reason ?? ''}`, () => {
  const lab = new NamespacesLab();
  const seed = { seed: Number(process.env['BATON_SEED'] ?? 7) };
  const patience = { timeout: 20_000, interval: 20 };

  beforeAll(async () => {
    await lab.build(scenario);
    await Promise.all(['alpha', 'beta', 'gamma'].map((node) => lab.startDaemon(node)));
    lab.begin();
    await vi.waitFor(() => expect(lab.holder(ADDRESS)).not.toBeNull(), patience);
  }, 60_000);

  afterAll(() => lab.destroy());

  it(
    `${FREEZES} times, from ${SHORTEST_MS} to ${LONGEST_MS} ms: two holders never`,
    async () => {
      let moves = 0;
      for (let round = 0; round < FREEZES; round++) {
        await vi.waitFor(() => expect(lab.holder(ADDRESS)).not.toBeNull(), patience);
        const holder = lab.holder(ADDRESS)!;
        // As many short ones as long ones: what matters lies near the lease's length.
        const forMs = SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** draw(seed);
        const fault = { fault: 'freeze', node: holder } as const;
        await lab.inflict(fault);
        await sleep(forMs);
        await lab.heal(fault);
        await sleep(300);
        await vi.waitFor(() => expect(lab.holder(ADDRESS)).not.toBeNull(), patience);
        if (lab.holder(ADDRESS) !== holder) moves++;
        expect(lab.overlaps(), `round ${round}, ${holder} for ${forMs.toFixed(0)} ms`).toEqual([]);
      }
      console.log(`${FREEZES} freezes, ${moves} takeovers, ${lab.overlaps().length} overlaps`);
    },
    60_000 + FREEZES * 30_000,
  );
});
