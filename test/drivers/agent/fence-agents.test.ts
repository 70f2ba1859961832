/** Agents of the fence-agents package: what they say of themselves, and fence_dummy at work. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMetadata, readMetadata, runOnce } from '../../../drivers/agent/metadata.js';
import type { Cluster, FenceAgent } from '../../../src/config/cluster.js';
import { fenceReadiness } from '../../../src/daemon/fence-readiness.js';
import { runOf } from '../../../src/membership/fence-agent.js';
import { programs, type Programs } from './inside-program.js';

const METADATA = `<?xml version="1.0" ?>
<resource-agent name="fence_x" shortdesc="Fence agent for X" >
<parameters>
  <parameter name="action" unique="0" required="1"><content type="string" default="reboot" /></parameter>
  <parameter name="ip" unique="0" required="1" obsoletes="ipaddr"><shortdesc lang="en">IP address &amp; port</shortdesc></parameter>
  <parameter name="ipaddr" unique="0" required="1" deprecated="1"><content type="string" /></parameter>
  <parameter name="plug" unique="0" required="1"><shortdesc lang="en">Outlet</shortdesc></parameter>
  <parameter name="password" unique="0" required="0"><content type="string" /></parameter>
  <parameter name="ipport" unique="0" required="0"><content type="integer" default="80" /></parameter>
</parameters>
<actions><action name="on" automatic="0"/><action name="off" /><action name="monitor" /></actions>
</resource-agent>`;

function agent(run: FenceAgent['run'], change: Partial<FenceAgent> = {}): FenceAgent {
  return { nodes: ['alpha', 'beta'], run, action: 'off', unfence: 'heard', timeoutMs: 20_000, ...change };
}

const clusterWith = (...fenceAgents: FenceAgent[]): Cluster => ({ name: 'shop', fenceAgents }) as unknown as Cluster;

test('metadata: names, what is required, defaults, other names of the same, actions', () => {
  const found = parseMetadata(`a warning of python\n${METADATA}`)!;
  expect(found).toMatchObject({ name: 'fence_x', description: 'Fence agent for X', actions: ['on', 'off', 'monitor'] });
  expect(found.parameters.find(({ name }) => name === 'ip')).toEqual({
    name: 'ip',
    required: true,
    deprecated: false,
    obsoletes: 'ipaddr',
    description: 'IP address & port',
  });
  expect(found.parameters.find(({ name }) => name === 'ipport')).toMatchObject({ preset: '80', required: false });
});

test.each([
  '',
  'no XML',
  '<a>',
  '<resource-agent',
  METADATA.slice(0, 400),
  '<!DOCTYPE a [<!ENTITY b "c">]><resource-agent/>',
])('what is no metadata is null: %j', (text) => expect(parseMetadata(text)).toBeNull());

test('parameters go to stdin, {node} stands for the node, and secrets are named for masking', () => {
  const run = { agent: 'fence_x', parameters: { ip: 'bmc-{node}', password: 'hunter2' }, plugs: { beta: '4' } };
  const words = runOf(clusterWith(), agent(run), 'off', 'beta');
  expect(words.command).toEqual(['/usr/sbin/fence_x']);
  expect(words.stdin).toBe('action=off\nip=bmc-beta\npassword=hunter2\nplug=4\n');
  expect(words.secrets).toEqual(['hunter2']);
  expect(runOf(clusterWith(), agent({ command: ['/sbin/f', '--now'] }), 'on', 'beta')).toMatchObject({
    command: ['/sbin/f', '--now', 'on', 'beta'],
    stdin: '',
  });
});

describe.skipIf(process.getuid?.() !== 0)('against agents (needs root: only what root owns is run)', () => {
  let made: Programs;
  beforeAll(() => void (made = programs()));
  afterAll(() => made.remove());

  test('a command of the cluster file must be there, and root’s alone', async () => {
    const good = made.write('good', 'exit 0');
    const { findings } = await fenceReadiness(
      clusterWith(agent({ command: [good] }), agent({ command: [join(made.folder, 'absent')] })),
    );
    expect(findings.map(({ what, severity }) => `${severity} ${what}`)).toEqual(['error missing']);
  });

  describe.skipIf(!existsSync('/usr/sbin/fence_dummy'))(
    'of the fence-agents package (apt-get install fence-agents)',
    () => {
      test('parameters are checked by name, required ones named, defaults shown, secrets masked', async () => {
        const dummy = agent({ agent: 'fence_dummy', parameters: { status_fil: '/run/x' }, plugs: {} });
        const apc = agent({ agent: 'fence_apc_snmp', parameters: { ip: '10.0.0.1', password: 'hunter2' }, plugs: {} });
        const { findings, setups } = await fenceReadiness(clusterWith(dummy, apc));
        const texts = findings.map(({ what, text }) => `${what}: ${text}`);
        expect(texts).toContainEqual(expect.stringMatching(/^parameter: .*status_fil.*status_file/s));
        expect(texts).toContainEqual(expect.stringMatching(/^required: fence agent fence_apc_snmp: plug is required/));
        expect(texts).toContainEqual(expect.stringMatching(/^secret: .*password stands in the cluster file/));
        expect(setups[0]!.presets).toMatchObject({ status_file: '/tmp/fence_dummy.status', power_timeout: '20' });
        expect(JSON.stringify({ findings, setups })).not.toContain('hunter2');
      });

      test('fence_dummy is switched off and on', async () => {
        const status = join(made.folder, 'status');
        const dummy = agent({ agent: 'fence_dummy', parameters: { status_file: status }, plugs: {} });
        expect(await readMetadata('/usr/sbin/fence_dummy')).toMatchObject({ name: 'fence_dummy' });
        for (const action of ['on', 'off'] as const) {
          const { command, stdin, withinMs } = runOf(clusterWith(dummy), dummy, action, 'beta');
          const { outcome } = await runOnce(command, stdin, withinMs);
          expect(outcome).toEqual({ how: 'exited', code: 0 });
          expect(readFileSync(status, 'utf8')).toBe(action);
        }
      });

      test('an agent that fails says why', async () => {
        const dummy = agent({
          agent: 'fence_dummy',
          parameters: { status_file: '/nonexistent/status' },
          plugs: {},
        });
        const { command, stdin, withinMs } = runOf(clusterWith(dummy), dummy, 'on', 'beta');
        const { outcome, output } = await runOnce(command, stdin, withinMs);
        expect(outcome).toEqual({ how: 'exited', code: 1 });
        expect(output).not.toBe('');
      });
    },
  );
});
