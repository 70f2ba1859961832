/** When a node's daemon was not there, or stood still: its lanes say nothing then. */
import type { Ms } from '../../input.js';
import type { JournalEntry } from '../../status.js';
import type { Stroke } from './part.js';

export type Told = JournalEntry & { node: string };

export interface Absence {
  node: string;
  fromMs: Ms;
  toMs: Ms;
  text: 'no power' | 'daemon killed' | 'daemon stopped' | 'daemon restarts' | 'daemon frozen' | 'nothing recorded';
}

/** What ends the daemon, until it is started again. */
const WITHOUT = {
  'power-off': 'no power',
  kill: 'daemon killed',
  stop: 'daemon stopped',
  restart: 'daemon restarts',
} as const;

export function absences(strokes: readonly Stroke[], journal: readonly Told[], endMs: Ms): Absence[] {
  const found: Absence[] = [];
  for (const { fault, from, to } of strokes) {
    const until = (at: Ms): Ms => Math.min(at, endMs);
    /** Healed, it takes its time to start. */
    const started = (node: string): Ms =>
      until(journal.find((entry) => entry.node === node && entry.event === 'node-started' && entry.at >= to)?.at ?? to);
    switch (fault.fault) {
      case 'power-off':
      case 'kill':
      case 'stop':
      case 'restart':
        found.push({ node: fault.node, fromMs: from, toMs: started(fault.node), text: WITHOUT[fault.fault] });
        break;
      case 'freeze':
        found.push({ node: fault.node, fromMs: from, toMs: until(to), text: 'daemon frozen' });
        break;
      case 'freeze-for':
        found.push({ node: fault.node, fromMs: from, toMs: until(from + fault.forMs), text: 'daemon frozen' });
        break;
      default:
        break;
    }
  }
  return found.filter(({ fromMs, toMs }) => toMs > fromMs).sort((a, b) => a.fromMs - b.fromMs);
}
