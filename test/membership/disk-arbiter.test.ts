/**
 * MEMBERSHIP A7: of two rivals that ask a shared disk for the vote of one term at most one gets it, whatever order their
 * writes and reads come in, whoever crashes, and however late a write lands. All orders of small stories, and drawn ones.
 */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { judgePut } from '../../src/membership/disk-arbiter.js';
import type { DiskBlock, DiskView } from '../../src/membership/arbiter-record.js';
import type { Document } from '../../src/membership/document.js';
import { documentOf, Stand, v } from './stand.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

const RUN = '0123456789abcdef';
const DOCUMENT = { version: { term: 0, revision: 0 } } as Document;

interface Rival {
  name: string;
  /** What it does next; past the end: nothing. */
  step: number;
  /** Of the write that was sent and has not landed. */
  flying: DiskBlock | null;
  written: DiskBlock | null;
  seen: DiskView['blocks'] | null;
  /** Term of the tries so far. */
  term: number;
  writes: number;
  stoodIn: number;
  wonIn: number;
  /** Planted: after a restart it still calls that term one in which it failed. */
  remembers: boolean;
}

interface Story {
  disk: DiskView['blocks'];
  rivals: Rival[];
  /** term → who won it. */
  won: Record<number, string[]>;
  crashes: number;
}

/** What a rival may do: `write` and `read` are one question; `planted` reads first. */
type Order = readonly ('write' | 'read' | 'judge')[];
const RIGHT: Order = ['write', 'read', 'judge'];
const PLANTED: Order = ['read', 'write', 'judge'];

function rival(name: string): Rival {
  return {
    name,
    step: 0,
    flying: null,
    written: null,
    seen: null,
    term: 1,
    writes: 0,
    stoodIn: -1,
    wonIn: -1,
    remembers: false,
  };
}

/** Blocks are replaced, never changed. */
function copy({ disk, rivals, won, crashes }: Story): Story {
  return { disk: { ...disk }, rivals: rivals.map((it) => ({ ...it })), won: { ...won }, crashes };
}

/** Everything that can happen next, as functions that make the story after it. */
function next(story: Story, order: Order, tries: number): ((story: Story) => void)[] {
  const moves: ((story: Story) => void)[] = [];
  for (const [i, { flying, step }] of story.rivals.entries()) {
    const at = (now: Story): Rival => now.rivals[i]!;
    // One I/O at a time: nothing goes on while a write is on its way, but that it lands, or that its writer gives it up.
    if (flying !== null) {
      moves.push((now) => land(now, at(now)));
      continue;
    }
    if (step < order.length) moves.push((now) => advance(now, at(now), order));
    // The question is given up; or the node starts anew, and forgets what it did, but for its term and its block.
    if (step > 0 && step < order.length) moves.push((now) => giveUp(at(now)));
    if (story.crashes > 0) moves.push((now) => crash(now, at(now)));
    if (step >= order.length && at(story).term < tries) moves.push((now) => standAgain(at(now)));
    if (mayWithdraw(story, at(story), order)) moves.push((now) => withdraw(at(now)));
  }
  return moves;
}

function advance({ disk, won }: Story, it: Rival, order: Order): void {
  const block: DiskBlock = {
    term: it.term,
    role: 'candidate',
    beat: 0,
    run: RUN,
    writes: it.writes + 1,
    version: DOCUMENT.version,
  };
  switch (order[it.step++]!) {
    case 'write':
      it.writes++;
      it.stoodIn = it.term;
      it.flying = it.written = block;
      return;
    case 'read':
      it.seen = { ...disk };
      return;
    case 'judge': {
      const shown = order === PLANTED ? { ...it.seen!, [it.name]: it.written } : it.seen!;
      if (judgePut(it.name, { block: it.written!, document: DOCUMENT }, shown).is !== 'won') return;
      it.wonIn = it.term;
      won[it.term] = [...(won[it.term] ?? []), it.name];
    }
  }
}

function land({ disk }: Story, it: Rival): void {
  disk[it.name] = it.flying;
  it.flying = null;
}

function giveUp(it: Rival): void {
  it.step = RIGHT.length;
}

/** Its write may still be on its way: the next run waits for it. Its term is on its own disk. */
function crash(story: Story, it: Rival): void {
  story.crashes--;
  Object.assign(it, { step: RIGHT.length, seen: null, wonIn: -1, ...(!it.remembers && { stoodIn: -1 }) });
}

function standAgain(it: Rival): void {
  it.term++;
  it.step = 0;
}

/** As `amendment`: a vote that this run asked for and did not count. */
function mayWithdraw({ disk }: Story, it: Rival, order: Order): boolean {
  const own = disk[it.name];
  const failed = own?.role === 'candidate' && own.term === it.stoodIn && own.term !== it.wonIn;
  return failed && it.step >= order.length;
}

function withdraw(it: Rival): void {
  it.writes++;
  it.flying = { term: it.stoodIn, role: 'none', beat: 0, run: RUN, writes: it.writes, version: DOCUMENT.version };
}

function begin(names: readonly string[], crashes: number): Story {
  return { disk: {}, rivals: names.map(rival), won: {}, crashes };
}

const twoWinners = ({ won }: Story): boolean => Object.values(won).some((names) => new Set(names).size > 1);

/** Every order of everything. The number of states; a story in which two win a term, if there is one. */
function explore(first: Story, order: Order, tries: number): { states: number; bad: Story | null } {
  const known = new Set<string>();
  const open = [first];
  for (let story = open.pop(); story !== undefined; story = open.pop()) {
    for (const move of next(story, order, tries)) {
      const after = copy(story);
      move(after);
      if (twoWinners(after)) return { states: known.size, bad: after };
      const key = JSON.stringify(after);
      if (known.has(key)) continue;
      known.add(key);
      open.push(after);
    }
  }
  return { states: known.size, bad: null };
}

describe('A7: a shared disk gives one vote a term', () => {
  it('two rivals, two terms each, in every order, with a crash', () => {
    const { states, bad } = explore(begin(['alpha', 'beta'], 1), RIGHT, 2);
    expect(bad).toBeNull();
    expect(states).toBeGreaterThan(1000);
  });

  it('three rivals and one term, in every order', () => {
    expect(explore(begin(['alpha', 'beta', 'gamma'], 0), RIGHT, 1).bad).toBeNull();
  });

  it('a rival that is alone wins', () => {
    const story = begin(['alpha'], 0);
    for (let moves = 0; moves < 4; moves++) next(story, RIGHT, 1)[0]!(story);
    expect(story.won).toEqual({ 1: ['alpha'] });
  });

  it('a rival wins the term in which the other failed and said so', () => {
    const story = begin(['alpha', 'beta'], 0);
    const [alpha, beta] = story.rivals as [Rival, Rival];
    const moves: [Rival, () => void][] = [
      ...[alpha, beta].map((it): [Rival, () => void] => [it, () => advance(story, it, RIGHT)]),
      ...[alpha, beta].map((it): [Rival, () => void] => [it, () => land(story, it)]),
      ...[alpha, alpha].map((it): [Rival, () => void] => [it, () => advance(story, it, RIGHT)]),
      [alpha, () => withdraw(alpha)],
      [alpha, () => land(story, alpha)],
      ...[beta, beta].map((it): [Rival, () => void] => [it, () => advance(story, it, RIGHT)]),
    ];
    for (const [, move] of moves) move();
    expect(story.won).toEqual({ 1: ['beta'] });
  });

  it('is caught where a vote of an earlier run is withdrawn, which may have made a coordinator', () => {
    const story = begin(['alpha', 'beta'], 1);
    for (const it of story.rivals) it.remembers = true;
    expect(explore(story, RIGHT, 1).bad).not.toBeNull();
  });

  it('is caught where reading comes before writing', () => {
    expect(explore(begin(['alpha', 'beta'], 0), PLANTED, 1).bad).not.toBeNull();
  });

  it('three rivals, four terms, drawn orders with crashes', () => {
    const draw = fc.array(fc.nat({ max: 1000 }), { minLength: 20, maxLength: 120 });
    fc.assert(
      fc.property(draw, (choices) => {
        const story = begin(['alpha', 'beta', 'gamma'], 3);
        for (const choice of choices) {
          const moves = next(story, RIGHT, 4);
          if (moves.length === 0) break;
          moves[choice % moves.length]!(story);
          expect(twoWinners(story)).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('A7: what a view says', () => {
  const block = (part: Partial<DiskBlock> = {}): DiskBlock => ({
    ...{ term: 3, role: 'candidate', beat: 0, run: RUN, writes: 7, version: { term: 2, revision: 4 } },
    ...part,
  });
  const document = { version: { term: 2, revision: 4 } } as Document;
  const judged = (others: DiskView['blocks'], own: DiskBlock | null = block()): string =>
    judgePut('alpha', { block: block(), document }, { alpha: own, ...others }).is;

  it.each([
    ['nobody else', {}, 'won'],
    ['an older term', { beta: block({ term: 2, role: 'coordinator' }) }, 'won'],
    ['this term without a role', { beta: block({ role: 'none' }) }, 'won'],
    ['a candidate of this term', { beta: block() }, 'lost'],
    ['a coordinator of this term', { beta: block({ role: 'coordinator' }) }, 'lost'],
    ['a higher term without a role', { beta: block({ term: 4, role: 'none' }) }, 'lost'],
    ['a newer document', { beta: block({ term: 2, role: 'none', version: { term: 2, revision: 5 } }) }, 'lost'],
    ['a damaged block', { beta: null }, 'unclear'],
    ['one of three', { beta: block({ term: 1 }), gamma: block() }, 'lost'],
  ] as const)('%s: %s', (_, others, expected) => {
    expect(judged(others)).toBe(expected);
  });

  it('counts nothing that is not there as it was written', () => {
    expect(judged({}, block({ writes: 6 }))).toBe('unclear');
    expect(judged({}, null)).toBe('unclear');
  });
});

describe('damaged blocks', () => {
  const STORAGE = 'f'.repeat(32);
  const document = documentOf(v(0, 0), {}, ['alpha', 'beta', '@arbiter']);
  const block: DiskBlock = { term: 0, role: 'none', beat: 0, run: RUN, writes: 1, version: document.version };

  /** What alpha asks of the disk after it has looked and found these blocks. */
  function asksAfter(blocks: DiskView['blocks'], voters = ['alpha', 'beta', '@arbiter']): string[] {
    const stand = new Stand({ mode: 'd2', record: { document: documentOf(v(0, 0), {}, voters) } });
    stand.wakeUntil(stand.now + 5);
    while (stand.asked.at(-1)?.request.ask !== 'look') stand.wakeUntil(stand.now + 100);
    const isBlank = Object.values(blocks).every((one) => one === null);
    stand.answerArbiter({ outcome: 'blocks', storageId: STORAGE, blocks, document: isBlank ? null : document });
    const before = stand.asked.length;
    stand.wakeUntil(stand.now + 100);
    return stand.asked.slice(before - 1).map(({ request }) => request.ask);
  }

  it.each<[string, DiskView['blocks'], boolean]>([
    ['its own', { alpha: null, beta: block }, true],
    ['both', { alpha: null, beta: null }, true],
    ["the other node's", { alpha: block, beta: null }, false],
  ])('A7, L5: of %s a node that lost nothing writes its own again', (_, blocks, isWritten) => {
    expect(asksAfter(blocks).includes('put')).toBe(isWritten);
  });

  it('A7: a node that is no voter, and may have lost what it knew, does not', () => {
    expect(asksAfter({ alpha: null, beta: null }, ['beta', '@arbiter'])).not.toContain('put');
  });
});
