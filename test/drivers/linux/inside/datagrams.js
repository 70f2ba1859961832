/**
 * `datagrams.js ROLE ARGUMENT`, led by the parent's messages. Plain JavaScript, so that it starts at once.
 *
 *   echo ["10.0.0.1", ...]  answers UDP datagrams from the address that they came to
 *   pour ["10.0.0.1", ...]  answers one with many, one each millisecond, without end
 *   ask "10.0.0.1"          sends one each millisecond; asked by the parent, tells when those were sent that were answered
 */
import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { setInterval } from 'node:timers';

const PORT = 7007;
const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;
const ready = () => process.send({ kind: 'ready' });
// What a closed gate refuses is no failure of the one who sends.
const open = (address) => createSocket(isIPv4(address) ? 'udp4' : 'udp6').on('error', () => undefined);

function echo(addresses) {
  let missing = addresses.length;
  for (const address of addresses) {
    const socket = open(address);
    socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address, () => undefined));
    socket.bind(PORT, address, () => --missing === 0 && ready());
  }
}

function pour(addresses) {
  for (const address of addresses) {
    const socket = open(address);
    socket.once('message', (bytes, from) => {
      setInterval(() => socket.send(bytes, from.port, from.address, () => undefined), 1);
    });
    socket.bind(PORT, address, ready);
  }
}

function ask(address) {
  const sentAt = [];
  const socket = open(address).on('message', (bytes) => sentAt.push(bytes.readDoubleLE()));
  setInterval(() => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(monotonicMs());
    socket.send(bytes, PORT, address, () => undefined);
  }, 1);
  process.on('message', () => process.send({ kind: 'asked', sentAt: sentAt.splice(0) }));
  ready();
}

process.on('disconnect', () => process.exit(0));
const [role, argument] = process.argv.slice(2);
({ echo, pour, ask })[role](JSON.parse(argument));
