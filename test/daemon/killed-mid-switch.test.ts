/**
 * kill -9 before each single message of a switch, then a restart. `BATON_KILLS=20 npx vitest run test/daemon/killed-mid-switch`
 * plays every step twenty times; without it each is played once.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NamespacesLab, refusal } from '../../drivers/namespaces/lab.js';
import { parseScenario } from '../../src/drill/load.js';
import type { Fault } from '../../src/drill/scenario.js';

const ROUNDS = Number(process.env['BATON_KILLS'] ?? 1);
/** More messages than a switch of this net takes. */
const STEPS_MAX = 60;

const scenario = parseScenario(
  `
title: killed at every step
topology:
  switches: [left, right]
  trunks: [left-right]
  nodes: { alpha: { eth0: left, eth1: right }, beta: { eth0: left, eth1: right } }
  clients: { client: { switch: left, addresses: [10.77.0.254/24, 'fd77::254/64'] } }
  routes:
    alpha:
      - default via 10.77.0.254 dev eth0 metric 100 mtu 1400
      - 10.88.0.0/16 via 10.77.0.254 dev eth0 src 10.77.0.1
      - 10.89.0.0/16 via 10.77.0.254 dev eth0 table 100
      - default via fd77::254 dev eth0
      - 2001:db8:7::/48 via fd77::254 dev eth0 metric 64
cluster:
  nets: { public: { heartbeat: public, upDelay: 100ms, flapMax: 1000 } }
  nodes:
    alpha: { public: { primary: eth0, standby: [eth1], address: [10.77.0.1/24, 'fd77::1/64'] } }
    beta: { public: { primary: eth0, standby: [eth1], address: [10.77.0.2/24, 'fd77::2/64'] } }
  quorum: none
steps: []
until: 1s
`,
  'killed.yaml',
);

const reason = refusal() ?? (spawnSync('strace', ['-V']).error ? 'needs strace: apt-get install strace' : null);

describe.skipIf(reason !== null)(`the daemon killed in mid-switch ${reason ?? ''}`, () => {
  const lab = new NamespacesLab();
  const cut: Fault = { fault: 'cut', at: { node: 'alpha', nic: 'eth0' } };
  const patience = { timeout: 20_000, interval: 20 };
  let routes: string[] = [];

  /** Addresses on that NIC and on it alone, routes as before but for their device. */
  const settledOn = async (nic: string, other: string): Promise<boolean> => {
    const truth = await lab.truth('alpha');
    const aside = (lines: string[]): string => lines.map((line) => line.replace(/dev \S+/, 'dev *')).join('\n');
    return (
      JSON.stringify(truth.addresses[nic]) === JSON.stringify(['10.77.0.1/24', 'fd77::1/64']) &&
      (truth.addresses[other] ?? []).length === 0 &&
      aside(truth.routes.sort()) === aside(routes) &&
      truth.routes.every((line) => line.includes(`dev ${nic}`))
    );
  };
  const healthy = async (): Promise<boolean> => {
    const seen = (await lab.status('alpha'))?.nics ?? [];
    return seen.length === 2 && seen.every((nic) => nic.health === 'up');
  };

  beforeAll(async () => {
    await lab.build(scenario);
    await lab.startDaemon('alpha');
    await lab.startDaemon('beta');
    lab.begin();
    await vi.waitUntil(healthy, patience);
    routes = (await lab.truth('alpha')).routes.sort();
  });
  afterAll(() => lab.destroy());

  it(
    `finishes what it finds after kill -9 at each step, ${ROUNDS} times each`,
    async () => {
      const kills: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        for (let step = 1; step <= STEPS_MAX; step++) {
          const killAt: Fault = { fault: 'kill-at', node: 'alpha', step };
          await vi.waitUntil(async () => (await healthy()) && (await settledOn('eth0', 'eth1')), patience);
          await lab.inflict(killAt);
          await lab.inflict(cut);
          const dead = await vi.waitUntil(
            async () => (await lab.status('alpha')) === null || ((await settledOn('eth1', 'eth0')) && 'alive'),
            patience,
          );
          // The switch took fewer messages than that: every step of it had its kill.
          const lived = await lab.heal(killAt).then(
            () => false,
            (error: Error) => {
              if (!/ lives: /.test(error.message)) throw error;
              return true;
            },
          );
          if (!lived) {
            kills.push(step);
            await vi
              .waitUntil(() => settledOn('eth1', 'eth0'), patience)
              .catch(async (error: unknown) => {
                throw new Error(`killed at step ${step}: ${JSON.stringify(await lab.truth('alpha'))}`, {
                  cause: error,
                });
              });
          }
          await lab.heal(cut);
          if (lived || dead === 'alive') break;
        }
      }
      console.log(`killed ${kills.length} times, at steps 1 to ${Math.max(...kills)}`);
      expect(kills.length).toBeGreaterThanOrEqual(5 * ROUNDS);
    },
    ROUNDS * 300_000,
  );
});
