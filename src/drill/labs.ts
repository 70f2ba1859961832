/** Opens a lab by name, or says why it cannot run here. */
import type { Lab } from '../../drivers/lab.js';
import type { Scenario } from './scenario.js';

export type LabName = Lab['name'];

/** A refusal is a reason in words, for the reports of what was skipped. */
export async function openLab(name: LabName, scenario?: Scenario): Promise<Lab | string> {
  if (name === 'simulator') {
    const { SimulatorLab } = await import('../../drivers/simulator/lab.js');
    return new SimulatorLab();
  }
  const { NamespacesLab, refusal } = await import('../../drivers/namespaces/lab.js');
  return refusal(scenario) ?? new NamespacesLab();
}
