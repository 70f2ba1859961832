/** Is the cluster's key being replaced, and what is the next thing to do for it? */
import { rotationOf } from '../output/keys-text.js';
import type { Diagnosis } from './diagnosis.js';
import type { Evidence } from './evidence.js';

export function rotation({ daemon, cluster }: Evidence): Diagnosis[] {
  if (!daemon) return [];
  const { keys } = daemon.status;
  const [older, newer = older] = keys.file;
  const note = (text: string, fix: string): Diagnosis[] => [{ what: 'key-rotation', severity: 'note', text, fix }];
  switch (rotationOf(keys)) {
    case 'spreading':
      return note(
        `the key ${newer} is to replace ${older}, and ${[...keys.lacking, ...keys.unheard].join(', ')} may not know it`,
        `copy ${cluster.key} there; a batond that runs takes both keys within a second`,
      );
    case 'given-up':
      return note(
        `the key ${newer} has replaced ${older}, which is still in the file`,
        `on one node: baton keygen --rotate --finish; then copy ${cluster.key} to the others`,
      );
    case 'none':
    case 'settling':
    case 'leaving':
      return [];
  }
}
