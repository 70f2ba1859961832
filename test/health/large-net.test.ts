/** What 64 nodes with four NICs each have to say of each other fits into no frame and no beat: it goes round by round. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEARTBEAT_LENGTH_MAX, roomForParts } from '../../src/frame/heartbeat.js';
import { lengthOf } from '../../src/frame/part.js';
import { PART_MAX } from '../../src/frame/part.js';
import { clusterTag, decodePoll, encodePoll, POLL_GROUP, POLL_LENGTH_MAX, type Poll } from '../../src/frame/poll.js';
import { decodeHearing, HEARING } from '../../src/frame/testimony.js';
import { testimony } from '../../src/health/testimony.js';
import { KEY_ID } from '../no-cipher.js';
import { DEFAULT, Fabric, seal } from './fabric.js';

const nameOf = (i: number, length: number): string => `n${i}`.padEnd(length, 'x');

/** Node → NIC → switch. */
function nodesOf(nodes: number, nics: number, nodeLength: number, nicLength: number) {
  const cards = Object.fromEntries(Array.from({ length: nics }, (_, i) => [nameOf(i, nicLength), 'A']));
  return Object.fromEntries(Array.from({ length: nodes }, (_, i) => [nameOf(i, nodeLength), cards]));
}

function pollOf(nodes: number, nics: number, nodeLength: number, nicLength: number): Poll {
  const names = Array.from({ length: nodes }, (_, i) => nameOf(i, nodeLength));
  const cards = Array.from({ length: nics }, (_, i) => nameOf(i, nicLength));
  const others = (nic: string) =>
    names
      .flatMap((node) => cards.map((card) => ({ node, nic: card, agoMs: 7 })))
      .filter((it) => it.node !== names[0] || it.nic !== nic);
  return {
    ...{ kind: 'full', asks: true, poller: true, node: names[0]!, nic: cards[0]!, net: 'public' },
    ...{ incarnation: '0123456789abcdef', sequence: 0, round: 0 },
    keys: { sealedWith: KEY_ID, known: [KEY_ID, 'c0ffee11'], settled: true },
    sessions: names.slice(1).map((node) => ({ node, incarnation: 'fedcba9876543210', heard: 1 })),
    rows: cards.map((nic) => ({ nic, target: 'answers', lossPermille: 0, heard: others(nic) })),
  };
}

const sizes = fc.record({
  nodes: fc.integer({ min: 1, max: 64 }),
  nics: fc.integer({ min: 1, max: 4 }),
  nodeLength: fc.integer({ min: 3, max: 63 }),
  nicLength: fc.integer({ min: 2, max: 15 }),
  from: fc.nat(2 ** 48 - 11),
});

describe('a poll frame of a large net', () => {
  it('is never longer than 1400 bytes, and ten in a row name every NIC in the own row', () => {
    fc.assert(
      fc.property(sizes, ({ nodes, nics, nodeLength, nicLength, from }) => {
        const poll = pollOf(nodes, nics, nodeLength, nicLength);
        const named = new Set<string>();
        for (let sequence = from; sequence < from + 10; sequence++) {
          const bytes = encodePoll({ ...poll, sequence }, 'shop', POLL_GROUP, '02:00:00:00:00:01', seal, KEY_ID);
          expect(bytes.length).toBeLessThanOrEqual(POLL_LENGTH_MAX);
          const back = decodePoll(bytes, clusterTag('shop'), seal, [KEY_ID]) as Poll;
          for (const { node, nic } of back.rows[0]!.heard) named.add(`${node}/${nic}`);
        }
        expect(named.size).toBe(nodes * nics - 1);
      }),
      { numRuns: 60, examples: [[{ nodes: 64, nics: 4, nodeLength: 63, nicLength: 15, from: 1 }]] },
    );
  });
});

describe('a heartbeat of a large net', () => {
  it('has room for the longest part, however long the names are', () => {
    const name = 'x'.repeat(63);
    expect(roomForParts(name, name, 'x'.repeat(32))).toBeGreaterThanOrEqual(PART_MAX + 3);
  });

  it('says what it has to say of 64 nodes with four NICs within its size, and by and by all of it', () => {
    const fabric = new Fabric({ nodes: nodesOf(64, 4, 63, 15), targets: ['10.77.0.254'] });
    const { world, state } = Object.values(fabric.hosts)[0]!;
    expect(state.nets['public']!.polling).toBe('full');
    const said = new Set<string>();
    for (let sequence = 0; sequence < 12; sequence++) {
      const parts = testimony(world, state, sequence, fabric.now);
      const room = roomForParts('x'.repeat(63), 'x'.repeat(63), 'x'.repeat(32));
      expect(parts.reduce((sum, part) => sum + lengthOf(part), 0)).toBeLessThan(
        Math.min(room, HEARTBEAT_LENGTH_MAX / 2),
      );
      const { rows } = decodeHearing(parts.find(({ kind }) => kind === HEARING)!.bytes)!;
      for (const { member, heard } of rows) for (const entry of heard) said.add(`${member} ${entry.member}`);
    }
    expect(said.size).toBe(4 * 255);
  });
});

describe('a net whose rows do not fit into its frames', () => {
  it('condemns what is out of order, and nothing else', { timeout: 120_000 }, () => {
    // Nine nodes whose names are as long as names may be have more to say than 1400 bytes hold.
    const fabric = new Fabric({ nodes: nodesOf(9, 4, 63, 15) });
    fabric.run(6 * DEFAULT.pollMs);
    const { reports } = Object.values(fabric.hosts)[0]!.state.nets['public']!;
    expect(Object.values(reports).some(({ words }) => words.length > 1)).toBe(true);
    expect(new Set(Object.values(fabric.verdicts()))).toEqual(new Set(['up']));
    const [mute, deaf] = [7, 8].map((i) => `${nameOf(i, 63)}/${nameOf(3, 15)}`) as [string, string];
    fabric.inflict({ kind: 'out', at: mute });
    fabric.inflict({ kind: 'in', at: deaf });
    fabric.run(10 * DEFAULT.pollMs);
    const expected = fabric.cards.map(({ key }) => [key, { [mute]: 'down mute', [deaf]: 'down deaf' }[key] ?? 'up']);
    expect(fabric.verdicts()).toEqual(Object.fromEntries(expected));
    const condemned = Object.values(fabric.hosts).flatMap((host) => host.events('nic-health'));
    expect(condemned.filter(({ to }) => to!.startsWith('down'))).toHaveLength(2);
  });
});
