/** Bonds, teams and VLANs on them against one host: what makes them worse than they look. Pure. */
import type { Cluster, ClusterNode, NodeNet } from '../config/cluster.js';
import type { HostFinding } from './host-findings.js';
import type { HostNic } from './host.js';

type Add = (
  nic: string,
  what: HostFinding['what'],
  severity: HostFinding['severity'],
  text: string,
  fix: string,
) => void;

const LAG_KINDS = ['bond', 'team'];
/** A VLAN's carrier is that of what it hangs on. */
const DEPTH_MAX = 8;
/** More than that is longer than most clients wait without a word. */
const DETECTION_MAX_MS = 1000;

/** The card, bond or team at the bottom of a stack of VLANs. */
export function bottomOf(nic: HostNic, host: readonly HostNic[]): HostNic {
  let at = nic;
  for (let depth = 0; at.below !== undefined && depth < DEPTH_MAX; depth++) {
    const below = host.find((it) => it.nic === at.below);
    if (below === undefined) break;
    at = below;
  }
  return at;
}

/** A bond that looks at no carrier counts as up with all its cables pulled. */
function watchful({ nic, bond }: HostNic, add: Add): void {
  if (bond === undefined) return;
  const { miimonMs, arpIntervalMs, downDelayMs } = bond;
  const set = (words: string): string => `do: ip link set ${nic} type bond ${words}, and in the network configuration`;
  if (miimonMs === 0 && arpIntervalMs === 0)
    add(
      nic,
      'bond-blind',
      'error',
      `${nic} watches no carrier (miimon 0): a pulled cable changes nothing`,
      set('miimon 100'),
    );
  else if (miimonMs + downDelayMs > DETECTION_MAX_MS)
    add(
      nic,
      'bond-slow',
      'warning',
      `${nic} notices a pulled cable after ${miimonMs + downDelayMs} ms (miimon ${miimonMs}, downdelay ${downDelayMs})`,
      set('miimon 100 downdelay 0'),
    );
}

function portsOf(lag: HostNic, host: readonly HostNic[]): HostNic[] {
  return host.filter(({ master }) => master === lag.nic);
}

function ported(lag: HostNic, host: readonly HostNic[], add: Add): void {
  const ports = portsOf(lag, host);
  const give = `do: ip link set PORT down; ip link set PORT master ${lag.nic}`;
  if (ports.length === 0) add(lag.nic, 'lag-ports', 'error', `${lag.nic} is a ${lag.kind!} without a port`, give);
  if (ports.length === 1)
    add(
      lag.nic,
      'lag-ports',
      'warning',
      `${lag.nic} is a ${lag.kind!} of one port, ${ports[0]!.nic}: it protects nothing`,
      give,
    );
}

/** By the hints of the cluster file: `switches` names the ports of a bond, or the bond itself. */
function oneSwitch(
  lag: HostNic,
  cluster: Cluster,
  node: ClusterNode,
  host: readonly HostNic[],
  net: NodeNet,
  add: Add,
): void {
  const ports = portsOf(lag, host).map(({ nic }) => nic);
  const hangs = Object.entries(cluster.switches ?? {}).filter(([, on]) =>
    [lag.nic, ...ports].some((nic) => on.includes(`${node.name}.${nic}`)),
  );
  if (hangs.length !== 1 || ports.length < 2) return;
  const [name, on] = hangs[0]!;
  const others = [net.primary, ...net.standby].filter((nic) => nic !== lag.nic);
  if (others.some((nic) => !on.includes(`${node.name}.${nic}`))) return;
  const text = `all ports of ${lag.nic} hang on switch ${name}, and so do all NICs of net ${net.net}: when it dies, so does the net`;
  add(lag.nic, 'one-switch', 'warning', text, 'give the net a standby on another switch');
}

/** Two NICs of one net that hang on one card die together. */
function together(nics: readonly HostNic[], host: readonly HostNic[], add: Add): void {
  nics.forEach((nic, i) => {
    const bottom = bottomOf(nic, host);
    const twin = nics.slice(0, i).find((other) => bottomOf(other, host) === bottom);
    if (twin === undefined) return;
    const text = `${twin.nic} and ${nic.nic} both hang on ${bottom.nic}: what kills one kills the other`;
    add(nic.nic, 'same-card', 'error', text, 'name a standby on another card');
  });
}

export function lagFindings(
  cluster: Cluster,
  node: ClusterNode,
  net: NodeNet,
  host: readonly HostNic[],
): HostFinding[] {
  const found: HostFinding[] = [];
  const add: Add = (nic, what, severity, text, fix) =>
    void found.push({ nic, net: net.net, what, severity, text, fix });
  const nics = [net.primary, ...net.standby].flatMap((name) => host.find(({ nic }) => nic === name) ?? []);
  const bottoms = new Set(nics.map((nic) => bottomOf(nic, host)));
  for (const lag of bottoms) {
    if (!LAG_KINDS.includes(lag.kind ?? '')) continue;
    watchful(lag, add);
    ported(lag, host, add);
    oneSwitch(lag, cluster, node, host, net, add);
  }
  together(nics, host, add);
  return found;
}
