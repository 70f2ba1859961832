#!/usr/bin/env node
/**
 * Makes a fresh clone ready: system tools, npm packages, native addons, compiled TypeScript. Plain Node without
 * packages, for it runs before there are any. Does only what is missing or stale, and says what it does.
 *
 *   node bin/setup.js            everything that baton needs
 *   node bin/setup.js --tests    also the tools that only tests use
 *   node bin/setup.js --build    compile alone, whether stale or not
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
} from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const forTests = process.argv.includes('--tests');
const buildOnly = process.argv.includes('--build');
const NODE_MIN = 20;

/** Tool → Debian package. The second group is for `npm test` alone: without it some tests are skipped, with the reason. */
const TO_BUILD = { python3: 'python3', make: 'make', 'g++': 'g++' };
const TO_RUN = { ip: 'iproute2', nft: 'nftables', ping: 'iputils-ping' };
const TO_TEST = {
  strace: 'strace',
  tshark: 'tshark',
  git: 'git',
  openssl: 'openssl',
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  chromium: 'chromium',
};

const from = (path) => join(root, path);

function say(text) {
  console.log(`setup: ${text}`);
}

function stop(text) {
  console.error(`setup: ${text}`);
  process.exit(1);
}

function hasTool(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a program in the project's folder. Its output is shown if it fails. Returns whether it succeeded. */
function run(program, args, env = {}) {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, ...env } };
  const result = spawnSync(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.error) console.error(`setup: ${program}: ${result.error.message}`);
  if (result.status !== 0) process.stderr.write(result.stdout + result.stderr);
  return result.status === 0;
}

/** Runs without showing anything. */
function works(program, args) {
  return spawnSync(program, args, { cwd: root, stdio: 'ignore' }).status === 0;
}

// ── system ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MIN) {
    stop(`this is Node ${process.versions.node}; baton needs Node ${NODE_MIN} or newer (https://nodejs.org)`);
  }
  if (process.platform !== 'linux') stop(`this is ${process.platform}; baton works on Linux only`);
}

function missingOf(tools) {
  return Object.keys(tools).filter((tool) => !hasTool(tool));
}

function installSystemPackages(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = (names) => run('apt-get', ['install', '-qy', '--no-install-recommends', ...names], env);
  say(`installing ${packages.join(', ')} (apt-get update, apt-get install) ...`);
  // One that is not to be had must not keep the others away.
  if (run('apt-get', ['update', '-q'], env) && !install(packages)) for (const name of packages) install([name]);
}

function checkSystem() {
  const all = { ...TO_BUILD, ...TO_RUN, ...(forTests ? TO_TEST : {}) };
  const missing = missingOf(all);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => all[tool]);
  say(`not on this system: ${missing.join(', ')}`);
  if (process.getuid() === 0 && hasTool('apt-get')) installSystemPackages(packages);
  else say(`to install it: sudo apt-get install ${packages.join(' ')}`);
  const still = missingOf(all);
  const needed = still.filter((tool) => tool in TO_BUILD);
  if (needed.length > 0 && !built()) stop(`cannot build without ${needed.join(', ')}`);
  const wanted = still.filter((tool) => tool in TO_RUN);
  if (wanted.length > 0)
    say(`going on without ${wanted.join(', ')}: the namespaces lab needs it, the simulator does not`);
  const optional = still.filter((tool) => tool in TO_TEST);
  if (optional.length > 0) say(`going on without ${optional.join(', ')}: the tests that need it are skipped`);
}

// ── npm packages ────────────────────────────────────────────────────────────────────────────────────────────────────

/** npm keeps beside the packages what it installed; compare with what the lock file asks for. */
function packagesAreStale() {
  if (!existsSync(from('node_modules/.package-lock.json'))) return true;
  const wanted = JSON.parse(readFileSync(from('package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(from('node_modules/.package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).some(([path, entry]) => {
    if (path === '') return false;
    const have = present[path];
    if (!have) return !entry.optional;
    return have.version !== entry.version || !existsSync(from(path));
  });
}

/** Headers beside the running Node save a download, and are surely those of this Node. */
function nodedir() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {};
}

/** npm-cli.js of the npm that started us, else of the one in PATH. */
function npmCli() {
  if (process.env.npm_execpath?.endsWith('npm-cli.js')) return process.env.npm_execpath;
  const npm = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'npm'))
    .find(existsSync);
  if (!npm) stop('npm is not in PATH; it comes with Node');
  return realpathSync(npm);
}

function installPackages() {
  if (!packagesAreStale()) return false;
  say('installing npm packages (npm ci) ...');
  const done = run(process.execPath, [npmCli(), 'ci', '--include=dev', '--no-audit', '--no-fund'], nodedir());
  if (!done) stop('npm ci failed; see above');
  return true;
}

// ── native addons ───────────────────────────────────────────────────────────────────────────────────────────────────

const SOCKET = 'build/Release/socket.node';
const SOCKET_SOURCES = ['socket.c', 'syscalls.c', 'disk.c', 'line.c', 'native.h']
  .map((name) => `drivers/linux/${name}`)
  .concat('binding.gyp');

function modified(path) {
  return existsSync(from(path)) ? statSync(from(path)).mtimeMs : 0;
}

function socketIsStale() {
  return SOCKET_SOURCES.some((source) => modified(source) > modified(SOCKET)) || !loads(`./${SOCKET}`);
}

function loads(module) {
  return works(process.execPath, ['-e', `require(${JSON.stringify(module)})`]);
}

function buildAddons() {
  let did = false;
  if (existsSync(from(SOCKET_SOURCES[0])) && socketIsStale()) {
    say('building the native socket (node-gyp) ...');
    const gyp = join(dirname(dirname(npmCli())), 'node_modules/node-gyp/bin/node-gyp.js');
    if (!run(process.execPath, [gyp, 'rebuild', '--silent'], nodedir()))
      stop('the native socket does not build; see above');
    did = true;
  }
  return did;
}

// ── TypeScript ──────────────────────────────────────────────────────────────────────────────────────────────────────

const SOURCES = ['src', 'drivers', 'test'];
/** Its time is that of the last complete compilation. */
const STAMP = 'dist/.compiled';

function* filesBelow(folder) {
  for (const entry of existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

const isSource = (path) => path.endsWith('.ts') && !path.endsWith('.d.ts');
const isAsset = (path) => /\.(?:yaml|html|css|svg)$/.test(path);
const outputOf = (path) => join(root, 'dist', relative(root, path)).replace(/\.ts$/, '.js');

function built() {
  return existsSync(from(STAMP)) && existsSync(from(SOCKET));
}

/** A module whose source is gone must not be found by an import, nor a command by oclif. */
function removeStaleOutputs() {
  const kept = new Set(SOURCES.flatMap((folder) => [...filesBelow(from(folder))]).map(outputOf));
  const stale = SOURCES.flatMap((folder) => [...filesBelow(from(join('dist', folder)))]).filter(
    (path) => !kept.has(path.replace(/\.map$/, '')),
  );
  for (const path of stale) rmSync(path);
  return stale.length;
}

function copyAssets() {
  for (const folder of ['src', 'drivers']) {
    for (const path of filesBelow(from(folder))) {
      if (!isAsset(path)) continue;
      mkdirSync(dirname(outputOf(path)), { recursive: true });
      copyFileSync(path, outputOf(path));
    }
  }
}

function compile() {
  const inputs = SOURCES.flatMap((folder) => [...filesBelow(from(folder))]).filter(
    (path) => isSource(path) || isAsset(path),
  );
  if (inputs.length === 0) return false;
  inputs.push(from('tsconfig.json'), from('package-lock.json'));
  const missing = inputs.filter((path) => isSource(path) && !existsSync(outputOf(path)));
  const newest = Math.max(...inputs.map((path) => statSync(path).mtimeMs));
  if (removeStaleOutputs() === 0 && missing.length === 0 && newest <= modified(STAMP) && !buildOnly) return false;
  say('compiling TypeScript (tsc) ...');
  const started = new Date();
  // tsc writes only what changed since its last run: outputs that somebody deleted come back only without its memory.
  if (missing.length > 0) rmSync(from('dist/tsconfig.tsbuildinfo'), { force: true });
  if (!run(process.execPath, [from('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json']))
    stop('tsc found errors; see above');
  copyAssets();
  writeFileSync(from(STAMP), `${started.toISOString()} Node ${process.versions.node}\n`);
  return true;
}

// ── all of it ───────────────────────────────────────────────────────────────────────────────────────────────────────

const begun = Date.now();
checkNode();
if (!buildOnly) checkSystem();
const did = [buildOnly ? false : installPackages(), buildAddons(), compile()].some(Boolean);
if (did) say(`ready after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
