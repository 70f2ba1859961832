/**
 * `node --import ./typescript.js script.ts` runs TypeScript as it stands, in worker threads too: each import of `x.js` that
 * is `x.ts` is transpiled when loaded. For tests that need a process of their own (another network namespace).
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

const inHooksThread = import.meta.url.endsWith('?hooks');
if (!inHooksThread) register(`${import.meta.url}?hooks`);
const typescript = inHooksThread ? (await import('typescript')).default : undefined;

export async function resolve(specifier, context, next) {
  if (/^(\.|file:)/.test(specifier) && specifier.endsWith('.js')) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(fileURLToPath(source))) return { url: source.href, shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  const { outputText } = typescript.transpileModule(await readFile(path, 'utf8'), {
    fileName: path,
    compilerOptions: { module: 99, target: 10, verbatimModuleSyntax: true, inlineSourceMap: true },
  });
  return { format: 'module', source: outputText, shortCircuit: true };
}
