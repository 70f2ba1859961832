/** The house rules that a compiler cannot hold (DESIGN 2). */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { readClusterFile } from '../src/config/parse.js';

const root = fileURLToPath(new URL('..', import.meta.url));

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => /\.(?:ts|js|c|h)$/.test(path))
    .sort();
}

const product = ['src', 'drivers', 'bin'].flatMap(filesBelow);
const tests = filesBelow('test');
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Modules that a file imports, relative ones as paths from the root. */
function importsOf(path: string): { module: string; typeOnly: boolean }[] {
  const source = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, false);
  const found: { module: string; typeOnly: boolean }[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const module = specifier.startsWith('.') ? join(dirname(path), specifier).replace(/\.js$/, '.ts') : specifier;
    found.push({ module, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const typeOnly = ts.isImportDeclaration(node)
        ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
        : node.isTypeOnly;
      add((node.moduleSpecifier as ts.StringLiteral).text, typeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) add(argument.text, false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** In the order data flows, which is the alphabet's. */
const STAGES = ['frame', 'health', 'membership', 'package', 'takeover'];
const stageOf = (path: string): number => STAGES.indexOf(/^src\/([^/]+)\//.exec(path)?.[1] ?? '');
const pureFiles = product.filter(
  (path) => stageOf(path) >= 0 || /^src\/(?:input|action|status|world|node)\.ts$/.test(path),
);

describe('layers', () => {
  test('a stage imports from itself, from stages to its left, and types of config', () => {
    const wrong = pureFiles
      .filter((path) => stageOf(path) >= 0)
      .flatMap((path) =>
        importsOf(path)
          .filter(({ module, typeOnly }) => {
            const stage = stageOf(module);
            if (stage >= 0) return stage > stageOf(path);
            if (module.startsWith('src/config/')) return !typeOnly;
            return !/^src\/(?:input|action|status|world)\.ts$/.test(module);
          })
          .map(({ module }) => `${path} imports ${module}`),
      );
    expect(wrong).toEqual([]);
  });

  test('only node.ts composes the stages', () => {
    const composing = product.filter((path) => {
      const stages = new Set(
        importsOf(path)
          .filter(({ typeOnly }) => !typeOnly)
          .map(({ module }) => stageOf(module)),
      );
      return stageOf(path) < 0 && stages.has(STAGES.indexOf('health')) && stages.has(STAGES.indexOf('takeover'));
    });
    expect(composing).toEqual(['src/node.ts']);
  });

  test.each([
    ['src/config/', /^src\/(?:config\/|input\.ts$|membership\/span\.ts$|frame\/macvlan\.ts$)/],
    ['src/membership/span.ts', /^src\/(?:input|frame\/clock)\.ts$/],
    ['src/client/', /^src\/(?:client\/|input\.ts$|status\.ts$)/],
  ])(
    '%s imports nothing of ours but its own and plain types, config the span of leases and the names of macvlans too',
    (folder, allowed) => {
      const wrong = product
        .filter((path) => path.startsWith(folder))
        .flatMap((path) => importsOf(path).map(({ module }) => ({ path, module })))
        .filter(({ module }) => /^(?:src|drivers)\//.test(module) && !allowed.test(module));
      expect(wrong).toEqual([]);
    },
  );

  test('nothing but the daemon and the drill opens a driver or lab, and nothing imports a test', () => {
    const wrong = product.flatMap((path) =>
      importsOf(path)
        .filter(({ module, typeOnly }) => {
          if (module.startsWith('test/')) return true;
          return (
            path.startsWith('src/') &&
            module.startsWith('drivers/') &&
            !typeOnly &&
            !/^src\/(?:daemon|drill)\//.test(path)
          );
        })
        .map(({ module }) => `${path} imports ${module}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('purity', () => {
  test('the stages compile without node, timers and console', () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.pure.json'], { cwd: root, encoding: 'utf8' });
    expect(stdout).toBe('');
  }, 120_000);

  test('no clock and no dice', () => {
    const banned = /^(?:Date|performance|globalThis|crypto)$/;
    const wrong = pureFiles.flatMap((path) => {
      const found: string[] = [];
      const visit = (node: ts.Node): void => {
        if (ts.isIdentifier(node) && banned.test(node.text)) found.push(`${path}: ${node.text}`);
        if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random') found.push(`${path}: Math.random`);
        ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true));
      return found;
    });
    expect(wrong).toEqual([]);
  });

  test('state is plain data: no Map, no Set in what a stage keeps', () => {
    const wrong = pureFiles
      .filter((path) => stageOf(path) >= 0)
      .flatMap((path) => {
        const found: string[] = [];
        const visit = (node: ts.Node): void => {
          // What is marked as never changing is reckoned from the cluster file, not kept.
          if (ts.isPropertySignature(node) && /^(?:Map|Set)</.test(node.type?.getText() ?? '')) {
            found.push(`${path}: ${node.getText()}`);
          }
          ts.forEachChild(node, visit);
        };
        visit(ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true));
        return found;
      });
    expect(wrong).toEqual([]);
  });
});

describe('sizes', () => {
  const lines = [...product, ...tests].map((path) => ({ path, lines: textOf(path).split('\n').length - 1 }));

  test('no file is over 600 lines', () => {
    expect(lines.filter((it) => it.lines > 600)).toEqual([]);
  });

  test.each(['src/', 'drivers/', 'test/'])('nine in ten of %s are under 350 lines', (folder) => {
    const mine = lines.filter(({ path }) => path.startsWith(folder));
    const long = mine.filter((it) => it.lines >= 350);
    expect(long.length * 10, JSON.stringify(long)).toBeLessThanOrEqual(mine.length);
  });
});

describe('names and words', () => {
  test('no drawer: utils, helpers, common, misc, manager', () => {
    const drawer = /^(?:utils?|helpers?|common|misc|managers?)$/;
    const words = (part: string): string[] =>
      basename(part)
        .replace(/\.[^.]+$/, '')
        .split('-');
    const wrong = [...product, ...tests].filter((path) =>
      path.split('/').some((part) => words(part).some((word) => drawer.test(word))),
    );
    expect(wrong).toEqual([]);
  });

  test('no compiled output lies beside its source, where an import finds it first', () => {
    const all = [...product, ...tests];
    expect(all.filter((path) => path.endsWith('.js') && all.includes(path.replace(/js$/, 'ts')))).toEqual([]);
  });

  /** Comments of a file, with the line on which each begins. */
  function commentsOf(path: string): { line: number; text: string }[] {
    const text = textOf(path);
    const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;
    if (!path.endsWith('.ts') && !path.endsWith('.js')) {
      return [...text.matchAll(/\/\*[\s\S]*?\*\/|\/\/.*/g)].map((match) => ({
        line: lineAt(match.index),
        text: match[0],
      }));
    }
    const found = new Map<number, string>();
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      for (const range of [
        ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
        ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
      ]) {
        found.set(range.pos, text.slice(range.pos, range.end));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return [...found].map(([offset, comment]) => ({ line: lineAt(offset), text: comment }));
  }

  test('comments over product code speak of what is: no promise, no process, no excuse', () => {
    const banned =
      /\b(?:would (?:normally|usually|typically|be (?:done|replaced|implemented))|simplified|simplification|in production|in a real|for now|todo|fixme|xxx|hack|workaround for now|stub(?:bed)?|mock(?:ed)?|placeholder implementation|ticket|issue \d+|issue #|helper|legacy|formerly)\b/i;
    const wrong = product.flatMap((path) =>
      commentsOf(path)
        .filter(({ text }) => banned.test(text))
        .map(({ line, text }) => `${path}:${line}: ${banned.exec(text)![0]}: ${text.slice(0, 80)}`),
    );
    expect(wrong).toEqual([]);
  });

  test('one word for one thing (DESIGN 1)', () => {
    const synonyms = /\b(?:iface|network adapter|virtual ip|vip|backup nic|slave nic|spare nic|witness|tiebreaker)\b/i;
    const wrong = product.flatMap((path) =>
      commentsOf(path)
        .filter(({ text }) => synonyms.test(text))
        .map(({ line, text }) => `${path}:${line}: ${synonyms.exec(text)![0]}`),
    );
    expect(wrong).toEqual([]);
  });

  test('the checkers of comments see what they must see', () => {
    const comments = commentsOf('test/tidy.test.ts').map(({ text }) => text);
    expect(comments[0]).toBe('/** The house rules that a compiler cannot hold (DESIGN 2). */');
    expect(comments).toContain("/** In the order data flows, which is the alphabet's. */");
  });
});

describe('what must be listed', () => {
  const listed = [...textOf('scenarios/README.md').matchAll(/\(([a-z0-9-]+)\.yaml\)/g)].map((match) => match[1]!);
  const present = readdirSync(join(root, 'scenarios'))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.replace(/\.yaml$/, ''));

  test('every scenario stands once in scenarios/README.md, and nothing else', () => {
    expect(present.length).toBeGreaterThan(0);
    expect(listed.sort()).toEqual(present.sort());
  });

  test('the reference cluster file parses without a warning', () => {
    expect(readClusterFile(join(root, 'src/config/reference.yaml')).warnings).toEqual([]);
  });

  test('the root holds only what people and tools demand there', () => {
    const { stdout } = spawnSync('git', ['ls-files', '--cached'], { cwd: root, encoding: 'utf8' });
    const top = [
      ...new Set(
        stdout
          .split('\n')
          .filter(Boolean)
          .map((path) => path.split('/')[0]!),
      ),
    ];
    const allowed = [
      ...[
        'package.json',
        'package-lock.json',
        'tsconfig.json',
        'tsconfig.pure.json',
        'src',
        'drivers',
        'scenarios',
        'test',
      ],
      ...['README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs', 'binding.gyp', 'bin', '.ci', '.gitignore'],
      ...['eslint.config.js', 'vitest.config.ts', '.prettierrc.json', '.prettierignore', '.npmrc', 'debian', 'systemd'],
    ];
    expect(top.filter((name) => !allowed.includes(name))).toEqual([]);
  });
});
