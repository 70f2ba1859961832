import { Flags } from '@oclif/core';
import ping from 'ping';
import { Control, NoDaemon } from '../../client/control.js';
import type { Cluster, ClusterNode } from '../../config/cluster.js';
import { readClusterFile } from '../../config/parse.js';
import { testFencing, type FenceTest } from '../../daemon/fence-test.js';
import { selfOf } from '../../daemon/preflight.js';
import type { PathStatus } from '../../status.js';
import { BatonCommand, EXIT } from '../command.js';
import { hearingNow } from '../full-polling.js';
import { pathTable } from '../output/cluster-text.js';
import { matrixText, type Matrix } from '../output/links-text.js';
import { paintFor } from '../output/paint.js';
import { table } from '../output/table.js';

interface Connection {
  net: string;
  nic: string;
  to: string;
  kind: 'target' | 'node';
  answers: boolean;
  /** Mean of the round trips; null: none. */
  meanMs: number | null;
}

interface Tested {
  connections: Connection[];
  hearing: Matrix[];
  /** Ways of the heartbeats to the other nodes, as the daemon says. */
  paths: PathStatus[];
  /** Devices of the fence agents. */
  fencing: FenceTest[];
}

/** Echo requests an address, and seconds to wait for an answer. */
const REQUESTS = 3;
const WAIT_S = 1;

export default class Test extends BatonCommand {
  static override summary =
    'try every connection: ping to all targets and nodes, the paths of the heartbeats, full polling on every net, the fence agents';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --net public',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    net: Flags.string({ description: 'one net only' }),
    node: Flags.string({
      description: "this host's node in the cluster file (default: the daemon's, else the host's name)",
    }),
  };

  async run(): Promise<Tested> {
    const { flags } = await this.parse(Test);
    const { cluster } = readClusterFile(flags.config);
    const control = await Control.connect(flags['run-dir']).catch((error: unknown) => {
      if (!(error instanceof NoDaemon)) throw error;
      this.logToStderr(`baton: ${error.message.split('\n')[0]!}: only ping is tried`);
      return null;
    });
    try {
      return await this.test(cluster, control, flags.net, flags.node);
    } finally {
      control?.close();
    }
  }

  private async test(
    cluster: Cluster,
    control: Control | null,
    net: string | undefined,
    node: string | undefined,
  ): Promise<Tested> {
    const before = await control?.status();
    const self = selfOf(cluster, node ?? before?.status.node);
    const carriers = Object.fromEntries(before?.status.nets.map(({ name, carrier }) => [name, carrier]) ?? []);
    const plan = connectionsOf(cluster, self, carriers).filter((it) => net === undefined || it.net === net);
    const connections = await Promise.all(plan.map(probe));
    const heard = control ? await hearingNow(control, cluster, net) : null;
    const hearing = heard?.matrices ?? [];
    const paths = (heard?.daemon.status.paths ?? []).filter((path) => net === undefined || path.net === net);
    const fencing = net === undefined ? await testFencing(cluster, self.name) : [];
    this.show(connections, hearing, paths);
    this.showFencing(fencing);
    const good =
      fencing.every(({ answers }) => answers !== false) &&
      connections.every(({ answers }) => answers) &&
      hearing.every(({ suspicions }) => suspicions.length === 0) &&
      paths.every(({ state }) => state === 'up');
    if (!good) process.exitCode = EXIT.refused;
    return { connections, hearing, paths, fencing };
  }

  private showFencing(fencing: readonly FenceTest[]): void {
    if (fencing.length === 0) return;
    const paint = paintFor(process.stdout);
    const said = { true: paint.good('answers'), false: paint.bad('fails'), null: paint.dim('not asked') };
    const rows = fencing.map(({ agent, node, answers, text }) => [agent, node, said[`${answers}`], text]);
    const columns = ['FENCE AGENT', 'SHUTS', 'RESULT', ''].map((title) => ({ title }));
    for (const line of ['', ...table(columns, rows, paint.dim)]) this.log(line);
  }

  private show(connections: readonly Connection[], hearing: readonly Matrix[], paths: readonly PathStatus[]): void {
    const paint = paintFor(process.stdout);
    const rows = connections.map(({ net, nic, to, kind, answers, meanMs }) => [
      net,
      nic,
      to,
      kind,
      answers ? paint.good('answers') : paint.bad('silent'),
      meanMs === null ? '' : `${meanMs.toFixed(2)} ms`,
    ]);
    const columns = ['NET', 'FROM', 'TO', 'KIND', 'RESULT'].map((title) => ({ title }));
    if (rows.length === 0) this.log('no target and no address of another node to ping');
    for (const line of table([...columns, { title: 'MEAN', align: 'right' }], rows, paint.dim)) this.log(line);
    if (paths.length > 0) for (const line of ['', ...pathTable(paths, paint)]) this.log(line);
    for (const matrix of hearing) for (const line of ['', ...matrixText(matrix, paint)]) this.log(line);
  }
}

/** From the NIC that carries the net, to its targets and to the other nodes' addresses on it. */
function connectionsOf(cluster: Cluster, self: ClusterNode, carriers: Record<string, string | undefined>) {
  return self.nets.flatMap(({ net, primary }) => {
    const nic = carriers[net] ?? primary;
    const targets = cluster.nets.find(({ name }) => name === net)?.targets ?? [];
    const peers = cluster.nodes
      .filter(({ name }) => name !== self.name)
      .flatMap((other) => other.nets.filter((it) => it.net === net).flatMap(({ addresses }) => addresses));
    return [
      ...targets.map(({ address }) => ({ net, nic, to: address, kind: 'target' as const })),
      ...peers.map(({ address }) => ({ net, nic, to: address, kind: 'node' as const })),
    ];
  });
}

async function probe(connection: Omit<Connection, 'answers' | 'meanMs'>): Promise<Connection> {
  const { to, nic } = connection;
  const settings = { timeout: WAIT_S, min_reply: REQUESTS, numeric: true, extra: ['-I', nic, '-i', '0.2'] };
  const { alive, avg } = await ping.promise.probe(to, settings);
  const meanMs = Number.parseFloat(avg);
  return { ...connection, answers: alive, meanMs: Number.isFinite(meanMs) ? meanMs : null };
}
