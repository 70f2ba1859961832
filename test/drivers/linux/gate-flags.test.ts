/** A kernel before 6.9 knows no persist flag: that is how it says so, and the gate is then made without. */
import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { UNKNOWN_FLAGS } from '../../../drivers/linux/gate/gatekeeper.js';
import { NetlinkError } from '../../../drivers/linux/netlink/message.js';

it.each(['EOPNOTSUPP', 'EINVAL'] as const)('%s means that the flags are unknown, whatever libuv calls it', (name) => {
  expect(UNKNOWN_FLAGS).toContain(NetlinkError.fromErrno(constants.errno[name]).code);
});
