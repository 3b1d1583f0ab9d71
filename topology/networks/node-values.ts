/** The attributes of a node → its name, its place on earth, and what its endpoint may send and receive. */

import { type Bps, formatBps, MAX_BANDWIDTH } from '../../proto/units.ts';
import { quote } from '../model/diagnostics.ts';
import type { Coordinates } from './distance.ts';
import type { NetworkNode } from './network.ts';
import type { Notes, Place } from './notes.ts';
import { isRate, readNumber, readRate } from './spellings.ts';
import { type NodeMeaning, nodeMeaning } from './vocabulary.ts';

export interface NodeValues {
  /** What people call it. */
  readonly label: string;
  readonly isHub: boolean;
  readonly coordinates?: Coordinates;
  /** Of what the endpoint sends, and of what it receives; absent: no limit. */
  readonly up?: Bps;
  readonly down?: Bps;
}

export function readNode(node: NetworkNode, notes: Notes): NodeValues {
  const { place, field, isHub = false } = node;
  let label = '';
  let hyperedge = isHub;
  const angles: { latitude?: number; longitude?: number } = {};
  const rates: { up?: Bps; down?: Bps } = {};
  for (const [key, text] of node.attributes) {
    if (text.trim() === '') continue;
    const meaning = nodeMeaning(key);
    switch (meaning?.what) {
      case undefined:
        notes.drop(key, 'node', place, field);
        break;
      case 'label':
        label ||= text.trim();
        break;
      case 'hyperedge':
        hyperedge ||= /^\s*(?:1|true)\s*$/i.test(text);
        break;
      case 'latitude':
      case 'longitude': {
        const angle = readAngle(meaning.what, text, node, notes);
        if (angle !== undefined) angles[meaning.what] = angle;
        break;
      }
      case 'up':
      case 'down': {
        const rate = readHostRate(key, text, meaning, node, notes);
        if (rate !== undefined) rates[meaning.what] = rate;
      }
    }
  }
  const { latitude, longitude } = angles;
  const isPlaced = latitude !== undefined && longitude !== undefined;
  return {
    label: label || node.id,
    isHub: hyperedge,
    ...(isPlaced && { coordinates: { latitude, longitude } }),
    ...rates,
  };
}

function readAngle(
  what: 'latitude' | 'longitude',
  text: string,
  { place, field }: NetworkNode,
  notes: Notes,
): number | undefined {
  const most = what === 'latitude' ? 90 : 180;
  const value = readNumber(text);
  if (value !== undefined && Math.abs(value) <= most) return value;
  const message = `${quote(text)} is no ${what}, and is left out`;
  notes.tell(
    { code: 'VALUE_INVALID', what: `${what}s that are none` },
    place,
    field,
    message,
    `write degrees, from -${most} to ${most}`,
  );
  return undefined;
}

function readHostRate(
  key: string,
  text: string,
  { bare, isSaid }: Extract<NodeMeaning, { what: 'up' | 'down' }>,
  { place, field }: NetworkNode,
  notes: Notes,
): Bps | undefined {
  const read = readRate(text, bare);
  if (!read) {
    unreadableRate(key, text, place, field, notes);
    return undefined;
  }
  if (read.isBare && !isSaid)
    assumeUnit(key, text, bare === 'bit' ? 'bit/s' : `${bare}/s`, place, field, notes);
  return fitRate(read.value, place, field, notes);
}

export function unreadableRate(key: string, text: string, place: Place, field: string, notes: Notes): void {
  notes.tell(
    { code: 'VALUE_INVALID', what: `rates in ${quote(key)} that can't be read` },
    place,
    field,
    `${key} ${quote(text)} is no rate that can be read: there is no limit`,
    'write e.g. 10 Mbit/s',
  );
}

export function assumeUnit(
  key: string,
  text: string,
  unit: string,
  place: Place,
  field: string,
  notes: Notes,
): void {
  notes.tell(
    { code: 'UNIT_ASSUMED', what: `${quote(key)} without a unit`, shown: 1 },
    place,
    field,
    `${key} ${quote(text)} has no unit, and counts as ${unit}`,
    'write the unit, or convert the file and correct it there',
  );
}

/** A rate that netfold can keep; `undefined`: none. */
export function fitRate(rate: Bps, place: Place, field: string, notes: Notes): Bps | undefined {
  if (isRate(rate)) return rate;
  const isLarge = rate > MAX_BANDWIDTH;
  const message = isLarge
    ? `${formatBps(rate)} is more than netfold can limit: it is ${formatBps(MAX_BANDWIDTH)} here`
    : `${formatBps(rate)} is less than netfold can limit: there is no limit`;
  const what = isLarge ? 'rates above 100 Gbit/s' : 'rates below 8 bit/s';
  notes.tell({ code: 'VALUE_CLAMPED', what }, place, field, message, 'check the unit');
  return isLarge ? MAX_BANDWIDTH : undefined;
}
