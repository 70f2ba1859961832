/** What operators do at the end of an explored story, so that a node that a fence device has shut is no dead end. */
import { expect, test } from 'vitest';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { Cast } from '../../../src/drill/explorer/cast.js';
import { AWAKE } from '../../../src/drill/explorer/kinds.js';
import { Striker } from '../../../src/drill/explorer/striker.js';
import { drawTopology, type Drawn } from '../../../src/drill/explorer/topology.js';

const seeds: Drawn[] = [];

function drawnWith(wanted: (drawn: Drawn) => boolean): Drawn {
  for (let seed = 0; seed < 1000; seed++) {
    const drawn = (seeds[seed] ??= drawTopology(seed));
    if (wanted(drawn)) return drawn;
  }
  throw new Error('no seed draws that');
}

/** Two nodes or more, and a device that has shut alpha by its power. */
async function shut(): Promise<{ lab: SimulatorLab; striker: Striker; close: () => void }> {
  const drawn = drawnWith(
    ({ nodes, scenario: { topology, later } }) =>
      nodes.length > 1 && topology.fences['pdu']?.shuts === 'power' && Object.keys(later).length > 0,
  );
  const lab = new SimulatorLab({ seed: 1 });
  await lab.build(drawn.scenario);
  const striker = new Striker(lab, drawn, new Cast(lab, drawn));
  const close = (): void => void lab.network.fences.get('pdu')!.act('off', 'alpha');
  close();
  return { lab, striker, close };
}

async function switchOn({ lab, striker }: Awaited<ReturnType<typeof shut>>): Promise<void> {
  await striker.switchOnByHand(['alpha']);
  await lab.runUntil(lab.now() + 1000);
  await striker.healDue();
}

test('where nobody can ask for it, a node that is off is switched on by hand, and can be shut again', async () => {
  const one = await shut();
  const powered = (): boolean => one.lab.network.hosts.get('alpha')!.powered;
  expect(powered()).toBe(false);
  await switchOn(one);
  expect(powered()).toBe(true);
  one.close();
  expect(powered()).toBe(false);
  await one.lab.destroy();
});

test('an operator sits down at a node that runs', async () => {
  const { lab, striker } = await shut();
  await lab.startDaemon('beta');
  await lab.runUntil(1000);
  await striker.strike({ at: 0, do: 'command', node: AWAKE, command: 'node unfence alpha' });
  expect(striker.acts).toMatchObject([{ ask: 'beta: node unfence alpha' }]);
  await lab.destroy();
});

test('a node that is off gets the new cluster file, too, where that is said', async () => {
  const { lab, striker } = await shut();
  const blow = { at: 0, do: 'inflict', fault: 'new-file alpha', healAfterMs: null } as const;
  await striker.strike(blow);
  expect(striker.acts).toEqual([]);
  await striker.strike({ ...blow, evenIfOff: true });
  expect(striker.acts).toMatchObject([{ fault: 'new-file alpha' }]);
  await lab.destroy();
});

test('a node that is off, and that no fence agent can shut, is vouched for by somebody who has looked', async () => {
  const drawn = drawnWith(
    ({ nodes, packages, hasArbiter, scenario: { topology, cluster } }) =>
      nodes.length === 3 && packages.length === 1 && !hasArbiter && topology.fences['pdu']?.shuts === 'power' && cluster['fence'] === 'none', // prettier-ignore
  );
  const lab = new SimulatorLab({ seed: 1 });
  await lab.build(drawn.scenario);
  const striker = new Striker(lab, drawn, new Cast(lab, drawn));
  lab.network.fences.get('pdu')!.trouble = { how: 'hang' };
  for (const name of drawn.nodes) await lab.startDaemon(name);
  await lab.runUntil(8000);
  const address = drawn.addresses[0]!;
  const holder = lab.holder(address)!;
  const vouched = (): unknown[] => striker.acts.filter(({ ask }) => ask !== undefined);
  await striker.strike({ at: 8000, do: 'inflict', fault: `power-off ${holder}`, healAfterMs: Infinity });
  await lab.runUntil(25_000);
  await striker.vouchByHand(drawn.nodes.filter((name) => name !== holder));
  expect(vouched()).toEqual([]);
  expect(lab.holder(address)).toBe(null);
  await striker.vouchByHand([holder]);
  expect(vouched()).toMatchObject([{ ask: expect.stringMatching(`: node fenced ${holder}$`) as string }]);
  await lab.runUntil(32_000);
  expect(lab.holder(address)).not.toBe(null);
  await striker.vouchByHand([holder]);
  expect(vouched()).toHaveLength(1);
  await lab.destroy();
});
