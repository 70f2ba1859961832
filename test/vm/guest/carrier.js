/**
 * `node carrier.js NIC MS`: when the card's own counts told of a carrier, and when the kernel sent the event; one JSON line
 * each, in milliseconds of the wall clock.
 */
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [nic, forMs] = process.argv.slice(2);
const say = (what, detail) => console.log(JSON.stringify({ what, detail, at: Date.now() }));

const buffer = Buffer.alloc(32);
const count = (file) => {
  const fd = openSync(`/sys/class/net/${nic}/${file}`, 'r');
  const length = readSync(fd, buffer, 0, buffer.length, 0);
  closeSync(fd);
  return Number(buffer.toString('latin1', 0, length));
};

let [downs, ups] = [count('carrier_down_count'), count('carrier_up_count')];
const monitor = spawn('ip', ['-o', 'monitor', 'link', 'dev', nic], { stdio: ['ignore', 'pipe', 'inherit'] });
monitor.stdout.setEncoding('latin1').on('data', (text) => {
  for (const line of text.split('\n').filter(Boolean)) say('event', line.includes('LOWER_UP') ? 'up' : 'down');
});
say('watching', nic);
for (const until = Date.now() + Number(forMs); Date.now() < until; await sleep(2)) {
  const now = [count('carrier_down_count'), count('carrier_up_count')];
  if (now[0] !== downs) say('card', 'down');
  if (now[1] !== ups) say('card', 'up');
  [downs, ups] = now;
}
monitor.kill();
