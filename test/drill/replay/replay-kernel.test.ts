/** A drill on this kernel with real daemons, all of them recorded: replayed together they decide the same. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NamespacesLab, refusal } from '../../../drivers/namespaces/lab.js';
import { runDrill } from '../../../src/drill/drill.js';
import { loadScenario } from '../../../src/drill/load.js';
import { replay } from '../../../src/drill/replay/replay.js';

const folder = mkdtempSync(join(tmpdir(), 'baton-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reason = refusal();

describe.skipIf(reason !== null)(`recordings of a drill on the kernel ${reason ?? ''}`, () => {
  it('of all nodes, merged by the one clock of this kernel, replay to the same journals, and what must hold held', async () => {
    const drill = await runDrill(loadScenario('package-moved'), new NamespacesLab(), { record: folder });
    const files = readdirSync(folder).map((name) => join(folder, name));
    expect(files.length).toBeGreaterThan(1);
    const report = await replay(files);
    expect(report.recordings.map(({ node, differs }) => [node, differs])).toEqual(
      report.recordings.map(({ node }) => [node, undefined]),
    );
    expect(report.clock).toEqual({ kind: 'shared', uncertaintyMs: 0 });
    expect(report.violation).toBeUndefined();
    expect(report.invariants).toEqual(expect.arrayContaining(['S1', 'S3', 'S4', 'S7', 'S9', 'S11', 'S13']));
    const placed = report.timeline.filter(({ entry }) => entry.event === 'placed');
    const told = drill.timeline.filter(({ what, text }) => what === 'journal' && / placed /.test(text));
    expect(placed.length).toBeGreaterThanOrEqual(told.length);
    expect(told.length).toBeGreaterThan(1);
  }, 180_000);
});
