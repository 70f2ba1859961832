/** What datagrams.test.ts has done inside two namespaces that are joined by hb0, hb1 and pub0. */
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Datagrams, type DatagramReceived } from '../../../../drivers/linux/datagrams.js';
import { Nics } from '../../../../drivers/linux/nics.js';
import { ip, sleep, until } from './kernel.js';

const PORT = 7789;
const NICS = ['hb0', 'hb1', 'pub0'];
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytes = (words: string): Uint8Array => new Uint8Array(Buffer.from(words, 'latin1'));

interface Shown {
  ifname: string;
  ifindex: number;
  addr_info: { local?: string }[];
}

/** As `host-observed` tells it. */
const observe = (...nics: string[]) =>
  nics.map((nic) => {
    const [shown] = JSON.parse(ip(`-j address show dev ${nic}`)) as Shown[];
    const addresses = shown!.addr_info.flatMap(({ local }) => (local === undefined ? [] : [{ local }]));
    return { nic, ifindex: shown!.ifindex, addresses };
  });

function open(last: 1 | 2) {
  const heard: DatagramReceived[] = [];
  const drops: Record<string, number> = {};
  const nics = new Nics(NICS);
  nics.refresh();
  const wanted = [
    { address: `10.7.0.${last}`, nics: ['hb0', 'hb1'] },
    { address: `fd07::${last}`, nics: ['hb0', 'hb1'] },
  ];
  const drop = (reason: string): void => void (drops[reason] = (drops[reason] ?? 0) + 1);
  const datagrams = new Datagrams(nics, PORT, wanted, (input) => heard.push(input), drop);
  const idle = (): void => undefined;
  datagrams.start(idle, idle);
  datagrams.follow(observe(...NICS), []);
  return { datagrams, heard, drops, nics };
}

/** The other end: writes what it heard into `folder`/heard.json whenever that changed, until `folder`/end exists. */
export async function listen(folder: string) {
  const { datagrams, heard, drops } = open(2);
  writeFileSync(join(folder, 'ready'), '');
  while (!existsSync(join(folder, 'end'))) {
    const lines = heard.map(({ nic, from, to, bytes: got }) => `${nic} ${from} ${to} ${text(got)}`);
    writeFileSync(join(folder, 'heard.json'), JSON.stringify(lines));
    await sleep(20);
  }
  datagrams.close();
  return drops;
}

export const heardBy = (folder: string): string[] => {
  try {
    return JSON.parse(readFileSync(join(folder, 'heard.json'), 'utf8')) as string[];
  } catch {
    return [];
  }
};

/** More than one batch of each family in one turn. */
export async function sendMany(folder: string) {
  const { datagrams, drops } = open(1);
  // The first one asks for the neighbour's MAC; only a few wait in the kernel for the answer.
  for (const to of ['10.7.0.2', 'fd07::2']) {
    datagrams.send('hb0', to.replace(/2$/, '1'), to, bytes('first'));
    datagrams.flush();
    await until(() => heardBy(folder).some((line) => line.endsWith(`${to} first`)));
  }
  for (let i = 0; i < 70; i++) {
    datagrams.send('hb0', '10.7.0.1', '10.7.0.2', bytes(`v4-${i}`));
    datagrams.send('hb0', 'fd07::1', 'fd07::2', bytes(`v6-${i}`));
  }
  datagrams.flush();
  await until(() => heardBy(folder).filter((line) => /v[46]-/.test(line)).length === 140);
  datagrams.close();
  return drops;
}

/** A local switch of both addresses from hb0 to hb1, and what may be sent by which of them. `mac`: of hb1 at the other end. */
export async function move(folder: string, mac: string) {
  for (const address of ['10.7.0.2', 'fd07::2']) ip(`neigh replace ${address} lladdr ${mac} dev hb1 nud permanent`);
  const { datagrams, drops } = open(1);
  const say = (nic: string, words: string): void => {
    datagrams.send(nic, '10.7.0.1', '10.7.0.2', bytes(words));
    datagrams.send(nic, 'fd07::1', 'fd07::2', bytes(words));
    datagrams.flush();
  };
  for (const address of ['10.7.0.1/24', 'fd07::1/64']) ip(`address del ${address} dev hb0`);
  say('hb0', 'gone');
  for (const address of ['10.7.0.1/24', 'fd07::1/64']) ip(`address add ${address} dev hb1 nodad`);
  datagrams.follow(observe('hb1', 'hb0'), []);
  say('hb0', 'old');
  say('hb1', 'new');
  await until(() => heardBy(folder).filter((line) => line.endsWith(' new')).length === 2);
  for (const address of ['10.7.0.1/24', 'fd07::1/64']) {
    ip(`address del ${address} dev hb1`);
    ip(`address add ${address} dev hb0 nodad`);
  }
  datagrams.follow(observe('hb0', 'hb1'), []);
  say('hb0', 'back');
  await until(() => heardBy(folder).filter((line) => line.endsWith(' back')).length === 2);
  datagrams.close();
  return drops;
}

/** Private NIC down, a default route that leads to the same node by the public one. */
export async function down(folder: string) {
  const { datagrams, drops } = open(1);
  ip('link set hb0 down');
  ip('route add default via 10.77.0.2 dev pub0');
  const plain = createSocket('udp4');
  await new Promise<void>((resolve) => plain.bind(0, '10.77.0.1', resolve));
  const answers: string[] = [];
  plain.on('error', (error) => answers.push(String(error)));
  try {
    for (let i = 0; i < 20; i++) datagrams.send('hb0', '10.7.0.1', '10.7.0.2', bytes('leaked'));
    datagrams.flush();
    // A socket that is bound to no NIC takes that way: the test can fail.
    plain.connect(PORT, '10.7.0.2');
    await new Promise<void>((resolve) => plain.once('connect', resolve));
    await until(() => {
      plain.send('stray');
      return heardBy(folder).some((line) => line.endsWith(' stray'));
    });
    await sleep(100);
  } finally {
    plain.close();
    ip('route del default');
    ip('link set hb0 up');
    ip('address replace fd07::1/64 dev hb0 nodad');
  }
  // The same socket goes on once the NIC is up.
  datagrams.follow(observe('hb0'), []);
  await until(() => {
    datagrams.send('hb0', '10.7.0.1', '10.7.0.2', bytes('up again'));
    datagrams.send('hb0', 'fd07::1', 'fd07::2', bytes('up again'));
    datagrams.flush();
    return heardBy(folder).filter((line) => line.endsWith('up again')).length >= 2;
  });
  datagrams.close();
  return { drops, answers };
}

/** May another process of this host take the port of our address away? */
export async function steal() {
  const { datagrams } = open(1);
  const thief = createSocket({ type: 'udp4', reuseAddr: true });
  const outcome = await new Promise<string>((resolve) => {
    thief.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    thief.bind(PORT, '10.7.0.1', () => resolve('bound'));
  });
  thief.close();
  datagrams.close();
  return outcome;
}

/** A NIC that is deleted and comes back, and one that is missing. */
export async function vanish() {
  const { datagrams, drops, nics } = open(1);
  datagrams.follow([], ['hb0']);
  datagrams.send('hb0', '10.7.0.1', '10.7.0.2', bytes('nowhere'));
  datagrams.follow([{ nic: 'hb0', ifindex: 99_999, addresses: [] }], []);
  datagrams.follow([{ nic: 'hb0', ifindex: nics.ifindexOf('hb0'), addresses: [{ local: '10.9.9.9' }] }], []);
  datagrams.send('hb0', '10.7.0.1', '10.7.0.2', bytes('nowhere'));
  datagrams.follow(observe('hb0'), []);
  datagrams.send('hb0', '10.7.0.1', 'no address', bytes('x'));
  datagrams.send('hb0', '10.7.0.1', 'fd07::2', bytes('x'));
  datagrams.send('hb0', '10.7.0.1', '10.7.0.2', new Uint8Array(1441));
  datagrams.close();
  return drops;
}
