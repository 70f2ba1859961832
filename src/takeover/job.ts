/**
 * What this node does with each package, level-triggered: the document and the lease say what should be, kernel and gate
 * what is.
 *
 *            allowed (N3)          addresses there, gate open
 *   halted ──────────────▶ starting ──────────────────────▶ running
 *     ▲                        ▲ │                              │ │
 *     │ neither address        │ └──────────┐ lease over (N6) ◀─┘ │ not placed here any more (N5)
 *     │ nor gate               └──allowed── suspended             ▼
 *     └───────────────────────────────────────────────────── halting
 */
import type { Version } from '../membership/document.js';
import { compareVersions, showVersion } from '../membership/document.js';
import type { Job } from '../world.js';
import { journal, record } from './account.js';
import { announce, withdraw } from './announce.js';
import { addressesOf } from './floating-address.js';
import { hasGate, isOpenFor, mayPass } from './gate-order.js';
import { isThere, mayBeThere, nicFor } from './placing.js';
import { placeOf } from './trial.js';
import type { Turn } from './state.js';
import { verifyPackage } from './verification.js';

export function startJobs({ cluster, jobs }: Turn['world'], now: number): void {
  for (const { name } of cluster.packages) jobs[name] ??= { state: 'halted', epoch: null, since: now, held: true };
}

/** Is the lease running? Asked first of all, at every input. */
export function hasLease({ mandate, now }: Turn): boolean {
  return mandate.leaseEnd !== null && now < mandate.leaseEnd;
}

/** Epoch under which the package may be served now; null: it may not. */
export function allowed(turn: Turn, name: string): Version | null {
  if (!hasLease(turn) || isSurrendering(turn)) return null;
  return turn.mandate.may[name] ?? null;
}

/** The daemon stops, and nobody will take from it what it still has. */
export function isSurrendering({ state }: Turn): boolean {
  return state.stopping !== null && state.stopping.phase !== 'departing';
}

export function isServed({ state }: Job): boolean {
  return state === 'starting' || state === 'running';
}

export function isPlacedHere({ world, mandate }: Turn, name: string): boolean {
  const placement = mandate.document?.placements[name];
  return placement?.state === 'run' && placement.node === world.self.name;
}

/** What each job should do now. */
export function followMandate(turn: Turn): void {
  for (const [name, job] of Object.entries(turn.world.jobs)) {
    const epoch = allowed(turn, name);
    // S11: what was begun to be halted is halted first.
    if (epoch !== null && job.state !== 'halting') serve(turn, name, job, epoch);
    else if (isServed(job)) {
      const waits = isPlacedHere(turn, name) && !isSurrendering(turn);
      for (const { net, prefix } of addressesOf(turn.world.cluster, name))
        withdraw(turn.state.announcer, net, prefix.address);
      become(turn, name, waits ? 'suspended' : 'halting', causeOfEnd(turn, name));
    } else if (job.state === 'suspended' && (isSurrendering(turn) || !isPlacedHere(turn, name))) {
      become(turn, name, 'halting', causeOfEnd(turn, name));
    }
  }
}

/** It was allowed again while it was being halted. */
export function awaitsStart(turn: Turn): boolean {
  const { jobs } = turn.world;
  return Object.keys(jobs).some((name) => jobs[name]!.state === 'halted' && allowed(turn, name) !== null);
}

function serve(turn: Turn, name: string, job: Job, epoch: Version): void {
  const isNew = job.epoch === null || compareVersions(job.epoch, epoch) !== 0;
  if (isServed(job) && !isNew) return;
  const adopted = turn.state.floating.adopting.includes(name);
  const cause = adopted ? 'adopted' : isNew ? 'placed' : 'lease-back';
  job.epoch = epoch;
  if (isServed(job))
    journal(turn, { event: 'package', package: name, to: job.state, cause, evidence: { epoch: showVersion(epoch) } });
  else become(turn, name, 'starting', cause);
}

function causeOfEnd(turn: Turn, name: string): string {
  if (isSurrendering(turn)) return 'stop';
  if (isPlacedHere(turn, name)) return hasLease(turn) ? 'not-allowed' : 'lease-over';
  const placement = turn.mandate.document?.placements[name];
  return placement?.node === turn.world.self.name ? 'halt' : 'placed-elsewhere';
}

function become(turn: Turn, name: string, state: Job['state'], cause: string): void {
  const { world, now } = turn;
  const job = world.jobs[name];
  if (job === undefined) return;
  const epoch = job.epoch === null ? null : showVersion(job.epoch);
  const evidence = { epoch, leftMs: turn.mandate.leaseEnd === null ? null : turn.mandate.leaseEnd - now };
  journal(turn, { event: 'package', package: name, from: job.state, to: state, cause, evidence });
  record(turn, name, `${job.state} → ${state}`, cause, evidence);
  job.state = state;
  job.since = now;
}

/** What kernel and gate say by now. */
export function followKernel(turn: Turn): void {
  const { world, state } = turn;
  for (const [name, job] of Object.entries(world.jobs)) {
    // What is served comes back by itself, with its NIC if with nothing else.
    job.held = isServed(job) || isHeld(turn, name);
    if (job.state === 'halting' && !job.held) become(turn, name, 'halted', 'done');
    else if (job.state === 'starting' && isReady(turn, name)) {
      const cause = state.floating.adopting.includes(name) ? 'adopted' : 'takeover';
      state.floating.adopting = state.floating.adopting.filter((x) => x !== name);
      become(turn, name, 'running', cause);
      tell(turn, name, cause);
      verifyPackage(turn, name);
    }
  }
}

/** MEMBERSHIP N5: by what the kernel shows and the gate was told, not by what was meant. */
function isHeld(turn: Turn, name: string): boolean {
  const { world, state } = turn;
  if (!state.ready || mayBeThere(turn, name)) return true;
  return (
    hasGate(world.cluster) &&
    addressesOf(world.cluster, name).some(({ prefix }) => mayPass(state.floating.gate, prefix.address))
  );
}

function isReady(turn: Turn, name: string): boolean {
  const { world, state, now } = turn;
  const mine = addressesOf(world.cluster, name);
  const lie = mine.every((floating) => {
    const place = placeOf(turn, floating);
    return place !== null && isThere(turn, place, floating);
  });
  if (!lie || !hasLease(turn)) return false;
  return (
    !hasGate(world.cluster) ||
    isOpenFor(
      state.floating.gate,
      now,
      mine.map(({ prefix }) => prefix.address),
    )
  );
}

/** Announces all addresses of the package where they lie. */
export function tell(turn: Turn, name: string, cause: string): void {
  const { world, state, now } = turn;
  for (const { net, prefix } of addressesOf(world.cluster, name)) {
    const nic = nicFor(turn, net);
    if (nic !== null) announce(state.announcer, now, { net, nic, address: prefix.address, cause });
  }
}
