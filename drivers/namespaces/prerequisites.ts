/** What this machine must have before a scenario can run on its kernel. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../../src/drill/scenario.js';
import type { LabRefusal } from '../lab.js';
import { lagRefusal } from './lag.js';
import { proberProgram } from './prober.js';

/** A program that the lab runs, and the Debian package that has it. */
const PROGRAMS: Record<string, string> = { ip: 'iproute2', nft: 'nftables' };
/** That makes its prober, once. */
const COMPILER: Record<string, string> = { cc: 'gcc libc6-dev' };
/** Those that a scenario with an arbiter needs besides. */
const ARBITER_PROGRAMS: Record<string, string> = { etcd: 'etcd-server', etcdctl: 'etcd-client' };

function isInPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why no scenario, or not this one, can run on this kernel by this user, or null. */
export function refusal(scenario?: Scenario): LabRefusal {
  if (process.getuid?.() !== 0) return 'the kernel lab needs root: it makes network namespaces';
  const wanted = existsSync(proberProgram()) ? PROGRAMS : { ...PROGRAMS, ...COMPILER };
  return missingOf(wanted) ?? (scenario === undefined ? null : lagRefusal(scenario.topology));
}

function missingOf(programs: Readonly<Record<string, string>>): string | null {
  const missing = Object.keys(programs).filter((program) => !isInPath(program));
  if (missing.length === 0) return null;
  return `the kernel lab needs ${missing.join(', ')}: apt-get install ${missing.map((name) => programs[name]).join(' ')}`;
}

/** Why a scenario with an arbiter cannot run here, or null. */
export function arbiterRefusal(scenario?: Scenario): LabRefusal {
  const blows = scenario?.steps.flatMap(({ fault }) => fault ?? []) ?? [];
  const isSlowed = blows.some((blow) => blow.startsWith('arbiter-slow'));
  return missingOf({
    ...ARBITER_PROGRAMS,
    ...(isSlowed && { strace: 'strace' }),
    ...(scenario?.topology.certificates && { openssl: 'openssl' }),
  });
}
