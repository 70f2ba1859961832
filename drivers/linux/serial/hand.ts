/** The serial line's hand: a thread of its own, for opening and closing a device may take the kernel seconds. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromSerial, SerialData, ToSerial } from '../serial-port.js';
import { setThreadName } from '../socket.js';
import { Line } from './line.js';

if (parentPort) {
  const port = parentPort;
  setThreadName('baton-serial');
  const line = new Line(workerData as SerialData, (news: FromSerial) => port.postMessage(news));
  port.on('message', (message: ToSerial) => {
    if (message.kind === 'settle') port.postMessage({ kind: 'settled', id: message.id } satisfies FromSerial);
    else line.send(message.bytes);
  });
}
