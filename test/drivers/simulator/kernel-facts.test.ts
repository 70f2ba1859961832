/** The table of kernel facts, played on the simulated kernel and, as root, on this one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import { addAddress, deleteAddress, setDown, setUp } from '../../../drivers/simulator/addresses.js';
import { Bridge } from '../../../drivers/simulator/bridge.js';
import { Host } from '../../../drivers/simulator/host.js';
import { isLinkLocal } from '../../../drivers/simulator/prefix.js';
import type { Errno } from '../../../drivers/simulator/routes.js';
import { World } from '../../../drivers/simulator/wire.js';
import { parseRoute, routeText } from '../../../drivers/route-text.js';
import type { Route } from '../../../src/input.js';
import { FACTS, type Fact } from './kernel-facts.js';
import { makeScratch, removeScratch, scratchName } from './scratch-namespace.js';

interface Outcome {
  /** Operation → errno, as the table writes it. */
  did: string[];
  left: string[];
}

const bare = (does: string): string => does.replace(/ !\w+$/, '');

function onSimulator(does: string[]): Outcome {
  const world = new World(1);
  const bridge = new Bridge(world, 'sw');
  const host = new Host(world, 'alpha');
  for (const [i, name] of ['eth0', 'eth1'].entries()) host.plug(name, `02:00:00:00:00:0${i + 1}`, bridge.port(), false);
  world.clock.runUntil(5000);
  const did = does.map(bare).map((operation) => {
    const code = operate(host, operation);
    world.clock.runUntil(world.clock.now + 10);
    return code === null ? operation : `${operation} !${code}`;
  });
  const addresses = [...host.nics.values()].flatMap((nic) =>
    nic.addresses
      .filter((held) => !isLinkLocal(held.local))
      .map((held) => `${nic.name} ${held.local}/${held.prefixLength}`),
  );
  return { did, left: [...addresses, ...host.routes.list.filter(isCompared).map(routeText)] };
}

function operate(host: Host, operation: string): Errno | null {
  const [what, verb, ...words] = operation.split(' ') as [string, string, ...string[]];
  const nicOf = (name: string) => host.nics.get(name)!;
  switch (what) {
    case 'address': {
      const [local, length] = words[0]!.split('/') as [string, string];
      const family = local.includes(':') ? 6 : 4;
      const address = {
        family,
        local,
        prefixLength: Number(length),
        scope: 0,
        flags: words.includes('nodad') ? 2 : 0,
      } as const;
      return (verb === 'add' ? addAddress : deleteAddress)(host, nicOf(words[2]!), address);
    }
    case 'route': {
      const route = parseRoute(words.join(' '));
      return verb === 'delete'
        ? host.routes.delete(route)
        : host.routes.put(route, verb as 'add' | 'replace' | 'append');
    }
    case 'sysctl':
      return host.sysctls.write(verb, words[0]!) ? null : 'ENOENT';
    case 'link':
      if (verb === 'delete') host.unplug(words[0]!);
      else (words[1] === 'up' ? setUp : setDown)(host, nicOf(words[0]!));
      return null;
    case 'cable':
      nicOf(verb).cable!.cut = true;
      return null;
    case 'rename':
      host.rename(verb, words[0]!);
      return null;
    default:
      throw new Error(`unknown operation "${operation}"`);
  }
}

/** All but the kernel's local and multicast routes, and those of link-local addresses. */
function isCompared(route: Route): boolean {
  return route.table !== 255 && route.type === 1 && !/^(fe80|ff00)::/.test(route.destination);
}

const NAMESPACE = scratchName('facts');
const ERRNOS: [RegExp, Errno][] = [
  [/File exists|already assigned/, 'EEXIST'],
  [/Cannot assign requested address|ddress not found/i, 'EADDRNOTAVAIL'],
  [/No such process|FIB table does not exist/, 'ESRCH'],
  [/Nexthop has invalid gateway/, 'ENETUNREACH'],
  [/Invalid argument|Invalid prefsrc|Invalid source address/, 'EINVAL'],
  [/Network is down|[Dd]evice .*is not up/, 'ENETDOWN'],
  [/No route to host/, 'EHOSTUNREACH'],
  [/Permission denied|IPv6 is disabled/, 'EACCES'],
];

function ip(words: string[]): string {
  const run = spawnSync('ip', words, { encoding: 'utf8' });
  if (run.status === 0) return '';
  return ERRNOS.find(([text]) => text.test(run.stderr))?.[1] ?? `unknown error: ${run.stderr.trim()}`;
}

function must(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: 'pipe' });
}

function onThisKernel(does: string[]): Outcome {
  makeScratch('facts');
  for (const n of [0, 1]) {
    must(`-n ${NAMESPACE} link add eth${n} type veth peer name p${n}`);
    must(`-n ${NAMESPACE} link set p${n} up`);
    must(`-n ${NAMESPACE} link set eth${n} up`);
  }
  const did = does.map(bare).map((operation) => {
    const code = inNamespace(operation);
    return code === '' ? operation : `${operation} !${code}`;
  });
  return { did, left: kernelState() };
}

function inNamespace(operation: string): string {
  const [what, verb, ...words] = operation.split(' ') as [string, string, ...string[]];
  const six = operation.includes(':') ? ['-6'] : ['-4'];
  switch (what) {
    case 'sysctl':
      execFileSync('ip', ['netns', 'exec', NAMESPACE, 'sh', '-c', `echo ${words[0]!} > /proc/sys/net/${verb}`]);
      return '';
    case 'cable':
      return ip(['-n', NAMESPACE, 'link', 'set', verb.replace('eth', 'p'), 'down']);
    case 'rename':
      return ip(['-n', NAMESPACE, 'link', 'set', verb, 'name', words[0]!]);
    default:
      return ip(['-n', NAMESPACE, ...(what === 'link' ? [] : six), ...operation.split(' ')]);
  }
}

interface ShownRoute {
  dst: string;
  type?: string;
  gateway?: string;
  dev?: string;
  protocol: string;
  metric?: number;
  prefsrc?: string;
  table?: string;
  flags: string[];
  nexthops?: { gateway: string; dev: string; weight: number }[];
}

function kernelState(): string[] {
  const ask = <T>(words: string): T[] =>
    JSON.parse(execFileSync('ip', ['-j', '-n', NAMESPACE, ...words.split(' ')], { encoding: 'utf8' }) || '[]') as T[];
  const links = ask<{ ifname: string; addr_info: { local: string; prefixlen: number; scope: string }[] }>(
    'address show',
  );
  const addresses = links.flatMap((link) =>
    link.addr_info
      .filter((held) => held.scope === 'global')
      .map((held) => `${link.ifname} ${held.local}/${held.prefixlen}`),
  );
  const routes = ([4, 6] as const).flatMap((family) =>
    ask<ShownRoute>(`-N -details -${family} route show table all`).map((shown) => routeOf(family, shown)),
  );
  return [...addresses, ...routes.filter(isCompared).map(routeText)];
}

function routeOf(family: 4 | 6, shown: ShownRoute): Route {
  const whole = shown.dst === 'default' ? (family === 4 ? '0.0.0.0/0' : '::/0') : shown.dst;
  return {
    family,
    destination: whole.includes('/') ? whole : `${whole}/${family === 4 ? 32 : 128}`,
    table: Number(shown.table ?? 254),
    protocol: Number(shown.protocol),
    scope: 0,
    type: Number(shown.type ?? 1),
    tos: 0,
    nic: shown.dev ?? '',
    flags: shown.flags.includes('onlink') ? 4 : 0,
    ...(shown.metric === undefined ? {} : { metric: shown.metric }),
    ...(shown.gateway === undefined ? {} : { gateway: shown.gateway }),
    ...(shown.prefsrc === undefined ? {} : { preferredSource: shown.prefsrc }),
    ...(shown.nexthops === undefined
      ? {}
      : {
          nextHops: shown.nexthops.map((hop) => ({
            nic: hop.dev,
            gateway: hop.gateway,
            flags: 0,
            hops: hop.weight - 1,
          })),
        }),
  };
}

const [major = 0, minor = 0] = release().split('.').map(Number);

/** Is this kernel old enough to differ? */
function isOlder({ since }: Fact): boolean {
  return since !== undefined && (major < since[0] || (major === since[0] && minor < since[1]));
}

const worlds = [
  { world: 'the simulated kernel', play: onSimulator, skip: false },
  { world: 'this kernel (needs root)', play: onThisKernel, skip: process.getuid?.() !== 0 },
];

describe.each(worlds)('DESIGN 17 on $world', ({ play, skip }) => {
  afterAll(() => {
    if (!skip) removeScratch('facts');
  });

  test.skipIf(skip).each(FACTS)('$name', (fact) => {
    if (play === onThisKernel && isOlder(fact)) return;
    const { does, leaves } = fact;
    const { did, left } = play(does);
    expect(did).toEqual(does);
    expect(left.sort()).toEqual([...leaves].sort());
  });
});
