/** What state-store.test.ts has done in a process that is killed. */
import { StateStore } from '../../../../drivers/linux/state-store.js';

/** Two records, one after the other. */
export async function storeTwo(folder: string): Promise<void> {
  let told: () => void = () => undefined;
  const store = new StateStore(folder, () => told());
  await store.prepare();
  for (const term of [1, 2]) {
    await new Promise<void>((resolve) => {
      told = resolve;
      store.store(term, { term });
    });
  }
}
