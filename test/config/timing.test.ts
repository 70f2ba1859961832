import { describe, expect, test } from 'vitest';
import { parseCluster } from '../../src/config/parse.js';
import { brokenRules, completeTiming, profiles } from '../../src/config/timing.js';

describe('rules, refused with the numbers', () => {
  test.each(['default', 'fast', 'calm'] as const)('the profile %s keeps them all', (profile) => {
    expect(brokenRules(profiles[profile])).toEqual([]);
  });

  test.each<[string, Partial<typeof profiles.default>, string[]]>([
    ['pollMisses 2 is enough', { pollMisses: 2 }, []],
    [
      'pollMisses 1 is not',
      { pollMisses: 1 },
      ['pollMisses is 1; at least 2, for one lost frame must not condemn a NIC'],
    ],
    ['carrierPoll as long as poll', { carrierPollMs: 200 }, []],
    [
      'carrierPoll longer than poll',
      { carrierPollMs: 201 },
      ['carrierPoll is 201ms, longer than poll (200ms); at most 200ms'],
    ],
    ['poll of 5 ms', { pollMs: 5, carrierPollMs: 5 }, []],
    [
      'poll of 4 ms',
      { pollMs: 4, carrierPollMs: 4 },
      ["poll is 4ms; at least 5ms, for the kernel's own delays come near it"],
    ],
    ['margin of 15 ms', { marginMs: 15 }, []],
    ['margin of 14 ms', { marginMs: 14 }, ['margin is 14ms; at least 15ms, for the gate itself may be that late']],
    ['heartbeat of a quarter of the lease', { heartbeatMs: 237 }, []],
    [
      'heartbeat above it',
      { heartbeatMs: 238 },
      [
        'heartbeat is 238ms, more than a quarter of the lease of 948.051ms that nodeTimeout 1s and margin 50ms leave; at most 237ms',
      ],
    ],
    ['renewLateMax of a tenth of the lease', { renewLateMaxMs: 94 }, []],
    [
      'renewLateMax above it',
      { renewLateMaxMs: 95 },
      [
        'renewLateMax is 95ms, more than a tenth of the lease of 948.051ms that nodeTimeout 1s and margin 50ms leave; at most 94.8ms',
      ],
    ],
    [
      'no lease left',
      { nodeTimeoutMs: 50, heartbeatMs: 10 },
      ['nodeTimeout is 50ms, which leaves no lease: it must exceed margin (50ms) with the clock error, 50.05ms'],
    ],
  ])('%s', (_what, change, expected) => {
    expect(brokenRules({ ...profiles.default, ...change }).map(({ text }) => text)).toEqual(expected);
  });

  test('a mapping without renewLateMax gets one that its lease allows', () => {
    const timing = completeTiming({ heartbeatMs: 10, nodeTimeoutMs: 60, marginMs: 15, pollMs: 20, carrierPollMs: 10 });
    expect(brokenRules(timing)).toEqual([]);
    expect(timing.renewLateMaxMs).toBeCloseTo(4.4, 5);
  });

  test('a problem points at its key', () => {
    const text = `cluster: a
key: /k
timing: { poll: 100ms, pollMisses: 1 }
nets: { public: }
nodes: { alpha: { public: { primary: eth0 } } }
`;
    expect(() => parseCluster(text)).toThrow('cluster.yaml:3:36: timing.pollMisses: pollMisses is 1; at least 2');
  });
});
