/** Stands for the health stage: beats go over the arena's network, peers are judged by their silence alone. */
import type { Action } from '../../src/action.js';
import type { Part } from '../../src/frame/part.js';
import type { Ms } from '../../src/input.js';
import type { PeerHealth } from '../../src/status.js';
import type { World } from '../../src/world.js';

export interface FakePeer {
  health: PeerHealth | 'unheard';
  since: Ms;
  heardAt: Ms;
  incarnation: string;
  otherFileAt?: Ms;
}

export interface FakeHealth {
  peers: Record<string, FakePeer>;
  words: readonly Part[];
  spokeAt: Record<string, Ms>;
  reaches: boolean | null;
  send(to: string, parts: readonly Part[]): void;
}

export function speak(
  _world: World,
  state: FakeHealth,
  now: Ms,
  node: string,
  parts: readonly Part[],
  _out: Action[],
): void {
  state.spokeAt[node] = now;
  state.send(node, [...state.words, ...parts]);
}

export function reachesTarget(_world: World, state: FakeHealth): boolean | null {
  return state.reaches;
}

export function setWords(state: FakeHealth, parts: readonly Part[]): void {
  state.words = parts;
}

export function peer(state: FakeHealth, node: string): Required<FakePeer> {
  const unheard = {
    health: 'unheard',
    since: 0,
    heardAt: -1e15,
    otherFileAt: -1e15,
    incarnation: '',
    left: false,
  } as const;
  return { ...unheard, ...state.peers[node] };
}
