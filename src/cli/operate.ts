/** What an operator asks of a daemon, and the answer or refusal. */
import type { Control } from '../client/control.js';
import type { OperatorRequest } from '../status.js';
import { EXIT, Failure } from './command.js';

export interface Operated {
  text: string;
  data?: unknown;
}

/** `NODE NIC`, or `NIC` alone. */
export function nodeAndNic(first: string, second: string | undefined): { node: string | undefined; nic: string } {
  return second === undefined ? { node: undefined, nic: first } : { node: first, nic: second };
}

/** Throws Failure with the daemon's reason. A daemon steers the NICs of its own node only. */
export async function operate(control: Control, node: string | undefined, request: OperatorRequest): Promise<Operated> {
  if (node !== undefined) {
    const { status } = await control.status();
    if (status.node !== node) throw new Failure(`this is node ${status.node}; run the command on ${node}`);
  }
  const answer = await control.ask(request);
  if (!answer.ok) throw new Failure(answer.text, answer.why === 'no-quorum' ? EXIT.noQuorum : EXIT.refused);
  return answer.data === undefined ? { text: answer.text } : { text: answer.text, data: answer.data };
}
