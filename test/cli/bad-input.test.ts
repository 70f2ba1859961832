/**
 * Bad input, each with a clear message on standard error, nothing on standard output, and its exit code. The real
 * command in a network namespace:
 *
 *     eth0, eth1, eth3 ── veth pairs      eth2 ── port of br0      lo ── another link type
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const baton = fileURLToPath(new URL('../../bin/baton.js', import.meta.url));
const root = process.getuid?.() === 0;
const namespace = `bt-bad-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), 'baton-bad-'));
const at = (name: string): string => join(folder, name);

interface Case {
  what: string;
  args: string[];
  /** Content of cluster.yaml. */
  file?: string;
  /** Before the command, in a mount namespace of its own. */
  mount?: string;
  /** Programs before `node`. */
  under?: string[];
  code: number;
  stderr: RegExp;
}

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run({ args, file, mount, under = [] }: Omit<Case, 'what' | 'code' | 'stderr'>): Ran {
  writeFileSync(at('cluster.yaml'), file ?? cluster());
  const command = [...under, process.execPath, baton, ...args, '--config', at('cluster.yaml')];
  command.push('--run-dir', at('run'), '--state-dir', at('state'));
  const inside = root ? ['ip', 'netns', 'exec', namespace, ...command] : command;
  const whole = mount === undefined ? inside : ['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, 'sh', ...inside];
  const { status, stdout, stderr } = spawnSync(whole[0]!, whole.slice(1), {
    encoding: 'utf8',
    timeout: 25_000,
    env: { ...process.env, NODE_ENV: '', FORCE_COLOR: '0' },
  });
  return { code: status, stdout, stderr };
}

function cluster(net = 'primary: eth0, standby: [eth1]', key = 'key'): string {
  return `cluster: shop
key: ${at(key)}
nets: { public: { targets: [10.77.0.254] } }
nodes: { alpha: { public: { ${net}, address: 10.77.0.1/24 } } }
`;
}

const KEY = `${'0123456789abcdef'.repeat(4)}\n`;

beforeAll(() => {
  if (!existsSync(fileURLToPath(new URL('../../dist/src/cli/commands', import.meta.url)))) {
    throw new Error('not built; do: npm run setup');
  }
  writeFileSync(at('key'), KEY, { mode: 0o600 });
  writeFileSync(at('open-key'), KEY);
  chmodSync(at('open-key'), 0o644);
  for (const name of ['run', 'state']) mkdirSync(at(name), { mode: 0o755 });
  if (!root) return;
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  ip('netns', 'add', namespace);
  for (const nic of ['eth0', 'eth1', 'eth2', 'eth3']) {
    ip('-n', namespace, 'link', 'add', nic, 'type', 'veth', 'peer', 'name', `${nic}-far`);
    ip('-n', namespace, 'link', 'set', nic, 'up');
  }
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
  ip('-n', namespace, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', namespace, 'link', 'set', 'eth2', 'master', 'br0');
  ip('-n', namespace, 'address', 'add', '10.77.0.1/24', 'dev', 'eth0');
  ip('-n', namespace, 'address', 'add', '10.9.0.5/24', 'dev', 'eth3');
});

afterAll(() => {
  if (root) spawnSync('ip', ['netns', 'del', namespace]);
  rmSync(folder, { recursive: true, force: true });
});

const plainCases: Case[] = [
  {
    what: 'broken YAML',
    args: ['check'],
    file: 'cluster: [\n',
    code: 2,
    stderr: /^baton: \S+cluster\.yaml:2:1: not valid YAML: /,
  },
  {
    what: 'unknown key',
    args: ['check'],
    file: `${cluster()}prot: 1\n`,
    code: 2,
    stderr: /^baton: \S+cluster\.yaml:5:1: prot: unknown key "prot"; did you mean "port"\?\n$/,
  },
  {
    what: 'no cluster file',
    args: ['check', '/nonexistent.yaml'],
    code: 2,
    stderr: /^baton: cannot read the cluster file \/nonexistent\.yaml: there is no such file; name it with --config/,
  },
  { what: 'unknown command', args: ['frobnicate'], code: 2, stderr: /frobnicate is not a baton command/ },
  {
    what: 'unknown flag',
    args: ['status', '--frob'],
    code: 2,
    stderr: /^baton: Nonexistent flag: --frob\nbaton: how it is used: baton status --help\n$/,
  },
  {
    what: 'a flag that is missing',
    args: ['link', 'switch'],
    code: 2,
    stderr: /^baton: Missing required flag net\nbaton: how it is used: baton link switch --help\n$/,
  },
  {
    what: 'a number that is none',
    args: ['events', '--last', 'x'],
    code: 2,
    stderr: /^baton: Parsing --last; Expected an integer but received: x\n/,
  },
  {
    what: 'unknown node',
    args: ['daemon', '--node', 'alhpa'],
    code: 2,
    stderr: /^baton: unknown node "alhpa"; did you mean "alpha"\?\n$/,
  },
  {
    what: 'what-if without a fault',
    args: ['what-if'],
    code: 2,
    stderr: /^baton: which fault\? Name one or more, each in quotes: /,
  },
  {
    what: 'a fault of a node that is not there',
    args: ['what-if', 'power-off alhpa'],
    code: 2,
    stderr: /^baton: "power-off alhpa": unknown node "alhpa"; .*\n(.*\n)+baton: +switches: public\n/,
  },
  {
    what: 'times that do not fit the faults',
    args: ['what-if', 'cut alpha.eth0', '--at', '0s,2s'],
    code: 2,
    stderr: /^baton: --at names 2 times for 1 faults; name one for each\n$/,
  },
  {
    what: 'missing key',
    args: ['daemon', '--node', 'alpha'],
    file: cluster(undefined, 'no-key'),
    code: 2,
    stderr: /^baton: cluster key \S+no-key: there is none; make one with: baton keygen --out \S+no-key\n$/,
  },
  {
    what: 'world-readable key',
    args: ['daemon', '--node', 'alpha'],
    file: cluster(undefined, 'open-key'),
    code: 2,
    stderr: /^baton: cluster key \S+open-key: others may read it \(mode 0644\); do: chmod 0600 \S+open-key\n$/,
  },
  {
    what: 'no daemon',
    args: ['status'],
    code: 3,
    stderr: /^baton: no batond answers: .*\nbaton: start it with: baton daemon\n$/,
  },
  {
    what: 'a package that is not named',
    args: ['package', 'move'],
    code: 2,
    stderr: /^baton: Missing 1 required arg: name.*\nbaton: how it is used: baton package move --help\n$/,
  },
  {
    what: 'a node that is not named',
    args: ['takeover'],
    code: 2,
    stderr: /^baton: Missing 1 required arg: node.*\nbaton: how it is used: baton takeover --help\n$/,
  },
  ...['package move web --to beta', 'node halt beta', 'cluster run', 'surrender', 'takeover beta'].map(
    (command): Case => ({
      what: `no daemon, at ${command}`,
      args: command.split(' '),
      code: 3,
      stderr: /^baton: no batond answers: .*\nbaton: start it with: baton daemon\n$/,
    }),
  ),
  {
    what: 'resources that are not run',
    args: ['check'],
    file: `${cluster()}packages: { web: { nodes: [alpha], resources: [{ systemd: nginx.service }] } }\n`,
    code: 2,
    stderr:
      /^baton: \S+cluster\.yaml:5:\d+: packages\.web\.resources\[0\]: systemd resources are not run by this version/,
  },
  {
    what: 'a lock without sense',
    args: ['link', 'lock', 'eth0', '--for', 'ever'],
    code: 2,
    stderr: /^baton: --for: found "ever"; expected a duration/,
  },
  {
    what: 'a key that exists',
    args: ['keygen', '--out', at('key')],
    code: 1,
    stderr: /^baton: \S+key exists and is left as it is; name another file with --out\n$/,
  },
  {
    what: 'no such scenario',
    args: ['scenario', 'run', 'no-such-story'],
    code: 2,
    stderr: /^baton: there is no scenario no-such-story/,
  },
];

const rootCases: Case[] = [
  {
    what: 'NIC that does not exist, at check',
    args: ['check', '--host', '--node', 'alpha'],
    file: cluster('primary: eth0, standby: [eth7]'),
    code: 2,
    stderr: /^baton: eth7 does not exist on this host \(.*eth0.*\); did you mean eth1\?\n$/,
  },
  {
    what: 'no NIC that exists, at start',
    args: ['daemon', '--node', 'alpha'],
    file: cluster('primary: enp1s0, standby: [enp2s0]'),
    code: 2,
    stderr: /^baton: no NIC of node alpha exists: enp1s0 does not exist on this host/,
  },
  ...['check --host', 'daemon'].map((command): Case => {
    return {
      what: `bridge port, at ${command}`,
      args: [...command.split(' '), '--node', 'alpha'],
      file: cluster('primary: eth0, standby: [eth2]'),
      code: 2,
      stderr:
        /^baton: eth2 is a port of the bridge br0; name br0 in the cluster file, or do: ip link set eth2 nomaster\n$/,
    };
  }),
  {
    what: 'standby with an address, at check',
    args: ['check', '--host', '--node', 'alpha'],
    file: cluster('primary: eth0, standby: [eth3]'),
    code: 2,
    stderr: /^baton: eth3 is a standby but carries 10\.9\.0\.5\/24; do: ip address del 10\.9\.0\.5\/24 dev eth3/,
  },
  ...['check --host', 'daemon'].map((command): Case => {
    return {
      what: `other link type, at ${command}`,
      args: [...command.split(' '), '--node', 'alpha'],
      file: cluster('primary: eth0, standby: [lo]'),
      code: 2,
      stderr: /baton: lo is of link type loopback, its primary eth0 of ether; name a standby of the same link type/,
    };
  }),
  {
    what: 'missing key, at check --host',
    args: ['check', '--host', '--node', 'alpha'],
    file: cluster(undefined, 'no-key'),
    code: 2,
    stderr: /^baton: cluster key \S+no-key: there is none/,
  },
  {
    what: 'no root',
    args: ['daemon', '--node', 'alpha'],
    under: ['setpriv', '--bounding-set=-all'],
    code: 1,
    stderr:
      /^baton: batond needs CAP_NET_ADMIN and CAP_NET_RAW\nbaton: run it as root, or give the service those capabilities\n$/,
  },
  {
    what: 'read-only run directory',
    args: ['daemon', '--node', 'alpha'],
    mount: `mount -t tmpfs -o ro none ${at('run')}`,
    code: 1,
    stderr:
      /^baton: the run directory \S+run cannot be used: the file system is read-only\nbaton: mend it, or name another with --run-dir\n$/,
  },
  {
    what: 'run directory of somebody else',
    args: ['daemon', '--node', 'alpha'],
    mount: `mount -t tmpfs -o uid=65534,mode=755 none ${at('run')}`,
    code: 1,
    stderr: /^baton: the run directory \S+run belongs to user 65534; do: chown root: \S+run\n$/,
  },
  {
    what: 'run directory that everybody may write',
    args: ['daemon', '--node', 'alpha'],
    mount: `mount -t tmpfs -o mode=777 none ${at('run')}`,
    code: 1,
    stderr: /^baton: the run directory \S+run may be written by everybody; do: chmod 0755 \S+run\n$/,
  },
  {
    what: 'read-only state directory',
    args: ['daemon', '--node', 'alpha'],
    mount: `mount -t tmpfs -o ro none ${at('state')}`,
    code: 1,
    stderr:
      /^baton: the state directory \S+state cannot be used: the file system is read-only\nbaton: mend it, or name another with --state-dir\n$/,
  },
];

function judge(one: Case): void {
  const { code, stdout, stderr } = run(one);
  expect(stderr).toMatch(one.stderr);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(one.code);
}

describe('bad input', () => {
  test.each(plainCases)('$what: exit code $code', judge);
});

describe.skipIf(!root)('bad input (needs root: network namespaces)', () => {
  test.each(rootCases)('$what: exit code $code', judge);

  test.each(['check --host', 'daemon'])('address by DHCP, at %s: exit code 2', (command) => {
    const ip = (...args: string[]): void => void execFileSync('ip', ['-n', namespace, 'address', ...args]);
    ip('add', '10.77.0.9/24', 'dev', 'eth0', 'valid_lft', '600', 'preferred_lft', '600');
    try {
      const { code, stderr } = run({ args: [...command.split(' '), '--node', 'alpha'] });
      expect(stderr).toMatch(
        /^baton: eth0 has 10\.77\.0\.9\/24 for \d+ s only: an address by DHCP cannot move; give eth0 a static address and end its DHCP client\n$/,
      );
      expect(code).toBe(2);
    } finally {
      ip('del', '10.77.0.9/24', 'dev', 'eth0');
    }
  });

  test('a daemon that already answers: exit code 1', async () => {
    const server = createServer().listen(at('run/control.sock'));
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const { code, stderr } = run({ args: ['daemon', '--node', 'alpha'] });
      expect(stderr).toMatch(
        /^baton: another batond answers on \S+control\.sock\nbaton: stop it first, or name another directory with --run-dir\n$/,
      );
      expect(code).toBe(1);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('with nothing wrong, check --host says valid', () => {
    const { code, stdout, stderr } = run({ args: ['check', '--host', '--node', 'alpha'] });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^valid \S+cluster\.yaml: cluster shop, 1 net, 1 node, digest [0-9a-f]{12}\n$/);
    expect(code).toBe(0);
  });
});
