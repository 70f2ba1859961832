import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseCluster, parseClusterFile, readClusterFile } from '../../src/config/parse.js';
import { ClusterFileError, showProblem } from '../../src/config/problem.js';

const HEAD = 'cluster: shop\nkey: /etc/baton/cluster.key\n';
const LONE = `${HEAD}nets: { public: { targets: [10.77.0.254] } }
nodes: { alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } } }
`;
const TWO = `${HEAD}nets:
  public: { heartbeat: public, targets: [10.77.0.254] }
nodes:
  alpha: { public: { primary: eth0, standby: [eth1], address: [10.77.0.1/24, "fd77::1/64"] } }
  beta: { public: { primary: eth0, standby: [eth1], address: [10.77.0.2/24, "fd77::2/64"] } }
`;

/** Two nets of one node, with one NIC that stands by for both. */
const SHARED = `${HEAD}nets: { public: { targets: [10.77.0.254] }, lan: {} }
nodes: { alpha: {
  public: { primary: eth0, standby: eth1, address: 10.77.0.1/24 }, lan: { primary: eth2, standby: eth1, address: 10.88.0.1/24 } } }
`;

function problemsOf(text: string): string[] {
  try {
    parseClusterFile(text, 'c.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof ClusterFileError)) throw error;
    return error.problems.map((problem) => showProblem('c.yaml', problem));
  }
}

describe('a good file', () => {
  test('one node with two cards, nothing else, is complete and has every default', () => {
    const { cluster, warnings } = parseClusterFile(LONE, 'c.yaml');
    expect(warnings).toEqual([]);
    expect(cluster).toMatchObject({
      name: 'shop',
      key: '/etc/baton/cluster.key',
      nets: [
        {
          name: 'public',
          targets: [{ family: 4, address: '10.77.0.254' }],
          failureDetection: 'inonly_or_inout',
          autoSwitchBack: true,
          upDelayMs: 5000,
          flapMax: 3,
          flapWindowMs: 600_000,
          announceEveryMs: 30_000,
        },
      ],
      nodes: [
        {
          name: 'alpha',
          nets: [
            {
              net: 'public',
              primary: 'eth0',
              standby: ['eth1'],
              addresses: [{ family: 4, address: '10.77.0.1', prefixLength: 24 }],
            },
          ],
        },
      ],
      timing: { pollMs: 200, pollMisses: 3, carrierPollMs: 20, heartbeatMs: 200, nodeTimeoutMs: 1000 },
      port: 7789,
      record: false,
      log: { level: 'info', keep: 7 },
    });
    expect(Object.keys(cluster)).not.toContain('quorum');
    expect(cluster.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('addresses are canonical', () => {
    const text = LONE.replace('10.77.0.1/24', '"FD77:0:1:0:0:0:0:00A1/64"').replace(
      '[10.77.0.254]',
      '["fd77:0:1::FE"]',
    );
    const cluster = parseCluster(text);
    expect(cluster.nodes[0]?.nets[0]?.addresses[0]?.address).toBe('fd77:0:1::a1');
    expect(cluster.nets[0]?.targets[0]?.address).toBe('fd77:0:1::fe');
  });

  test.each([
    ['comments and spacing', (text: string) => `# hello\n${text}\n\n`, true],
    ['order of keys', (text: string) => text.replace(HEAD, 'key: /etc/baton/cluster.key\ncluster: shop\n'), true],
    ['a default written out', (text: string) => `${text}port: 7789\n`, true],
    ['another spelling of a duration', (text: string) => text.replace('254] }', '254], upDelay: 5000ms }'), true],
    ['another port', (text: string) => `${text}port: 7790\n`, false],
    ['another standby', (text: string) => text.replace('eth1', 'eth2'), false],
  ])('the digest stands for the content: %s', (_what, change, same) => {
    const digest = parseCluster(change(LONE)).digest;
    expect(digest === parseCluster(LONE).digest).toBe(same);
  });

  test('the reference file parses, without a word of warning, and names every default truly', () => {
    const path = new URL('../../src/config/reference.yaml', import.meta.url).pathname;
    const { cluster, warnings } = readClusterFile(path);
    expect(warnings).toEqual([]);
    const short = parseCluster(LONE);
    expect(cluster.timing).toEqual(short.timing);
    expect(cluster.port).toBe(short.port);
    expect(cluster.record).toBe(short.record);
    expect(cluster.nets[0]).toMatchObject({ ...short.nets[0], targets: expect.any(Array) as unknown });
    expect(cluster.packages.map(({ resources }) => resources.map(({ kind }) => kind))).toEqual([
      ['address', 'address', 'exec', 'systemd', 'script'],
      ['ocf'],
      ['address'],
    ]);
    expect(
      readFileSync(path, 'utf8')
        .split('\n')
        .every((line) => line.length <= 120),
    ).toBe(true);
  });

  test('the sample of the manual parses', () => {
    const text = `${TWO}quorum: { arbiter: { etcd: { endpoints: ["http://10.79.0.9:2379"] } } }
packages:
  web:
    nodes: [alpha, beta]
    resources:
      - { address: 10.77.0.100, net: public }
      - exec: { start: [/usr/local/sbin/web, start], stop: [/usr/local/sbin/web, stop], every: 2s }
notify: [{ webhook: "http://127.0.0.1:9000/alert" }]
`;
    expect(parseCluster(text).packages[0]?.resources).toEqual([
      {
        kind: 'address',
        address: { family: 4, address: '10.77.0.100', prefixLength: 32 },
        net: 'public',
        source: false,
      },
      {
        kind: 'exec',
        start: ['/usr/local/sbin/web', 'start'],
        stop: ['/usr/local/sbin/web', 'stop'],
        everyMs: 2000,
        timeoutMs: 60_000,
        restarts: 0,
      },
    ]);
  });
});

const PACKAGE = 'packages: { web: { nodes: [alpha, beta], resources: [{ address: 10.77.0.100, net: public }] } }\n';

describe('a bad file: place, what was found, what would be right', () => {
  test.each<[string, string, string[]]>([
    ['empty', '', ['c.yaml:1:1: the file is empty; it needs at least cluster, key, nets and nodes']],
    [
      'not YAML',
      `${LONE}port: [`,
      ['c.yaml:5:8: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['a key twice', `${LONE}cluster: b\n`, ['c.yaml:5:1: not valid YAML: Map keys must be unique']],
    ['a list', '- 1\n', ['c.yaml:1:1: found a list; expected a mapping that begins with cluster: and key:']],
    [
      'missing keys',
      'nets: { public: }\nnodes: { a: { public: { primary: eth0 } } }\n',
      [
        'c.yaml:1:1: cluster: missing; expected a name of letters, digits and dashes, at most 63',
        'c.yaml:1:1: key: missing; expected an absolute path',
      ],
    ],
    ['unknown key', `${LONE}prot: 1\n`, ['c.yaml:5:1: prot: unknown key "prot"; did you mean "port"?']],
    [
      'unknown key, nothing near',
      LONE.replace('primary: eth0', 'primary: eth0, speed: 10'),
      ['c.yaml:4:44: nodes.alpha.public.speed: unknown key "speed"; known: primary, standby, address'],
    ],
    [
      'unknown net',
      LONE.replace('alpha: { public', 'alpha: { publik: { primary: eth7 }, public'),
      ['c.yaml:4:19: nodes.alpha.publik: unknown net "publik"; did you mean "public"?'],
    ],
    [
      'no duration',
      LONE.replace('254] }', '254], upDelay: 5 }'),
      ['c.yaml:3:52: nets.public.upDelay: found 5; expected a duration such as 200ms, 1s or 5m'],
    ],
    [
      'no choice',
      LONE.replace('254] }', '254], failureDetection: out }'),
      ['c.yaml:3:61: nets.public.failureDetection: found "out"; expected inonly_or_inout or inout'],
    ],
    [
      'no address',
      LONE.replace('10.77.0.254', '10.77.0.256'),
      [
        'c.yaml:3:29: nets.public.targets[0]: found "10.77.0.256"; expected an IPv4 or IPv6 address without prefix length, such as 10.77.0.254',
      ],
    ],
    [
      'no prefix length',
      LONE.replace('10.77.0.1/24', '10.77.0.1'),
      [
        'c.yaml:4:70: nodes.alpha.public.address: found "10.77.0.1"; expected an address with its prefix length, such as 10.77.0.1/24 or "fd77::1/64"',
      ],
    ],
    [
      'octal look-alike',
      LONE.replace('10.77.0.1/24', '010.77.0.1/24'),
      [
        'c.yaml:4:70: nodes.alpha.public.address: found "010.77.0.1/24"; expected an address with its prefix length, such as 10.77.0.1/24 or "fd77::1/64"',
      ],
    ],
    [
      'a name that is none',
      LONE.replace('alpha', '"al pha"'),
      ['c.yaml:4:10: nodes.al pha: found "al pha"; expected a name of letters, digits and dashes, at most 63'],
    ],
    [
      'a NIC that is none',
      LONE.replace('eth0', 'eth0123456789abcdef'),
      [
        'c.yaml:4:38: nodes.alpha.public.primary: found "eth0123456789abcdef"; expected a NIC as the kernel names it, such as eth0 (at most 15 characters)',
      ],
    ],
    [
      'a NIC twice',
      LONE.replace('[eth1]', '[eth1, eth1]'),
      [
        'c.yaml:4:60: nodes.alpha.public.standby[1]: eth1 is already a standby NIC of net public of alpha; only a standby may serve several nets',
      ],
    ],
    [
      'a standby that is the primary of another net',
      SHARED.replace('primary: eth2', 'primary: eth1').replace('standby: eth1, address: 10.88', 'address: 10.88'),
      [
        'c.yaml:5:84: nodes.alpha.lan.primary: eth1 is already a standby NIC of net public of alpha; only a standby may serve several nets',
      ],
    ],
    [
      'nets that share a standby and are judged otherwise',
      SHARED.replace('lan: {}', 'lan: { upDelay: 9s, mac: follow }'),
      [
        'c.yaml:5:99: nodes.alpha.lan.standby[0]: eth1 of alpha stands by for public and lan, which differ in upDelay; expected the same in both',
        'c.yaml:5:99: nodes.alpha.lan.standby[0]: eth1 of alpha stands by for public and lan, and mac: follow of lan would give it a second MAC; remove that, or give each its own standby',
      ],
    ],
    [
      'standby is primary',
      LONE.replace('[eth1]', 'eth0'),
      ['c.yaml:4:53: nodes.alpha.public.standby[0]: eth0 is the primary NIC itself; expected another NIC'],
    ],
    [
      'a node without nets',
      LONE.replace('} } }', '} }, beta: {} }'),
      ['c.yaml:4:88: nodes.beta: node beta has no net; expected at least one with its primary NIC'],
    ],
    [
      'the same address twice',
      TWO.replace('10.77.0.2/24', '10.77.0.1/24'),
      [
        'c.yaml:7:63: nodes.beta.public.address[0]: 10.77.0.1 is already the stationary address of alpha on net public; every address belongs to one',
      ],
    ],
    [
      'a broadcast address',
      LONE.replace('10.77.0.1/24', '10.77.0.255/24'),
      [
        'c.yaml:4:70: nodes.alpha.public.address[0]: 10.77.0.255/24 is the broadcast address of its prefix; expected an address of one host',
      ],
    ],
    [
      'a loopback address',
      LONE.replace('10.77.0.1/24', '"::1/64"'),
      ['c.yaml:4:70: nodes.alpha.public.address[0]: ::1/64 is a loopback address; expected an address of one host'],
    ],
    [
      'a target off the link',
      LONE.replace('10.77.0.254', '10.78.0.254'),
      [
        'c.yaml:3:29: nets.public.targets[0]: 10.78.0.254 is not on-link for alpha, which has 10.77.0.1/24; expected an address within that prefix',
      ],
    ],
    [
      'a target that is a node',
      LONE.replace('10.77.0.254', '10.77.0.1'),
      [
        'c.yaml:3:29: nets.public.targets[0]: 10.77.0.1 is the stationary address of alpha on net public; a target must be another machine',
      ],
    ],
    [
      'a net named like a key of a node',
      LONE.replace('public: { targets', 'serial: {}, public: { targets'),
      [
        'c.yaml:3:9: nets.serial: found "serial"; expected a name of letters, digits and dashes, at most 63, but not serial or capacity, which are keys of a node',
      ],
    ],
    [
      'two nodes, packages, no arbiter',
      `${TWO}${PACKAGE}`,
      [
        'c.yaml:8:1: packages: two nodes with packages and no arbiter: neither has a majority alone; expected quorum: { arbiter: ... }, or quorum: none (both may then serve at once while they cannot hear each other)',
      ],
    ],
    [
      'etcd and disk',
      `${TWO}quorum: { arbiter: { etcd: { endpoints: ["http://e"] }, disk: /d } }\n`,
      ['c.yaml:8:20: quorum.arbiter: found a mapping; expected exactly one of etcd and disk'],
    ],
    [
      'a package on an unknown node',
      `${TWO}quorum: none\n${PACKAGE.replace('beta', 'betta')}`,
      ['c.yaml:9:35: packages.web.nodes[1]: unknown node "betta"; did you mean "beta"?'],
    ],
    [
      'a package on an unknown net',
      `${TWO}quorum: none\n${PACKAGE.replace('net: public', 'net: pubic')}`,
      ['c.yaml:9:83: packages.web.resources[0].net: unknown net "pubic"; did you mean "public"?'],
    ],
    [
      'two kinds in a resource',
      `${TWO}quorum: none\n${PACKAGE.replace('net: public', 'net: public, script: /s')}`,
      [
        'c.yaml:9:54: packages.web.resources[0]: found a mapping; expected exactly one of address, exec, ocf, systemd, script',
      ],
    ],
    [
      'a serial line of one node',
      LONE.replace('alpha: {', 'alpha: { serial: { device: /dev/ttyS0 },'),
      ['c.yaml:4:19: nodes.alpha.serial: a serial line joins two nodes; this cluster has 1'],
    ],
    [
      'a hint that names no NIC',
      `${LONE}switches: { left: [alpha.eth7] }\n`,
      [
        'c.yaml:5:20: switches.left[0]: "alpha.eth7" is no NIC of this file; unknown NIC "alpha.eth7"; did you mean "alpha.eth0"?',
      ],
    ],
  ])('%s', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('all at once, in the order of the file', () => {
    const text = LONE.replace('shop', '"sh op"').replace('eth0', '5').replace('254', '299');
    expect(problemsOf(text).map((it) => it.split(': ')[0])).toEqual(['c.yaml:1:10', 'c.yaml:3:29', 'c.yaml:4:38']);
  });

  test('packages that depend on each other in a circle are told once', () => {
    const one = (name: string, on: string) =>
      `  ${name}: { nodes: [alpha], dependsOn: [${on}], resources: [{ script: /s }] }\n`;
    const text = `${LONE}packages:\n${one('a', 'b')}${one('b', 'c')}${one('c', 'a')}`;
    expect(problemsOf(text)).toEqual([
      'c.yaml:6:24: packages.a.dependsOn: packages depend on each other in a circle: a → b → c → a',
    ]);
  });

  test('packages that must run on one node need one on which they can', () => {
    const one = (name: string, more: string) => `  ${name}: { ${more}, resources: [{ script: /s }] }\n`;
    const two = `${TWO}quorum: none\n`;
    const told = (...packages: string[]) =>
      problemsOf(`${two}packages:\n${packages.join('')}`).map((problem) => problem.replace(/^c\.yaml:[\d:]+ /, ''));
    const db = one('db', 'nodes: [beta]');
    expect(told(db, one('web', 'nodes: [alpha, beta], dependsOn: [db]'))).toEqual([]);
    expect(told(db, one('web', 'nodes: [alpha], dependsOn: [db]'))).toEqual([
      'packages.web.dependsOn: db, web run on one node, but there is none on which all of them may run',
    ]);
    const store = one('store', 'nodes: [alpha, beta], dependsOn: [db]');
    expect(told(db, store, one('web', 'nodes: [beta], dependsOn: [store], excludes: [db]'))).toEqual([
      'packages.web.dependsOn: db, store, web run on one node, but web excludes db',
    ]);
  });

  test('a file that cannot be read says what to do', () => {
    expect(() => readClusterFile('/nonexistent/cluster.yaml')).toThrow(
      'cannot read the cluster file /nonexistent/cluster.yaml: there is no such file; name it with --config or BATON_CONFIG',
    );
  });

  test('a bomb of aliases is refused', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    expect(problemsOf(bomb)).toEqual(['c.yaml:1:1: Excessive alias count indicates a resource exhaustion attack']);
  });
});

describe('warnings', () => {
  test.each<[string, string, RegExp[]]>([
    [
      'one node, no target: nothing silent can be proven',
      LONE.replace('targets: [10.77.0.254]', ''),
      [/^c.yaml:3:9: nets.public: one node and no target/],
    ],
    [
      'two NICs in the whole net, no target',
      TWO.replace(', targets: [10.77.0.254]', '').replaceAll('standby: [eth1], ', ''),
      [/nets.public: two NICs in the whole net \(alpha\/eth0, beta\/eth0\)/],
    ],
    ['two nodes with standbys need no target', TWO.replace(', targets: [10.77.0.254]', ''), []],
    ['quorum: none', `${TWO}quorum: none\n`, [/quorum: none: two nodes that do not hear each other may both serve/]],
    [
      'heartbeats without address',
      TWO.replace(', address: [10.77.0.2/24, "fd77::2/64"]', ''),
      [/nodes.beta.public: no address on net public, which carries heartbeats/],
    ],
    [
      'announcements faster than a switch allows',
      LONE.replace('254] }', '254], announceRate: 50 }'),
      [/announceRate: 50 a second/],
    ],
  ])('%s', (_what, text, expected) => {
    const warnings = parseClusterFile(text, 'c.yaml').warnings.map((problem) => showProblem('c.yaml', problem));
    expect(warnings).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(warnings[i]).toMatch(pattern);
  });
});
