/** For a guest on an emulated processor of a busy host: what takes a daemon milliseconds takes it tenths of seconds there. */
export const PATIENT = {
  poll: '2s',
  pollMisses: 4,
  carrierPoll: '100ms',
  heartbeat: '1s',
  nodeTimeout: '10s',
  margin: '500ms',
  renewLateMax: '200ms',
} as const;
