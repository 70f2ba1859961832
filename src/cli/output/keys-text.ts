/** How far the replacement of the cluster key has come, for people. */
import type { KeysStatus } from '../../status.js';
import type { Paint } from './paint.js';
import { table } from './table.js';

/**
 * none: one key, in the file and in memory · spreading: some nodes do not take the new one yet · settling: all do, and give
 * the older one up · given-up: it waits for `baton keygen --rotate --finish` · leaving: it is out of the file, and still
 * taken from nodes that have not heard.
 */
export type Rotation = 'none' | 'spreading' | 'settling' | 'given-up' | 'leaving';

export function rotationOf({ file, taken, lacking, unheard, leaving }: KeysStatus): Rotation {
  if (file.length < 2) return leaving.length > 0 ? 'leaving' : 'none';
  if (taken.length < 2) return 'given-up';
  return lacking.length + unheard.length > 0 ? 'spreading' : 'settling';
}

function summary(keys: KeysStatus, paint: Paint): string {
  const [older, newer = older] = keys.file;
  switch (rotationOf(keys)) {
    case 'none':
      return '';
    case 'spreading': {
      const who = [
        ...keys.lacking.map((node) => `${node} does not know it`),
        ...keys.unheard.map((node) => `${node} was not heard`),
      ];
      return `${newer} is to replace ${older}: ${paint.warn(who.join(', '))}; copy the key file there`;
    }
    case 'settling':
      return `${newer} is to replace ${older}: every node knows it, ${older} is being given up`;
    case 'given-up':
      return `${newer} has replaced ${older}: on one node do baton keygen --rotate --finish, then copy the file to the others`;
    case 'leaving':
      return `${older} has replaced ${keys.leaving.join(', ')}, still taken for a few seconds`;
  }
}

/** Nothing while every node has the same one key. */
export function keysText(keys: KeysStatus, self: string, paint: Paint): string[] {
  const [key] = keys.file;
  const isOther = keys.peers.some(({ takes }) => takes.some((it) => it !== key));
  if (rotationOf(keys) === 'none' && !isOther) return [];
  const columns = [{ title: 'NODE' }, { title: 'TAKES' }, { title: 'SENDS' }, { title: 'SPOKEN TO UNDER' }];
  const rows = keys.peers.map(({ node, takes, sends, spokenTo }) => [
    ...[node, takes.join(' ') || paint.dim('unheard'), sends ?? paint.dim('-'), spokenTo],
  ]);
  const own = [self, [...keys.leaving, ...keys.taken].join(' '), keys.speaks, paint.dim('-')];
  const said = summary(keys, paint);
  return ['', ...(said === '' ? [] : [`cluster key: ${said}`]), ...table(columns, [own, ...rows], paint.dim)];
}
