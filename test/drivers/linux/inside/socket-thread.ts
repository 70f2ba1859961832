/** A thread that opens one of each and ends by itself, is told to, or is terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  AF,
  Inbox,
  netlinkAddress,
  openSocket,
  openTimer,
  packetAddress,
  SOCK,
} from '../../../../drivers/linux/socket.js';

const listener = openSocket(AF.netlink, SOCK.raw, 0);
listener.bind(netlinkAddress(0, 1));
new Inbox(listener, 8, 4096);
listener.start(() => undefined);
const packets = openSocket(AF.packet, SOCK.raw, 0);
packets.bind(packetAddress(0, 0x88b5));
const timer = openTimer();
timer.start(() => {
  parentPort?.postMessage('ready');
  if (workerData === 'exit') process.exit(0);
});
timer.setTime(5, false);
parentPort?.on('message', () => process.exit(0));
