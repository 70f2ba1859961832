/** What carrier.test.ts has done inside a namespace. */
import { readFileSync } from 'node:fs';
import { Carrier } from '../../../../drivers/linux/carrier.js';
import { CounterReader } from '../../../../drivers/linux/counters.js';
import { Nics } from '../../../../drivers/linux/nics.js';
import { indexOf, ip, sleep, until } from './kernel.js';

type Told = [nic: string, state: string];

/** Runs `story` while the carriers of the NICs are polled each 5 ms; all that was told. */
async function polled(
  nics: string[],
  story: (last: (nic: string) => string | undefined) => Promise<void>,
  quickNicsMax?: number,
): Promise<Told[]> {
  const told: Told[] = [];
  const table = new Nics(nics);
  const carrier = new Carrier(table, (nic, state) => told.push([nic, state]), quickNicsMax);
  carrier.hint(nics);
  const beat = setInterval(() => carrier.poll(), 5);
  await story((nic) => told.findLast(([of]) => of === nic)?.[1]);
  clearInterval(beat);
  carrier.close();
  return told;
}

/** Takes the carrier of `nic` away and gives it back, some times; `peer` is a line for `ip link set`. */
export async function flaps(nic: string, inPeer: string, times: number) {
  let held = 0;
  const told = await polled([nic], async (last) => {
    await until(() => last(nic) === 'up');
    for (let i = 0; i < times; i++) {
      ip(`${inPeer} down`);
      await until(() => last(nic) === 'down', 500);
      if (readFileSync(`/sys/class/net/${nic}/operstate`, 'utf8').trim() === 'up') held++;
      ip(`${inPeer} up`);
      await until(() => last(nic) === 'up', 500);
    }
  });
  return {
    told,
    held,
    kind: Number(readFileSync(`/sys/class/net/${nic}/iflink`, 'utf8')) === indexOf(nic) ? 'physical' : 'plain',
  };
}

/** First told state of a NIC without carrier, and of one that is not there. */
export async function beginnings(down: string, missing: string) {
  return polled([down, missing], async (last) => {
    await until(() => last(down) !== undefined && last(missing) !== undefined);
  });
}

/** Two NICs lose their carriers while each poll reads one of three: what is told, the missing one aside. */
export async function inParts(one: string, other: string, inPeers: [string, string]) {
  const told = await polled(
    [one, 'nosuch', other],
    async (last) => {
      const both = (state: string) => () => last(one) === state && last(other) === state;
      await until(both('up'));
      for (const peer of inPeers) ip(`${peer} down`);
      await until(both('down'));
      for (const peer of inPeers) ip(`${peer} up`);
      await until(both('up'));
    },
    1,
  );
  return told.filter(([nic]) => nic !== 'nosuch').sort();
}

/** Set down and up, renamed there and back, deleted and made again under the same name. */
export async function lives(nic: string, create: string) {
  return polled([nic], async (last) => {
    const reach = async (state: string, line: string): Promise<void> => {
      ip(line);
      if (!(await until(() => last(nic) === state))) throw new Error(`"${line}" is not told as ${state}: ${last(nic)}`);
    };
    await until(() => last(nic) === 'up');
    await reach('admin', `link set ${nic} down`);
    await reach('up', `link set ${nic} up`);
    ip(`link set ${nic} down`);
    await reach('missing', `link set ${nic} name other0`);
    await reach('admin', `link set other0 name ${nic}`);
    await reach('up', `link set ${nic} up`);
    await reach('missing', `link del ${nic}`);
    ip(create);
    await reach('admin', `link set ${nic} down`);
    await reach('down', `link set ${nic} up`);
  });
}

/** A bridge is born with carrier and loses it to its first port, which is down: before that, nothing was ever counted. */
export async function neverCounted(port: string) {
  ip(`link set ${port} down`);
  return polled(['bridge0'], async (last) => {
    await until(() => last('bridge0') === 'missing');
    ip('link add bridge0 type bridge');
    await until(() => last('bridge0') === 'admin');
    ip('link set bridge0 up');
    await until(() => last('bridge0') === 'up');
    ip(`link set ${port} master bridge0`);
    await until(() => last('bridge0') === 'down');
    ip(`link set ${port} up`);
    await until(() => last('bridge0') === 'up');
    ip('link del bridge0');
    await until(() => last('bridge0') === 'missing');
  });
}

/** Counters before and after ten pings over the pair, then without the NIC. */
export async function counters(nic: string, target: string) {
  const table = new Nics([nic, 'nosuch']);
  const reader = new CounterReader(table);
  table.refresh();
  const linkLocal = (of: string): number => (of === nic ? 7 : 0);
  const before = reader.read(linkLocal);
  const { execFileSync } = await import('node:child_process');
  execFileSync('ping', ['-c', '10', '-i', '0.01', target]);
  const after = reader.read(linkLocal);
  ip(`link del ${nic}`);
  const gone = reader.read(linkLocal);
  table.refresh();
  await sleep(1);
  const refreshed = reader.read(linkLocal);
  reader.close();
  return { before, after, gone, refreshed };
}
