/** The simulated etcd: compare-and-swap on one key over the network, as MEMBERSHIP 7 uses the real one. */
import { beforeEach, expect, test } from 'vitest';
import { addAddress } from '../../../drivers/simulator/addresses.js';
import { Arbiter } from '../../../drivers/simulator/arbiter.js';
import { ArbiterCalls } from '../../../drivers/simulator/arbiter-calls.js';
import { Bridge } from '../../../drivers/simulator/bridge.js';
import { Host } from '../../../drivers/simulator/host.js';
import { World } from '../../../drivers/simulator/wire.js';
import type { ArbiterAnswer, ArbiterRecord, ArbiterRequest } from '../../../src/membership/arbiter-record.js';

const WITHIN_MS = 1000;
const RECORD: ArbiterRecord = {
  storageId: 'ab',
  term: 1,
  votedFor: null,
  document: {
    version: { term: 1, revision: 0 },
    voters: { next: [] },
    placements: {},
    orders: { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} },
    digest: '',
  },
  beat: 0,
};

let world: World;
let node: Host;
let arbiter: Arbiter;
let calls: ArbiterCalls;

function raise(name: string, n: number, bridge: Bridge): Host {
  const host = new Host(world, name);
  const nic = host.plug('eth0', `02:00:00:00:00:0${n}`, bridge.port(), false);
  addAddress(host, nic, { family: 4, local: `10.77.0.${n}`, prefixLength: 24, scope: 0, flags: 0 });
  return host;
}

function ask(request: ArbiterRequest): ArbiterAnswer {
  let answer: ArbiterAnswer | undefined;
  calls.ask(request, WITHIN_MS, (given) => (answer = given));
  world.clock.runUntil(world.clock.now + WITHIN_MS + 1);
  return answer!;
}

beforeEach(() => {
  world = new World(1);
  const bridge = new Bridge(world, 'sw');
  node = raise('alpha', 1, bridge);
  arbiter = new Arbiter(raise('etcd', 9, bridge));
  calls = new ArbiterCalls(node, '10.77.0.9', 'alpha 1');
  node.onUdp = (_, { content }) => calls.hear(content);
});

test('a missing key is said to be missing, by read and write; it is created once', () => {
  expect(ask({ ask: 'read' })).toEqual({ outcome: 'missing' });
  expect(ask({ ask: 'write', expect: { created: '1', modified: '1' }, record: RECORD })).toEqual({
    outcome: 'missing',
  });
  const created = ask({ ask: 'create', record: RECORD });
  expect(created).toMatchObject({ outcome: 'done', record: RECORD });
  expect(ask({ ask: 'create', record: { ...RECORD, term: 9 } })).toEqual({ ...created, outcome: 'refused' });
});

test('a write is done only on the state that it expects, and moves the stamp on', () => {
  const created = ask({ ask: 'create', record: RECORD });
  if (created.outcome !== 'done') throw new Error(created.outcome);
  const written = ask({ ask: 'write', expect: created.stamp, record: { ...RECORD, beat: 1 } });
  expect(written).toMatchObject({ outcome: 'done', record: { beat: 1 }, stamp: { created: created.stamp.created } });
  const again = ask({ ask: 'write', expect: created.stamp, record: { ...RECORD, beat: 2 } });
  expect(again).toEqual({ ...written, outcome: 'refused' });
});

test('no answer in time is unknown; a frozen one does late what it was asked', () => {
  arbiter.freeze();
  expect(ask({ ask: 'create', record: RECORD })).toMatchObject({ outcome: 'unknown' });
  expect(arbiter.record).toBeNull();
  arbiter.thaw();
  world.clock.runUntil(world.clock.now + 50);
  expect(arbiter.record).toEqual(RECORD);
});

test('stopped, it keeps its data; forgotten, they are gone', () => {
  ask({ ask: 'create', record: RECORD });
  arbiter.stop();
  expect(ask({ ask: 'read' })).toMatchObject({ outcome: 'unknown' });
  arbiter.start();
  expect(ask({ ask: 'read' })).toMatchObject({ outcome: 'done', record: RECORD });
  arbiter.forget();
  expect(ask({ ask: 'read' })).toEqual({ outcome: 'missing' });
});

test('a lost request is sent again, and done once', () => {
  const { cable } = node.nics.get('eth0')!;
  ask({ ask: 'read' });
  cable!.lose(60);
  let done = 0;
  for (let i = 0; i < 20; i++) {
    const before = arbiter.record;
    const answer = before
      ? ask({ ask: 'write', expect: stampOf(), record: { ...RECORD, beat: before.beat + 1 } })
      : ask({ ask: 'create', record: RECORD });
    if (answer.outcome === 'done') done++;
    expect(['done', 'unknown', 'refused']).toContain(answer.outcome);
  }
  expect(done).toBeGreaterThan(3);

  function stampOf(): { created: string; modified: string } {
    cable!.lose(0);
    const read = ask({ ask: 'read' });
    cable!.lose(60);
    if (read.outcome !== 'done') throw new Error(read.outcome);
    return read.stamp;
  }
});
