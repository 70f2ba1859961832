/** The cluster files of a scenario's nodes. Most nodes have the same one, and equal files are read once. */
import { stringify } from 'yaml';
import type { Cluster } from '../../src/config/cluster.js';
import { parseCluster } from '../../src/config/parse.js';
import type { Scenario } from '../../src/drill/scenario.js';

export class ClusterFiles {
  readonly #scenario: Scenario;
  /** By what is in the file. */
  readonly #known = new Map<string, Cluster>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** As that node has it; `later`: after `new-file`. */
  of(node: string, later = false): Cluster {
    const scenario = this.#scenario;
    const differing = { ...scenario.differs[node] };
    delete differing['key'];
    const file = {
      cluster: 'drill',
      key: '/etc/baton/cluster.key',
      ...scenario.cluster,
      ...differing,
      ...(later && scenario.later),
    };
    const content = JSON.stringify(file);
    const known = this.#known.get(content) ?? parseCluster(stringify(file), scenario.name);
    this.#known.set(content, known);
    return known;
  }
}
