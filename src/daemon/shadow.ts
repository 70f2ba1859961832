/** `baton daemon --shadow`: what the machine decides is told, and nothing of it is done. */
import type { Action, Step } from '../action.js';
import type { Input, Ms } from '../input.js';

/**
 * Of the actions, those that neither change nor send anything. Each change of the host that is held back becomes a line
 * of the journal, and an answer in `answers` that tells the machine it was not done.
 */
export function shadowed(now: Ms, actions: readonly Action[], answers: Input[]): Action[] {
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
      case 'store':
      case 'ask-arbiter':
      case 'write-gate':
        return [];
      case 'change-host':
        answers.push({
          kind: 'host-changed',
          id: action.id,
          failed: { step: 0, code: 'ECANCELED', text: 'shadow: nothing is changed' },
          undone: true,
        });
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
      return `${step.do} ${step.nic}`;
    case 'set-sysctl':
      return `${step.do} ${step.name} ${step.value}`;
  }
}
