/**
 * The control socket's language: one JSON object a line, both ways. Each request carries an `id`; answers carry it back.
 * `events` with `follow` answers with lines until the client hangs up; every other request has one answer.
 */
import type { OperatorAnswer, OperatorRequest } from '../status.js';
import type { ClusterFileText, DaemonStatus, JournalLine } from './document.js';

export type ControlRequest =
  | { id: number; ask: 'status' }
  /** The cluster file under which the daemon runs. */
  | { id: number; ask: 'cluster-file' }
  | { id: number; ask: 'events'; follow: boolean; last?: number }
  | { id: number; ask: 'operator'; request: OperatorRequest };

export type ControlAnswer =
  | { id: number; status: DaemonStatus }
  | { id: number; clusterFile: ClusterFileText }
  | { id: number; event: JournalLine }
  | { id: number; end: true }
  | { id: number; operator: OperatorAnswer }
  | { id: number; error: string };

/** Longest line either side accepts, bytes: a status with a thousand NICs fits. */
export const LINE_MAX = 16 * 1024 * 1024;

export const SOCKET_NAME = 'control.sock';
