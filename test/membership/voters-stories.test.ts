/** Stories of voters that change, in the arena and under its judge: what random troubles seldom or never make. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type * as quorum from '../../src/membership/quorum.js';
import { ARBITER, type Document } from '../../src/membership/document.js';
import type { DurableRecord } from '../../src/membership/state.js';
import { planted, type Plant } from './plants.js';
import type { SimNode } from './sim-node.js';
import { documentOf, ids, on, v, voter } from './stand.js';
import { isViolation } from './troubles.js';
import { Arena, type ArenaOptions, type Mode } from './world.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));
vi.mock('../../src/membership/quorum.js', async (original) => {
  const real = await original<typeof quorum>();
  const { planted: bugs } = await import('./plants.js');
  const seen = (voters: Document['voters']): Document['voters'] => (bugs.has('joint') ? { next: voters.next } : voters);
  return {
    ...real,
    isQuorum: (voters: Document['voters'], has: (voter: string) => boolean) => real.isQuorum(seen(voters), has),
    quorumTime: (voters: Document['voters'], at: (voter: string) => number | undefined) =>
      real.quorumTime(seen(voters), at),
  };
});

const SEEDS = Array.from({ length: 3 }, (_, i) => i + 1);

afterEach(() => planted.clear());

function begin(seed: number, mode: Mode, options: ArenaOptions = {}): Arena {
  return new Arena(seed, { mode, calm: true, packages: ['web'], ...options });
}

/** Up to the first placement. */
function running(seed: number, mode: Mode): Arena {
  const arena = begin(seed, mode);
  arena.runUntil(4000);
  expect(arena.runsAll()).toBe(true);
  return arena;
}

function stored(name: string, document: Document): DurableRecord {
  return { storageId: ids[name]!, term: document.version.term, votedFor: null, document };
}

function cutApart(arena: Arena, ...groups: string[][]): void {
  for (const one of groups)
    for (const other of groups)
      if (one !== other) for (const a of one) for (const b of other) arena.cut.add(`${a}>${b}`);
}

function others(arena: Arena, ...but: (SimNode | undefined)[]): SimNode[] {
  return arena.nodes.filter((node) => !but.includes(node));
}

function votersAt(node: SimNode): string {
  const { next, previous } = node.state.record.document!.voters;
  const names = (voters: typeof next): string =>
    voters
      .map(({ name }) => name)
      .sort()
      .join(' ');
  return names(next) + (previous === undefined ? '' : ` with ${names(previous)}`);
}

/** Until it is so, or this much later; says when. */
function until(arena: Arena, isSo: () => boolean, withinMs: number): number {
  const end = arena.t + withinMs;
  while (!isSo() && arena.t < end) arena.runUntil(arena.t + 10);
  expect(isSo()).toBe(true);
  return arena.t;
}

describe.each(SEEDS)('seed %i', (seed) => {
  test('E2: the only newer document is on a node that it does not list: it stands, and all goes on from there', () => {
    const all = ['alpha', 'beta', 'gamma', 'delta'];
    const joint = documentOf(v(1, 5), on('beta', v(1, 3)), ['alpha', 'beta', 'gamma']);
    joint.voters.previous = all.map(voter);
    const final = documentOf(v(1, 6), on('gamma', v(1, 6)), ['alpha', 'beta', 'gamma']);
    const disks = { beta: stored('beta', joint), gamma: stored('gamma', joint), delta: stored('delta', final) };
    const arena = begin(seed, 'n4', { disks, off: ['alpha'] });
    until(arena, () => arena.coordinator() !== undefined, 4000);
    expect(arena.coordinator()?.name).toBe('delta');
    until(arena, () => arena.runsAll(), 2000);
    // What delta alone knew was not lost: web is where the final document placed it.
    expect(arena.holder('web')).toBe('gamma');
    // It takes itself in again.
    until(arena, () => votersAt(arena.node('delta')) === 'beta delta gamma', 4000);
  });

  test('S1, E8: voters change while the lease of a silent holder runs, then the coordinator dies', () => {
    const arena = running(seed, 'n4');
    const coordinator = arena.coordinator()!;
    const next = others(arena, coordinator)[0]!;
    if (arena.holder('web') === coordinator.name) coordinator.moves.add('web');
    arena.runUntil(5000);
    const holder = arena.node(arena.holder('web')!);
    expect(holder).not.toBe(coordinator);
    // It has said goodbye, serves on, and is cut off when that costs it its vote: so its lease outlives its vote.
    arena.left.add(holder.name);
    arena.atJoint = () =>
      cutApart(
        arena,
        [holder.name],
        others(arena, holder).map(({ name }) => name),
      );
    until(arena, () => !votersAt(coordinator).includes(holder.name), 1500);
    expect(arena.holder('web')).toBe(holder.name);
    coordinator.crash(true);
    arena.runUntil(arena.t + 4000);
    expect(arena.coordinator()).toBeDefined();
    expect(next.up).toBe(true);
    expect(arena.runsAll()).toBe(true);
  });

  test.each([0.5, 4, 12, 30])(
    'V3: the coordinator dies %d ms after its joint document: the next one finishes',
    (ms) => {
      const arena = running(seed, 'n4');
      const first = arena.coordinator()!;
      arena.atJoint = () => arena.after(ms, () => first.crash(true));
      const lost = others(arena, first)[0]!;
      lost.crash(true);
      until(arena, () => !first.up, 4000);
      // Two of four: nobody, until one of them is back.
      arena.runUntil(arena.t + 1000);
      lost.start();
      until(arena, () => arena.coordinator() !== undefined && arena.runsAll(), 6000);
      const three = others(arena, first)
        .map(({ name }) => name)
        .sort()
        .join(' ');
      until(arena, () => votersAt(arena.coordinator()!) === three, 5000);
      first.start();
      until(arena, () => votersAt(arena.coordinator()!).split(' ').length === 4, 5000);
    },
  );

  test('9: two nodes and an arbiter: node lost, then arbiter lost: the survivor serves on; the lost one alone waits', () => {
    const arena = running(seed, 'k2');
    const survivor = arena.coordinator()!;
    const [lost] = others(arena, survivor) as [SimNode];
    lost.crash(true);
    until(arena, () => votersAt(survivor) === survivor.name, 4000);
    arena.runUntil(arena.t + 1000);
    arena.arbiter.up = false;
    const { stat } = arena;
    const overs = stat['lease'];
    arena.runUntil(arena.t + 5000);
    expect(arena.holder('web')).toBe(survivor.name);
    expect(stat['lease']).toBe(overs);
    survivor.crash(true);
    lost.start();
    arena.runUntil(arena.t + 15_000);
    expect(arena.coordinator()).toBeUndefined();
    // The arbiter tells it who has the newest document, and does not make up for that.
    arena.arbiter.up = true;
    arena.runUntil(arena.t + 15_000);
    expect(arena.coordinator()).toBeUndefined();
    expect(votersAt(lost)).toBe(survivor.name);
    survivor.start();
    until(arena, () => arena.runsAll() && votersAt(arena.coordinator()!) === `${ARBITER} alpha beta`, 15_000);
  });

  test('9: the arbiter dies before the change to the survivor is committed: it is dark, and goes on with the arbiter', () => {
    const arena = running(seed, 'k2');
    const survivor = arena.coordinator()!;
    others(arena, survivor)[0]!.crash(true);
    until(arena, () => arena.runsAll() && arena.coordinator() === survivor, 3000);
    arena.atJoint = () => (arena.arbiter.up = false);
    until(arena, () => !arena.arbiter.up, 3000);
    arena.runUntil(arena.t + 2000);
    expect(arena.coordinator()).toBeUndefined();
    expect(arena.runsAll()).toBe(false);
    arena.arbiter.up = true;
    until(arena, () => arena.runsAll(), 12_000);
    until(arena, () => votersAt(survivor) === survivor.name, 5000);
  });

  test('A6, V4: an arbiter that is lost and made anew in the middle of a change is taken in, and nothing is lost', () => {
    const arena = running(seed, 'k4');
    const before = arena.arbiter.record!.storageId;
    arena.atJoint = () => (arena.arbiter.record = null);
    const [lost] = others(arena, arena.coordinator()) as [SimNode];
    lost.crash(true);
    until(arena, () => arena.arbiter.record?.storageId !== before, 5000);
    until(arena, () => votersAt(arena.coordinator()!).split(' ').length === 3, 5000);
    lost.start();
    until(arena, () => votersAt(arena.coordinator()!) === `${ARBITER} alpha beta delta gamma`, 5000);
    const { document } = arena.coordinator()!.state.record;
    const listed = document!.voters.next.find(({ name }) => name === ARBITER);
    expect(listed?.storageId).toBe(arena.arbiter.record!.storageId);
    expect(listed?.storageId).not.toBe(before);
    expect(arena.runsAll()).toBe(true);
  });

  test('S12: nodes go over to another file one by one; nobody serves under both, and it is dark for less than two seconds', () => {
    const arena = running(seed, 'n3');
    arena.file(['alpha', 'beta', 'gamma', 'delta']);
    arena.node('delta').start();
    let dark = 0;
    for (const name of ['alpha', 'beta', 'gamma']) {
      const node = arena.node(name);
      node.crash(false);
      node.cluster = arena.cluster;
      arena.after(300, () => node.start());
      for (let i = 0; i < 600; i++) {
        arena.runUntil(arena.t + 10);
        if (!arena.runsAll()) dark += 10;
      }
    }
    expect(dark).toBeLessThan(2000);
    expect(votersAt(arena.coordinator()!)).toBe('alpha beta delta gamma');
  });
});

/** Plays a story with that bug over some seeds: what the judge says of it, null: nothing. */
function caught(plant: Plant | null, story: (seed: number) => void): string | null {
  planted.clear();
  if (plant !== null) planted.add(plant);
  for (const seed of SEEDS) {
    try {
      story(seed);
    } catch (error) {
      if (!isViolation(error)) throw error;
      return error.message;
    }
  }
  return null;
}

/** Five nodes; two are lost, and as the coordinator changes the voters it is left with one of the other three. */
function halves(seed: number): void {
  const arena = begin(seed, 'n5');
  arena.runUntil(4000);
  const first = arena.coordinator()!;
  const [stays, goes, ...lost] = others(arena, first) as [SimNode, SimNode, SimNode, SimNode];
  for (const node of lost) node.crash(true);
  arena.atJoint = () => {
    cutApart(
      arena,
      [first.name, stays.name],
      [goes, ...lost].map(({ name }) => name),
    );
    for (const node of lost) node.start();
  };
  arena.runUntil(12_000);
  first.moves.add('web');
  arena.runUntil(16_000);
  arena.cut.clear();
  arena.runUntil(20_000);
}

/** What two nodes decided, while a third was cut off, is known to one of them when the other dies. */
function stale(seed: number): void {
  const arena = running(seed, 'n3');
  const first = arena.coordinator()!;
  const [witness, cutOff] = others(arena, first) as [SimNode, SimNode];
  cutApart(arena, [cutOff.name], [first.name, witness.name]);
  first.moves.add('web');
  arena.runUntil(7000);
  arena.cut.clear();
  first.crash(true);
  // So that the other one stands first.
  witness.pause(900);
  arena.runUntil(10_000);
}

/** Two of three decide; of these one loses its disk, the other its power; the third knows the formation only. */
function forgetful(seed: number): void {
  const first = documentOf(v(0, 0));
  const disks = Object.fromEntries(['alpha', 'beta', 'gamma'].map((name) => [name, stored(name, first)]));
  const arena = begin(seed, 'n3', { disks });
  cutApart(arena, ['gamma'], ['alpha', 'beta']);
  arena.runUntil(4000);
  arena.node('beta').crash(true, true);
  arena.node('alpha').crash(true);
  arena.cut.clear();
  arena.after(100, () => arena.node('beta').start());
  arena.runUntil(9000);
  arena.node('alpha').start();
  arena.runUntil(12_000);
}

/** A voter is killed as soon as its vote has made a coordinator, which is then cut off; another candidate asks it anew. */
function revoting(seed: number): void {
  const arena = running(seed, 'n3');
  const first = arena.coordinator()!;
  first.crash(true);
  arena.atElection = (elected) => {
    arena.atElection = null;
    const [voting] = others(arena, first, elected) as [SimNode];
    cutApart(arena, [elected.name], [first.name, voting.name]);
    voting.crash(false);
    arena.after(5, () => voting.start());
    first.start();
  };
  arena.runUntil(12_000);
}

describe('planted bugs are found', () => {
  test.each<[Plant, (seed: number) => void, RegExp]>([
    ['joint', halves, /S1|fork|two coordinators/],
    ['up-to-date', stale, /S4|fork|two coordinators/],
    ['storage-id', forgetful, /S4|fork|two coordinators/],
    ['sync', revoting, /two coordinators|fork|S4/],
  ])('%s', (plant, story, violation) => {
    expect(caught(null, story)).toBeNull();
    expect(caught(plant, story)).toMatch(violation);
  });
});
