/**
 * A million mutated frames over all decoders: none may throw, and what is taken for a message must be one, that is,
 * written and read again it is the same. `FUZZ_SEED=n npx vitest run test/frame/fuzz` repeats a run.
 */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as arp from '../../src/frame/arp.js';
import { checksumV6 } from '../../src/frame/checksum.js';
import { decodeEthernet, encodeEthernet, type EthernetFrame } from '../../src/frame/ethernet.js';
import * as ndp from '../../src/frame/ndp.js';
import {
  clusterTag,
  decodePoll,
  encodePoll,
  POLL_GROUP,
  POLL_LENGTH_MAX,
  SEAL_LENGTH,
  type Poll,
} from '../../src/frame/poll.js';
import { Mutator } from './mutator.js';
import * as vector from './vectors.js';
import { ONE } from './vectors.js';
import { KEY_ID } from '../no-cipher.js';

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
console.log(`FUZZ_SEED=${seed} npx vitest run test/frame/fuzz`);

const payload = (bytes: Uint8Array): Uint8Array => (decodeEthernet(bytes) as EthernetFrame).payload;

const ARP_FRAMES = [
  vector.ARP_REQUEST,
  vector.ARP_REPLY,
  vector.ARP_PROBE_OF_ARPING,
  vector.ARP_REPLY_TO_PROBE,
  arp.arpProbe(ONE, '10.77.0.254'),
  arp.gratuitousReply(ONE, '10.77.0.1'),
];

const NDP_FRAMES = [
  vector.NS,
  vector.NS_PROBE,
  vector.NA_SOLICITED,
  vector.NA_UNSOLICITED,
  ndp.neighbourProbe(ONE, 'fd77::254'),
  ndp.unsolicitedAdvertisement(ONE, 'fd77::1', true),
];

/** Makes the ICMPv6 checksum right, so that the checks behind it are reached. */
function repairChecksum(packet: Uint8Array): void {
  if (packet.length < 48) return;
  const length = ((packet[4] ?? 0) << 8) | (packet[5] ?? 0);
  const message = packet.subarray(40, 40 + length);
  packet.fill(0, 42, 44);
  const sum = checksumV6(packet.subarray(8, 24), packet.subarray(24, 40), 58, message);
  packet.set([sum >> 8, sum & 0xff], 42);
}

interface Codec {
  inputs: number;
  corpus: Uint8Array[];
  decode: (bytes: Uint8Array) => unknown;
  encode: (decoded: never) => Uint8Array;
  repair?: (bytes: Uint8Array) => void;
  /** Reasons that must have been met: a fuzz that gets stuck at the first check proves little. */
  reasons: string[];
}

const CODECS: Record<string, Codec> = {
  ethernet: {
    inputs: 150_000,
    corpus: [...ARP_FRAMES, ...NDP_FRAMES],
    decode: decodeEthernet,
    encode: encodeEthernet,
    reasons: ['ethernet-short', 'ethernet-not-a-type', 'ethernet-source-group'],
  },
  arp: {
    inputs: 200_000,
    corpus: ARP_FRAMES.map(payload),
    decode: arp.decodeArp,
    encode: arp.encodeArp,
    reasons: ['arp-short', 'arp-hardware', 'arp-protocol', 'arp-operation', 'arp-sender-group'],
  },
  ndp: {
    inputs: 350_000,
    corpus: NDP_FRAMES.map(payload),
    decode: ndp.decodeNdp,
    encode: ndp.encodeNdp,
    repair: repairChecksum,
    reasons: [
      'ndp-short',
      'ndp-version',
      'ndp-not-icmpv6',
      'ndp-hop-limit',
      'ndp-source-group',
      'ndp-checksum',
      'ndp-type',
      'ndp-code',
      'ndp-target-group',
      'ndp-option',
      'ndp-probe-destination',
      'ndp-probe-link-layer',
      'ndp-solicited-group',
    ],
  },
};

describe.each(Object.entries(CODECS))('%s', (_name, codec) => {
  test(`${codec.inputs} mutants: no exception, and what is taken is a message`, () => {
    const mutator = new Mutator(seed);
    const met = new Map<string, number>();
    for (let i = 0; i < codec.inputs; i++) {
      const mutant = mutator.mutate(mutator.pick(codec.corpus), mutator.pick(codec.corpus));
      if (i % 2 === 0) codec.repair?.(mutant);
      const decoded = codec.decode(mutant);
      const kind = typeof decoded === 'string' ? decoded : 'taken';
      met.set(kind, (met.get(kind) ?? 0) + 1);
      if (typeof decoded === 'string') continue;
      const again = codec.decode(codec.encode(decoded as never));
      // expect() for each of a million inputs takes a minute.
      if (JSON.stringify(again) !== JSON.stringify(decoded))
        expect(again, Buffer.from(mutant).toString('hex')).toEqual(decoded);
    }
    const reasons = [...met.keys()];
    expect(reasons).toEqual(expect.arrayContaining(codec.reasons));
    expect([...codec.reasons, 'taken']).toEqual(expect.arrayContaining(reasons));
    expect(met.get('taken')).toBeGreaterThan(codec.inputs / 100);
  }, 60_000);
});

describe('poll', () => {
  const CLUSTER = 'shop';
  const tag = clusterTag(CLUSTER);
  const sealWith = (key: string) => (bytes: Uint8Array) =>
    new Uint8Array(createHmac('sha256', key).update(bytes).digest().subarray(0, SEAL_LENGTH));
  const seal = sealWith('the key of this cluster');

  const bare: Poll = {
    kind: 'poll',
    asks: false,
    poller: true,
    node: 'alpha',
    nic: 'eth1',
    net: 'public',
    incarnation: '0123456789abcdef',
    sequence: 1,
    round: 1,
    keys: { sealedWith: KEY_ID, known: [KEY_ID], settled: false },
    sessions: [],
    rows: [],
  };
  const sessions = ['beta', 'gamma'].map((node) => ({ node, incarnation: 'fedcba9876543210', heard: 1 }));
  const heard = ['alpha', 'beta', 'gamma'].map((node) => ({ node, nic: 'eth0', agoMs: 40 }));
  const polls: Poll[] = [
    bare,
    { ...bare, kind: 'answer', nic: 'eth0', poller: false, sequence: 2 ** 40 },
    {
      ...bare,
      kind: 'full',
      asks: true,
      sessions,
      rows: ['eth1', 'eth0'].map((nic) => ({ nic, target: 'answers', lossPermille: 300, heard })),
    },
  ];
  const frames = polls.map((poll) => encodePoll(poll, CLUSTER, POLL_GROUP, ONE, seal, KEY_ID));

  /** Padding after the seal is nobody's message. */
  const isSealed = (bytes: Uint8Array): boolean =>
    frames.some((frame) => Buffer.compare(bytes.subarray(0, frame.length), frame) === 0);

  test('300000 mutants: no exception, and no forgery is taken', () => {
    const mutator = new Mutator(seed);
    const met = new Map<string, number>();
    for (let i = 0; i < 300_000; i++) {
      const mutant = mutator.mutate(mutator.pick(frames), mutator.pick(frames));
      const decoded = decodePoll(mutant, tag, seal, [KEY_ID]);
      const kind = typeof decoded === 'string' ? decoded : isSealed(mutant) ? 'taken' : 'forgery';
      if (kind === 'forgery') expect.fail(`taken: ${Buffer.from(mutant).toString('hex')}`);
      met.set(kind, (met.get(kind) ?? 0) + 1);
    }
    const expected = [
      'poll-short',
      'poll-type',
      'poll-version',
      'poll-length',
      'poll-cluster',
      'poll-key',
      'poll-seal',
      'taken',
    ];
    expect([...met.keys()].sort()).toEqual(expected.sort());
    expect(met.get('poll-seal')).toBeGreaterThan(100_000);
  }, 60_000);

  test('100000 mutants sealed by a peer gone mad: no exception, and what is taken can be written', () => {
    const mutator = new Mutator(seed);
    const met = new Map<string, number>();
    for (let i = 0; i < 100_000; i++) {
      const mutant = mutator.mutate(mutator.pick(frames), mutator.pick(frames)).slice(0, POLL_LENGTH_MAX);
      const end = mutant.length - SEAL_LENGTH;
      if (end < 20) continue;
      mutant.set([(end + 2) >> 8, (end + 2) & 0xff], 18);
      mutant.set(seal(mutant.subarray(0, end)), end);
      const decoded = decodePoll(mutant, tag, seal, [KEY_ID]);
      if (typeof decoded !== 'string') {
        const again = decodePoll(encodePoll(decoded, CLUSTER, POLL_GROUP, ONE, seal, KEY_ID), tag, seal, [KEY_ID]);
        if (typeof again === 'string') expect.fail(`${again}: ${Buffer.from(mutant).toString('hex')}`);
      }
      const kind = typeof decoded === 'string' ? decoded : 'taken';
      met.set(kind, (met.get(kind) ?? 0) + 1);
    }
    expect(met.get('poll-seal')).toBeUndefined();
    expect(met.get('poll-malformed')).toBeGreaterThan(1000);
    expect(met.get('taken')).toBeGreaterThan(1000);
  }, 60_000);

  test('frames of another key or cluster are not taken', () => {
    for (const poll of polls) {
      const otherKey = encodePoll(poll, CLUSTER, POLL_GROUP, ONE, sealWith('another key'), KEY_ID);
      expect(decodePoll(otherKey, tag, seal, [KEY_ID])).toBe('poll-seal');
      expect(decodePoll(encodePoll(poll, 'depot', POLL_GROUP, ONE, seal, KEY_ID), tag, seal, [KEY_ID])).toBe(
        'poll-cluster',
      );
    }
  });
});
