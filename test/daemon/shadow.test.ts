import { describe, expect, it } from 'vitest';
import { shadowed, type ShadowAnswer } from '../../src/daemon/shadow.js';
import type { Action } from '../../src/action.js';

const record = { storageId: 'a'.repeat(32), term: 1, votedFor: null, document: null };

describe('in shadow', () => {
  it.each<[Action, ShadowAnswer | null]>([
    [{ kind: 'send-frame', nic: 'eth0', bytes: new Uint8Array(60) }, null],
    [{ kind: 'send-datagram', nic: 'eth0', from: '10.7.0.1', to: '10.7.0.2', bytes: new Uint8Array(60) }, null],
    [{ kind: 'persist', record: { switch: null } }, null],
    [
      { kind: 'store', id: 1, record },
      {
        input: { kind: 'persisted', id: 1, failed: { code: 'ECANCELED', text: 'shadow: nothing is stored' } },
        afterMs: 1000,
      },
    ],
    [
      { kind: 'ask-arbiter', id: 2, request: { ask: 'read' }, withinMs: 300 },
      {
        input: { kind: 'arbiter-answered', id: 2, answer: { outcome: 'unknown', text: 'shadow: nobody is asked' } },
        afterMs: 300,
      },
    ],
    [
      { kind: 'write-gate', id: 3, held: ['10.77.0.100'], leaseEnd: 5 },
      {
        input: {
          kind: 'gate-written',
          id: 3,
          outcome: { ok: false, why: 'failed', text: 'shadow: nothing is written' },
          tookMs: 0,
        },
        afterMs: 1000,
      },
    ],
  ])('P1: $0.kind is not done, and never told as done', (action, answer) => {
    const answers: ShadowAnswer[] = [];
    expect(shadowed(7, [action], answers)).toEqual([]);
    expect(answers).toEqual(answer === null ? [] : [answer]);
  });

  it('a change of the host becomes a line of the journal, and fails', () => {
    const answers: ShadowAnswer[] = [];
    const change: Action = { kind: 'change-host', id: 4, steps: [{ do: 'flush-neighbours', nic: 'eth0' }] };
    expect(shadowed(7, [change], answers)).toEqual([
      {
        kind: 'journal',
        entry: { at: 7, event: 'shadow', cause: 'held-back', evidence: { steps: ['flush-neighbours eth0'] } },
      },
    ]);
    expect(answers).toMatchObject([{ input: { kind: 'host-changed', id: 4, failed: { code: 'ECANCELED' } } }]);
  });

  it('what neither changes nor sends is done', () => {
    const actions: Action[] = [
      { kind: 'observe', nics: ['eth0'] },
      { kind: 'exit', code: 0 },
    ];
    expect(shadowed(7, actions, [])).toEqual(actions);
  });
});
