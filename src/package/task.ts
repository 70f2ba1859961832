/** Operators' requests at the coordinator: begun with a change of the document, answered when they are done. */
import { PART } from '../frame/part.js';
import { encodeOutcome } from '../frame/errand.js';
import { journal } from '../health/account.js';
import * as health from '../health/monitor.js';
import type { Ms } from '../input.js';
import type { Orders } from '../membership/document.js';
import type { OperatorAnswer } from '../status.js';
import { hindrance } from './candidate.js';
import * as membership from '../membership/member.js';
import { missing } from './missing.js';
import { planOf, type Plan } from './order.js';
import type { Picture, Task, Turn } from './state.js';

/** The asking node gives up a little later. */
const TASK_MS: Ms = 9000;
/** So long an answered request is answered the same again. */
const KEPT_MS: Ms = 30_000;
const TASKS_MAX = 256;

export function taskKey(node: string, incarnation: string, id: number): string {
  return `${node}/${incarnation}/${id}`;
}

/** False: too many are under way. */
export function openTask(turn: Turn, key: string, task: Pick<Task, 'node' | 'request' | 'at'>): boolean {
  const { state, now } = turn;
  if (Object.keys(state.tasks).length >= TASKS_MAX) return false;
  const { node, request, at } = task;
  state.tasks[key] = {
    node,
    request,
    at,
    since: now,
    begun: false,
    text: '',
    targets: {},
    answer: null,
    answeredAt: now,
  };
  return true;
}

/** Whoever is coordinator now is told again by those who asked. */
export function dropTasks({ state }: Turn): void {
  for (const [key, task] of Object.entries(state.tasks)) if (task.answer === null) delete state.tasks[key];
  state.wishes = {};
}

export interface Beginning {
  orders: Orders;
  tasks: Task[];
}

/** Plans what is new; the tasks begin with the change that holds their orders. */
export function planTasks(turn: Turn, picture: Picture): Beginning {
  const beginning: Beginning = { orders: picture.document.orders, tasks: [] };
  for (const task of Object.values(turn.state.tasks)) {
    if (task.answer !== null || task.begun) continue;
    const document = { ...picture.document, orders: beginning.orders };
    const planned = planOf({ ...picture, document }, task);
    if ('refused' in planned) finish(turn, task, { ok: false, text: planned.refused });
    else if ('done' in planned) finish(turn, task, { ok: true, text: planned.done });
    else if (task.request.dryRun === true) {
      const { text, targets } = planned.plan;
      finish(turn, task, { ok: true, text: `would be done: ${text}`, data: { dryRun: true, targets } });
    } else if (planned.plan.fence !== undefined && refusedFence(turn, planned.plan.fence, task)) {
      continue;
    } else {
      const { text, targets, orders } = planned.plan;
      Object.assign(task, { text, targets });
      for (const [name, { to }] of Object.entries(targets)) turn.state.wishes[name] = to;
      beginning.orders = orders;
      beginning.tasks.push(task);
    }
  }
  return beginning;
}

/** True: the membership would not, and the task is answered. */
function refusedFence(turn: Turn, { does, node }: NonNullable<Plan['fence']>, task: Task): boolean {
  const act = does === 'vouch' ? membership.vouchOff : membership.openAgain;
  const refused = act(turn.world, turn.membership, turn.now, node, turn.out);
  if (refused !== null) finish(turn, task, { ok: false, text: refused });
  return refused !== null;
}

/** The change was refused: they are planned again with the next. */
export function postpone({ state }: Turn, { tasks }: Beginning): void {
  for (const { targets } of tasks) for (const name of Object.keys(targets)) delete state.wishes[name];
}

/** Answers those that are done, and those whose target is not fit any more. */
export function followTasks(turn: Turn, picture: Picture): void {
  for (const task of Object.values(turn.state.tasks)) {
    if (task.answer !== null || !task.begun) continue;
    const lost = lostTarget(picture, task);
    const open = missing(picture, task);
    if (open.length === 0) finish(turn, task, { ok: true, text: doneText(task), data: { targets: task.targets } });
    else if (lost !== null) finish(turn, task, { ok: false, text: lost });
    else if (turn.now - task.since >= TASK_MS)
      finish(turn, task, { ok: false, text: `not done after ${TASK_MS / 1000} s: ${open.join(', ')}` });
  }
}

function doneText({ targets, text }: Task): string {
  const moved = Object.entries(targets).map(([name, { to }]) => `${name} runs on ${to}`);
  return moved.length === 0 ? text : moved.join(', ');
}

function lostTarget(picture: Picture, { targets }: Task): string | null {
  const { placements, orders } = picture.document;
  for (const [name, { to }] of Object.entries(targets)) {
    const candidate = picture.packages.find((one) => one.name === name);
    if (candidate === undefined || placements[name]?.node === to) continue;
    const hindered = hindrance(picture, orders, placements, candidate, to, true);
    if (hindered !== null) return `${name} does not go to ${to}: by now ${hindered}`;
  }
  return null;
}

/** Time-outs of those that could not even be begun, and an end of what is kept. */
export function expireTasks(turn: Turn): void {
  const { state, now } = turn;
  for (const [key, task] of Object.entries(state.tasks)) {
    if (task.answer !== null && now - task.answeredAt >= KEPT_MS) delete state.tasks[key];
    else if (task.answer === null && now - task.since >= TASK_MS + 500)
      finish(turn, task, { ok: false, text: 'the document could not be changed in time', why: 'no-quorum' });
  }
}

function finish(turn: Turn, task: Task, answer: OperatorAnswer): void {
  task.answer = answer;
  task.answeredAt = turn.now;
  for (const name of Object.keys(task.targets)) delete turn.state.wishes[name];
  const { ask, dryRun } = task.request;
  if (dryRun !== true) {
    const evidence = { asked: task.node, done: answer.ok, text: answer.text, tookMs: turn.now - task.since };
    journal(turn, { event: 'operator', cause: ask, ...aboutOf(task), evidence });
  }
  for (const [key, one] of Object.entries(turn.state.tasks)) if (one === task) tellOutcome(turn, key, task);
}

function aboutOf({ request }: Task): { package?: string; peer?: string } {
  if ('package' in request) return { package: request.package };
  return 'node' in request ? { peer: request.node } : {};
}

/** To the node that was asked, if that is another one. */
export function tellOutcome(turn: Turn, key: string, { node, answer }: Task): void {
  if (answer === null || node === turn.world.self.name) return;
  const [, incarnation = '', id] = key.split('/');
  const part = { kind: PART.outcome, bytes: encodeOutcome({ id: Number(id), incarnation, answer }) };
  health.speak(turn.world, turn.health, turn.now, node, [part], turn.out);
}
