import { describe, expect, it } from 'vitest';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { predict } from '../../../src/drill/foresight/prediction.js';
import { scenarioOf } from '../../../src/drill/foresight/rehearsal.js';
import { situationOfNode, type Situation } from '../../../src/drill/foresight/situation.js';
import { parseFault } from '../../../src/drill/scenario.js';
import { FaultError } from '../../../src/drill/foresight/fault-error.js';
import { situation, TWO_NODES } from './sample.js';

const ask = (at: Situation, ...faults: string[]) =>
  predict(
    at,
    faults.map((fault) => ({ at: 0, fault })),
    { rehearsals: 1 },
  );

/** A cluster that lives in a simulator of its own, as beta's daemon tells of it. */
async function living(troubles: readonly string[], commands: readonly string[][] = []): Promise<Situation> {
  const lab = new SimulatorLab({ seed: 7 });
  await lab.build(scenarioOf(situation(), []).scenario);
  for (const node of ['alpha', 'beta']) await lab.startDaemon(node);
  await lab.runUntil(lab.now() + 5000);
  for (const command of commands) expect(await lab.operate('beta', command)).toMatchObject({ code: 0 });
  for (const trouble of troubles) await lab.inflict(parseFault(trouble));
  await lab.runUntil(lab.now() + 5000);
  const status = (await lab.status('beta'))!;
  await lab.destroy();
  return situationOfNode(TWO_NODES, 'cluster.yaml', status);
}

describe('what-if', () => {
  it('foretells a takeover, its outage and its holder', async () => {
    const { packages, addresses, timeline, differs, drill } = await ask(situation(), 'power-off alpha');
    expect(drill.failures).toEqual([]);
    expect(differs).toEqual([]);
    expect(packages).toMatchObject([{ package: 'web', before: 'alpha', after: ['beta'], outage: { forGood: 0 } }]);
    expect(packages[0]!.outage.ms).toBeGreaterThan(700);
    expect(packages[0]!.outage.ms).toBeLessThan(1100);
    expect(addresses).toMatchObject([{ address: '10.77.0.1', node: 'alpha', outage: { forGood: 1 } }]);
    expect(timeline[0]).toEqual({ at: 0, what: 'fault', text: 'power-off alpha' });
    expect(timeline.some(({ text }) => /placed alpha → beta \(node-lost\)/.test(text))).toBe(true);
  });

  it('deals two faults apart, and the second finds what the first has left', async () => {
    const { packages, timeline } = await predict(
      situation(),
      [
        { at: 2000, fault: 'cut alpha.eth1' },
        { at: 0, fault: 'cut alpha.eth0' },
      ],
      { rehearsals: 1 },
    );
    expect(timeline.filter(({ what }) => what === 'fault').map(({ at, text }) => [at, text])).toEqual([
      [0, 'cut alpha.eth0'],
      [2000, 'cut alpha.eth1'],
    ]);
    expect(packages[0]).toMatchObject({ before: 'alpha', after: ['beta'], outage: { forGood: 0 } });
  });

  it('tells over several rehearsals how far outages lie apart', async () => {
    const { packages, rehearsals } = await predict(situation(), [{ at: 0, fault: 'power-off alpha' }], {
      rehearsals: 3,
    });
    expect(rehearsals).toBe(3);
    const { leastMs, mostMs } = packages[0]!.outage;
    expect(mostMs).toBeGreaterThan(leastMs);
  });

  it('foretells that a daemon which is killed is missed from the end of its lease to its node being lost (C6b), whatever the moment', async () => {
    const killed = await predict(situation(), [{ at: 0, fault: 'kill alpha' }], { rehearsals: 9 });
    expect(killed.packages).toMatchObject([{ before: 'alpha', after: ['beta'], outage: { forGood: 0 } }]);
    // Half a heartbeat; a whole one more is the wait for the next beat.
    expect(killed.packages[0]!.outage.mostMs).toBeLessThan(100);
  });

  it('goes on from the live cluster: a package that was moved, a dead NIC of the other node', async () => {
    const live = await living(['drop both alpha.eth0'], [['package', 'move', 'web', '--to', 'beta']]);
    expect(live.standing).toMatchObject({
      holders: { web: 'beta' },
      nics: { 'alpha.eth0': expect.any(String) as string },
      lost: [],
    });
    const { packages, differs, from, node } = await ask(live, 'power-off beta');
    expect([from, node, differs]).toEqual(['live', 'beta', []]);
    expect(packages).toMatchObject([{ before: 'beta', after: ['alpha'] }]);
  });

  it('goes on from a cluster that has lost a node: nothing is left to take over', async () => {
    const live = await living(['power-off alpha']);
    expect(live.standing).toMatchObject({ lost: ['alpha'], holders: { web: 'beta' } });
    const { packages, differs } = await ask(live, 'power-off beta');
    expect(differs).toEqual([]);
    expect(packages).toMatchObject([{ before: 'beta', after: [null], outage: { forGood: 1 } }]);
  });

  it('goes on from a package that an operator has stopped', async () => {
    const live = await living([], [['package', 'halt', 'web']]);
    expect(live.standing.stopped).toEqual(['web']);
    const { packages } = await ask(live, 'power-off alpha');
    expect(packages).toMatchObject([{ before: null, after: [null] }]);
  });

  it('tells that two nodes answer at once, where nobody decides', async () => {
    const none = situation(TWO_NODES, [/^quorum: .*$/m, 'quorum: none']);
    const { twoHolders } = await ask(none, 'split alpha|beta');
    expect(twoHolders).toMatchObject([{ address: '10.77.0.100', nodes: ['alpha', 'beta'] }]);
  });

  it('refuses a fault of something that is not there, before anything is rehearsed', async () => {
    await expect(ask(situation(), 'power-off alpha', 'cut alpha.eth9')).rejects.toThrow(FaultError);
  });
});
