/** The explorer as one file, with a bug in it or without. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join, relative } from 'node:path';
import { context, type BuildContext, type Plugin } from 'esbuild';
import { planted, type Mutant } from './mutant.js';

/** Compiled, this file lies in `dist/test/mutants`. */
export const ROOT = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '../../..' : '../..', import.meta.url));

/** Bundled packages that are no ES modules ask for `require`. */
const BANNER =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";

export class Builder {
  #context: BuildContext | null = null;
  #mutant: Mutant | null = null;

  /** Its text; null: without a bug. */
  async build(mutant: Mutant | null): Promise<string> {
    this.#mutant = mutant;
    this.#context ??= await context({
      entryPoints: [join(ROOT, 'test/mutants/subject.ts')],
      bundle: true,
      write: false,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      banner: { js: BANNER },
      logLevel: 'silent',
      plugins: [this.#planting()],
    });
    const { outputFiles } = await this.#context.rebuild();
    return outputFiles![0]!.text;
  }

  async end(): Promise<void> {
    await this.#context?.dispose();
  }

  #planting(): Plugin {
    return {
      name: 'planting',
      setup: (build) => {
        build.onLoad({ filter: /\/(?:src|drivers)\/.*\.ts$/ }, async ({ path }) => {
          const mutant = this.#mutant;
          const file = relative(ROOT, path);
          if (mutant?.edits.some((edit) => edit.file === file) !== true) return null;
          return { contents: planted(mutant, file, await readFile(path, 'utf8')), loader: 'ts' };
        });
      },
    };
  }
}
