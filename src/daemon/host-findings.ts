/** The cluster file against one host: which of its NICs cannot do what the file wants of them. Pure. */
import { isMacvlanName } from '../frame/macvlan.js';
import type { Cluster, ClusterNode, NodeNet } from '../config/cluster.js';
import { closest } from '../config/problem.js';
import { floatingTexts } from '../takeover/floating-address.js';
import type { HostAddress, HostNic } from './host.js';
import { lagFindings } from './lag-findings.js';

export interface HostFinding {
  nic: string;
  net: string;
  what:
    | 'missing'
    | 'own-target'
    | 'other-node'
    | 'wrong-node'
    | 'port'
    | 'not-ethernet'
    | 'link-type'
    | 'standby-address'
    | 'dhcp'
    | 'mtu'
    | 'admin-down'
    | 'child'
    | 'bond-blind'
    | 'bond-slow'
    | 'lag-ports'
    | 'one-switch'
    | 'same-card'
    | 'elsewhere';
  /** `error`: baton cannot work with this NIC. `warning`: it works, but not as well as one hopes. */
  severity: 'error' | 'warning';
  text: string;
  /** What to do about it. */
  fix: string;
}

const showAddress = ({ address, prefixLength }: HostAddress): string => `${address}/${prefixLength}`;

/** A VRF moves the NIC's routes to its own table; the other masters take its addresses away. */
const HARMLESS_MASTERS = ['vrf'];

function ofOneNic(
  nic: HostNic,
  primary: HostNic | undefined,
  net: NodeNet,
  floating: ReadonlySet<string>,
): HostFinding[] {
  const role = nic === primary ? 'primary' : 'standby';
  const primaryCarries = primary?.addresses.some((it) => !it.linkLocal) ?? false;
  const isOurs = ({ address }: HostAddress): boolean => net.addresses.some((it) => it.address === address);
  // After a local switch the addresses that were learnt are with those of the file, on the standby alone.
  const switchedHere = !primaryCarries && nic.addresses.some(isOurs);
  const found: HostFinding[] = [];
  const add = (what: HostFinding['what'], severity: HostFinding['severity'], text: string, fix: string): void =>
    void found.push({ nic: nic.nic, net: net.net, what, severity, text, fix });
  const name = nic.nic;
  if (nic.master !== undefined && !HARMLESS_MASTERS.includes(nic.masterKind ?? '')) {
    const kind = nic.masterKind ?? 'master';
    add(
      'port',
      'error',
      `${name} is a port of the ${kind} ${nic.master}`,
      `name ${nic.master} in the cluster file, or do: ip link set ${name} nomaster`,
    );
  }
  if (nic.linkType !== 'ether') {
    add(
      'not-ethernet',
      'error',
      `${name} is of link type ${nic.linkType}; baton works on Ethernet`,
      'name another NIC in the cluster file',
    );
  }
  if (!nic.admin) add('admin-down', 'warning', `${name} is set down`, `do: ip link set ${name} up`);
  for (const address of nic.addresses) {
    if (address.linkLocal || floating.has(address.address)) continue;
    const shown = showAddress(address);
    if (address.family === 4 && address.validS !== undefined) {
      add(
        'dhcp',
        'error',
        `${name} has ${shown} for ${address.validS} s only: an address by DHCP cannot move`,
        `give ${name} a static address and end its DHCP client`,
      );
      continue;
    }
    if (role === 'primary' || switchedHere || isOurs(address)) continue;
    const text = `${name} is a standby but carries ${shown}`;
    const remove = `do: ip address del ${shown} dev ${name}`;
    if (net.addresses.length > 0)
      add('standby-address', 'error', text, `${remove}, or add it to the address list of the net`);
    // Without addresses in the file they are learnt: after a local switch they are on the standby alone.
    else
      add(
        'standby-address',
        primaryCarries ? 'error' : 'warning',
        text,
        `${remove}, unless a local switch moved it there`,
      );
  }
  return found;
}

function pair(primary: HostNic, standby: HostNic, net: string): HostFinding[] {
  const found: HostFinding[] = [];
  const add = (what: 'link-type' | 'mtu', severity: HostFinding['severity'], text: string, fix: string): void =>
    void found.push({ nic: standby.nic, net, what, severity, text, fix });
  if (primary.linkType !== standby.linkType) {
    const text = `${standby.nic} is of link type ${standby.linkType}, its primary ${primary.nic} of ${primary.linkType}`;
    add('link-type', 'error', text, 'name a standby of the same link type in the cluster file');
  }
  if (primary.linkType === standby.linkType && primary.mtu !== standby.mtu) {
    const text = `${standby.nic} has MTU ${standby.mtu}, its primary ${primary.nic} has ${primary.mtu}`;
    add('mtu', 'warning', text, `do: ip link set ${standby.nic} mtu ${primary.mtu}`);
  }
  return found;
}

function elsewhere(net: NodeNet, host: readonly HostNic[]): HostFinding[] {
  const mine = [net.primary, ...net.standby];
  return net.addresses.flatMap(({ address }) =>
    host
      .filter(({ nic, addresses }) => !mine.includes(nic) && addresses.some((it) => it.address === address))
      .map(({ nic }): HostFinding => {
        const text = `${address} of net ${net.net} is on ${nic}, which the net does not have`;
        return {
          nic,
          net: net.net,
          what: 'elsewhere',
          severity: 'error',
          text,
          fix: `do: ip address del ${address} dev ${nic}, or name ${nic} in the cluster file`,
        };
      }),
  );
}

/** A target that this host answers itself proves nothing. */
function ownTargets(net: NodeNet, cluster: Cluster, host: readonly HostNic[]): HostFinding[] {
  const targets = cluster.nets.find(({ name }) => name === net.net)?.targets ?? [];
  return targets.flatMap(({ address }) =>
    host
      .filter(({ addresses }) => addresses.some((it) => it.address === address))
      .map(({ nic }): HostFinding => {
        const text = `the target ${address} of net ${net.net} is an address of this host itself, on ${nic}`;
        return {
          nic,
          net: net.net,
          what: 'own-target',
          severity: 'error',
          text,
          fix: 'name another machine as target',
        };
      }),
  );
}

/** Two hosts with one address is what must never be; without any address of its own this host is likely the other node. */
function ofOtherNodes(cluster: Cluster, node: ClusterNode, host: readonly HostNic[]): HostFinding[] {
  const has = (address: string): boolean => host.some((it) => it.addresses.some((one) => one.address === address));
  const isOurselves = node.nets.some(({ addresses }) => addresses.some(({ address }) => has(address)));
  const others = cluster.nodes.filter(({ name }) => name !== node.name);
  return others.flatMap(({ name: other, nets }) =>
    nets.flatMap(({ net, addresses }) =>
      host.flatMap(({ nic, addresses: carried }) =>
        carried
          .filter(({ address }) => addresses.some((it) => it.address === address))
          .map((address): HostFinding => {
            const text = `${nic} carries ${showAddress(address)}, an address of node ${other}`;
            const remove = `do: ip address del ${showAddress(address)} dev ${nic}`;
            return isOurselves
              ? { nic, net, what: 'other-node', severity: 'error', text, fix: remove }
              : { nic, net, what: 'wrong-node', severity: 'error', text, fix: `say --node ${other}, or ${remove}` };
          }),
      ),
    ),
  );
}

function children(nic: HostNic, net: string, host: readonly HostNic[]): HostFinding[] {
  return host
    .filter((child) => child.below === nic.nic && !isMacvlanName(child.nic))
    .map((child): HostFinding => {
      const text = `${child.nic} (${child.kind ?? 'child'}) hangs on ${nic.nic} and does not move with a local switch`;
      return {
        nic: nic.nic,
        net,
        what: 'child',
        severity: 'warning',
        text,
        fix: `give ${child.nic} a standby of its own, on the standby of ${nic.nic}`,
      };
    });
}

/** Everything about the NICs of this node on this host, in file order. */
export function hostFindings(cluster: Cluster, node: ClusterNode, host: readonly HostNic[]): HostFinding[] {
  const floating = new Set(floatingTexts(cluster));
  const all = host.filter(({ nic }) => nic !== 'lo').map(({ nic }) => nic);
  const strange = ofOtherNodes(cluster, node, host);
  const ofNets = node.nets.flatMap((net) => {
    const primary = host.find(({ nic }) => nic === net.primary);
    const found = [
      ...elsewhere(net, host),
      ...ownTargets(net, cluster, host),
      ...lagFindings(cluster, node, net, host),
    ];
    for (const name of [net.primary, ...net.standby]) {
      const nic = host.find((it) => it.nic === name);
      if (!nic) {
        const mine = node.nets.flatMap((it) => [it.primary, ...it.standby]);
        const meant = closest(
          name,
          all.filter((it) => !mine.includes(it)),
        );
        const text = `${name} does not exist on this host (${all.join(', ') || 'it has no NIC'})`;
        const fix =
          meant === null ? 'correct the name in the cluster file, or put the card in' : `did you mean ${meant}?`;
        found.push({ nic: name, net: net.net, what: 'missing', severity: 'error', text, fix });
        continue;
      }
      found.push(...ofOneNic(nic, primary, net, floating));
      if (primary && nic !== primary) found.push(...pair(primary, nic, net.net));
      found.push(...children(nic, net.net, host));
    }
    return found;
  });
  return [...strange, ...ofNets];
}
