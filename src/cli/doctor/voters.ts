/** What `baton doctor` says of who votes: what this node waits for, and whether it has a vote itself. */
import type { Diagnosis } from './diagnosis.js';
import type { Evidence } from './evidence.js';

export function voters({ daemon }: Evidence): Diagnosis[] {
  const membership = daemon?.status.membership;
  if (!daemon || !membership) return [];
  const { quorum, waiting, hasVote, coordinator, previousVoters } = membership;
  const { node, halted } = daemon.status;
  if (!quorum)
    return [
      {
        what: 'no-quorum',
        severity: 'error',
        text: `no quorum: this node ${waiting ?? 'waits'}`,
        fix: 'bring back whom it waits for; only if they are surely off: baton cluster run --force (docs/voters.md)',
      },
    ];
  if (previousVoters !== undefined)
    return [
      {
        what: 'voters',
        severity: 'note',
        text: `the voters are being changed: both they and the former ones (${previousVoters.join(', ')}) are needed`,
        fix: 'wait a moment, and look at: baton status',
      },
    ];
  if (hasVote) return [];
  const isGivenUp = halted.includes(node);
  const text = isGivenUp ? 'this node has no vote: it may have been removed' : 'this node has no vote yet';
  const fix = isGivenUp
    ? `baton node run ${node}`
    : `the coordinator ${coordinator ?? ''} takes it in within seconds; if not, ask there: baton why ${node}`;
  return [{ what: 'voters', severity: 'warning', text, fix }];
}
