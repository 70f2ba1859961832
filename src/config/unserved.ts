/** What a cluster file may say, but this version does not do: named, so that nothing is accepted and then ignored. */
import type { Cluster, Package, Resource } from './cluster.js';
import type { FilePath, Finding } from './problem.js';

const NOT_YET = 'this version does not do that yet; remove it';

function resources({ name, resources: all, onLeaseLoss }: Package): Finding[] {
  const found = all.flatMap((resource, i): Finding[] => {
    const path: FilePath = ['packages', name, 'resources', i];
    if (resource.kind !== 'address') return [{ path, text: notRun(resource) }];
    return [];
  });
  if (onLeaseLoss !== 'halt')
    found.push({
      path: ['packages', name, 'onLeaseLoss'],
      text: `${onLeaseLoss} matters to resources other than addresses, which this version does not run; expected halt`,
    });
  return found;
}

function notRun({ kind }: Resource): string {
  return `${kind} resources are not run by this version, only address resources; remove it`;
}

function outside(cluster: Cluster): Finding[] {
  const found: Finding[] = [];
  const { console, notify } = cluster;
  if (console !== undefined) found.push({ path: ['console'], atKey: true, text: `the web page: ${NOT_YET}` });
  if (notify !== undefined && notify.length > 0)
    found.push({ path: ['notify'], atKey: true, text: `notifications: ${NOT_YET}` });
  return found;
}

export function unserved(cluster: Cluster): Finding[] {
  return [...cluster.packages.flatMap(resources), ...outside(cluster)];
}
