/** What may befall a drilled world: every fault of the scenario language, and its grammar (DESIGN 14). */
import { z } from 'zod';
import type { Ms } from '../input.js';

/** `250ms`, `2s`, `1m` → milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m)$/, 'a duration such as 250ms, 2s or 1m')
  .transform((text): Ms => parseFloat(text) * (text.endsWith('ms') ? 1 : text.endsWith('s') ? 1000 : 60_000));

export interface NicRef {
  node: string;
  nic: string;
}

/** Blows at the arbiter, wherever it is, and those that only disks know. */
export type ArbiterFault = Extract<Fault, { fault: `arbiter-${string}` }>;
const DISK_FAULTS: readonly string[] = [
  ...['arbiter-torn', 'arbiter-stale'],
  ...['arbiter-read-only', 'arbiter-full', 'arbiter-foreign'],
];
export type DiskOnlyFault = Exclude<
  ArbiterFault,
  { fault: `arbiter-${'off' | 'freeze' | 'slow' | 'forget' | 'backup' | 'restore'}` }
>;

export function isArbiterFault(fault: Fault): fault is ArbiterFault {
  return fault.fault.startsWith('arbiter-');
}

export function isDiskOnly(fault: ArbiterFault): fault is DiskOnlyFault {
  return DISK_FAULTS.includes(fault.fault);
}

/** A fence device that hangs, fails, says that it is done and does nothing, or takes so much longer. */
export type FenceFault =
  | { fault: 'fence-hang' | 'fence-fail' | 'fence-lie'; device: string }
  | { fault: 'fence-slow'; device: string; forMs: Ms };

/** Blows at the serial line. */
export type SerialFault = Extract<Fault, { fault: `serial-${string}` }>;

/** A blow, as `inflict` and `heal` take it. */
export type Fault =
  /** The cable is out: carrier lost at the node. */
  | { fault: 'cut'; at: NicRef }
  /** Frames vanish, the carrier stays. `in`: towards the node. */
  | { fault: 'drop'; direction: 'in' | 'out' | 'both'; at: NicRef }
  /** The switch takes frames with the NIC's own MAC only, by that port (port security). */
  | { fault: 'bind-port'; at: NicRef }
  /** Random loss both ways; `at` absent: on every cable. */
  | { fault: 'loss'; percent: number; at?: NicRef }
  | { fault: 'trunk'; trunk: string }
  /** Nothing goes from the first of these switches to the second: frames vanish. Simulator only. */
  | { fault: 'drop-trunk'; trunk: string }
  /** What is sent along waits, and comes all at once when it is healed. Simulator only. */
  | { fault: 'clog'; at: NicRef }
  | { fault: 'clog-trunk'; trunk: string }
  /** The switch loses power: every port loses its carrier. */
  | { fault: 'switch-off'; switch: string }
  /** The switch forwards nothing, carriers stay. */
  | { fault: 'switch-mute'; switch: string }
  | { fault: 'admin-down'; at: NicRef }
  /** The card is taken out; heal puts a new one with the same name and MAC in. */
  | { fault: 'delete'; at: NicRef }
  | { fault: 'rename'; at: NicRef; to: string }
  /** Cable out and in again, `times` times; ends by itself with the cable in. */
  | { fault: 'flap'; at: NicRef; downMs: Ms; upMs: Ms; times: number }
  /** The client's port is dead both ways: a target that dies. */
  | { fault: 'client-off'; client: string }
  /** SIGKILL to the daemon; heal starts it again. */
  | { fault: 'kill'; node: string }
  /** SIGKILL as the hands are about to make their n-th change (from 1) of the kernel, counted from now; heal starts it again. */
  | { fault: 'kill-at'; node: string; step: number }
  /** The daemon is started, if it does not run, and no `kill-at` waits for it any more. Simulator only. */
  | { fault: 'start'; node: string }
  /** SIGHUP, then started again at once. */
  | { fault: 'restart'; node: string }
  /** SIGTERM; heal starts it again. */
  | { fault: 'stop'; node: string }
  /** SIGSTOP; heal is SIGCONT. */
  | { fault: 'freeze'; node: string }
  /** The whole node goes dark without warning: its links are cut and its processes killed. Heal: it boots again, with its disk. */
  | { fault: 'power-off'; node: string }
  /** SIGSTOP for so long; ends by itself. */
  | { fault: 'freeze-for'; node: string; forMs: Ms }
  /** Frames come twice, on every cable or on one. */
  | { fault: 'duplicate'; percent: number; at?: NicRef }
  /** Frames of baton come damaged; of others the kernel sees nothing, for their checksum fails. Simulator only. */
  | { fault: 'corrupt'; percent: number; at?: NicRef }
  /** Each frame takes so much longer. Simulator only. */
  | { fault: 'delay'; byMs: Ms; at?: NicRef }
  /** Frames overtake each other. */
  | { fault: 'reorder'; percent: number; at?: NicRef }
  /** All frames of baton that this switch has seen since the drill's start are played again, once. */
  | { fault: 'replay'; switch: string }
  /** No frame from one node reaches the other, on any net; the way back works. `arbiter` may stand for either. */
  | { fault: 'block'; from: string; to: string }
  /** Groups of nodes that do not hear each other, on any net; `arbiter` may stand in one, else all reach it. */
  | { fault: 'split'; groups: string[][] }
  | FenceFault
  /** The serial line is out at one end, and nobody is told. */
  | { fault: 'serial-cut' }
  /** The adapter is taken out of that node: its device is gone. */
  | { fault: 'serial-unplug'; node: string }
  /** So many of all bytes are damaged, lost, or followed by one that nobody sent. */
  | { fault: 'serial-noise'; percent: number }
  /** Heal starts it again, with its data. */
  | { fault: 'arbiter-off'; member?: string }
  | { fault: 'arbiter-freeze'; member?: string }
  /** Its data is lost; ends by itself. */
  | { fault: 'arbiter-forget' }
  /** Etcd only: its data are as they were at the drill's last `arbiter-backup`, which takes it. */
  | { fault: 'arbiter-backup' | 'arbiter-restore' }
  /** Each write and read takes so much longer; on the kernel an etcd's syncs. */
  | { fault: 'arbiter-slow'; byMs: Ms }
  /** The files hold one that is over by its date, and the etcd starts anew, which ends the connections made before. Heal: good ones. Kernel lab only. */
  | { fault: 'certificate-over'; holder: 'server' | 'client' }
  /** Disks only: that node's block fails its checksum, until the node writes it again. */
  | { fault: 'arbiter-torn'; node: string }
  /** Disks only: reads show what was there when it began; writes are refused, for want of right or of room; they hold another cluster's arbiter. */
  | { fault: 'arbiter-stale' | 'arbiter-read-only' | 'arbiter-full' | 'arbiter-foreign' }
  /** A stranger, on that client, has this address too, and says so. */
  | { fault: 'claim'; client: string; address: string }
  /** Somebody adds this address to the NIC by hand, with prefix length. Heal: takes it off if it is still there. */
  | { fault: 'add-address'; at: NicRef; address: string }
  /** `nft flush ruleset`, once. */
  | { fault: 'flush-firewall'; node: string }
  /** The clock of the node runs wrong by so many parts per million. Simulator only. */
  | { fault: 'drift'; node: string; ppm: number }
  /** The state directory takes nothing: ENOSPC. */
  | { fault: 'disk-full'; node: string }
  /** The state directory takes nothing: EROFS. Simulator only. */
  | { fault: 'disk-read-only'; node: string }
  /** The state directory is empty when the daemon next starts; the record there no longer fits its checksum (simulator only). */
  | { fault: 'disk-lost' | 'disk-torn'; node: string }
  /** What is stored takes so many times as long. Simulator only. */
  | { fault: 'disk-slow'; node: string; times: number }
  /** Calls of netlink and nftables take so much longer. Simulator only. */
  | { fault: 'kernel-slow'; node: string; byMs: Ms }
  /** The process stands still for so long before its n-th effect (from 1, counted from now), or between two effects of its gate's hand. Simulator only. */
  | { fault: 'pause'; node: string; before: 'effect' | 'gate'; nth: number; forMs: Ms }
  /** Its cluster file is replaced by the later one; the daemon reads that when it next starts. */
  | { fault: 'new-file'; node: string }
  /** The key file of one node is copied to another. */
  | { fault: 'copy-key'; from: string; to: string }
  /** Kernel lab only: so many processes that do nothing but run. */
  | { fault: 'cpu-busy'; processes: number }
  /** Kernel lab only: a firewall with a set of 100,000 elements is loaded again and again on that node. */
  | { fault: 'firewall-busy'; node: string }
  /** Another program removes this address once. */
  | { fault: 'remove-address'; node: string; address: string }
  /** A network manager minds this NIC: at carrier loss it strips addresses and routes off it, at carrier return it puts back what it had seen. */
  | { fault: 'manager'; at: NicRef }
  /** Kernel lab only: hundreds of veths are made and deleted, so that rtnl is held for long. */
  | { fault: 'rtnl-busy' };

/** Names as in a cluster file. */
const NIC = /^([A-Za-z0-9-]+)\.([^\s/:@,]+)$/;

function nicRef(text: string | undefined): NicRef {
  const match = NIC.exec(text ?? '');
  if (!match) throw new Error(`"${text ?? ''}" is not a NIC; write node.nic, such as alpha.eth0`);
  return { node: match[1]!, nic: match[2]! };
}

function required(text: string | undefined, what: string): string {
  if (text === undefined) throw new Error(`${what} is missing`);
  return text;
}

function counted(text: string | undefined, what: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new Error(`${what} is a whole number from 1 on, not "${text ?? ''}"`);
  return n;
}

function percentage(verb: string, text: string | undefined, form = /^(\d{1,3})%$/): number {
  const percent = form.exec(text ?? '')?.[1];
  if (percent === undefined || Number(percent) > 100)
    throw new Error(`${verb} needs a percentage such as 30%, not "${text ?? ''}"`);
  return Number(percent);
}

/** `drop in alpha.eth0` → Fault. Throws an Error whose message says what is wrong. */
export function parseFault(text: string): Fault {
  const words = text.trim().split(/\s+/);
  const [verb, a, b] = words;
  switch (verb) {
    case 'cut':
    case 'bind-port':
    case 'admin-down':
    case 'delete':
    case 'manager':
      return { fault: verb, at: nicRef(a) };
    case 'drop':
      if (a !== 'in' && a !== 'out' && a !== 'both') throw new Error(`drop needs in, out or both, not "${a ?? ''}"`);
      return { fault: 'drop', direction: a, at: nicRef(b) };
    case 'loss': {
      const percent = percentage(verb, a);
      return b === undefined ? { fault: 'loss', percent } : { fault: 'loss', percent, at: nicRef(b) };
    }
    case 'trunk':
      return { fault: 'trunk', trunk: required(a, 'the trunk (left-right)') };
    case 'drop-trunk':
    case 'clog-trunk':
      return { fault: verb, trunk: required(a, 'the trunk (left-right)') };
    case 'clog':
      return { fault: 'clog', at: nicRef(a) };
    case 'delay': {
      const byMs = duration.parse(a);
      return b === undefined ? { fault: 'delay', byMs } : { fault: 'delay', byMs, at: nicRef(b) };
    }
    case 'switch-off':
    case 'switch-mute':
      return { fault: verb, switch: required(a, 'the switch') };
    case 'rename':
      return { fault: 'rename', at: nicRef(a), to: required(b, 'the new name') };
    case 'flap': {
      const [, , down, up, times] = words;
      return {
        fault: 'flap',
        at: nicRef(a),
        downMs: duration.parse(down),
        upMs: duration.parse(up),
        times: Number(required(times, 'the number of times')),
      };
    }
    case 'client-off':
      return { fault: 'client-off', client: required(a, 'the client') };
    case 'kill':
    case 'start':
    case 'restart':
    case 'stop':
    case 'freeze':
      return { fault: verb, node: required(a, 'the node') };
    case 'power-off':
    case 'flush-firewall':
    case 'disk-full':
    case 'disk-read-only':
    case 'disk-lost':
    case 'disk-torn':
    case 'new-file':
    case 'firewall-busy':
      return { fault: verb, node: required(a, 'the node') };
    case 'freeze-for':
      return { fault: 'freeze-for', node: required(a, 'the node'), forMs: duration.parse(b) };
    case 'disk-slow':
      return { fault: verb, node: required(a, 'the node'), times: counted(b, 'how many times as long it takes') };
    case 'kernel-slow':
      return { fault: verb, node: required(a, 'the node'), byMs: duration.parse(b) };
    case 'pause': {
      const [, , , nth, forMs] = words;
      if (b !== 'effect' && b !== 'gate') throw new Error(`pause needs effect or gate, not "${b ?? ''}"`);
      const node = required(a, 'the node');
      return { fault: 'pause', node, before: b, nth: counted(nth, 'which one'), forMs: duration.parse(forMs) };
    }
    case 'corrupt':
    case 'duplicate':
    case 'reorder': {
      const percent = percentage(verb, a);
      return b === undefined ? { fault: verb, percent } : { fault: verb, percent, at: nicRef(b) };
    }
    case 'replay':
      return { fault: 'replay', switch: required(a, 'the switch') };
    case 'block':
      return { fault: 'block', from: required(a, 'the node that is not heard'), to: required(b, 'the deaf node') };
    case 'split':
      return {
        fault: 'split',
        groups: required(a, 'the groups (alpha,beta|gamma)')
          .split('|')
          .map((g) => g.split(',')),
      };
    case 'arbiter-off':
    case 'arbiter-freeze':
      return a === undefined ? { fault: verb } : { fault: verb, member: a };
    case 'arbiter-forget':
    case 'arbiter-backup':
    case 'arbiter-restore':
    case 'arbiter-stale':
    case 'arbiter-read-only':
    case 'arbiter-full':
    case 'arbiter-foreign':
      return { fault: verb };
    case 'arbiter-slow':
      return { fault: verb, byMs: duration.parse(a) };
    case 'certificate-over':
      if (a !== 'server' && a !== 'client') throw new Error('certificate-over wants server or client');
      return { fault: verb, holder: a };
    case 'arbiter-torn':
      return { fault: verb, node: required(a, 'the node') };
    case 'serial-cut':
      return { fault: verb };
    case 'serial-unplug':
      return { fault: verb, node: required(a, 'the node') };
    case 'serial-noise':
      return { fault: verb, percent: percentage(verb, a, /^(\d{1,3}(?:\.\d+)?)%$/) };
    case 'fence-hang':
    case 'fence-fail':
    case 'fence-lie':
      return { fault: verb, device: required(a, 'the fence device') };
    case 'fence-slow':
      return { fault: 'fence-slow', device: required(a, 'the fence device'), forMs: duration.parse(b) };
    case 'claim':
      return { fault: 'claim', client: required(a, 'the client'), address: required(b, 'the address') };
    case 'add-address':
      return { fault: 'add-address', at: nicRef(a), address: required(b, 'the address') };
    case 'drift':
      return { fault: 'drift', node: required(a, 'the node'), ppm: Number(required(b, 'the parts per million')) };
    case 'copy-key':
      return { fault: verb, from: required(a, 'the node to copy from'), to: required(b, 'the node to copy to') };
    case 'cpu-busy':
      return { fault: 'cpu-busy', processes: Number(required(a, 'the number of processes')) };
    case 'kill-at':
      return { fault: 'kill-at', node: required(a, 'the node'), step: Number(required(b, 'the number of the step')) };
    case 'remove-address':
      return { fault: 'remove-address', node: required(a, 'the node'), address: required(b, 'the address') };
    case 'rtnl-busy':
      return { fault: 'rtnl-busy' };
    default:
      throw new Error(
        `unknown fault "${verb ?? ''}"; known: cut, drop, bind-port, loss, trunk, drop-trunk, clog, clog-trunk, delay, corrupt, switch-off, switch-mute, admin-down, delete, rename, flap, client-off, kill, kill-at, start, restart, stop, freeze, remove-address, manager, rtnl-busy, power-off, freeze-for, duplicate, reorder, replay, block, split, arbiter-off, arbiter-freeze, arbiter-forget, arbiter-backup, arbiter-restore, arbiter-slow, arbiter-torn, arbiter-stale, arbiter-read-only, arbiter-full, arbiter-foreign, certificate-over, fence-hang, fence-fail, fence-lie, fence-slow, serial-cut, serial-unplug, serial-noise, claim, add-address, flush-firewall, drift, disk-full, disk-read-only, disk-lost, disk-torn, disk-slow, kernel-slow, pause, new-file, copy-key, cpu-busy, firewall-busy`,
      );
  }
}
