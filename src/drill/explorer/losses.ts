/** Who can go on without whom: what may be lost so that nobody needs an operator afterwards, and which nodes are enough. */
import type { Network } from '../../../drivers/simulator/network.js';
import { ARBITER, compareVersions, type Document } from '../../membership/document.js';
import { readRecord } from '../../membership/durable.js';
import { isQuorum } from '../../membership/quorum.js';

/** What is stored at one node. */
interface Kept {
  /** `alpha/7f…`. */
  voter: string;
  document: Document | null;
}

function keptAt({ daemons }: Network, node: string): Kept | null {
  const { disk, losesDisk } = daemons.get(node)!;
  if (losesDisk || disk.text === null || disk.read().damaged) return null;
  const record = readRecord(JSON.parse(disk.text));
  return record === null ? null : { voter: `${node}/${record.storageId}`, document: record.document };
}

function newestOf(documents: readonly (Document | null | undefined)[]): Document | null {
  const found = documents.filter((one): one is Document => one != null);
  return found.sort((a, b) => compareVersions(b.version, a.version))[0] ?? null;
}

/** Null: there is none, or it lost its data. */
function keptByArbiter({ arbiter, sharedDisk }: Network): Kept | null {
  const storageId = arbiter?.record?.storageId ?? sharedDisk?.storageId;
  if (storageId === undefined) return null;
  return { voter: `${ARBITER}/${storageId}`, document: arbiter?.record?.document ?? sharedDisk?.document ?? null };
}

/** Are these voters a quorum of that document? */
function suffices(kept: readonly (Kept | null)[], document: Document | null): boolean {
  if (document === null) return false;
  const voters = new Set(kept.map((one) => one?.voter));
  return isQuorum(document.voters, (voter) => voters.has(voter));
}

/**
 * May that node's disk be lost? Not where its daemon runs on with it, for the voters may have become others when it starts anew;
 * and not where a quorum of the newest document would go with it, be that one the newest that this very disk has, or the newest without.
 */
export function mayLoseDisk(network: Network, node: string): boolean {
  if (network.daemons.get(node)?.runs !== true || network.sharedDisk?.torn.includes(node) === true) return false;
  const names = [...network.daemons.keys()];
  const others = names.filter((name) => name !== node).map((name) => keptAt(network, name));
  const left = [...others, keptByArbiter(network)];
  const all = [...left, keptAt(network, node)];
  return [all, left].every((kept) => suffices(left, newestOf(kept.map((one) => one?.document))));
}

/** May that node's block on a shared disk be torn? Where the node itself knows what was in it, and will write it again as a voter. */
export function mayTear(network: Network, node: string): boolean {
  if (network.sharedDisk === null || network.daemons.get(node)?.runs !== true) return false;
  const kept = keptAt(network, node);
  return kept?.document?.voters.next.some((voter) => `${voter.name}/${voter.storageId}` === kept.voter) === true;
}

/** Is there a torn block that nobody writes again, for its node is no voter any more? Then somebody has to make the disk anew. */
export function isTornForGood(network: Network): boolean {
  const kept = [...network.daemons.keys()].map((name) => keptAt(network, name));
  const voters = newestOf(kept.map((one) => one?.document))?.voters.next ?? [];
  return network.sharedDisk?.torn.some((name) => !voters.some((voter) => voter.name === name)) === true;
}

/** May an etcd lose its data? Where the nodes alone are a quorum. */
export function mayForget(network: Network): boolean {
  const kept = [...network.daemons.keys()].map((name) => keptAt(network, name));
  const all = [...kept, keptByArbiter(network)];
  return [kept, all].every((some) => suffices(kept, newestOf(some.map((one) => one?.document))));
}

/** Nodes that somebody of the core may still take for alive, and make voters of in their last moments (V1). */
function believedAlive({ daemons }: Network, core: readonly string[]): Set<string> {
  const believed = new Set(core);
  for (const [name, daemon] of daemons) {
    if (daemon.runs) believed.add(name);
    for (const { node, health } of daemon.status()?.peers ?? [])
      if (health === 'alive' || health === 'suspect') believed.add(node);
  }
  return believed;
}

/**
 * Would that node, as coordinator, make voters among whom the core is outvoted? It may yet do so of all that it hears, in the
 * very moment in which the others die, and leaves out of the core whom it does not hear yet (V1, V2). `present`: voters now.
 */
export function outvotes(
  heard: readonly string[],
  core: readonly string[],
  present: readonly string[],
  arbiter: 'none' | 'dead' | 'there',
): boolean {
  const ours = heard.filter((name) => core.includes(name)).length;
  const others = heard.length - ours;
  if (ours !== others) return ours < others;
  // An even number is made odd by the arbiter, or by one that is lost.
  if (arbiter !== 'none') return arbiter === 'dead';
  const lost = present.filter((name) => !heard.includes(name)).sort()[0];
  return lost === undefined || !core.includes(lost);
}

/** All that the coordinators of the core hear, themselves included. */
function heardByCoordinators({ daemons }: Network, core: readonly string[]): string[][] {
  return core.flatMap((name) => {
    const status = daemons.get(name)!.status();
    if (status?.membership?.role !== 'coordinator') return [];
    const peers = status.peers.filter(({ health }) => health === 'alive' || health === 'suspect');
    return [[name, ...peers.map(({ node }) => node)]];
  });
}

/**
 * Can these nodes go on when all others die now? They are a quorum of the newest document of all, of the newest that they
 * have themselves (what is newer was never committed, or is theirs too), and of the voters that it may yet become.
 */
export function canServe(network: Network, core: readonly string[]): boolean {
  const names = [...network.daemons.keys()];
  // Whose block is torn has to write it again, or nothing that the disk shows counts.
  const isReadable = network.sharedDisk?.torn.every((name) => core.includes(name)) === true;
  const hasArbiter = network.arbiter !== null || isReadable;
  const own = [...core.map((name) => keptAt(network, name)), hasArbiter ? keptByArbiter(network) : null];
  const all = [...own, ...names.map((name) => keptAt(network, name))];
  const newest = newestOf(all.map((one) => one?.document));
  const removed = newest?.orders.removedNodes ?? [];
  const isEntitled = (name: string): boolean => !removed.includes(name);
  const present =
    newest?.voters.next.map(({ name }) => name).filter((name) => name !== ARBITER && isEntitled(name)) ?? [];
  const isAsked = network.arbiter !== null || network.sharedDisk !== null;
  const arbiter = isAsked ? (hasArbiter ? 'there' : 'dead') : 'none';
  const views = heardByCoordinators(network, core).map((heard) => heard.filter(isEntitled));
  if (views.some((heard) => outvotes(heard, core, present, arbiter))) return false;
  const voters = [...believedAlive(network, core)].filter(isEntitled).length;
  const ours = core.filter(isEntitled).length;
  if (2 * ours < voters || (2 * ours === voters && !hasArbiter)) return false;
  return [own, all].every((kept) => suffices(own, newestOf(kept.map((one) => one?.document))));
}
