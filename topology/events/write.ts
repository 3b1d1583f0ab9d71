/** An event as the line of a topology file that gives the same one: the other way round than grammar.ts. */
import { formatMicros, formatRatio, ratio } from '../../proto/units.ts';
import type { EventAction, Target, TopologyEvent } from '../model/events.ts';
import { changeText } from './changes.ts';
import { textOf } from './targets.ts';
import { MAX_LINE } from './words.ts';

/** `undefined`: no line says it, as scripts of events can do more than a file. */
export function eventLine({ at, until, action }: TopologyEvent): string | undefined {
  const what = actionText(action);
  if (what === undefined) return undefined;
  const time =
    until === undefined ? `at ${formatMicros(at)}` : `from ${formatMicros(at)} to ${formatMicros(until)}`;
  const line = `${time} ${what}`;
  return line.length > MAX_LINE ? undefined : line;
}

/** An action without its time; `undefined`: no line says it. */
export function actionText(action: EventAction): string | undefined {
  switch (action.verb) {
    case 'join':
    case 'leave':
    case 'crash':
    case 'disconnect':
    case 'reconnect': {
      if (action.share !== undefined) return undefined;
      const named = `${action.verb} ${targets(action.targets)}`;
      if (action.portion !== undefined) return `${named} ${formatRatio(action.portion)}`;
      return action.amount === undefined ? named : `${named} ${action.amount}`;
    }
    case 'set':
      return `set ${targets(action.targets)} ${action.changes.map((one) => changeText(one, percentage)).join(' ')}`;
    case 'flap':
      return `flap ${targets(action.targets)} every ${formatMicros(action.period)}`;
    case 'churn': {
      const amount =
        'count' in action.amount ? String(action.amount.count) : formatRatio(action.amount.share);
      const rest = `${action.replace ? ' replace' : ''} seed ${action.seed}`;
      return `churn ${targets(action.targets)} ${amount} every ${formatMicros(action.period)}${rest}`;
    }
    case 'partition':
      return `partition ${action.groups.map(targets).join(' | ')}`;
    case 'run':
      return `run ${targets(action.targets)} "${action.command.replace(/["\\]/g, '\\$&')}"`;
    case 'signal':
      return `signal ${targets(action.targets)} ${action.signal}`;
    case 'start':
    case 'stop':
      return `${action.verb} ${action.traffic.map(({ name }) => name).join(' ')}`;
    case 'heal':
    case 'quit':
      return action.verb;
    case 'scatter':
    case 'reset':
    case 'notify':
    case 'ended':
    case 'rekey':
      return undefined;
  }
}

const targets = (all: readonly Target[]): string => all.map(textOf).join(' ');

const percentage = (factor: number): string => formatRatio(ratio(factor));
