/** Debian's kernel for virtual machines and what else the guest has that this host has not: fetched once, unpacked, never installed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

const META_PACKAGE = 'linux-image-cloud-amd64';
/** teamd, with the libraries that a host without it lacks. */
const TEAM_PACKAGES = [
  'libteam-utils',
  'libteam5',
  'libteamdctl0',
  'libdaemon0',
  'libjansson4',
  'libnl-3-200',
  'libnl-genl-3-200',
  'libnl-route-3-200',
  'libnl-nf-3-200',
  'libnl-cli-3-200',
  'libdbus-1-3',
];
const BUSYBOX = 'busybox-static';

export interface Packages {
  /** Path of the bootable kernel. */
  vmlinuz: string;
  /** `6.1.0-56-cloud-amd64` */
  release: string;
  /** Folder of its modules. */
  modules: string;
  /** Root of the unpacked packages. */
  root: string;
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'baton', 'vm');
}

/** Another list of packages is another root. */
function rootFolder(): string {
  const list = [META_PACKAGE, BUSYBOX, ...TEAM_PACKAGES].join();
  return join(cacheFolder(), `root-${createHash('sha256').update(list).digest('hex').slice(0, 8)}`);
}

function output(program: string, args: string[], cwd?: string): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...(cwd ? { cwd } : {}) });
}

/** Name of the package that has the kernel itself; null if apt knows none. */
function kernelPackage(): string | null {
  try {
    return /Depends: (linux-image-\S+)/.exec(output('apt-cache', ['depends', META_PACKAGE]))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Why no virtual machine can run here, or null. */
export function missing(): string | null {
  if (process.getuid?.() !== 0) return 'it needs root: its network is a namespace with tap devices';
  try {
    output('qemu-system-x86_64', ['--version']);
  } catch {
    return 'qemu-system-x86_64 is missing: apt-get install qemu-system-x86';
  }
  if (present() !== null) return null;
  if (kernelPackage() === null) return `apt knows no ${META_PACKAGE}: apt-get update, on Debian for amd64`;
  return null;
}

/** What an earlier run fetched; null if nothing. */
function present(): Packages | null {
  const root = rootFolder();
  if (!existsSync(root)) return null;
  const image = readdirSync(join(root, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) return null;
  const release = image.slice('vmlinuz-'.length);
  return { vmlinuz: join(root, 'boot', image), release, modules: join(root, 'lib/modules', release), root };
}

/** Fetches and unpacks what is not there yet. Throws an Error with what apt said. */
export function packages(): Packages {
  const known = present();
  if (known) return known;
  const folder = cacheFolder();
  const unfinished = join(folder, `unfinished-${process.pid}`);
  const root = join(unfinished, 'root');
  mkdirSync(root, { recursive: true });
  try {
    const wanted = [kernelPackage()!, BUSYBOX, ...TEAM_PACKAGES];
    output('apt-get', ['download', ...wanted], unfinished);
    for (const file of readdirSync(unfinished).filter((name) => name.endsWith('.deb')))
      output('dpkg-deb', ['-x', join(unfinished, file), root]);
    renameSync(root, rootFolder());
  } catch (error) {
    throw new Error(`the guest's packages cannot be fetched: ${(error as Error).message}`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return present()!;
}

/** Module name → path of its file below that folder. */
function moduleFiles(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ko'));
  return new Map(files.map((name) => [basename(name, '.ko').replaceAll('-', '_'), join(folder, name)]));
}

/** What the file says in its section .modinfo. */
export function dependenciesIn(module: Buffer): string[] {
  const key = '\0depends=';
  const from = module.indexOf(key);
  if (from < 0) return [];
  const text = module.toString('latin1', from + key.length, module.indexOf(0, from + key.length));
  return text === '' ? [] : text.split(',').map((name) => name.replaceAll('-', '_'));
}

/** Those modules and all that they need, each after what it needs. Throws an Error naming one that the kernel has not. */
export function inOrder(wanted: readonly string[], dependenciesOf: (name: string) => string[]): string[] {
  const order: string[] = [];
  const visit = (name: string): void => {
    if (order.includes(name)) return;
    for (const needed of dependenciesOf(name)) visit(needed);
    if (!order.includes(name)) order.push(name);
  };
  for (const name of wanted) visit(name);
  return order;
}

/** Paths of these modules and of all that they need, in the order in which they can be loaded. */
export function modulePaths({ modules, release }: Packages, wanted: readonly string[]): string[] {
  const files = moduleFiles(modules);
  const pathOf = (name: string): string => {
    const path = files.get(name);
    if (path === undefined) throw new Error(`the kernel ${release} has no module ${name}`);
    return path;
  };
  return inOrder(wanted, (name) => dependenciesIn(readFileSync(pathOf(name)))).map(pathOf);
}
