/** What `baton what-if` says. */
import type { Prediction, Range } from '../../drill/foresight/prediction.js';
import { lineText } from './drill-text.js';
import type { Paint } from './paint.js';
import { table } from './table.js';
import { outageText } from './outage-text.js';

export function predictionText(prediction: Prediction, paint: Paint): string[] {
  const { cluster, from, node, faults, timeline, drill } = prediction;
  const seen = from === 'live' ? `as ${node ?? 'its daemon'} sees it now` : 'as its file promises, all well';
  return [
    paint.bold(
      `What if: ${faults.map(({ at, fault }) => (at > 0 ? `${fault} (after ${at / 1000} s)` : fault)).join(', ')}`,
    ),
    paint.dim(`Cluster ${cluster} ${seen}, in the simulator. Nothing is touched.`),
    ...takenForGranted(prediction, paint),
    '',
    ...timeline.map((line) => lineText(line, paint)),
    ...drill.failures.filter((failure) => !failure.startsWith('S1')).map((failure) => paint.bad(failure)),
    '',
    ...packageTable(prediction, paint),
    ...addressTable(prediction, paint),
    ...twoHoldersText(prediction, paint),
  ];
}

function takenForGranted({ assumed, differs }: Prediction, paint: Paint): string[] {
  return [
    ...assumed.map((text) => paint.dim(`taken for granted: ${text}`)),
    ...differs.map((text) => paint.warn(`not as it is now: ${text}`)),
  ];
}

function packageTable({ packages, rehearsals }: Prediction, paint: Paint): string[] {
  const rows = packages.map(({ package: name, before, after, outage }) => [
    name,
    before ?? '-',
    after.map((node) => node ?? paint.bad('nobody')).join(' or '),
    rangeText(outage, rehearsals, paint),
  ]);
  return table(
    [{ title: 'PACKAGE' }, { title: 'BEFORE' }, { title: 'AFTER' }, { title: 'OUT FOR ITS CLIENTS' }],
    rows,
    paint.dim,
  );
}

function addressTable({ addresses, rehearsals }: Prediction, paint: Paint): string[] {
  const rows = addresses.map(({ address, node, outage }) => [address, node, rangeText(outage, rehearsals, paint)]);
  const lines = table([{ title: 'STATIONARY ADDRESS' }, { title: 'OF' }, { title: 'OUT' }], rows, paint.dim);
  return lines.length > 0 ? ['', ...lines] : [];
}

function twoHoldersText({ twoHolders }: Prediction, paint: Paint): string[] {
  if (twoHolders.length === 0) return [];
  const longest = [...twoHolders].sort((a, b) => b.ms - a.ms)[0]!;
  return [
    '',
    paint.bad(`${longest.nodes.join(' and ')} both answer for ${longest.address}, for ${outageText(longest)}`),
  ];
}

function rangeText(outage: Range, rehearsals: number, paint: Paint): string {
  const { leastMs, mostMs, forGood } = outage;
  if (forGood === rehearsals) return paint.bad('for good');
  const sometimes = forGood > 0 ? paint.bad(`; for good in ${forGood} of ${rehearsals} rehearsals`) : '';
  if (mostMs === 0) return paint.good('not');
  const spread =
    rehearsals > 1 && mostMs - leastMs >= 1
      ? ` (${Math.round(leastMs)} to ${Math.round(mostMs)} ms in ${rehearsals} rehearsals)`
      : '';
  return `${outageText(outage)}${spread}${sometimes}`;
}
