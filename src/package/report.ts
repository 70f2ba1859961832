/** What is known of each package, for status and alarms. */
import { clear, raise, record } from '../health/account.js';
import { showVersion } from '../membership/document.js';
import * as membership from '../membership/member.js';
import type { NodeStatus, PackageStatus } from '../status.js';
import type { Job } from '../world.js';
import { placedOn } from './candidate.js';
import type { Decided } from './placement.js';
import type { Picture, Seen, Turn } from './state.js';

function stateOf(job: Job['state']): PackageStatus['state'] {
  return job === 'suspended' ? 'halted' : job;
}

/** As the node says that has it, else as the document places it. */
export function seenOf({ nodes, document }: Picture, name: string): Omit<Seen, 'since'> {
  const placement = document.placements[name];
  const node = placement?.node ?? null;
  const epoch = placement === undefined ? null : showVersion(placement.epoch);
  const there = node === null ? undefined : nodes[node];
  const answers = there?.health === 'alive' || there?.health === 'suspect';
  if (node === null || !answers) return { state: 'halted', node, epoch };
  const job = there.jobs[name];
  if (placement!.state === 'halt') return { state: job?.held === true ? 'halting' : 'halted', node, epoch };
  if (job === undefined || job.state === 'halted') return { state: 'starting', node, epoch };
  return { state: stateOf(job.state), node, epoch };
}

/** Notes what changed since the last look, for `since` and for `why`. */
export function observe(turn: Turn, picture: Picture): void {
  const { state, now } = turn;
  for (const { name } of picture.packages) {
    const seen = seenOf(picture, name);
    const before = state.seen[name];
    if (before !== undefined && before.state === seen.state && before.node === seen.node) {
      before.epoch = seen.epoch;
      continue;
    }
    state.seen[name] = { ...seen, since: now };
    if (before?.node === seen.node || seen.node === null) continue;
    const coordinator = membership.coordinator(turn.membership);
    if (coordinator === turn.world.self.name) continue;
    const evidence = { epoch: seen.epoch, coordinator, before: before?.node ?? null };
    record(
      turn,
      name,
      `${name} is placed on ${seen.node}; ${coordinator ?? 'nobody'} coordinates`,
      'document',
      evidence,
    );
  }
}

interface DueAlarm {
  what: string;
  package: string;
  text: string;
}

/** Raises those that are new, clears those that are over. */
export function reviewAlarms(turn: Turn, picture: Picture, decided: Decided): void {
  const keys = new Set<string>();
  for (const { what, package: name, text } of dueAlarms(picture, decided)) {
    const key = `${what} ${name}`;
    keys.add(key);
    raise(turn, key, what, text, { package: name });
  }
  for (const [key, { what }] of Object.entries(turn.state.alarms))
    if (!keys.has(key)) clear(turn, key, { package: key.slice(what.length + 1) });
}

/** Alarms that hold now. A planned move is none. */
function dueAlarms(picture: Picture, { verdicts }: Decided): DueAlarm[] {
  const { orders } = picture.document;
  return picture.packages.flatMap(({ name, enabled }): DueAlarm[] => {
    const verdict = verdicts[name];
    if (verdict === undefined || orders.clusterHalted || orders.packages[name]?.halted === true) return [];
    const due: DueAlarm[] = [];
    const { why, alarm } = verdict;
    const node = picture.document.placements[name]?.node ?? null;
    if (alarm !== undefined)
      due.push({ what: alarm, package: name, text: `${name} stays on ${node}: ${why.join(', ')}` });
    const isEnabled = orders.packages[name]?.enabled ?? enabled;
    const isDown = seenOf(picture, name).state !== 'running';
    if (isEnabled && isDown && picture.lasts(`down ${name}`, 2 * picture.nodeTimeoutMs)) {
      const awaited = picture.awaited?.[name] ?? null;
      const reasons = awaited === null ? why : [...why, awaited];
      const reason = reasons.length > 0 ? reasons.join(', ') : `it does not run on ${node ?? 'any node'} yet`;
      due.push({ what: 'package-down', package: name, text: `${name} is down: ${reason}` });
    }
    return due;
  });
}

/** Classic roles: what a node runs of its own, and of others'. */
export function rolesOf(picture: Picture): NodeStatus['roles'] {
  const role = (node: string): NodeStatus['roles'][string] => {
    const names = placedOn(picture.document.placements, node);
    const own = picture.packages.filter((one) => names.includes(one.name) && one.nodes[0] === node).length;
    if (names.length === 0) return 'idle';
    if (own === names.length) return 'primary';
    return own === 0 ? 'takeover' : 'dual';
  };
  return Object.fromEntries(Object.keys(picture.nodes).map((node) => [node, role(node)]));
}

export function packageStatus(turn: Turn, picture: Picture): PackageStatus[] {
  const { orders } = picture.document;
  return picture.packages.map(({ name, enabled, resources }) => {
    const { state, node, epoch } = seenOf(picture, name);
    const addresses = resources.flatMap((it) => (it.kind === 'address' ? [it.address.address] : []));
    return {
      name,
      state,
      since: turn.state.seen[name]?.since ?? turn.now,
      node,
      epoch,
      enabled: orders.packages[name]?.enabled ?? enabled,
      locked: false,
      addresses,
    };
  });
}
