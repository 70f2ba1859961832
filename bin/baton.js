#!/usr/bin/env node
/** The `baton` command: oclif over the compiled commands. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const usage = 2;
/** What the not-found plugin exits with. */
const unknownCommand = 127;

if (!existsSync(fileURLToPath(new URL('../dist/src/cli/commands', import.meta.url)))) {
  console.error('baton is not built yet; do: npm run setup');
  process.exit(1);
}

const { flush, handle, run, settings } = await import('@oclif/core');
// Commands run as compiled, whatever NODE_ENV says.
settings.enableAutoTranspile = false;

try {
  // Nothing is loaded from the home directory of whoever calls: batond runs as root.
  await run(process.argv.slice(2), { root: fileURLToPath(new URL('..', import.meta.url)), userPlugins: false });
  await flush();
} catch (error) {
  if (error?.oclif?.exit === unknownCommand) error.oclif.exit = usage;
  await handle(error);
}
