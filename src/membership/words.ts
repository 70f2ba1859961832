/** What this node says with every beat, and what it keeps of what others say (MEMBERSHIP 3). */
import { decodeStanding, encodeStanding, type Standing } from '../frame/standing.js';
import { PART } from '../frame/part.js';
import { peer as peerOf, setWords } from '../health/monitor.js';
import type { HealthState } from '../health/state.js';
import type { HeardBeat, World } from '../world.js';
import { mayLead } from './durable.js';
import { drop, NEVER, others, packageNames, versionOf, type MembershipState } from './state.js';

/** P1: only from what is on the disk. */
export function speakWords(world: World, state: MembershipState, health: HealthState): void {
  if (state.durable === null) return;
  const { storageId, term } = state.durable;
  const role = mayLead(world, state) ? state.post.role : 'follower';
  const version = versionOf(state.durable);
  // Each step asks, and mostly nothing is new.
  let gist = `${storageId} ${term} ${role} ${version.term}.${version.revision} ${state.leaving}`;
  for (const name in world.jobs) {
    const { state: as, epoch, held } = world.jobs[name]!;
    gist += ` ${name} ${as} ${epoch === null ? '' : `${epoch.term}.${epoch.revision}`} ${held}`;
  }
  if (gist === state.words) return;
  state.words = gist;
  const jobs: Standing['jobs'] = {};
  for (const [name, { state: as, epoch, held }] of Object.entries(world.jobs)) jobs[name] = { state: as, epoch, held };
  const standing: Standing = { storageId, term, role, version, leaving: state.leaving, jobs };
  setWords(health, [encodeStanding(standing, packageNames(world))]);
}

function unheard(): MembershipState['peers'][string] {
  return { health: 'unheard', standing: null, incarnation: '', heardAt: NEVER, otherFileAt: NEVER };
}

/** Nodes that have just said goodbye. */
export function refreshPeers(world: World, state: MembershipState, health: HealthState): string[] {
  const gone: string[] = [];
  for (const name of others(world)) {
    const seen = peerOf(health, name);
    const known = (state.peers[name] ??= unheard());
    if (seen.health === 'left' && known.health !== 'left') gone.push(name);
    known.health = seen.health;
    known.heardAt = seen.heardAt;
    known.otherFileAt = seen.otherFileAt;
    if (seen.incarnation !== known.incarnation) {
      known.incarnation = seen.incarnation;
      known.standing = null;
      delete state.pieces[name];
    }
  }
  return gone;
}

/** Is every peer as it was at this stage's last step? */
export function arePeersKnown(world: World, state: MembershipState, health: HealthState): boolean {
  for (const name of others(world)) if (state.peers[name]?.health !== peerOf(health, name).health) return false;
  return true;
}

export function hearWords(world: World, state: MembershipState, beat: HeardBeat): void {
  const part = beat.parts.find(({ kind }) => kind === PART.standing);
  const peer = state.peers[beat.node];
  if (part === undefined || peer === undefined) return;
  const standing = decodeStanding(part, packageNames(world));
  if (standing === null) drop(state, 'standing-malformed');
  else peer.standing = standing;
}
