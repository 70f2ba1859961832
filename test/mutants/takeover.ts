/** Bugs in how addresses move: local switch, ledger, MACs, restart. */
import type { Mutant } from './mutant.js';

export const TAKEOVER: readonly Mutant[] = [
  {
    name: 'switch-to-dead-standby',
    plants: 'a standby need not be healthier than the NIC that it stands in for',
    edits: [
      {
        file: 'src/takeover/choice.ts',
        find: "  if (verdict.health === 'down') return false;\n",
        replace: '',
      },
    ],
    caughtBy: ['L2', 'L6', 'S10'],
    aim: 'standby-then-primary',
    seed: 1,
  },
  {
    name: 'routes-in-wrong-order',
    plants: 'routes by a gateway are made before the routes that say where the gateway is',
    edits: [
      {
        file: 'src/takeover/plan-routes.ts',
        find: '.sort((a, b) => place(a) - place(b)).flat();',
        replace: '.sort((a, b) => place(b) - place(a)).flat();',
      },
    ],
    caughtBy: ['S7', 'L2', 'S3', 'L3'],
    aim: 'cut-primary',
    seed: 1,
  },
  {
    name: 'ipv6-leftovers',
    plants: 'IPv6 routes stay on the NIC that was left',
    edits: [
      {
        file: 'src/takeover/plan-routes.ts',
        find: "    for (const route of left.reverse()) {\n      plan.push({ do: 'delete-route', route }, {",
        replace: "    for (const route of left.slice(0, 0)) {\n      plan.push({ do: 'delete-route', route }, {",
      },
    ],
    caughtBy: ['S7'],
    aim: 'cut-primary',
    seed: 1,
  },
  {
    name: 'address-on-both',
    plants: 'addresses stay on the NIC that was left',
    edits: [
      {
        file: 'src/takeover/plan.ts',
        find: '    for (const address of bareFirst(going)) {',
        replace: '    for (const address of bareFirst(going.slice(0, 0))) {',
      },
    ],
    caughtBy: ['S3', 'S7'],
    aim: 'cut-primary',
    seed: 1,
  },
  {
    name: 'ledger-ignored',
    plants: 'what others added to a NIC is taken for what baton added',
    edits: [
      {
        file: 'src/takeover/stopping.ts',
        find: '  const { addresses, neighbours, groups } = state.ledger;\n  const homes = homesOf(world.self);',
        replace:
          '  const { neighbours, groups } = state.ledger;\n  const addresses = Object.values(world.host).flatMap(({ nic, addresses: there }) => there.map((address) => ({ nic, address })));\n  const homes: string[] = [];',
      },
    ],
    caughtBy: ['S6', 'S3', 'S7'],
    aim: 'foreign-and-stop',
    seed: 3,
  },
  {
    name: 'settings-not-put-back',
    plants: 'an orderly stop leaves the settings of the NICs as baton had them',
    edits: [
      {
        file: 'src/takeover/stopping.ts',
        find: '...back.map((x) => settingStep(x, x.original))];',
        replace: '...back.slice(0, 0).map((x) => settingStep(x, x.original))];',
      },
    ],
    caughtBy: ['S6'],
    aim: 'foreign-and-stop',
    seed: 2,
  },
  {
    name: 'mac-at-two-ports',
    plants: 'the NIC that loses its MAC to a standby keeps it',
    edits: [
      {
        file: 'src/takeover/mac-follow.ts',
        find: '  return seen.mac === mac ? holders : [...holders, { nic: to, from: seen.mac, to: mac }];',
        replace: '  return seen.mac === mac ? holders.slice(0, 0) : [{ nic: to, from: seen.mac, to: mac }];',
      },
    ],
    caughtBy: ['S8'],
    aim: 'mac-follows',
    seed: 10,
  },
  {
    name: 'restart-not-adopted',
    plants: 'what an earlier run left is taken off at once',
    edits: [
      {
        file: 'src/takeover/floating.ts',
        find: '  floating.adopting = [...left];',
        replace: '  floating.adopting = [...left].slice(0, 0);',
      },
    ],
    caughtBy: ['S13'],
    aim: 'restarts',
    seed: 1,
  },
  {
    name: 'switch-forgotten',
    plants: 'a switch that was cut short is forgotten: what it was about is not in the record that is read',
    edits: [
      {
        file: 'src/takeover/adoption.ts',
        find: '  net.unfinished = known?.plan ? (known.plan.to in world.host ? known.plan.to : known.plan.from) : null;',
        replace: "  net.unfinished = known?.plan?.to === '' ? '' : null;",
      },
    ],
    caughtBy: ['S7'],
    aim: 'killed-in-a-switch',
    seed: 1,
  },
  {
    name: 'switch-takes-a-nap',
    plants: 'a NIC that lost its carrier is left only after the grace of a start',
    edits: [
      {
        file: 'src/takeover/net-switch.ts',
        find: '  return net.wasUp || state.run?.nets[net.net] ? 0 : state.startedAt + startGraceMs(world);',
        replace: '  return state.startedAt + 20 * startGraceMs(world) * Number(net.wasUp);',
      },
    ],
    caughtBy: ['L2', 'L6'],
    aim: 'cut-primary',
    seed: 1,
  },
];
