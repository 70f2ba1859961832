/** What this stage says of itself. Its alarms have their key for evidence, which names the net or the address. */
import { clear as clearAlarm, raise as raiseAlarm } from '../health/account.js';
import type { Turn } from './state.js';

export { journal, record } from '../health/account.js';

export function raise(turn: Turn, key: string, what: string, text: string): void {
  raiseAlarm(turn, key, what, text, { evidence: { about: key } });
}

export function clear(turn: Turn, key: string): void {
  clearAlarm(turn, key, { evidence: { about: key } });
}
