/** A fault that cannot be dealt to this cluster: what is wrong with it, and what can fail. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}
