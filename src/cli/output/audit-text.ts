/** What `baton audit` says: single points of failure first, each with its cure; then every fault that was tried. */
import type { Audit } from '../../drill/foresight/audit.js';
import { nameOf } from '../../drill/foresight/finding.js';
import type { Trial } from '../../drill/foresight/trial.js';
import { outageText } from './outage-text.js';
import type { Paint } from './paint.js';
import { table } from './table.js';
import { plural } from './words.js';

export function auditText(audit: Audit, paint: Paint): string[] {
  const { cluster, findings, cautions, assumed, trouble, singles, doubles, tried } = audit;
  return [
    paint.bold(`Audit of ${cluster}, ${whenceText(audit)}: ${plural(tried, 'fault')} tried in the simulator`),
    ...assumed.map((text) => paint.dim(`taken for granted: ${text}`)),
    ...trouble.map((text) => paint.warn(`not as it is now: ${text}`)),
    '',
    ...findingLines(audit, paint),
    ...(cautions.length > 0 ? ['', paint.bold('Also noted')] : []),
    ...cautions.map((text) => `  ${paint.warn(text)}`),
    '',
    ...trialTable('FAULT', singles, paint),
    ...doubleLines(doubles, paint),
    ...(findings.length > 0 ? [] : ['', paint.good('No single point of failure.')]),
  ];
}

function whenceText({ from, node }: Audit): string {
  return from === 'live' ? `as ${node ?? 'its daemon'} sees it now` : 'as its file promises';
}

function findingLines({ findings }: Audit, paint: Paint): string[] {
  if (findings.length === 0) return [`${paint.bold('Single points of failure')}: ${paint.good('none')}`];
  return [
    `${paint.bold('Single points of failure')}: ${paint.bad(String(findings.length))}`,
    ...findings.flatMap(({ text, faults, cure }, i) => [
      `  ${i + 1}  ${paint.bad(text)}`,
      ...(faults.length > 0 ? [`     ${paint.dim(`shown by: ${shortened(faults)}`)}`] : []),
      `     ${paint.good(`cured by: ${cure}`)}`,
    ]),
  ];
}

const FAULTS_SHOWN = 4;

function shortened(faults: readonly string[]): string {
  const more = faults.length - FAULTS_SHOWN;
  return more > 1 ? `${faults.slice(0, FAULTS_SHOWN).join('; ')}; and ${more} more` : faults.join('; ');
}

/** A line for each package that felt it; faults that nobody felt come last, one line each. */
function trialTable(title: string, trials: readonly Trial[], paint: Paint): string[] {
  const rows = trials.flatMap((trial) => {
    const felt = trial.effects.filter(({ ms, before, after, forGood }) => ms > 0 || forGood || before !== after);
    const remark = remarkOf(trial, paint);
    const first = `${trial.faults.join(' + ')}`;
    if (felt.length === 0) return [[first, '-', paint.good('not'), '', remark]];
    return felt.map(({ subject, before, after, forGood, ...outage }, i) => [
      i === 0 ? first : '',
      subject,
      forGood || after === null ? paint.bad('for good') : outageText(outage),
      after === null ? paint.bad('nobody') : after === before ? after : `${before ?? 'nobody'} → ${after}`,
      i === 0 ? remark : '',
    ]);
  });
  return table(
    [{ title }, { title: 'WHAT IS OUT' }, { title: 'FOR', align: 'right' }, { title: 'HOLDER' }, { title: '' }],
    rows,
    paint.dim,
  );
}

function remarkOf({ twoHolders, rerouted }: Trial, paint: Paint): string {
  const [both] = twoHolders;
  if (both) return paint.bad(`${both.nodes.join(' and ')} both answer for ${outageText(both)}`);
  return rerouted.length > 0 ? paint.warn('heartbeats by the public net alone') : '';
}

function doubleLines(doubles: Audit['doubles'], paint: Paint): string[] {
  if (doubles === null) return [];
  if (doubles.length === 0) return ['', paint.good('No pair of faults does more harm than one of them.')];
  return [
    '',
    paint.bold(`Pairs that do harm which neither does alone: ${doubles.length}`),
    ...trialTable('FAULTS', doubles, paint),
    paint.dim(`parts: ${[...new Set(doubles.flatMap(({ parts }) => parts.map(nameOf)))].join(', ')}`),
  ];
}
