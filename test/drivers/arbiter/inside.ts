/** What etcd.test.ts has done inside a namespace, with etcds of its own. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Etcd } from '../../../drivers/arbiter/etcd.js';
import type { ArbiterAnswer, ArbiterStamp } from '../../../src/membership/arbiter-record.js';
import { EtcdProcess } from './etcd-process.js';
import { sample } from './sample.js';

const SOON_MS = 5000;

const stampOf = (answer: ArbiterAnswer): ArbiterStamp => {
  if (answer.outcome !== 'done' && answer.outcome !== 'refused') throw new Error(JSON.stringify(answer));
  return answer.stamp;
};

/** `refused 4`, with the beat of the record. */
const show = (answer: ArbiterAnswer): string =>
  'record' in answer ? `${answer.outcome} ${answer.record.beat}` : answer.outcome;

const control = (url: string, ...words: string[]): string =>
  execFileSync('etcdctl', ['--endpoints', url, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

export async function register(folder: string) {
  const server = await new EtcdProcess(join(folder, 'plain'), 2379).start();
  const etcd = new Etcd({ cluster: 'shop', arbiter: { kind: 'etcd', endpoints: [server.url] } });
  const other = new Etcd({ cluster: 'shop', arbiter: { kind: 'etcd', endpoints: [server.url] } });
  const foreign = new Etcd({ cluster: 'bank', arbiter: { kind: 'etcd', endpoints: [server.url] } });
  const key = '/baton/shop/voter';
  const said: Record<string, unknown> = {};
  const stamps: ArbiterStamp[] = [];
  try {
    said['read of none'] = show(await etcd.ask({ ask: 'read' }, SOON_MS));
    said['write of none'] = show(
      await etcd.ask({ ask: 'write', expect: { created: '5', modified: '5' }, record: sample(1) }, SOON_MS),
    );
    const created = await etcd.ask({ ask: 'create', record: sample(1) }, SOON_MS);
    stamps.push(stampOf(created));
    said['create'] = created;
    said['create again'] = show(await other.ask({ ask: 'create', record: sample(2) }, SOON_MS));
    const written = await other.ask({ ask: 'write', expect: stamps[0]!, record: sample(2) }, SOON_MS);
    stamps.push(stampOf(written));
    said['write'] = show(written);
    said['late write'] = show(await etcd.ask({ ask: 'write', expect: stamps[0]!, record: sample(9) }, SOON_MS));
    const read = await etcd.ask({ ask: 'read' }, SOON_MS);
    said['read'] = read;
    said['same stamp'] = JSON.stringify(stampOf(read)) === JSON.stringify(stamps[1]);
    said['foreign cluster'] = show(await foreign.ask({ ask: 'read' }, SOON_MS));
    said['on disk'] = control(server.url, 'get', key, '--print-value-only').trim() === JSON.stringify(sample(2));

    server.signal('SIGKILL');
    await server.end();
    said['dead'] = show(await etcd.ask({ ask: 'read' }, SOON_MS));
    await server.start();
    const restarted = await etcd.ask({ ask: 'read' }, SOON_MS);
    said['restarted'] = JSON.stringify(stampOf(restarted)) === JSON.stringify(stamps[1]);

    server.signal('SIGSTOP');
    const begin = performance.now();
    said['frozen'] = show(await etcd.ask({ ask: 'write', expect: stamps[1]!, record: sample(3) }, 300));
    said['frozenMs'] = performance.now() - begin;
    server.signal('SIGCONT');
    said['thawed'] = show(await etcd.ask({ ask: 'write', expect: stamps[1]!, record: sample(4) }, SOON_MS));

    control(server.url, 'put', key, 'garbage');
    said['garbage'] = await etcd.ask({ ask: 'read' }, SOON_MS);
    said['refused by garbage'] = show(await etcd.ask({ ask: 'write', expect: stamps[1]!, record: sample(5) }, SOON_MS));
    control(server.url, 'del', key);
    said['deleted'] = show(await etcd.ask({ ask: 'write', expect: stamps[1]!, record: sample(5) }, SOON_MS));
    const anew = stampOf(await other.ask({ ask: 'create', record: sample(6) }, SOON_MS));
    said['made anew'] = anew.created !== stamps[1]!.created;
    const mixed = { created: stamps[1]!.created, modified: anew.modified };
    said['only modified agrees'] = show(await etcd.ask({ ask: 'write', expect: mixed, record: sample(7) }, SOON_MS));
    return said;
  } finally {
    etcd.close();
    other.close();
    foreign.close();
    await server.end();
  }
}

/** Two etcds that know nothing of each other, which nobody should configure; and dead and frozen endpoints. */
export async function endpoints(folder: string) {
  const one = await new EtcdProcess(join(folder, 'one'), 2389).start();
  const two = await new EtcdProcess(join(folder, 'two'), 2399).start();
  const both = { kind: 'etcd' as const, endpoints: ['http://127.0.0.1:9', one.url, two.url] };
  const only = (url: string) => new Etcd({ cluster: 'shop', arbiter: { kind: 'etcd', endpoints: [url] } });
  const etcd = new Etcd({ cluster: 'shop', arbiter: both });
  const said: Record<string, unknown> = {};
  try {
    const created = await etcd.ask({ ask: 'create', record: sample(1) }, SOON_MS);
    said['past a dead one'] = show(created);
    said['on the next'] = show(await only(one.url).ask({ ask: 'read' }, SOON_MS));
    const twin = await only(two.url).ask({ ask: 'create', record: sample(8) }, SOON_MS);
    said['same revisions'] = JSON.stringify(stampOf(twin)) === JSON.stringify(stampOf(created));
    one.signal('SIGSTOP');
    // Refused, should it be done after all.
    const late = { ask: 'write' as const, expect: { created: '1', modified: '1' }, record: sample(9) };
    said['frozen'] = show(await etcd.ask(late, 300));
    const write = { ask: 'write' as const, expect: stampOf(created), record: sample(2) };
    said['another etcd of the same revisions'] = show(await etcd.ask(write, SOON_MS));
    said['remembered'] = show(await etcd.ask({ ask: 'read' }, SOON_MS));
    await two.end();
    one.signal('SIGCONT');
    said['round'] = show(await etcd.ask({ ask: 'read' }, SOON_MS));
    await one.end();
    said['none left'] = show(await etcd.ask({ ask: 'read' }, SOON_MS));
    return said;
  } finally {
    etcd.close();
    await one.end();
    await two.end();
  }
}

/** A CA, a certificate of the server, one of a client, and another CA. */
function makeCertificates(folder: string): (name: string) => string {
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'pipe' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  for (const ca of ['ca', 'stranger']) {
    openssl(
      'req',
      '-x509',
      ...curve,
      '-days',
      '2',
      '-subj',
      `/CN=${ca}`,
      '-keyout',
      at(`${ca}.key`),
      '-out',
      at(`${ca}.pem`),
    );
  }
  const sign = (name: string, ca: string, extensions: string): void => {
    writeFileSync(at(`${name}.ext`), extensions);
    openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
    const by = ['-CA', at(`${ca}.pem`), '-CAkey', at(`${ca}.key`), '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      at(`${name}.csr`),
      ...by,
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.pem`),
    );
  };
  sign('server', 'ca', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  sign('client', 'ca', 'extendedKeyUsage=clientAuth\n');
  sign('intruder', 'stranger', 'extendedKeyUsage=clientAuth\n');
  return at;
}

export async function tls(folder: string) {
  const at = makeCertificates(folder);
  const server = await new EtcdProcess(join(folder, 'tls'), 2409, [
    ...['--client-cert-auth', '--trusted-ca-file', at('ca.pem')],
    ...['--cert-file', at('server.pem'), '--key-file', at('server.key')],
  ]).start();
  const ask = async (files: { ca?: string; cert?: string; key?: string }, url = server.url): Promise<string> => {
    const etcd = new Etcd({ cluster: 'shop', arbiter: { kind: 'etcd', endpoints: [url], ...files } });
    const answer = await etcd.ask({ ask: 'read' }, SOON_MS);
    etcd.close();
    return answer.outcome === 'unknown' ? `unknown: ${answer.text}` : answer.outcome;
  };
  const good = { ca: at('ca.pem'), cert: at('client.pem'), key: at('client.key') };
  const said: Record<string, string> = {};
  try {
    said['good'] = await ask(good);
    said['other ca'] = await ask({ ...good, ca: at('stranger.pem') });
    said['no ca'] = await ask({ cert: good.cert, key: good.key });
    said['no certificate'] = await ask({ ca: good.ca });
    said['certificate of a stranger'] = await ask({ ...good, cert: at('intruder.pem'), key: at('intruder.key') });
    said['other name'] = await ask(good, server.url.replace('127.0.0.1', 'localhost'));
    said['no file'] = await ask({ ...good, key: at('none.key') });
    const etcd = new Etcd({
      cluster: 'shop',
      arbiter: { kind: 'etcd', endpoints: [server.url], ...good, ca: at('changing.pem') },
    });
    writeFileSync(at('changing.pem'), execFileSync('cat', [at('stranger.pem')]));
    said['before'] = show(await etcd.ask({ ask: 'read' }, SOON_MS));
    writeFileSync(at('changing.pem'), execFileSync('cat', [at('ca.pem')]));
    said['renewed'] = show(await etcd.ask({ ask: 'read' }, SOON_MS));
    etcd.close();
    return said;
  } finally {
    await server.end();
    rmSync(join(folder, 'tls'), { recursive: true, force: true });
  }
}
