/** What main and engine thread say to each other. Bytes and plain data only. */
import type { AgentAction, AgentInput } from '../../drivers/agent/agent-port.js';
import type { Cluster } from '../config/cluster.js';
import type { Lateness } from '../client/document.js';
import type { FoundKeys } from './key-file.js';
import type { JournalEntry, NodeStatus, OperatorAnswer, OperatorRequest } from '../status.js';

export interface EngineSettings {
  cluster: Cluster;
  node: string;
  /** Of the key file, the newest last. */
  keys: Uint8Array[];
  incarnation: string;
  seed: number;
  runDir: string;
  stateDir: string;
  /** Watch, and say what it would do; change and send nothing. */
  shadow: boolean;
  record: boolean;
  version: string;
  /** Of the kernel, for recordings. */
  boot?: string;
}

export type ToEngine =
  | { ask: 'status'; id: number }
  | { ask: 'operator'; id: number; request: OperatorRequest }
  /** The key file is another one. */
  | ({ ask: 'keys' } & FoundKeys)
  | { ask: 'stop'; how: 'stop' | 'restart' }
  | { ask: 'take'; input: AgentInput }
  /** A recording goes on in a new file. */
  | { ask: 'snapshot' };

export type FromEngine =
  | { say: 'ready' }
  | { say: 'status'; id: number; status: NodeStatus; lateness: Lateness; inputs: number }
  | { say: 'operator'; id: number; answer: OperatorAnswer }
  | { say: 'agent'; action: AgentAction }
  | { say: 'journal'; entries: JournalEntry[] }
  /** First line of a recording file. */
  | { say: 'recording'; start: string }
  | { say: 'recorded'; lines: string }
  /** Something that the operator should read in the log, once. */
  | { say: 'note'; text: string }
  | { say: 'exit'; code: number };
