/** `baton daemon --shadow`: what the machine decides is told, and nothing of it is done. */
import type { Action, Step } from '../action.js';
import type { Input, Ms } from '../input.js';

/** What the machine is told of an action that is held back. */
export interface ShadowAnswer {
  input: Input;
  afterMs: Ms;
}

/** A machine that tries again at once must not spin. */
const REFUSED_AFTER_MS: Ms = 1000;

/**
 * Of the actions, those that neither change nor send anything. Each change of the host that is held back becomes a line
 * of the journal. For all that is held back and wanted an answer there is one in `answers`: it was not done. As nothing
 * of it is ever stored, a node in shadow gives no vote, stands for nothing and serves nothing (MEMBERSHIP P1).
 */
export function shadowed(now: Ms, actions: readonly Action[], answers: ShadowAnswer[]): Action[] {
  const refuse = (input: Input, afterMs: Ms = REFUSED_AFTER_MS): Action[] => {
    answers.push({ input, afterMs });
    return [];
  };
  return actions.flatMap((action): Action[] => {
    switch (action.kind) {
      case 'journal':
      case 'observe':
      case 'answer-operator':
      case 'exit':
        return [action];
      case 'send-frame':
      case 'send-echo':
      case 'persist':
      case 'send-datagram':
      case 'send-serial':
        return [];
      case 'store':
        return refuse({
          kind: 'persisted',
          id: action.id,
          failed: { code: 'ECANCELED', text: 'shadow: nothing is stored' },
        });
      case 'ask-arbiter': {
        const answer = { outcome: 'unknown', text: 'shadow: nobody is asked' } as const;
        return refuse({ kind: 'arbiter-answered', id: action.id, answer }, action.withinMs);
      }
      case 'write-gate': {
        const outcome = { ok: false, why: 'failed', text: 'shadow: nothing is written' } as const;
        return refuse({ kind: 'gate-written', id: action.id, outcome, tookMs: 0 });
      }
      case 'run-agent': {
        const outcome = { how: 'refused', text: 'shadow: nothing is run' } as const;
        refuse({ kind: 'agent-exited', id: action.id, outcome, output: '', tookMs: 0 });
        const evidence = { program: action.command[0] };
        return [{ kind: 'journal', entry: { at: now, event: 'shadow', cause: 'held-back', evidence } }];
      }
      case 'end-agent':
        return [];
      case 'change-host':
        refuse(
          {
            kind: 'host-changed',
            id: action.id,
            failed: { step: 0, code: 'ECANCELED', text: 'shadow: nothing is changed' },
            undone: true,
          },
          0,
        );
        return [
          {
            kind: 'journal',
            entry: {
              at: now,
              event: 'shadow',
              cause: 'held-back',
              evidence: { steps: action.steps.map(describeStep) },
            },
          },
        ];
    }
  });
}

function describeStep(step: Step): string {
  switch (step.do) {
    case 'add-address':
    case 'delete-address':
      return `${step.do} ${step.address.local}/${step.address.prefixLength} ${step.nic}`;
    case 'replace-route':
    case 'append-route':
    case 'delete-route':
      return `${step.do} ${step.route.destination} ${step.route.nic}`;
    case 'set-neighbour':
    case 'delete-neighbour':
      return `${step.do} ${step.neighbour.address} ${step.nic}`;
    case 'join-group':
    case 'leave-group':
      return `${step.do} ${step.group} ${step.nic}`;
    case 'flush-neighbours':
    case 'delete-macvlan':
      return `${step.do} ${step.nic}`;
    case 'add-macvlan':
      return `${step.do} ${step.mac} ${step.nic} on ${step.below}`;
    case 'set-mac':
      return `${step.do} ${step.mac} ${step.nic}`;
    case 'set-link':
      return `${step.do} ${step.nic} ${step.up ? 'up' : 'down'}`;
    case 'set-sysctl':
      return `${step.do} ${step.name} ${step.value}`;
  }
}
