import { readFileSync } from 'node:fs';

/** Folder that holds package.json: the parent of `src` in a checkout run by a test, two up from `dist/src` otherwise. */
export function packageRoot(): URL {
  const here = new URL('./', import.meta.url);
  return new URL(here.pathname.endsWith('/dist/src/') ? '../../' : '../', here);
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('package.json', packageRoot()), 'utf8')) as { version: string }).version;
}
