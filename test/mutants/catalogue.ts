/** All planted bugs. */
import { HEALTH } from './health.js';
import { LEASE } from './lease.js';
import { MEMBERSHIP } from './membership.js';
import type { Mutant } from './mutant.js';
import { PACKAGE } from './package.js';
import { TAKEOVER } from './takeover.js';

export const MUTANTS: readonly Mutant[] = [...MEMBERSHIP, ...LEASE, ...HEALTH, ...PACKAGE, ...TAKEOVER];
