/** A drill's report as lanes: the cluster, then each node. */
import type { Ms } from '../../input.js';
import type { DrillReport } from '../report.js';
import { absences, type Absence, type Told } from './absence.js';
import { coordinatorLane, holderLanes, outageLanes, votersLane } from './cluster-lanes.js';
import type { LaneGroup } from './lane.js';
import { nodeGroup } from './node-lanes.js';
import { toneOfNode, type Tone } from './palette.js';
import { strokes, type Stroke } from './part.js';

/** What is drawn of a drill, and of recordings. */
export type Drawn = Pick<DrillReport, 'setting' | 'timeline' | 'holds' | 'outages' | 'twoHolders' | 'endedAt'>;

export interface Lanes {
  fromMs: Ms;
  toMs: Ms;
  groups: LaneGroup[];
  journal: Told[];
  toneOf: (node: string) => Tone;
}

export interface DrillLanes extends Lanes {
  strokes: Stroke[];
}

/** Daemons start before the drill does; so much of that is shown, as a share of its length. */
const PRELUDE_SHARE = 0.04;

export function lanesOfDrill(drawn: Drawn & Pick<DrillReport, 'acts' | 'before'>): DrillLanes {
  const all = strokes(drawn.before, drawn.acts);
  return { ...lanesOf(drawn, absences(all, journalOf(drawn), drawn.endedAt)), strokes: all };
}

function journalOf({ timeline }: Drawn): Told[] {
  return timeline.flatMap(({ entry }) => (entry ? [entry] : [])).sort((a, b) => a.at - b.at);
}

export function lanesOf(drawn: Drawn, away: readonly Absence[]): Lanes {
  const { setting, endedAt } = drawn;
  const journal = journalOf(drawn);
  const names = setting.nodes.map(({ name }) => name);
  const toneOf = (node: string): Tone => toneOfNode(names, node);
  const earliest = journal.reduce((first, { at }) => Math.min(first, at), 0);
  const cluster = [coordinatorLane(journal, away, toneOf, endedAt), votersLane(journal, endedAt)];
  const groups: LaneGroup[] = [
    { title: 'Who answered', lanes: holderLanes(drawn, toneOf), away: [] },
    { title: 'Outages', lanes: outageLanes(drawn.outages), away: [] },
    { title: 'Cluster', lanes: cluster.filter(({ segments }) => segments.length > 0), away: [] },
    ...setting.nodes.map((node) =>
      nodeGroup(
        setting,
        node,
        journal,
        away.filter((absence) => absence.node === node.name),
        toneOf,
        endedAt,
      ),
    ),
  ];
  return {
    fromMs: Math.max(earliest, -endedAt * PRELUDE_SHARE),
    toMs: endedAt,
    groups: groups.filter(({ lanes }) => lanes.length > 0),
    journal,
    toneOf,
  };
}
