/** Sets what each NIC needs once, when it is first seen, and puts it back at a clean stop. What others change later is the doctor's. */
import type { NicObservation } from '../input.js';
import { nicNames } from '../health/place.js';
import { journal } from './account.js';
import { announce } from './announce.js';
import { withoutNic } from './ledger.js';
import { runRecord } from './run-record.js';
import { type SettingRecord, settingStep, wantedSettings } from './settings.js';
import { nicsOf, type Turn } from './state.js';

/** Looks at NICs just seen: a new one, also a new card under an old name, gets its settings. */
export function setUp(turn: Turn, nics: readonly NicObservation[]): void {
  const { world, state, out } = turn;
  const mine = nicNames(world.self);
  const wanted: SettingRecord[][] = [];
  for (const seen of nics.filter(({ nic }) => mine.includes(nic))) {
    const key = `${seen.nic} ${seen.ifindex}`;
    if (state.settingsDone.includes(key)) continue;
    state.settingsDone = [...state.settingsDone.filter((x) => !x.startsWith(`${seen.nic} `)), key];
    if (state.ledger.settings.some((x) => x.nic === seen.nic && x.ifindex !== seen.ifindex)) {
      const settings = state.ledger.settings.filter((x) => x.nic !== seen.nic);
      state.ledger = { ...withoutNic(state.ledger, seen.nic), settings };
    }
    const role = world.self.nets.some((own) => own.standby.includes(seen.nic)) ? 'standby' : 'primary';
    const records = wantedSettings(seen, role);
    if (records.length > 0) wanted.push(records);
  }
  if (wanted.length === 0) return;
  keep(turn, wanted.flat());
  // One record before the first change covers them all, for hundreds of NICs make it long.
  const record = runRecord(turn);
  wanted.forEach((records, i) => {
    const id = state.nextId++;
    state.settings[id] = records;
    const steps = records.map((x) => settingStep(x, x.value));
    const undo = records.map((x) => settingStep(x, x.original));
    out.push({ kind: 'change-host', id, steps, undo, ...(i === 0 && { record }) });
  });
}

function keep({ state }: Turn, records: SettingRecord[]): void {
  state.ledger = { ...state.ledger, settings: [...without(state.ledger.settings, records), ...records] };
}

function without(settings: SettingRecord[], records: SettingRecord[]): SettingRecord[] {
  const names = new Set(records.map((x) => `${x.nic} ${x.name}`));
  return settings.filter((x) => !names.has(`${x.nic} ${x.name}`));
}

/** `host-changed` for settings. False: that id is not one of ours. */
export function settingsSet(turn: Turn, id: number, failure: string | null): boolean {
  const { state } = turn;
  const records = state.settings[id];
  if (records === undefined) return false;
  delete state.settings[id];
  const nic = records[0]?.nic ?? '';
  const evidence = Object.fromEntries(
    records.map((x) => [x.name.replace('{nic}', x.nic), `${x.original} → ${x.value}`]),
  );
  if (failure === null) {
    journal(turn, { event: 'settings', nic, cause: 'needed', evidence });
    tellWhereCarried(turn, nic);
  } else {
    state.ledger = { ...state.ledger, settings: without(state.ledger.settings, records) };
    journal(turn, { event: 'settings', nic, cause: 'refused', evidence: { ...evidence, failure } });
  }
  return true;
}

/**
 * Until `arp_ignore` was set a standby answered for the carrier's addresses too, and who believed it sends there still: what
 * comes in on a NIC without addresses is dropped by `rp_filter`.
 */
function tellWhereCarried({ world, state, now }: Turn, nic: string): void {
  for (const own of world.self.nets.filter((x) => nicsOf(x).includes(nic))) {
    const net = state.nets[own.net];
    if (!net || net.carrier === nic) continue;
    const addresses = net.portfolio.addresses.filter((x) => x.family === 4);
    for (const { local } of addresses)
      announce(state.announcer, now, { net: own.net, nic: net.carrier, address: local, cause: 'settings' });
  }
}

/**
 * Settings of these NICs that nobody else has changed, to be put back. One seen at its original may be set all the same: the
 * hands' answer comes before the next look. To write the original where it is already does no harm.
 */
export function settingsToPutBack({ world, state }: Turn, nics: readonly string[]): SettingRecord[] {
  return state.ledger.settings.filter((x) => {
    const seen = world.host[x.nic];
    if (!nics.includes(x.nic) || seen?.ifindex !== x.ifindex) return false;
    return [x.value, x.original].includes(seen.settings[x.name] ?? '');
  });
}
