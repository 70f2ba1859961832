/** MEMBERSHIP N5 where kernel and gate say little: what is not surely gone is held. */
import { expect, it } from 'vitest';
import type { GateOutcome } from '../../src/input.js';
import { FloatingStand, packageOf, V4 } from './floating-stand.js';

const MAIL = '10.77.0.101';

it.each(['gate', 'lifetime', 'none'] as const)(
  'N5: what is served is held though its NIC is gone, for it comes back with the NIC (fence: %s)',
  (fence) => {
    const stand = new FloatingStand({ fence }).start();
    stand.grant({ web: 5 }, 5000);
    stand.pass(1000);
    for (const nic of ['eth0', 'eth1']) {
      delete stand.kernel.nics[nic];
      stand.health(nic, 'down', 'missing');
    }
    stand.observe();
    expect(stand.job()).toMatchObject({ state: 'running', held: true });
    stand.halt();
    expect(stand.job()).toMatchObject({ state: 'halted', held: false });
  },
);

/** The kernel did it, and its answer got lost. */
function doneUnheard(stand: FloatingStand): void {
  stand.gateAnswer = (order): GateOutcome => {
    stand.gate = { held: order.held, leaseEnd: order.leaseEnd };
    return { ok: false, why: 'failed', text: 'the kernel did not answer' };
  };
}

it('N5, G1: what a failed write may have let through is held until a write without it is acknowledged', () => {
  const stand = new FloatingStand({ packages: [packageOf('web', V4), packageOf('mail', MAIL)] }).start();
  stand.grant({ web: 5 });
  stand.pass(100);
  doneUnheard(stand);
  stand.place({ web: 5, mail: 6 });
  stand.mandate.may = { web: { term: 1, revision: 5 }, mail: { term: 1, revision: 6 } };
  stand.wake();
  expect(stand.gate.held).toContain(MAIL);
  expect(stand.gateOrders).toEqual([]);
  stand.place({ web: 5 });
  stand.mandate.may = { web: { term: 1, revision: 5 } };
  stand.wake();
  expect(stand.addresses()).toEqual([V4]);
  expect(stand.job('mail').held).toBe(true);
  stand.gateAnswer = () => ({ ok: true });
  stand.pass(50, false);
  expect(stand.gate.held).toEqual([V4]);
  expect(stand.job('mail').held).toBe(false);
});
