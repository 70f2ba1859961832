import { describe, expect, it } from 'vitest';
import { decodeHearing, decodeTargets, encodeHearing, encodeTargets, NOT_LATELY } from '../../src/frame/testimony.js';
import { heardIn } from '../../src/health/hearing.js';
import * as health from '../../src/health/monitor.js';
import { describe as describeVerdict } from '../../src/health/verdict.js';
import { profiles } from '../../src/config/timing.js';
import { clusterOf, Wire } from './wire.js';

const verdict = (wire: Wire, node: string, nic: string): string =>
  describeVerdict(health.verdict(wire.peers[node]!.state, nic));

describe('a target that answers a peer', () => {
  it('condemns the NIC through which none answers, by heartbeat alone', () => {
    const wire = new Wire({ targets: ['10.1.0.254'] });
    wire.run(5000);
    expect(verdict(wire, 'alpha', 'eth1')).toMatch(/^up/);
    wire.answers = (node, nic) => node !== 'alpha' || nic !== 'eth1';
    wire.run(1500);
    expect(verdict(wire, 'alpha', 'eth1')).toBe('down unreachable');
    expect(verdict(wire, 'beta', 'eth1')).toMatch(/^up/);
    expect(health.netUp(wire.peers['beta']!.world, wire.peers['beta']!.state, 'alpha', 'public')).toBe(false);
    wire.run(20_000);
    expect(verdict(wire, 'alpha', 'eth1')).toBe('down unreachable');
    wire.answers = () => true;
    wire.run(10_000);
    expect(verdict(wire, 'alpha', 'eth1')).toMatch(/^up/);
  });

  it.each(['default', 'fast'] as const)(
    'a target that dies for all condemns no NIC, whenever it does (%s)',
    (profile) => {
      const timing = profiles[profile];
      for (let phase = 0; phase < 1; phase += 0.05) {
        const wire = new Wire({ targets: ['10.1.0.254'], timing });
        wire.run(300 * phase * 0.37);
        wire.boot('beta');
        wire.run(20 * timing.pollMs + phase * timing.pollMs);
        wire.answers = () => false;
        wire.run(30 * timing.pollMs);
        for (const node of ['alpha', 'beta']) {
          const downs = wire.peers[node]!.journal.filter(
            (it) => it.event === 'nic-health' && it.to!.startsWith('down'),
          );
          expect(downs).toEqual([]);
        }
      }
    },
  );
});

describe('hearing', () => {
  it('of a net under full polling reaches a node that hears nothing of it', () => {
    const cluster = clusterOf({ nodes: ['alpha', 'beta', 'gamma'] });
    const wire = new Wire({ nodes: ['alpha', 'beta', 'gamma'] });
    wire.run(300);
    const reports = wire.peers['alpha']!.state.nets['public']!.reports;
    expect(Object.keys(reports).sort()).toEqual(['beta/eth1', 'gamma/eth1']);
    expect(Object.keys(heardIn(reports['beta/eth1']!)).sort()).toEqual(['alpha/eth1', 'gamma/eth1']);
    expect(cluster.nodes).toHaveLength(3);
  });

  it('is these bytes', () => {
    const said = {
      net: 1,
      rows: [
        {
          member: 2,
          target: 1,
          lossPermille: 300,
          heard: [
            { member: 0, agoMs: 12 },
            { member: 3, agoMs: NOT_LATELY },
          ],
        },
      ],
    };
    const { kind, bytes } = encodeHearing(said);
    expect([kind, Buffer.from(bytes).toString('hex')]).toEqual([
      3,
      '0001010002' + '01012c02' + '0000000c' + '0003ffff',
    ]);
    expect(decodeHearing(bytes)).toEqual(said);
    for (let length = 0; length < bytes.length; length++) expect(decodeHearing(bytes.subarray(0, length))).toBe(null);
    expect(decodeHearing(Uint8Array.of(...bytes, 0))).toBe(null);
  });

  it('what does not fit is left out', () => {
    const heard = Array.from({ length: 300 }, (_, member) => ({ member, agoMs: member }));
    const { bytes } = encodeHearing({
      net: 0,
      rows: [0, 1].map((member) => ({ member, target: 0, lossPermille: 0, heard })),
    });
    expect(bytes.length).toBeLessThanOrEqual(400);
    expect(decodeHearing(bytes)!.rows.map((row) => row.heard.length)).toEqual([97]);
  });
});

it('targets are these bytes', () => {
  const { kind, bytes } = encodeTargets({ first: 3, agoMs: [20, Infinity, -1] });
  expect([kind, Buffer.from(bytes).toString('hex')]).toEqual([2, '0003' + '0014' + 'ffff' + '0000']);
  expect(decodeTargets(bytes)).toEqual({ first: 3, agoMs: [20, NOT_LATELY, 0] });
  expect(decodeTargets(bytes.subarray(1))).toBe(null);
});
