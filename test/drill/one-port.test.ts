import { describe, expect, it } from 'vitest';
import type { Stay } from '../../drivers/lab.js';
import { strayMacs } from '../../src/drill/invariant/one-port.js';
import type { JournalEntry } from '../../src/status.js';

const MAC = '02:ba:73:00:00:64';

function stay(node: string, nic: string, fromMs: number, toMs: number): Stay {
  return { mac: MAC, node, nic, fromMs, toMs };
}

function taken(node: string, nic: string, at: number, mac = MAC): JournalEntry & { node: string } {
  return { at, node, nic, event: 'mac-taken', cause: 'placed', evidence: { mac } };
}

describe('S8: no MAC is sent from two switch ports within a second, the recorded move aside', () => {
  it('a move that its new place recorded', () => {
    expect(
      strayMacs([stay('alpha', 'eth0', 0, 100), stay('beta', 'eth0', 101, 200)], [taken('beta', 'eth0', 100)]),
    ).toEqual([]);
  });

  it('a move that nobody recorded', () => {
    expect(strayMacs([stay('alpha', 'eth0', 0, 100), stay('beta', 'eth0', 101, 200)], [])).toEqual([
      `S8: ${MAC} is sent from beta.eth0 at 101 ms, 1.0 ms after alpha.eth0, and that is no recorded move`,
    ]);
  });

  it.each([
    ['by another card of the node', taken('beta', 'eth1', 100)],
    ['by another node', taken('alpha', 'eth0', 100)],
    ['of another MAC', taken('beta', 'eth0', 100, '02:ba:73:00:00:65')],
    ['after it', taken('beta', 'eth0', 102)],
  ])('a record %s excuses nothing', (_, record) => {
    expect(strayMacs([stay('alpha', 'eth0', 0, 100), stay('beta', 'eth0', 101, 200)], [record])).toHaveLength(1);
  });

  it('the old place speaks once more: one record is one move', () => {
    const stays = [stay('alpha', 'eth0', 0, 100), stay('beta', 'eth0', 101, 200), stay('alpha', 'eth0', 201, 202)];
    const wrong = strayMacs(stays, [taken('alpha', 'eth0', 0), taken('beta', 'eth0', 100)]);
    expect(wrong).toEqual([expect.stringMatching(/alpha\.eth0 at 201 ms, 1\.0 ms after beta\.eth0/)]);
  });

  it('after a second of silence it may come from anywhere', () => {
    expect(strayMacs([stay('alpha', 'eth0', 0, 100), stay('beta', 'eth0', 1100, 1200)], [])).toEqual([]);
    expect(strayMacs([stay('alpha', 'eth0', 0, 100), stay('beta', 'eth0', 1099, 1200)], [])).toHaveLength(1);
  });
});
