/**
 * The guest's root: this tree as it is compiled, node, the programs that baton and its lab run, and the kernel's modules.
 *
 *     /init            guest/init: mounts, loads modules, obeys commands from the host
 *     /modules/NN-*    in the order of loading
 *     /baton           bin, dist, build, node_modules, scenarios
 */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileProber } from '../../drivers/namespaces/prober.js';
import { packageRoot } from '../../src/version.js';
import { writeArchive, type Entry } from './archive.js';
import { modulePaths, type Packages } from './kernel.js';

const MODULES = [
  ...['virtio_pci', 'virtio_console', 'virtio_net', 'virtio_rng'],
  ...['bonding', 'team', 'team_mode_activebackup', 'team_mode_roundrobin', '8021q', 'veth', 'bridge', 'macvlan'],
  ...['dummy', 'ifb', 'tun', 'vrf', 'sch_netem', 'sch_tbf', 'sch_ingress', 'cls_u32', 'act_mirred', 'act_gact'],
  ...['nf_tables', 'nfnetlink', 'nft_fib', 'nft_fib_ipv4', 'nft_fib_ipv6', 'nft_fib_inet', 'nft_ct', 'nft_nat'],
  ...['nft_chain_nat', 'nft_limit', 'nft_reject_inet', 'nft_dup_netdev', 'nft_fwd_netdev'],
];
const PROGRAMS = ['ip', 'nft', 'ping', 'bash', 'unshare', 'nsenter', 'tc', 'ss', 'mount', 'umount'];
/** Those that busybox does well enough. */
const APPLETS =
  'awk cat chmod cp cut date dmesg env false find grep head id insmod kill ls ln mkdir mv nice poweroff ps rm sed seq setsid sh sleep sort stat sysctl tail test timeout touch tr true uname uniq wc';
/** Development packages that the compiled tests do need in the guest: real `expect`, without the rest of vitest. */
const EXPECT = ['@vitest/expect', '@vitest/utils', '@vitest/spy', '@vitest/pretty-format', 'chai', 'tinyrainbow'];
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

class Image {
  readonly entries = new Map<string, Entry>();

  text(path: string, text: string, mode = 0o644): void {
    this.entries.set(path, { text, mode });
  }

  link(path: string, to: string): void {
    this.entries.set(path, { link: to });
  }

  folder(path: string): void {
    this.entries.set(path, { folder: true });
  }

  file(path: string, from: string): void {
    this.entries.set(path, { file: from, mode: statSync(from).mode & 0o777 });
  }

  /** All of a folder, symbolic links as they are. */
  tree(path: string, from: string, skips: (name: string) => boolean = () => false): void {
    for (const name of readdirSync(from)) {
      if (skips(name)) continue;
      const [there, here] = [`${path}/${name}`, join(from, name)];
      const found = lstatSync(here);
      if (found.isDirectory()) this.tree(there, here, skips);
      else if (found.isSymbolicLink()) this.link(there, readlinkSync(here));
      else if (found.isFile()) this.file(there, here);
    }
  }

  /** A program of this host, or of the unpacked packages, with its libraries. */
  program(name: string, from: string, packages: Packages): void {
    this.file(`bin/${name}`, realpathSync(from));
    for (const library of librariesOf(from, packages)) {
      const place = library.includes('ld-linux') ? 'lib64' : 'lib/x86_64-linux-gnu';
      this.file(`${place}/${basename(library)}`, realpathSync(library));
    }
  }
}

function librariesOf(program: string, { root }: Packages): string[] {
  const env = { ...process.env, LD_LIBRARY_PATH: join(root, LIBRARIES) };
  const shown = execFileSync('ldd', [program], { encoding: 'utf8', env });
  const lacking = /^\s*(\S+) => not found/m.exec(shown)?.[1];
  if (lacking !== undefined) throw new Error(`${program} needs ${lacking}, which is neither here nor in the cache`);
  return [...shown.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!);
}

function which(name: string): string {
  const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const found = folders.map((folder) => join(folder, name)).find(existsSync);
  if (found === undefined) throw new Error(`this host has no ${name}`);
  return found;
}

/** Packages that baton runs with, as npm lists them. */
function productionPackages(root: string): string[] {
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const below = join(root, 'node_modules');
  return listed.split('\n').filter((path) => path.startsWith(`${below}/`));
}

function addBaton(image: Image): void {
  const root = fileURLToPath(packageRoot()).replace(/\/$/, '');
  for (const folder of ['bin', 'scenarios', 'drivers/namespaces/prober'])
    image.tree(`baton/${folder}`, join(root, folder));
  image.file('baton/package.json', join(root, 'package.json'));
  image.tree('baton/dist', join(root, 'dist'), (name) => name.endsWith('.map') || name.endsWith('.tsbuildinfo'));
  image.tree('baton/build', join(root, 'build'), (name) => name.startsWith('obj.') || name === '.deps');
  image.file('baton/src/config/reference.yaml', join(root, 'src/config/reference.yaml'));
  const expected = EXPECT.map((name) => join(root, 'node_modules', name)).filter(existsSync);
  for (const path of [...productionPackages(root), ...expected])
    image.tree(`baton/${relative(root, path)}`, path, (name) => name === 'node_modules' || /\.(d\.ts|map)$/.test(name));
  addTests(image, root);
}

/** Compiled tests ask for `vitest`, and for the sources beside them; both names lead to what the guest has. */
function addTests(image: Image, root: string): void {
  const guest = join(root, 'test/vm/guest');
  image.file('baton/node_modules/vitest/index.js', join(guest, 'vitest.js'));
  image.text('baton/node_modules/vitest/package.json', '{ "name": "vitest", "type": "module", "main": "index.js" }');
  image.file('baton/tests.js', join(guest, 'tests.js'));
  image.text('baton/dist/test/drivers/linux/typescript.js', '');
  image.file('baton/dist/test/drivers/linux/inside/datagrams.js', join(root, 'test/drivers/linux/inside/datagrams.js'));
  for (const folder of ['test/drivers/linux', 'test/drivers/linux/inside'])
    for (const name of readdirSync(join(root, 'dist', folder)).filter((it) => it.endsWith('.js')))
      image.link(`baton/dist/${folder}/${name.replace(/\.js$/, '.ts')}`, name);
}

function addPrograms(image: Image, packages: Packages): void {
  image.program('node', process.execPath, packages);
  for (const name of PROGRAMS) image.program(name, which(name), packages);
  for (const name of ['teamd', 'teamdctl']) image.program(name, join(packages.root, 'usr/bin', name), packages);
  image.file('bin/busybox', join(packages.root, 'bin/busybox'));
  for (const name of APPLETS.split(' ')) if (!image.entries.has(`bin/${name}`)) image.link(`bin/${name}`, 'busybox');
  image.link('usr/bin', '../bin');
  image.link('usr/sbin', '../bin');
  image.link('sbin', 'bin');
}

/** Writes the archive that the machine boots from. */
export async function buildImage(target: string, packages: Packages): Promise<void> {
  // The guest has no compiler.
  await compileProber();
  const image = new Image();
  for (const folder of ['proc', 'sys', 'dev', 'run', 'tmp', 'root', 'var/lib', 'var/log']) image.folder(folder);
  image.link('var/run', '../run');
  image.text('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n');
  image.text('etc/group', 'root:x:0:\n');
  image.text('etc/hosts', '127.0.0.1 localhost\n');
  const init = join(fileURLToPath(packageRoot()), 'test/vm/guest/init');
  image.text('init', readFileSync(init, 'utf8'), 0o755);
  modulePaths(packages, MODULES).forEach((path, i) =>
    image.file(`modules/${String(i).padStart(3, '0')}-${basename(path)}`, path),
  );
  addPrograms(image, packages);
  addBaton(image);
  writeArchive(target, image.entries);
}
