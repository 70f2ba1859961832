import { describe, expect, test } from 'vitest';
import type { Action } from '../../src/action.js';
import { clear, raise, record } from '../../src/health/account.js';
import type { Alarm, Decision } from '../../src/status.js';

class Stage {
  state = { alarms: {} as Record<string, Alarm>, decisions: [] as Decision[] };
  now = 1000;
  out: Action[] = [];

  journal(): unknown[] {
    return this.out.splice(0).map((action) => action.kind === 'journal' && action.entry);
  }
}

describe('an alarm', () => {
  test('is told once when it is raised and once when it is cleared', () => {
    const stage = new Stage();
    raise(stage, 'lost beta', 'node-lost', 'beta is silent', { peer: 'beta' });
    const entry = { at: 1000, event: 'alarm-raised', peer: 'beta', cause: 'node-lost' };
    expect(stage.journal()).toEqual([{ ...entry, evidence: { text: 'beta is silent' } }]);
    stage.now = 1500;
    raise(stage, 'lost beta', 'node-lost', 'beta is silent', { peer: 'beta' });
    expect(stage.journal()).toEqual([]);
    clear(stage, 'lost beta', { peer: 'beta' });
    const evidence = { text: 'beta is silent', forMs: 500 };
    expect(stage.journal()).toEqual([{ ...entry, at: 1500, event: 'alarm-cleared', evidence }]);
    expect(stage.state.alarms).toEqual({});
    clear(stage, 'lost beta', { peer: 'beta' });
    expect(stage.journal()).toEqual([]);
  });

  test('that is raised takes new words and keeps its moment', () => {
    const stage = new Stage();
    raise(stage, 'refused public', 'locked', 'eth1 is locked');
    stage.now = 1500;
    raise(stage, 'refused public', 'standby-unfit', 'eth1 is down');
    expect(stage.state.alarms).toEqual({
      'refused public': { since: 1000, what: 'standby-unfit', text: 'eth1 is down' },
    });
  });

  test('has the evidence of its caller before its text', () => {
    const stage = new Stage();
    raise(stage, 'late public', 'switch-failed', 'no answer', { evidence: { about: 'late public' } });
    clear(stage, 'late public', { evidence: { about: 'late public' } });
    const evidence = { about: 'late public', text: 'no answer' };
    expect(stage.journal()).toMatchObject([{ evidence }, { evidence: { ...evidence, forMs: 0 } }]);
  });
});

test('the last hundred decisions are kept', () => {
  const stage = new Stage();
  for (let i = 0; i < 103; i++) record(stage, 'public', `decision ${i}`, 'test', {});
  expect(stage.state.decisions).toHaveLength(100);
  expect(stage.state.decisions[0]).toEqual({
    at: 1000,
    subject: 'public',
    text: 'decision 3',
    cause: 'test',
    evidence: {},
  });
});
