/** The arbiter's hand: a thread of its own, so that neither a broken network, a slow name server nor a disk holds up anything else. */
import { parentPort, workerData } from 'node:worker_threads';
import { setThreadName } from '../linux/socket.js';
import type { Ms } from '../../src/input.js';
import type { ArbiterAnswer, ArbiterRequest } from '../../src/membership/arbiter-record.js';
import type { ArbiterData, FromArbiter, ToArbiter } from './arbiter-port.js';
import { DiskLine } from './disk/disk-line.js';
import { Etcd } from './etcd.js';

type Ask = (request: ArbiterRequest, withinMs: Ms) => Promise<ArbiterAnswer>;

function askOf(data: ArbiterData): Ask {
  if ('etcd' in data) {
    const etcd = new Etcd(data.etcd);
    return (request, withinMs) => etcd.ask(request, withinMs);
  }
  const line = new DiskLine(data.disk);
  return (request, withinMs) =>
    request.ask === 'look' || request.ask === 'put'
      ? line.ask(request, withinMs)
      : Promise.resolve({ outcome: 'unknown', text: 'a disk is no register' });
}

if (parentPort) {
  const port = parentPort;
  const say = (message: FromArbiter): void => port.postMessage(message);
  setThreadName('baton-arbiter');
  const ask = askOf(workerData as ArbiterData);
  port.on('message', (message: ToArbiter) => {
    if (message.kind === 'settle') return say({ kind: 'settled', id: message.id });
    const { id, request, withinMs } = message;
    void ask(request, withinMs).then((answer) => say({ kind: 'arbiter-answered', id, answer }));
  });
}
