import { beforeEach, describe, expect, it } from 'vitest';
import { cipherWith } from '../../drivers/cipher.js';
import type { Action } from '../../src/action.js';
import { channelText, encodeBeat, sealBeat, type Beat } from '../../src/frame/heartbeat.js';
import { encodePoll, POLL_GROUP } from '../../src/frame/poll.js';
import { PART } from '../../src/frame/part.js';
import * as health from '../../src/health/monitor.js';
import { Mutator } from '../frame/mutator.js';
import { seal } from './fabric.js';
import { clusterOf, KEY, Wire, type Peer, type Sent } from './wire.js';
import { KEY_ID } from '../no-cipher.js';

const cipher = cipherWith(KEY);

let wire: Wire;
let alpha: Peer;
let beta: Peer;

beforeEach(() => {
  wire = new Wire({ nodes: ['alpha', 'beta', 'gamma'], nets: { hb0: 'private', hb1: 'private', public: 'public' } });
  wire.run(3050);
  alpha = wire.peers['alpha']!;
  beta = wire.peers['beta']!;
});

/** Counters, and since when, aside: nothing else may change by what is refused. */
function stateOf(node: Peer): string {
  return JSON.stringify(node.state, (key, value: unknown) =>
    ['dropped', 'badSeals', 'badSealAt', 'otherClusterAt', 'otherFileAt'].includes(key) ? 0 : value,
  );
}

interface Arrival {
  nic?: string;
  to?: string;
  from?: string;
  bytes: Uint8Array;
}

function inject(
  node: Peer,
  { nic = 'eth0', to = '10.0.0.1', from = '10.0.0.2', bytes }: Arrival,
): {
  out: Action[];
  dropped: string[];
  same: boolean;
  heard: number;
} {
  const before = stateOf(node);
  const counts = { ...node.state.dropped };
  const out: Action[] = [];
  node.world.heard.length = 0;
  health.take(node.world, node.state, wire.now, { kind: 'datagram-received', nic, to, from, bytes }, out);
  const dropped = Object.keys(node.state.dropped).filter((reason) => node.state.dropped[reason] !== counts[reason]);
  return { out, dropped, same: stateOf(node) === before, heard: node.world.heard.length };
}

const inert = (reason: string): object => ({ out: [], dropped: [reason], same: true, heard: 0 });

/** A beat of beta's that alpha has not heard yet. */
function fresh(
  changes: Partial<Beat> = {},
  header: { sequence?: number; incarnation?: string; net?: string } = {},
): Uint8Array {
  const beat: Beat = {
    digest: wire.cluster.digest.slice(0, 32),
    asks: false,
    left: false,
    rerouted: false,
    accepted: alpha.incarnation,
    claimed: '',
    echo: { sequence: 1, agoMs: 0 },
    parts: [{ kind: PART.append, bytes: Uint8Array.of(1) }],
    ...changes,
  };
  const { sequence = 1000, incarnation = beta.incarnation, net = 'hb0' } = header;
  const channel = { cluster: 'shop', source: 'beta', destination: 'alpha', net, incarnation };
  return sealBeat(channel, channelText(channel), sequence, encodeBeat(beat), cipher, KEY_ID);
}

function last(test: (it: Sent) => boolean): Sent {
  return wire.sent.findLast(test)!;
}

const fromBeta = (it: Sent): boolean => it.node === 'beta' && it.to === '10.0.0.1';

describe('bad input is inert (S5)', () => {
  it('a fresh beat is admitted, which the refusals below are measured against', () => {
    expect(inject(alpha, { bytes: fresh() })).toMatchObject({ out: [], dropped: [], heard: 1 });
  });

  it('a beat played again', () => {
    expect(inject(alpha, { bytes: last(fromBeta).bytes })).toEqual(inert('heartbeat-replayed'));
  });

  it('a beat of one path played over another', () => {
    const arrival = { nic: 'eth1', to: '10.1.0.1', from: '10.1.0.2', bytes: fresh() };
    expect(inject(alpha, arrival)).toEqual(inert('heartbeat-wrong-net'));
  });

  it('an own beat that comes back, and one for another node', () => {
    const own = last((it) => it.node === 'alpha' && it.to === '10.0.0.2');
    expect(inject(alpha, { bytes: own.bytes })).toEqual(inert('heartbeat-unknown-node'));
    const other = last((it) => it.node === 'beta' && it.to === '10.0.0.3');
    expect(inject(alpha, { bytes: other.bytes })).toEqual(inert('heartbeat-not-for-us'));
  });

  it.each([
    ['heartbeat-wrong-net', { nic: 'eth1' }],
    ['heartbeat-wrong-net', { nic: 'eth2', to: '10.2.0.1' }],
    ['heartbeat-wrong-net', { to: '10.0.0.9' }],
    ['heartbeat-unknown-node', { from: '10.0.0.9' }],
    ['heartbeat-unknown-node', { from: '10.0.0.3' }],
    ['heartbeat-unknown-nic', { nic: 'eth9' }],
  ])('%s: %j', (reason, arrival) => {
    expect(inject(alpha, { ...arrival, bytes: fresh() })).toEqual(inert(reason));
  });

  it('a good seal over what is no beat', () => {
    const channel = {
      cluster: 'shop',
      source: 'beta',
      destination: 'alpha',
      net: 'hb0',
      incarnation: beta.incarnation,
    };
    const plain = encodeBeat({
      ...({} as Beat),
      digest: '',
      accepted: '',
      claimed: '',
      echo: { sequence: 0, agoMs: 0 },
      parts: [],
    });
    plain[41] = 3;
    const bytes = sealBeat(channel, channelText(channel), 1000, plain, cipher, KEY_ID);
    expect(inject(alpha, { bytes })).toEqual(inert('heartbeat-malformed'));
  });

  it('traffic of before the own start proves nothing, and is answered by one question at most', () => {
    const recorded = wire.sent.filter(fromBeta);
    beta.off = true;
    alpha = wire.boot('alpha');
    const answers = recorded.flatMap(({ bytes }) => {
      const { dropped, heard, out } = inject(alpha, { bytes });
      expect([dropped, heard]).toEqual([['heartbeat-unproven'], 0]);
      return out;
    });
    expect(answers.length).toBeLessThanOrEqual(1);
    expect(alpha.peer('beta').health).toBe('unheard');
    expect(alpha.status().paths.map(({ state }) => state)).not.toContain('up');
  });

  it('an incarnation that was replaced never counts again', () => {
    const old = last(fromBeta).bytes;
    wire.boot('beta');
    wire.run(1000);
    expect(alpha.peer('beta').incarnation).toBe(wire.peers['beta']!.incarnation);
    expect(inject(alpha, { bytes: old })).toEqual(inert('heartbeat-retired'));
  });

  it('what an ended daemon left in its kernel, and never was heard before, does not displace its successor', () => {
    const successor = beta.incarnation;
    const late = fresh({ echo: { sequence: 1, agoMs: 0 } }, { incarnation: 'eeeeeeeeeeeeeeee' });
    expect(inject(alpha, { bytes: late })).toMatchObject({ dropped: ['heartbeat-unproven'], heard: 0 });
    wire.run(1000);
    expect(inject(alpha, { bytes: late })).toMatchObject({ dropped: ['heartbeat-unproven'], heard: 0 });
    expect(alpha.peer('beta')).toMatchObject({ incarnation: successor, health: 'alive' });
    const sequence = alpha.state.peers['beta']!.sequence;
    const answered = fresh({ echo: { sequence, agoMs: 0 } }, { incarnation: 'eeeeeeeeeeeeeeee', sequence: 1001 });
    expect(inject(alpha, { bytes: answered })).toMatchObject({ dropped: [], heard: 1 });
  });

  describe('poll frames of a run that was over before ours heard of it (seed 201684)', () => {
    const polled = (sequence: number, heard = alpha.state.nics['eth0']!.sequence): string[] => {
      const bytes = encodePoll(
        {
          ...{
            kind: 'poll',
            asks: false,
            poller: true,
            node: 'beta',
            nic: 'eth0',
            net: 'hb0',
            sequence,
            round: sequence,
          },
          incarnation: 'eeeeeeeeeeeeeeee',
          keys: { sealedWith: KEY_ID, known: [KEY_ID], settled: true },
          sessions: [{ node: 'alpha', incarnation: alpha.incarnation, heard }],
          rows: [],
        },
        'shop',
        POLL_GROUP,
        '02:00:00:00:00:01',
        seal,
        KEY_ID,
      );
      const counts = { ...alpha.state.dropped };
      health.take(alpha.world, alpha.state, wire.now, { kind: 'frame-received', nic: 'eth0', bytes }, []);
      return Object.keys(alpha.state.dropped).filter((reason) => alpha.state.dropped[reason] !== counts[reason]);
    };

    it('do not displace its successor, be that heard or silent', () => {
      const heard = alpha.state.nics['eth0']!.sequence;
      expect(polled(7, heard)).toEqual(['poll-unproven']);
      beta.asleep = true;
      wire.run(2 * alpha.world.cluster.timing.nodeTimeoutMs);
      expect(polled(8, heard)).toEqual(['poll-unproven']);
      beta.asleep = false;
      wire.run(1000);
      expect(alpha.peer('beta')).toMatchObject({ incarnation: beta.incarnation, health: 'alive' });
    });

    it('those of a successor do, once it has heard a frame that was sent after its first one', () => {
      expect(polled(7)).toEqual(['poll-unproven']);
      const { nics } = alpha.state;
      expect(new Set(Object.values(nics).map(({ sequence }) => sequence)).size).toBe(1);
      expect(polled(8, nics['eth0']!.sequence)).toEqual(['poll-unproven']);
      expect(polled(9, nics['eth0']!.sequence + 1)).toEqual([]);
      expect(polled(9, nics['eth0']!.sequence + 1)).toEqual(['poll-stale']);
    });
  });

  it('replays of old incarnations keep nobody from a new session', () => {
    const recorded = wire.sent.filter(fromBeta);
    wire.boot('beta');
    wire.run(500);
    const alphaAgain = wire.boot('alpha');
    for (let i = 0; i < 100; i++) {
      inject(alphaAgain, { bytes: recorded[i % recorded.length]!.bytes });
      wire.run(10);
    }
    expect(alphaAgain.peer('beta').health).toBe('alive');
    expect(wire.peers['beta']!.peer('alpha').incarnation).toBe(alphaAgain.incarnation);
  });

  it('an unknown part kind goes to the stages after, an own one stays', () => {
    const parts = [
      { kind: 1, bytes: Uint8Array.of(0) },
      { kind: 200, bytes: Uint8Array.of(5) },
    ];
    const { heard, dropped } = inject(alpha, { bytes: fresh({ parts }) });
    expect([heard, dropped]).toEqual([1, ['heartbeat-malformed']]);
    expect(alpha.world.heard[0]!.parts).toEqual([parts[1]]);
  });
});

describe('other keys, clusters and files', () => {
  it('S12: a node with another cluster file counts for nothing, is named, and its words are not handed on', () => {
    const cluster = { ...clusterOf(wire.options), digest: 'f'.repeat(64) };
    wire.boot('beta', cluster);
    wire.run(3000);
    expect(alpha.peer('beta').health).toBe('lost');
    expect(alpha.status().alarms.map(({ what, text }) => `${what}: ${text}`)).toContain(
      'other-file: beta has another cluster file: it counts for nothing until both have the same',
    );
    expect(alpha.heard.filter(({ node, at }) => node === 'beta' && at > wire.now - 2500)).toEqual([]);
    wire.boot('beta');
    wire.run(6000);
    expect(alpha.alarms()).toEqual([]);
    expect(alpha.peer('beta').health).toBe('alive');
  });

  it('another key: named after some, not at once, and over when they stop', () => {
    const stranger = wire.boot('beta', wire.cluster, new Uint8Array(32));
    wire.run(100);
    expect(alpha.alarms()).toEqual([]);
    wire.run(3000);
    expect(alpha.alarms().sort()).toEqual(['node-lost', 'other-key']);
    expect(alpha.journal.filter(({ event, cause }) => event === 'alarm-raised' && cause === 'other-key')).toHaveLength(
      1,
    );
    stranger.off = true;
    wire.run(6000);
    expect(alpha.alarms()).toEqual(['node-lost']);
  });

  it('another cluster on the same net and addresses: an alarm while it lasts', () => {
    const stranger = wire.boot('gamma', { ...clusterOf(wire.options), name: 'ship' });
    wire.run(3000);
    expect(alpha.alarms().sort()).toEqual(['node-lost', 'other-cluster']);
    expect(alpha.state.dropped['heartbeat-other-cluster']).toBeGreaterThan(10);
    stranger.off = true;
    wire.run(6000);
    expect(alpha.alarms()).toEqual(['node-lost']);
  });
});

/** BATON_FUZZ=10000000 plays more; FUZZ_SEED repeats a run. */
describe('mutated and forged datagrams', () => {
  const count = Number(process.env['BATON_FUZZ'] ?? 100_000);
  const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

  it(`none of ${count} is admitted or changes anything (FUZZ_SEED=${seed})`, () => {
    const arrivals = [
      { nic: 'eth0', to: '10.0.0.1', from: '10.0.0.2' },
      { nic: 'eth1', to: '10.1.0.1', from: '10.1.0.2' },
      { nic: 'eth2', to: '10.2.0.1', from: '10.2.0.2' },
    ];
    const forger = cipherWith(new Uint8Array(32).fill(9));
    const channel = {
      cluster: 'shop',
      source: 'beta',
      destination: 'alpha',
      net: 'hb0',
      incarnation: beta.incarnation,
    };
    const heard = wire.sent.filter(({ node }) => node !== 'gamma').map(({ bytes }) => bytes);
    const unheard = [fresh(), fresh({ asks: true }, { sequence: 1001 }), fresh({}, { net: 'hb1', sequence: 1002 })];
    const forged = Array.from({ length: 50 }, (_, i) =>
      sealBeat(
        channel,
        channelText(channel),
        1003 + i,
        encodeBeat({
          ...({} as Beat),
          digest: '',
          accepted: alpha.incarnation,
          claimed: '',
          echo: { sequence: 1, agoMs: 0 },
          parts: [],
        }),
        forger,
        KEY_ID,
      ),
    );
    const corpus = [...heard.slice(-100), ...Array.from({ length: 30 }, () => unheard).flat(), ...forged];
    const good = new Set(unheard.map((bytes) => Buffer.from(bytes).toString('latin1')));
    const mutator = new Mutator(seed);
    const before = stateOf(alpha);
    const { world, state } = alpha;
    const out: Action[] = [];
    world.heard.length = 0;
    for (let i = 0; i < count; i++) {
      const bytes = mutator.mutate(mutator.pick(corpus), mutator.pick(corpus));
      if (good.has(Buffer.from(bytes).toString('latin1'))) continue;
      health.take(world, state, wire.now, { kind: 'datagram-received', ...mutator.pick(arrivals), bytes }, out);
      if (out.length + world.heard.length > 0) throw new Error(`admitted: ${Buffer.from(bytes).toString('hex')}`);
      if (i % 10_000 === 0) expect(stateOf(alpha)).toBe(before);
    }
    expect(stateOf(alpha)).toBe(before);
    const reasons = Object.keys(state.dropped).sort();
    for (const reason of [
      'short',
      'magic',
      'version',
      'other-cluster',
      'key',
      'seal',
      'replayed',
      'not-for-us',
      'wrong-net',
      'unknown-node',
    ])
      expect(reasons).toContain(`heartbeat-${reason}`);
  }, 3_600_000);
});
