/**
 * Between the engine's thread and whoever runs programs for it, which is main: forking takes milliseconds.
 *
 *   engine ──run-agent, end-agent─▶ main      several at a time
 *          ◀──────agent-exited────
 */
import type { Action } from '../../src/action.js';
import type { Input } from '../../src/input.js';

export type AgentAction = Extract<Action, { kind: 'run-agent' | 'end-agent' }>;
export type RunAgent = Extract<Action, { kind: 'run-agent' }>;
export type AgentInput = Extract<Input, { kind: 'agent-exited' }>;

/** The engine's view of it. */
export interface AgentLine {
  /** Never blocks. */
  post(action: AgentAction): void;
  /** Once. */
  onInput(take: (input: AgentInput) => void): void;
}
