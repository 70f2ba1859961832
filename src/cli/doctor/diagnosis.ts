/** What on this host would fight baton, each with the exact fix. Pure. */
import { hostFindings } from '../../daemon/host-findings.js';
import { hasGate } from '../../takeover/gate-order.js';
import { SETTINGS } from '../../takeover/settings.js';
import { strangers } from '../output/strangers.js';
import { nicsOf, TOOLS, type Evidence, type Process } from './evidence.js';
import { rotation } from './rotation.js';
import { voters } from './voters.js';

export interface Diagnosis {
  /** Stable word, for `--json`. */
  what: string;
  /** `error`: baton cannot do its work. `warning`: it will be disturbed. `note`: what it does not do, or does by itself. */
  severity: 'error' | 'warning' | 'note';
  text: string;
  fix: string;
}

function tools({ missingTools, packetSockets, nftables, cluster }: Evidence): Diagnosis[] {
  const found = missingTools.map((tool): Diagnosis => {
    const fix = `apt-get install ${TOOLS[tool as keyof typeof TOOLS]}`;
    return { what: 'tool', severity: tool === 'ip' ? 'error' : 'warning', text: `the program ${tool} is missing`, fix };
  });
  if (!packetSockets) {
    found.push({
      what: 'kernel',
      severity: 'error',
      text: 'this kernel has no packet sockets (AF_PACKET)',
      fix: 'modprobe af_packet',
    });
  }
  if (!nftables) {
    const text = 'this kernel has no nftables, which the gate needs';
    found.push({
      what: 'kernel',
      severity: hasGate(cluster) ? 'error' : 'note',
      text,
      fix: 'modprobe nf_tables, or write fence: lifetime',
    });
  }
  return found;
}

function key(evidence: Evidence): Diagnosis[] {
  if (evidence.key === null) return [];
  const [text, fix] = evidence.key.split('; ', 2);
  return [{ what: 'key', severity: 'error', text: text!, fix: fix ?? 'baton keygen' }];
}

function serialLine({ line }: Evidence): Diagnosis[] {
  return line.map(({ severity, text, fix }) => ({ what: 'serial-line', severity, text, fix }));
}

function disks({ disks: found }: Evidence): Diagnosis[] {
  return found.map(({ what, severity, text, fix }) => ({ what: `disk-${what}`, severity, text, fix }));
}

function fencing({ fencing: found }: Evidence): Diagnosis[] {
  return found.map(({ what, severity, text, fix }) => ({ what: `fence-${what}`, severity, text, fix }));
}

function nics({ cluster, self, host, daemon }: Evidence): Diagnosis[] {
  const carriers = (daemon?.status.nics ?? []).filter(({ carrying }) => carrying.length > 0).map(({ name }) => name);
  return hostFindings(cluster, self, host)
    .filter(({ what, nic }) => what !== 'standby-address' || !carriers.includes(nic))
    .map(({ what, severity, text, fix }) => ({ what, severity, text, fix }));
}

/** A running daemon sets them; another program that puts them back is the trouble. */
function settings({ settings: present, daemon }: Evidence): Diagnosis[] {
  const differing = present.flatMap(({ nic, name, value }) => {
    const wanted = SETTINGS.find((setting) => setting.name === name)?.value;
    if (value === null || wanted === undefined || value === wanted) return [];
    const path = name.replace('{nic}', nic);
    return [{ nic, path, wanted, text: `net/${path} is ${value}, not ${wanted}` }];
  });
  if (daemon) {
    return differing.map(({ nic, path, wanted, text }) => ({
      what: 'setting',
      severity: 'warning',
      text: `${text}, although batond set it`,
      fix: `find what sets it back (grep -r ${nic} /etc/sysctl.d), then: sysctl -w net/${path}=${wanted}`,
    }));
  }
  if (differing.length === 0) return [];
  const fix = 'batond sets that when it starts, and puts it back when it is stopped';
  return [{ what: 'setting', severity: 'note', text: differing.map(({ text }) => text).join('; '), fix }];
}

const named = (all: readonly Process[], ...names: string[]): Process[] =>
  all.filter(({ name }) => names.includes(name));

function managers(evidence: Evidence): Diagnosis[] {
  const { processes, networkd, networkManager, interfaces } = evidence;
  return nicsOf(evidence.self).flatMap(({ nic }): Diagnosis[] => {
    const found: Diagnosis[] = [];
    const rival = (text: string, fix: string): void =>
      void found.push({ what: 'rival-manager', severity: 'warning', text, fix });
    // The kernel cuts the names of processes after 15 characters.
    if (named(processes, 'systemd-network').length > 0 && !['unmanaged', undefined].includes(networkd[nic])) {
      rival(
        `systemd-networkd manages ${nic} (${networkd[nic]!}): it strips a NIC that lost its carrier`,
        `add to the .network file of ${nic}: [Network] ConfigureWithoutCarrier=yes IgnoreCarrierLoss=yes; then: networkctl reload`,
      );
    }
    if (named(processes, 'NetworkManager').length > 0 && networkManager[nic] !== 'unmanaged') {
      rival(
        `NetworkManager manages ${nic}: it strips a NIC that lost its carrier`,
        `write /etc/NetworkManager/conf.d/baton.conf: [keyfile] unmanaged-devices=interface-name:${nic}; then: nmcli general reload`,
      );
    }
    for (const client of named(processes, 'dhclient', 'dhcpcd', 'udhcpc')) {
      const listed = client.args.slice(1).filter((arg) => evidence.host.some((it) => it.nic === arg));
      if (listed.length > 0 && !listed.includes(nic)) continue;
      rival(
        `${client.name} (process ${client.pid}) serves ${nic}: an address by DHCP cannot move`,
        `give ${nic} a static address and end ${client.name} for it`,
      );
    }
    for (const { line } of interfaces.filter((it) => it.nic === nic)) {
      if (line.startsWith('allow-hotplug'))
        rival(
          `/etc/network/interfaces says "${line}": ifupdown acts when the card comes back`,
          `write "auto ${nic}" instead`,
        );
      else if (/\bdhcp\b/.test(line))
        rival(`/etc/network/interfaces says "${line}"`, `write "iface ${nic} inet static" with its address`);
    }
    return found;
  });
}

const RIVALS: Record<string, string> = {
  keepalived: 'another program that moves addresses',
  ucarp: 'another program that moves addresses',
  vrrpd: 'another program that moves addresses',
  corosync: 'another cluster manager, which may move addresses',
  pacemakerd: 'another cluster manager, which may move addresses',
  ifplugd: 'it takes NICs down that lost their carrier',
  netplugd: 'it takes NICs down that lost their carrier',
  connmand: 'a network manager',
  wickedd: 'a network manager',
};

function rivals({ processes }: Evidence): Diagnosis[] {
  return processes
    .filter(({ name }) => name in RIVALS)
    .map(({ name, pid }) => ({
      what: 'rival',
      severity: 'warning',
      text: `${name} runs (process ${pid}): ${RIVALS[name]!}`,
      fix: `keep it away from the NICs of the cluster file, or: systemctl disable --now ${name}`,
    }));
}

const KINDS = {
  rule: 'policy rule',
  nexthop: 'nexthop object',
  firewall: 'firewall rule',
  socket: 'bound socket',
};

/** Named, never moved (DESIGN 5). */
function notMoved({ naming, processes, cluster, daemon }: Evidence): Diagnosis[] {
  // Those of batond are bound anew by a local switch.
  const isOwn = ({ nic, kind, text }: Evidence['naming'][number]): boolean =>
    daemon !== null && kind === 'socket' && text.includes(`%${nic}:${cluster.port} `);
  const found = naming
    .filter((it) => !isOwn(it))
    .map(({ nic, kind, text }): Diagnosis => {
      return {
        what: 'not-moved',
        severity: 'note',
        text: `a ${KINDS[kind]} names ${nic} and does not move: ${text}`,
        fix: 'make it independent of the NIC, or write one for each NIC of the net',
      };
    });
  for (const { name, pid } of named(processes, 'bird', 'bird6', 'zebra', 'bgpd', 'ospfd')) {
    const text = `${name} runs (process ${pid}): its routes are left to it`;
    found.push({ what: 'not-moved', severity: 'note', text, fix: 'let it know the standby NICs too' });
  }
  return found;
}

function strangeFrames({ daemon, cluster, self }: Evidence): Diagnosis[] {
  return strangers(daemon?.status.dropped ?? {}).map(({ who, count }): Diagnosis => {
    const since = `${count} poll frames since batond started`;
    switch (who) {
      case 'namesake':
        return {
          what: 'namesake',
          severity: 'error',
          text: `another batond of cluster ${cluster.name} calls itself ${self.name}, too (${since})`,
          fix: 'start it with its own name: baton daemon --node NAME',
        };
      case 'other-key':
        return {
          what: 'other-key',
          severity: 'warning',
          text: `a node of cluster ${cluster.name} has another key and is not heard (${since})`,
          fix: `compare on every node: sha256sum ${cluster.key}; copy the right one; a batond whose file shared no key with the copy says key-file then: restart it`,
        };
      case 'other-cluster':
        return {
          what: 'other-cluster',
          severity: 'note',
          text: `a cluster of another name shares a net with this one; its frames are ignored (${since})`,
          fix: 'none is needed, unless it is a node of this cluster: then correct `cluster` in its file',
        };
      case 'unreadable':
        return {
          what: 'unreadable',
          severity: 'note',
          text: `frames of EtherType 0x88B5 arrive that this batond cannot read (${since})`,
          fix: 'none is needed, unless a node runs another version of baton: then install the same everywhere',
        };
    }
  });
}

function directories({ directories: found }: Evidence): Diagnosis[] {
  return found.map(({ name, problem }): Diagnosis => {
    const lost =
      name === 'run' ? 'a batond that is killed cannot be followed up' : 'the journal is kept in memory only';
    return {
      what: 'directory',
      severity: 'warning',
      text: `the ${name} directory ${problem}: ${lost}`,
      fix: `mend that, or name another directory with --${name}-dir`,
    };
  });
}

/** What the daemon itself saw. */
function fabric({ daemon, cluster }: Evidence): Diagnosis[] {
  if (!daemon) return [];
  const found: Diagnosis[] = [];
  const { status, lateness } = daemon;
  for (const { name } of status.nets) {
    const mine = status.nics.filter((nic) => nic.net === name && nic.health === 'up');
    const others = cluster.nodes.reduce(
      (sum, node) => sum + node.nets.filter((it) => it.net === name).reduce((n, it) => n + 1 + it.standby.length, 0),
      0,
    );
    if (others < 2 || mine.length === 0) continue;
    if (
      mine.every((nic) => nic.reason === 'unproven' || nic.reason === 'isolated') &&
      mine.every((nic) => Object.keys(nic.hears).length === 0)
    ) {
      found.push({
        what: 'fabric',
        severity: 'warning',
        text: `no NIC of net ${name} hears any other: the other nodes are off, or the fabric does not carry EtherType 0x88B5`,
        fix: `let the switches of net ${name} forward it, or give the net targets`,
      });
    }
  }
  if (lateness.maxMs > cluster.timing.pollMs / 2) {
    found.push({
      what: 'late',
      severity: 'warning',
      text: `batond woke up to ${lateness.maxMs.toFixed(0)} ms late; more than half a poll (${cluster.timing.pollMs} ms) blinds it meanwhile`,
      fix: 'give the service CAP_SYS_NICE and less load, or write timing: calm',
    });
  }
  return found;
}

const ORDER = { error: 0, warning: 1, note: 2 };

/** Gravest first. */
export function diagnose(evidence: Evidence): Diagnosis[] {
  const found = [
    tools,
    key,
    disks,
    serialLine,
    fencing,
    directories,
    nics,
    managers,
    rivals,
    strangeFrames,
    rotation,
    fabric,
    voters,
    settings,
    notMoved,
  ].flatMap((look) => look(evidence));
  return found.sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}
