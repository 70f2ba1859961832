/** A node's calls of the arbiter: one request over the network at a time, sent again as TCP does until its answer or its deadline comes. */
import type { ArbiterAnswer, ArbiterRequest, RegisterAnswer } from '../../src/membership/arbiter-record.js';
import type { Ms } from '../../src/input.js';
import { ETCD_PORT, type ArbiterCall, type ArbiterReply } from './arbiter.js';
import type { Host } from './host.js';

/** Least retransmission time-out of Linux (TCP_RTO_MIN). */
const RETRANSMIT_MS: Ms = 200;

/** A daemon's way to its arbiter, whatever that is. */
export interface ArbiterLine {
  /** Answers once, within that time. */
  ask(request: ArbiterRequest, withinMs: Ms, heard: (answer: ArbiterAnswer) => void): void;
  /** A datagram for it has come. */
  hear?(content: unknown): void;
  /** The daemon is gone. */
  end(): void;
}

export class ArbiterCalls implements ArbiterLine {
  readonly #host: Host;
  readonly #address: string;
  /** Distinguishes the calls of one run of the daemon from all others. */
  readonly #caller: string;
  readonly #open = new Map<string, (answer: RegisterAnswer) => void>();
  #count = 0;

  constructor(host: Host, address: string, caller: string) {
    this.#host = host;
    this.#address = address;
    this.#caller = caller;
  }

  ask(request: ArbiterRequest, withinMs: Ms, heard: (answer: RegisterAnswer) => void): void {
    if (request.ask === 'look' || request.ask === 'put')
      return heard({ outcome: 'unknown', text: 'an etcd has no blocks' });
    const { clock } = this.#host.world;
    const asked: ArbiterCall = { call: `${this.#caller} ${++this.#count}`, request: structuredClone(request) };
    this.#open.set(asked.call, heard);
    const send = (): void => {
      if (!this.#open.has(asked.call)) return;
      this.#host.routeDatagram(this.#address, ETCD_PORT, asked);
      clock.after(RETRANSMIT_MS, send);
    };
    send();
    clock.after(withinMs, () => this.#close(asked.call, { outcome: 'unknown', text: 'no answer in time' }));
  }

  hear(content: unknown): void {
    const { call, answer } = content as ArbiterReply;
    this.#close(call, answer);
  }

  end(): void {
    this.#open.clear();
  }

  #close(call: string, answer: RegisterAnswer): void {
    const heard = this.#open.get(call);
    this.#open.delete(call);
    heard?.(answer);
  }
}
