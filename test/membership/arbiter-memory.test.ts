/** A6 for a register: restored from an older backup it is refused by whoever has seen newer. */
import { describe, expect, it } from 'vitest';
import { remember, setBack } from '../../src/membership/arbiter-memory.js';
import type { RegisterAnswer } from '../../src/membership/arbiter-record.js';

type Shown = Extract<RegisterAnswer, { outcome: 'done' | 'refused' }>;
interface Changes {
  storageId?: string;
  term?: number;
  beat?: number;
  revision?: number;
  stamp?: Shown['stamp'];
}

const STAMP = { created: '7', modified: '10' };

function shown({ storageId = 'aa', term = 4, beat = 9, revision = 2, stamp = STAMP }: Changes = {}): Shown {
  const document = { version: { term: 3, revision } } as Shown['record']['document'];
  return { outcome: 'done', stamp, record: { storageId, term, beat, votedFor: null, document } };
}

describe('A6: a register that goes back', () => {
  it.each<[string, Changes, RegExp | null]>([
    ['the same', {}, null],
    ['a write later', { beat: 10, stamp: { created: '7', modified: '11' } }, null],
    ['a term later', { term: 5 }, null],
    ['a term earlier', { term: 3 }, /term is 3 and was 4/],
    ['a document earlier', { revision: 1 }, /document is 3.1 and was 3.2/],
    ['a write earlier', { beat: 8 }, /count of writes is 8 and was 9/],
    ['a revision earlier', { stamp: { created: '7', modified: '9' } }, /revision is 9 and was 10/],
    [
      'revisions that count further after the restoring',
      { beat: 8, stamp: { created: '7', modified: '99' } },
      /writes/,
    ],
    ['another voter', { storageId: 'bb', term: 0, beat: 0, stamp: { created: '1', modified: '1' } }, null],
  ])('%s', (_, changes, told) => {
    const found = setBack(remember(shown()), shown(changes));
    if (told === null) expect(found).toBeNull();
    else expect(found).toMatch(told);
  });

  it('who has seen nothing cannot know', () => {
    expect(setBack(null, shown({ term: 0, beat: 0 }))).toBeNull();
  });
});
