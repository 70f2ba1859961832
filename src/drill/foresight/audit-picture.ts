/** An audit as the picture draws it. */
import type { DrawnAudit, DrawnFault } from '../picture/audit-page.js';
import type { Audit } from './audit.js';
import { isHarmful } from './finding.js';
import type { Trial } from './trial.js';

/** `from`: whence the configuration comes, in words. */
export function drawnAudit(
  { cluster, setting, findings, cautions, singles, doubles }: Audit,
  from: string,
): DrawnAudit {
  const drawn = (trial: Trial, isSingle: boolean): DrawnFault => {
    const shown = findings.filter(({ faults }) => isSingle && faults.includes(trial.faults.join(', ')));
    return {
      faults: trial.faults,
      single: isSingle && (shown.length > 0 || isHarmful(trial)),
      struck: trial.effects
        .filter(({ ms, forGood }) => ms > 0 || forGood)
        .map(({ subject, ms, forGood, after }) => ({ what: subject, outMs: ms, forGood, after })),
      cures: shown.map(({ cure }) => cure),
    };
  };
  return {
    cluster,
    from,
    setting,
    faults: [...singles.map((trial) => drawn(trial, true)), ...(doubles ?? []).map((trial) => drawn(trial, false))],
    findings: [...findings.map(({ text, cure }) => `${text}; cured by ${cure}`), ...cautions],
  };
}
