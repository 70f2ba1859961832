/** The arbiter's hand: a thread of its own, so that neither a broken network nor a slow name server holds up anything else. */
import { parentPort, workerData } from 'node:worker_threads';
import { setThreadName } from '../linux/socket.js';
import type { ArbiterData, FromArbiter, ToArbiter } from './arbiter-port.js';
import { Etcd } from './etcd.js';

if (parentPort) {
  const port = parentPort;
  const say = (message: FromArbiter): void => port.postMessage(message);
  setThreadName('baton-arbiter');
  const etcd = new Etcd(workerData as ArbiterData);
  port.on('message', (message: ToArbiter) => {
    if (message.kind === 'settle') return say({ kind: 'settled', id: message.id });
    const { id, request, withinMs } = message;
    void etcd.ask(request, withinMs).then((answer) => say({ kind: 'arbiter-answered', id, answer }));
  });
}
