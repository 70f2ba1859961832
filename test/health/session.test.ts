import { describe, expect, it } from 'vitest';
import { DEFAULT, Fabric, seal } from './fabric.js';
import { clusterTag, decodePoll, encodePoll, POLL_GROUP, type Poll } from '../../src/frame/poll.js';
import type { Action } from '../../src/action.js';
import * as health from '../../src/health/monitor.js';
import { KEY_ID } from '../no-cipher.js';

const PAIR = { alpha: { eth0: 'A', eth1: 'B' }, beta: { eth0: 'A', eth1: 'B' } };

function settled(): Fabric {
  const fabric = new Fabric({ nodes: PAIR });
  fabric.recording = true;
  fabric.run(3000);
  return fabric;
}

/** Gives the bytes to alpha's NIC; what it says and what it counts as dropped. */
function inject(fabric: Fabric, nic: string, bytes: Uint8Array): { out: Action[]; dropped: string[]; same: boolean } {
  const { world, state } = fabric.hosts['alpha']!;
  const before = JSON.stringify({ ...state, dropped: {} });
  const counts = { ...state.dropped };
  const out: Action[] = [];
  health.take(world, state, fabric.now, { kind: 'frame-received', nic, bytes }, out);
  const dropped = Object.keys(state.dropped).filter((reason) => state.dropped[reason] !== counts[reason]);
  return { out, dropped, same: JSON.stringify({ ...state, dropped: {} }) === before };
}

const from = (fabric: Fabric, sender: string, receiver: string): Uint8Array =>
  fabric.frames.filter((it) => it.from === sender && it.to === receiver).at(-1)!.bytes;

describe('bad input is inert (S5)', () => {
  it('a frame played again is stale', () => {
    const fabric = settled();
    const bytes = from(fabric, 'beta/eth1', 'alpha/eth0');
    expect(inject(fabric, 'eth0', bytes)).toEqual({ out: [], dropped: ['poll-stale'], same: true });
  });

  it('a recording of one NIC played to another that has gone deaf is stale', () => {
    const fabric = settled();
    fabric.card('alpha/eth0').dropIn = true;
    const deafFrom = fabric.now;
    fabric.run(5000);
    const later = fabric.frames.filter((it) => it.from === 'beta/eth1' && it.to === 'alpha/eth1' && it.at > deafFrom);
    const old = later.filter((it) => it.at < fabric.now - 3 * DEFAULT.pollMs);
    expect(old.length).toBeGreaterThan(10);
    for (const { bytes } of old)
      expect(inject(fabric, 'eth0', bytes)).toEqual({ out: [], dropped: ['poll-stale'], same: true });
  });

  it('an own frame that came back is a loop, one of an earlier start is foreign', () => {
    const fabric = settled();
    expect(inject(fabric, 'eth1', from(fabric, 'alpha/eth1', 'beta/eth1')).dropped).toEqual(['poll-loop']);
    const old = from(fabric, 'alpha/eth1', 'alpha/eth0');
    fabric.boot('alpha', 'aaaaaaaaaaaaaaaa');
    expect(inject(fabric, 'eth0', old)).toEqual({ out: [], dropped: ['poll-foreign-incarnation'], same: true });
  });

  it('recordings from before the own start prove nothing', () => {
    const fabric = settled();
    const recorded = fabric.frames.filter((it) => it.from.startsWith('beta') && it.to === 'alpha/eth0');
    fabric.hosts['beta']!.stopped = true;
    const host = fabric.boot('alpha', 'aaaaaaaaaaaaaaaa');
    for (const { bytes } of recorded) expect(inject(fabric, 'eth0', bytes).dropped).toEqual(['poll-unproven']);
    expect(Object.keys(host.state.nics['eth0']!.hears).filter((key) => key.startsWith('beta'))).toEqual([]);
  });

  it('an incarnation that was replaced never counts again', () => {
    const fabric = settled();
    const recorded = fabric.frames.filter((it) => it.from.startsWith('beta') && it.to === 'alpha/eth0').at(-1)!;
    fabric.boot('beta', 'bbbbbbbbbbbbbbbb');
    fabric.run(3000);
    expect(fabric.hosts['alpha']!.state.sessions['beta']!.accepted).toBe('bbbbbbbbbbbbbbbb');
    expect(inject(fabric, 'eth0', recorded.bytes)).toEqual({ out: [], dropped: ['poll-retired'], same: true });
  });

  it('a restart of a peer moves nobody', () => {
    const fabric = settled();
    fabric.boot('beta', 'bbbbbbbbbbbbbbbb');
    fabric.run(3000);
    expect(Object.values(fabric.verdicts())).toEqual(['up', 'up', 'up', 'up']);
    const downs = fabric.hosts['alpha']!.events('nic-health').filter(({ to }) => to!.startsWith('down'));
    expect(downs).toEqual([]);
  });

  it('a sealed frame of a node or NIC that is not in the cluster file is dropped', () => {
    const fabric = settled();
    const poll = decodePoll(from(fabric, 'beta/eth1', 'alpha/eth0'), clusterTag('shop'), seal, [KEY_ID]) as Poll;
    for (const stranger of [{ node: 'gamma' }, { nic: 'eth9' }, { node: '__proto__' }]) {
      const bytes = encodePoll(
        { ...poll, ...stranger, sequence: 1e9 },
        'shop',
        POLL_GROUP,
        '02:00:00:00:00:09',
        seal,
        KEY_ID,
      );
      expect(inject(fabric, 'eth0', bytes)).toEqual({ out: [], dropped: ['poll-unknown-sender'], same: true });
    }
  });

  it('any flipped bit, of own and of others’ frames, is dropped and changes nothing', () => {
    const fabric = settled();
    for (const [nic, sender] of [
      ['eth0', 'beta/eth1'],
      ['eth0', 'alpha/eth1'],
    ] as const) {
      const good = from(fabric, sender, `alpha/${nic}`);
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bytes = good.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const { out, same } = inject(fabric, nic, bytes);
        expect(out).toEqual([]);
        expect(same).toBe(true);
      }
    }
  });
});
