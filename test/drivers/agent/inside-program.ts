/** Programs of root's alone, for tests: a folder below /run, since nothing below /tmp is trusted. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Programs {
  folder: string;
  write(name: string, script: string): string;
  remove(): void;
}

export function programs(): Programs {
  mkdirSync('/run', { recursive: true });
  const folder = mkdtempSync(`/run/bt-agent-${process.pid}-`);
  chmodSync(folder, 0o755);
  return {
    folder,
    write: (name, script) => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
