/** Journal and blows → lanes. */
import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../../src/status.js';
import { absences, type Told } from '../../../src/drill/picture/absence.js';
import { coordinatorLane, holderLanes, outageLanes, votersLane } from '../../../src/drill/picture/cluster-lanes.js';
import { Track, type LaneGroup, type Segment } from '../../../src/drill/picture/lane.js';
import { nodeGroup } from '../../../src/drill/picture/node-lanes.js';
import { toneOfNode } from '../../../src/drill/picture/palette.js';
import { strokes } from '../../../src/drill/picture/part.js';
import type { Setting, SettingNic } from '../../../src/drill/setting.js';

function nic(name: string, role: 'primary' | 'standby'): SettingNic {
  return { name, cables: [{ card: name, switch: 'left' }], net: 'public', role, private: false };
}

const SETTING: Setting = {
  switches: [{ name: 'left', private: false }],
  trunks: [],
  nodes: ['alpha', 'beta'].map((name) => ({
    name,
    nics: [nic('eth0', 'primary'), nic('eth1', 'standby')],
    addresses: [],
  })),
  serial: [],
  clients: [],
  disks: 0,
  packages: [{ name: 'web', nodes: ['alpha', 'beta'], addresses: ['10.77.0.100'] }],
};

const toneOf = (node: string) => toneOfNode(['alpha', 'beta'], node);

function told(at: number, event: JournalEvent, more: Partial<Told> = {}): Told {
  return { at, event, node: 'alpha', cause: 'test', ...more };
}

function groupOf(journal: Told[], blows: [number, 'fault' | 'heal', string][] = [], endMs = 1000): LaneGroup {
  const acts = blows.map(([at, kind, what]) => ({ at, kind, what }));
  const away = absences(strokes([], acts), journal, endMs);
  return nodeGroup(SETTING, SETTING.nodes[0]!, journal, away, toneOf, endMs);
}

/** `0-10 text`, thin ones in brackets. */
function shown(segments: readonly Segment[] = []): string[] {
  return segments.map(({ fromMs, toMs, text, thin }) => `${fromMs}-${toMs} ${thin ? `(${text})` : text}`);
}

function lane({ lanes }: LaneGroup, label: string): string[] {
  return shown(lanes.find((one) => one.label === label)?.segments);
}

describe('a track', () => {
  it('joins what is equal, leaves out what lasted no time, and ends with the drill', () => {
    const track = new Track();
    const state = (text: string) => ({ tone: 'good', text }) as const;
    track.set(0, state('a'));
    track.set(5, state('a'));
    track.set(10, state('b'));
    track.set(10, state('c'));
    track.set(20, null);
    track.set(30, state('a'));
    expect(shown(track.segments(40))).toEqual(['0-10 a', '10-20 c', '30-40 a']);
  });
});

describe('a NIC', () => {
  it('shows its health, and what it carries through a local switch and back', () => {
    const group = groupOf([
      told(0, 'nic-health', { nic: 'eth0', to: 'up' }),
      told(0, 'nic-health', { nic: 'eth1', to: 'up' }),
      told(0, 'adopted', { nic: 'eth0', evidence: { addresses: ['10.77.0.1/24'] } }),
      told(100, 'nic-health', { nic: 'eth0', to: 'down carrier' }),
      told(102, 'switch-done', { from: 'eth0', to: 'eth1', evidence: { addresses: ['10.77.0.1/24'] } }),
      told(500, 'nic-health', { nic: 'eth0', to: 'up' }),
    ]);
    expect(lane(group, 'eth0, primary')).toEqual([
      '0-100 10.77.0.1',
      '100-102 down carrier: 10.77.0.1',
      '102-500 down carrier',
      '500-1000 (up)',
    ]);
    expect(lane(group, 'eth1, standby')).toEqual(['0-102 (up, waits)', '102-1000 10.77.0.1']);
  });

  it('carries the address of a package from the announcement until that halts', () => {
    const group = groupOf([
      told(0, 'nic-health', { nic: 'eth0', to: 'up' }),
      told(10, 'package', { package: 'web', from: 'starting', to: 'running' }),
      told(10, 'announced', { nic: 'eth0', address: '10.77.0.100' }),
      told(50, 'package', { package: 'web', from: 'halting', to: 'halted' }),
    ]);
    expect(lane(group, 'eth0, primary')).toEqual(['0-10 (up)', '10-50 10.77.0.100', '50-1000 (up)']);
    expect(lane(group, 'runs web')).toEqual(['10-50 web']);
  });

  it('has a lane though nothing was told of it; other lanes stand only where something was', () => {
    const group = groupOf([]);
    expect(group.lanes.map(({ label }) => label)).toEqual(['eth0, primary', 'eth1, standby']);
  });
});

describe('role, lease, gate, peers, alarms', () => {
  it('role names the coordinator and the term', () => {
    const group = groupOf([
      told(0, 'role', { from: 'follower', to: 'candidate', evidence: { term: 3 } }),
      told(10, 'role', { from: 'candidate', to: 'coordinator', evidence: { term: 3 } }),
      told(20, 'role', { from: 'coordinator', to: 'follower', evidence: { term: 4 } }),
      told(30, 'coordinator', { to: 'beta', evidence: { term: 4 } }),
    ]);
    expect(lane(group, 'role')).toEqual([
      '0-10 candidate, term 3',
      '10-20 coordinator, term 3',
      '20-30 no coordinator',
      '30-1000 follows beta, term 4',
    ]);
  });

  it.each([
    [
      'lease',
      [told(0, 'lease', { from: 'over', to: 'valid' }), told(9, 'lease', { from: 'valid', to: 'over' })],
      ['0-9 valid', '9-1000 none'],
    ],
    [
      'gate',
      [told(0, 'gate', { to: 'closed' }), told(9, 'gate', { to: 'open' }), told(12, 'gate', {})],
      ['0-9 closed', '9-1000 open'],
    ],
    [
      'hears beta',
      [
        told(0, 'peer-health', { peer: 'beta', to: 'alive' }),
        told(5, 'path', { peer: 'beta', net: 'private1', to: 'down' }),
        told(7, 'rerouted', { peer: 'beta', to: 'public' }),
        told(9, 'path', { peer: 'beta', net: 'private1', to: 'up' }),
        told(10, 'rerouted', { peer: 'beta', to: 'private' }),
        told(20, 'peer-health', { peer: 'beta', to: 'lost' }),
      ],
      [
        '0-5 alive',
        '5-7 alive, private1 down',
        '7-9 alive, rerouted, private1 down',
        '9-10 alive, rerouted',
        '10-20 alive',
        '20-1000 lost',
      ],
    ],
    [
      'alarms',
      [
        told(0, 'alarm-raised', { cause: 'node-lost', peer: 'beta' }),
        told(5, 'alarm-raised', { cause: 'no-quorum' }),
        told(9, 'alarm-cleared', { cause: 'node-lost', peer: 'beta' }),
        told(12, 'alarm-cleared', { cause: 'no-quorum' }),
      ],
      ['0-5 node-lost', '5-9 node-lost, no-quorum', '9-12 no-quorum'],
    ],
  ] as [string, Told[], string[]][])('%s', (label, journal, expected) => {
    expect(lane(groupOf(journal), label)).toEqual(expected);
  });
});

describe('a node that is away', () => {
  const life = [told(0, 'gate', { to: 'open' }), told(400, 'node-started'), told(400, 'gate', { to: 'closed' })];

  it.each([
    ['power-off alpha', 'no power'],
    ['kill alpha', 'daemon killed'],
    ['stop alpha', 'daemon stopped'],
  ])('%s: its lanes end, and begin anew when it has started', (what, text) => {
    const group = groupOf(life, [
      [100, 'fault', what],
      [300, 'heal', what],
    ]);
    expect(lane(group, 'gate')).toEqual(['0-100 open', '400-1000 closed']);
    expect(shown(group.away)).toEqual([`100-400 ${text}`]);
  });

  it('frozen: its lanes go on under the veil, for that is what it believes', () => {
    const group = groupOf(
      [told(0, 'gate', { to: 'open' })],
      [
        [100, 'fault', 'freeze alpha'],
        [300, 'heal', 'freeze alpha'],
      ],
    );
    expect(lane(group, 'gate')).toEqual(['0-1000 open']);
    expect(shown(group.away)).toEqual(['100-300 daemon frozen']);
  });

  it('never healed: until the end; the other node is not meant', () => {
    expect(shown(groupOf(life, [[500, 'fault', 'kill alpha']]).away)).toEqual(['500-1000 daemon killed']);
    expect(absences(strokes([], [{ at: 5, kind: 'fault', what: 'kill beta' }]), [], 9).map(({ node }) => node)).toEqual(
      ['beta'],
    );
  });

  it('off from before the start, and frozen for a time by itself', () => {
    const off = absences(strokes(['power-off alpha'], [{ at: 5, kind: 'heal', what: 'power-off alpha' }]), [], 100);
    expect(off).toEqual([{ node: 'alpha', fromMs: -Infinity, toMs: 5, text: 'no power' }]);
    const frozen = absences(strokes([], [{ at: 5, kind: 'fault', what: 'freeze-for alpha 20ms' }]), [], 100);
    expect(frozen).toEqual([{ node: 'alpha', fromMs: 5, toMs: 25, text: 'daemon frozen' }]);
  });
});

describe('the cluster', () => {
  it('who answered, in the tone of the node; two holders over it', () => {
    const address = '10.77.0.100';
    const overlap = { address, nodes: ['alpha', 'beta'], fromMs: 90, toMs: 100 };
    const [found] = holderLanes(
      {
        setting: SETTING,
        holds: [
          { address, node: 'alpha', fromMs: 0, toMs: 100 },
          { address, node: 'beta', fromMs: 90, toMs: 2000 },
        ],
        twoHolders: { totalMs: 10, overlaps: [overlap] },
        endedAt: 1000,
      },
      toneOf,
    );
    expect(shown(found?.segments)).toEqual(['0-100 alpha', '90-1000 beta', '90-100 two holders']);
    expect(found?.segments.map(({ tone }) => tone)).toEqual(['node0', 'node1', 'bad']);
  });

  it('one address stands for its package where there are many', () => {
    const addresses = Array.from({ length: 12 }, (_, i) => `10.77.0.${100 + i}`);
    const many = { ...SETTING, packages: [{ name: 'web', nodes: ['alpha'], addresses }] };
    const lanes = holderLanes({ setting: many, holds: [], twoHolders: null, endedAt: 1 }, toneOf);
    expect(lanes.map(({ label }) => label)).toEqual(['web 10.77.0.100']);
    expect(lanes[0]?.detail).toContain('the other 11');
  });

  it.each([
    [[], 10, 'none'],
    [[], 0, 'never answered'],
    [[{ fromMs: 5, toMs: 22.3 }], 10, 'longest 17.3 ms'],
  ])('outages with gaps %j and %i answers: %s', (gaps, answered, sum) => {
    const longestMs = Math.max(0, ...gaps.map(({ fromMs, toMs }) => toMs - fromMs));
    const [found] = outageLanes([{ client: 'client', address: '10.77.0.1', sent: 10, answered, gaps, longestMs }]);
    expect(found?.sum).toBe(sum);
    expect(found?.segments.map(({ text }) => text)).toEqual(gaps.length === 0 ? [] : ['17.3 ms']);
  });

  it('coordinator: until it steps down, dies, or another one is elected', () => {
    const elected = (at: number, node: string, term: number) =>
      told(at, 'role', { node, from: 'candidate', to: 'coordinator', evidence: { term } });
    const journal = [
      elected(10, 'alpha', 1),
      elected(50, 'beta', 2),
      told(60, 'role', { node: 'alpha', from: 'coordinator', to: 'follower' }),
      told(80, 'role', { node: 'beta', from: 'coordinator', to: 'follower' }),
      elected(100, 'alpha', 3),
    ];
    const away = absences(strokes([], [{ at: 200, kind: 'fault', what: 'power-off alpha' }]), journal, 300);
    const { segments } = coordinatorLane(journal, away, toneOf, 300);
    expect(shown(segments)).toEqual(['10-50 alpha, term 1', '50-80 beta, term 2', '100-200 alpha, term 3']);
  });

  it('voters: as whoever is first tells it, joint ones marked', () => {
    const { segments } = votersLane(
      [
        told(50, 'voters', { from: 'alpha, beta', to: 'alpha with alpha, beta', cause: 'joint' }),
        told(60, 'voters', { to: 'alpha', cause: 'final' }),
        told(70, 'voters', { node: 'beta', to: 'alpha', cause: 'final' }),
      ],
      100,
    );
    expect(shown(segments)).toEqual(['0-50 alpha, beta', '50-60 alpha with alpha, beta', '60-100 alpha']);
    expect(segments[1]?.tone).toBe('warn');
  });
});
