import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseClusterFile, readServedFile } from '../../src/config/parse.js';
import { ClusterFileError } from '../../src/config/problem.js';

const folder = mkdtempSync(join(tmpdir(), 'baton-unserved-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Parts {
  top?: string;
  net?: string;
  alpha?: string;
  beta?: string;
  web?: string;
  resource?: string;
  quorum?: string;
}

function file(parts: Parts = {}): string {
  const { top = '', net = '', alpha = '', beta = '', web = '', resource = '' } = parts;
  const quorum = parts.quorum ?? '{ arbiter: { etcd: { endpoints: ["http://10.77.0.9:2379"] } } }';
  return `cluster: shop
key: /etc/baton/cluster.key
nets: { public: { heartbeat: public, targets: [10.77.0.254]${net} } }
nodes:
  alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 }${alpha} }
  beta: { public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 }${beta} }
quorum: ${quorum}
${top}
packages:
  web:
    nodes: [alpha, beta]
    ${web}
    resources: [{ address: 10.77.0.100, net: public }${resource}]
`;
}

function problems(parts: Parts): string[] {
  return parseClusterFile(file(parts), 'c.yaml').unserved.map(({ at, text }) => `${at}: ${text}`);
}

describe('what this version does not do is refused, not ignored', () => {
  test.each<[string, Parts, RegExp]>([
    [
      'exec',
      { resource: ', { exec: { start: [/s], stop: [/s] } }' },
      /^packages\.web\.resources\[1\]: exec resources are not run/,
    ],
    ['ocf', { resource: ', { ocf: { agent: "ocf:heartbeat:Dummy" } }' }, /resources\[1\]: ocf resources are not run/],
    ['systemd', { resource: ', { systemd: nginx.service }' }, /resources\[1\]: systemd resources are not run/],
    ['script', { resource: ', { script: /s }' }, /resources\[1\]: script resources are not run/],
    ['onLeaseLoss', { web: 'onLeaseLoss: reboot' }, /^packages\.web\.onLeaseLoss: reboot matters to resources/],
    ['web page', { top: 'console: { listen: "127.0.0.1:7780" }' }, /^console: the web page/],
    ['notifications', { top: 'notify: [{ webhook: "http://127.0.0.1:9000/a" }]' }, /^notify: notifications/],
  ])('%s', (_what, parts, expected) => {
    expect(problems({})).toEqual([]);
    expect(problems(parts)[0]).toMatch(expected);
    const path = join(folder, 'cluster.yaml');
    writeFileSync(path, file(parts));
    expect(() => readServedFile(path)).toThrow(ClusterFileError);
  });
});

function refusal(parts: Parts): string {
  try {
    parseClusterFile(file(parts), 'c.yaml');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('fence agents', () => {
  test.each<[string, RegExp]>([
    ['{ command: [/sbin/fence], plugs: { alpha: 1 } }', /parameters and plugs with an agent only/],
    ['{ agent: fence_x, command: [/sbin/fence] }', /exactly one of agent and command/],
    ['{ agent: fence_x, parameters: { action: off } }', /fenceAgents\[0\]\.parameters\.action: no parameter here/],
    ['{ agent: fence_x, parameters: { a: "b\\nc" } }', /parameters\.a: more than one line/],
    ['{ agent: fence_x, plugs: { alpha: 1 }, nodes: [alpha, beta] }', /plugs: no plug for beta/],
    ['{ agent: fence_x, plugs: { gamma: 1 } }', /plugs\.gamma: .*gamma/],
    ['{ agent: fence_x, plugs: { alpha: 1 }, parameters: { port: 2 } }', /port here and in plugs/],
    ['{ agent: fence_x, action: cycle }', /action: .*off.*reboot/],
    ['{ agent: fence_x, parameters: { ip: 10.0.0.1 }, plugs: { alpha: 3, beta: 4 }, unfence: manual }', /^$/],
  ])('%s', (agent, expected) => expect(refusal({ top: `fenceAgents: [${agent}]` })).toMatch(expected));
});

describe('fence: lifetime counts in whole seconds', () => {
  test.each([
    ['fence: lifetime', /fence: lifetime: .* margin must be at least 1\.1s; found 50ms/],
    [
      'timing: { margin: 1100ms, nodeTimeout: 2s }\nfence: lifetime',
      /leave a lease of .*; it must last a second and two heartbeats \(1\.4s\)/,
    ],
    ['timing: { margin: 1100ms, nodeTimeout: 3s }\nfence: lifetime', /^$/],
  ])('%s', (top, expected) => expect(refusal({ top })).toMatch(expected));
});

test('quorum: none is for two nodes', () => {
  const three = file({ quorum: 'none' }).replace(
    'quorum:',
    '  gamma: { public: { primary: eth0, address: 10.77.0.3/24 } }\nquorum:',
  );
  expect(() => parseClusterFile(three, 'c.yaml')).toThrow(/quorum: none is for two nodes; 3 have a majority/);
  expect(refusal({ quorum: 'none' })).toBe('');
});
