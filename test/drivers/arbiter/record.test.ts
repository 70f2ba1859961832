import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRecord, recordText } from '../../../drivers/arbiter/record.js';
import { sample } from './sample.js';

describe("the arbiter's record", () => {
  it('is read as it was written', () => {
    expect(parseRecord(recordText(sample(4)))).toEqual(sample(4));
    expect(parseRecord(recordText({ ...sample(4), votedFor: null }))).toEqual({ ...sample(4), votedFor: null });
  });

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['null', null],
    ['a list', []],
    ['no storage id', { ...sample(1), storageId: undefined }],
    ['a short storage id', { ...sample(1), storageId: 'abc' }],
    ['no term', { ...sample(1), term: undefined }],
    ['a negative term', { ...sample(1), term: -1 }],
    ['a broken term', { ...sample(1), term: 1.5 }],
    ['no beat', { ...sample(1), beat: undefined }],
    ['no vote', { ...sample(1), votedFor: undefined }],
    ['a vote for no voter', { ...sample(1), votedFor: { name: 'alpha' } }],
    ['no document', { ...sample(1), document: null }],
    ['a document without voters', { ...sample(1), document: { ...sample(1).document, voters: {} } }],
  ])('%s is none', (_, value) => {
    expect(parseRecord(JSON.stringify(value) ?? '')).toBeNull();
  });

  it('half of it is none, and nothing throws', () => {
    const text = recordText(sample(1));
    for (let length = 0; length < text.length; length++) expect(parseRecord(text.slice(0, length))).toBeNull();
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (any) => parseRecord(any) === null));
  });
});
