import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Etcd } from '../../../drivers/arbiter/etcd.js';
import { asRoot, Namespace } from '../linux/inside.js';
import { sample } from './sample.js';

const hasEtcd = ['etcd', 'etcdctl'].every((program) => spawnSync(program, ['--help']).error === undefined);

describe.skipIf(!asRoot || !hasEtcd)("Debian's etcd as arbiter (needs root, etcd-server and etcd-client)", () => {
  const module = new URL('./inside.ts', import.meta.url);
  let ns: Namespace;
  let folder: string;
  beforeAll(() => {
    ns = new Namespace('etcd', 'a');
    folder = mkdtempSync(join(tmpdir(), 'baton-etcd-'));
  });
  afterAll(() => {
    ns.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const call = (name: string): Promise<Record<string, unknown>> => ns.call(module, name, folder);

  it('7: one key with compare and swap; A6: a missing key is missing, and is made only where there is none', async () => {
    const said = await call('register');
    expect(said).toMatchObject({
      'read of none': 'missing',
      'write of none': 'missing',
      create: { outcome: 'done', record: sample(1) },
      'create again': 'refused 1',
      write: 'done 2',
      'late write': 'refused 2',
      read: { outcome: 'done', record: sample(2) },
      'same stamp': true,
      'foreign cluster': 'missing',
      'on disk': true,
      dead: 'unknown',
      restarted: true,
      frozen: 'unknown',
      // Was the write that got no answer done? Either way the two do not both count.
      thawed: expect.stringMatching(/^(?:done 4|refused 3)$/) as string,
      garbage: { outcome: 'unknown', text: 'the key /baton/shop/voter holds no record of baton: garbage' },
      'refused by garbage': 'unknown',
      deleted: 'missing',
      'made anew': true,
      'only modified agrees': 'refused 6',
    });
    expect(said['frozenMs']).toBeGreaterThanOrEqual(299);
  }, 60_000);

  it('several endpoints: the next one after a failure, and what is there is compared too', async () => {
    expect(await call('endpoints')).toEqual({
      'past a dead one': 'done 1',
      'on the next': 'done 1',
      'same revisions': true,
      frozen: 'unknown',
      // Where the machine was so slow that the second was given up with the first: nothing is counted.
      'another etcd of the same revisions': expect.stringMatching(/^(?:refused 8|unknown)$/) as string,
      remembered: 'done 8',
      round: 'done 1',
      'none left': 'unknown',
    });
  }, 60_000);

  it('TLS: both sides are proven, and renewed certificates are read', async () => {
    expect(await call('tls')).toEqual({
      good: 'missing',
      'other ca': expect.stringMatching(/^unknown: .*certificate/) as string,
      'no ca': expect.stringMatching(/^unknown: .*certificate/) as string,
      'no certificate': expect.stringMatching(/^unknown: /) as string,
      'certificate of a stranger': expect.stringMatching(/^unknown: /) as string,
      'other name': expect.stringMatching(/^unknown: .*altnames/) as string,
      'no file': expect.stringMatching(/^unknown: .*none\.key/) as string,
      before: 'unknown',
      renewed: 'missing',
    });
  }, 60_000);
});

describe('what is no etcd', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  const serve = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const askAt = async (endpoints: string[], request: Parameters<Etcd['ask']>[0], withinMs = 2000) => {
    const etcd = new Etcd({ cluster: 'shop', arbiter: { kind: 'etcd', endpoints } });
    const answer = await etcd.ask(request, withinMs);
    etcd.close();
    return answer;
  };
  const write = { ask: 'write', expect: { created: '2', modified: '3' }, record: sample(1) } as const;
  const kv = {
    create_revision: '2',
    mod_revision: '3',
    value: Buffer.from(JSON.stringify(sample(1))).toString('base64'),
  };

  it.each<[string, string]>([
    ['a web page', '<html>'],
    ['an empty object', '{}'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no revision', JSON.stringify({ header: {}, kvs: [{ ...kv, create_revision: undefined }] })],
    ['a revision that is a number', JSON.stringify({ header: {}, kvs: [{ ...kv, mod_revision: 3 }] })],
    ['revision zero', JSON.stringify({ header: {}, kvs: [{ ...kv, mod_revision: '0' }] })],
    ['a value that is a number', JSON.stringify({ header: {}, kvs: [{ ...kv, value: 7 }] })],
    ['two keys', JSON.stringify({ header: {}, kvs: [kv, kv] })],
    ['no text', JSON.stringify({ header: {}, kvs: [{ ...kv, value: undefined }] })],
  ])('%s is unknown', async (_, body) => {
    const url = await serve((__, answer) => answer.end(body));
    expect((await askAt([url], { ask: 'read' })).outcome).toBe('unknown');
    expect((await askAt([url], write)).outcome).toBe('unknown');
  });

  it.each<[string, RequestListener, RegExp]>([
    ['an error', (_, answer) => answer.writeHead(503).end('{"error":"etcdserver: no leader"}'), /HTTP 503.*no leader/],
    ['another place', (_, answer) => answer.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(), /HTTP 307/],
    ['a cut', (_, answer) => (answer.writeHead(200, { 'content-length': 100 }).write('{'), answer.destroy()), /./],
    ['silence', () => undefined, /no answer within 200 ms/],
    ['an answer without end', (_, answer) => void answer.write('{'), /no answer within 200 ms/],
    ['a flood', (_, answer) => void answer.end('x'.repeat(5 << 20)), /more than 4 MB/],
  ])('%s is unknown', async (_, listener, text) => {
    const url = await serve(listener);
    const withinMs = text.source.includes('200 ms') ? 200 : 10_000;
    expect(await askAt([url], write, withinMs)).toEqual({
      outcome: 'unknown',
      text: expect.stringMatching(text) as string,
    });
  });

  it('a write that was sent is not sent again, a read is', async () => {
    const asked: string[] = [];
    const broken = await serve((question, answer) => (asked.push(`first ${question.url}`), void answer.destroy()));
    const sound = await serve((question, answer) => {
      asked.push(`second ${question.url}`);
      answer.end(JSON.stringify({ header: {}, kvs: [kv] }));
    });
    expect((await askAt([broken, sound], write)).outcome).toBe('unknown');
    expect(asked).toEqual(['first /v3/kv/txn']);
    expect((await askAt([broken, sound], { ask: 'read' })).outcome).toBe('done');
    expect(asked.slice(1)).toEqual(['first /v3/kv/range', 'second /v3/kv/range']);
  });

  it('an endpoint that took the whole time leaves none to the next', async () => {
    let asked = 0;
    const frozen = await serve(() => undefined);
    const sound = await serve((_, answer) => (asked++, void answer.end(JSON.stringify({ header: {}, kvs: [kv] }))));
    for (let i = 0; i < 20; i++) expect((await askAt([frozen, sound], write, 20 + i)).outcome).toBe('unknown');
    expect(asked).toBe(0);
  });

  it('a read goes to the next endpoint beside one that is silent, and that one is asked first from then on', async () => {
    const asked: string[] = [];
    const frozen = await serve(() => void asked.push('frozen'));
    const sound = await serve((_, answer) => {
      asked.push('sound');
      answer.end(JSON.stringify({ header: {}, kvs: [kv] }));
    });
    const etcd = new Etcd({ cluster: 'shop', arbiter: { kind: 'etcd', endpoints: [frozen, frozen, sound] } });
    const startedAt = performance.now();
    expect((await etcd.ask({ ask: 'read' }, 4000)).outcome).toBe('done');
    expect(performance.now() - startedAt).toBeLessThan(3900);
    expect((await etcd.ask({ ask: 'read' }, 4000)).outcome).toBe('done');
    etcd.close();
    expect(asked).toEqual(['frozen', 'frozen', 'sound', 'sound']);
  });

  it('a host without an address is unknown', async () => {
    const answer = await askAt(['http://arbiter.invalid:2379'], { ask: 'read' });
    expect(answer.outcome).toBe('unknown');
  });

  it('one connection is kept for all questions', async () => {
    const url = await serve((_, answer) => answer.end(JSON.stringify({ header: {}, kvs: [kv] })));
    let connections = 0;
    servers[0]!.on('connection', () => connections++);
    const etcd = new Etcd({ cluster: 'shop', arbiter: { kind: 'etcd', endpoints: [url] } });
    for (let i = 0; i < 5; i++) expect((await etcd.ask({ ask: 'read' }, 2000)).outcome).toBe('done');
    etcd.close();
    expect(connections).toBe(1);
  });
});
