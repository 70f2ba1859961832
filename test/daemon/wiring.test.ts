/** Real batonds with a package and an arbiter: every thread and every socket that the membership needs. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseRecord } from '../../drivers/arbiter/record.js';
import { readState } from '../../drivers/linux/state-store.js';
import { NamespacesLab, refusal } from '../../drivers/namespaces/lab.js';
import { folderOf } from '../../drivers/namespaces/names.js';
import { parseScenario } from '../../src/drill/load.js';
import { replay } from '../../src/drill/replay/replay.js';

const scenario = parseScenario(
  `
title: wired
topology:
  switches: [left, heart]
  nodes:
    alpha: { eth0: left, hb0: heart }
    beta: { eth0: left, hb0: heart }
  clients:
    client: { switch: left, addresses: [10.77.0.254/24] }
    arbiter: { switch: left, addresses: [10.77.0.9/24] }
  arbiter: arbiter
cluster:
  record: true
  nets:
    public: { heartbeat: public, targets: [10.77.0.254], upDelay: 200ms }
    private: { heartbeat: private }
  nodes:
    alpha: { public: { primary: eth0, address: 10.77.0.1/24 }, private: { primary: hb0, address: [10.7.0.1/24, 'fd07::1/64'] } }
    beta: { public: { primary: eth0, address: 10.77.0.2/24 }, private: { primary: hb0, address: [10.7.0.2/24, 'fd07::2/64'] } }
  quorum: { arbiter: { etcd: { endpoints: ['http://10.77.0.9:2379'] } } }
  packages:
    web: { nodes: [alpha, beta], resources: [{ address: 10.77.0.100, net: public }] }
steps: []
until: 1s
`,
  'wired.yaml',
);

const reason = refusal();

describe.skipIf(reason !== null)(`daemons with a package and an arbiter on the kernel ${reason ?? ''}`, () => {
  const lab = new NamespacesLab();
  const folder = (node: string): string => join(folderOf(lab.namespaceOf('').slice(0, -1)), node);
  const inside = (name: string, ...words: string[]): string =>
    execFileSync('ip', ['netns', 'exec', lab.namespaceOf(name), ...words], { encoding: 'utf8' });

  beforeAll(async () => {
    await lab.build(scenario);
    await Promise.all(['alpha', 'beta'].map((node) => lab.startDaemon(node)));
    lab.begin();
  }, 60_000);
  afterAll(() => lab.destroy());

  it('hear each other over every net', async () => {
    const paths = async () => (await lab.status('alpha'))?.paths.map(({ net, state }) => `${net} ${state}`).sort();
    await vi.waitFor(async () => expect(await paths()).toEqual(['private up', 'public up']), { timeout: 15_000 });
  });

  it('have a thread for each hand', () => {
    const pid = /"pid":(\d+)/.exec(readFileSync(join(folder('alpha'), 'log'), 'utf8'))![1]!;
    const threads = readdirSync(`/proc/${pid}/task`).map((task) =>
      readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim(),
    );
    expect(threads).toEqual(expect.arrayContaining(['baton-engine', 'baton-hands', 'baton-gate', 'baton-arbiter']));
  });

  it('2: keep a durable record, and one with the arbiter', async () => {
    await vi.waitFor(
      () => {
        for (const node of ['alpha', 'beta']) {
          expect(readState(join(folder(node), 'state'))).toMatchObject({
            damaged: false,
            durable: { document: { placements: { web: { node: 'alpha', state: 'run' } } } },
          });
        }
      },
      { timeout: 20_000 },
    );
    const key = inside('arbiter', 'etcdctl', '--endpoints', 'http://10.77.0.9:2379', 'get', '--prefix', '/baton/');
    expect(parseRecord(key.split('\n')[1] ?? '')).toMatchObject({
      document: { placements: { web: { node: 'alpha' } } },
    });
  });

  it('serve the address through an open gate', async () => {
    await vi.waitFor(() => inside('client', 'ping', '-c', '1', '-W', '1', '10.77.0.100'), { timeout: 15_000 });
    expect((await lab.truth('alpha')).addresses['eth0']).toContain('10.77.0.100/32');
    expect(inside('alpha', 'nft', 'list', 'ruleset')).toContain('10.77.0.100');
  });

  it('end in order, and the recording of a holder replays to the same journal', async () => {
    await lab.inflict({ fault: 'stop', node: 'alpha' });
    const state = join(folder('alpha'), 'state');
    const file = readdirSync(state).find((name) => name.startsWith('recording-'))!;
    const report = await replay([join(state, file)]);
    expect(report.recordings[0]!.differs).toBeUndefined();
    expect(report.timeline.map(({ entry }) => entry.event)).toEqual(expect.arrayContaining(['lease', 'announced']));
  });
});
