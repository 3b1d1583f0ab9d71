/**
 * The lines that say what happens:
 *
 *     event    = "at" T [selector] instant  |  "from" T "to" T [selector] period  |  churn
 *     instant  = ("join" | "leave" | "crash" | "disconnect" | "reconnect") [AMOUNT] | set | partition | "quit"
 *     period   = ("join" | "leave" | "crash" | "disconnect") [AMOUNT] | churn | "flap" ["freq"] T | partition
 *     churn    = [selector] "churn" AMOUNT ["replace" PERCENT]
 *     set      = "set" (("latency" | "jitter") "=" (MS | PERCENT) | "drop" "=" FRACTION
 *                | ("up" | "down" | "bandwidth") "=" (RATE | PERCENT) | "symmetric")+
 *     partition = "partition" NODE+ (";" NODE+)+
 *     selector = NODE | NODE "--" NODE | "tags" "=" TAG+
 *     AMOUNT   = COUNT | PERCENT
 */
import { type Micros, parsePercentage, type Ratio, ratio } from '../../../proto/units.ts';
import { withUnits } from '../../events/changes.ts';
import { MIN_PERIOD } from '../../events/grammar.ts';
import { LineError, type Words } from '../../events/words.ts';
import { quote } from '../../model/diagnostics.ts';
import type { Change, Target } from '../../model/events.ts';
import { parseReference } from '../../model/names.ts';
import type { Position } from '../../model/position.ts';
import { LINK_OPTIONS, refuseBothWays } from './declarations.ts';
import type { ScriptAction, ScriptEvent, Selector } from './model.ts';
import { Options, takeNames } from './options.ts';
import {
  absoluteOrRelative,
  fraction,
  milliseconds,
  rate,
  takeAmount,
  takeTime,
  takeWord,
} from './values.ts';

const AT_INSTANT = ['join', 'leave', 'crash', 'disconnect', 'reconnect', 'set', 'partition', 'quit'] as const;
const IN_PERIOD = ['join', 'leave', 'crash', 'disconnect', 'churn', 'flap', 'partition'] as const;
const ACTIONS = [...new Set([...AT_INSTANT, ...IN_PERIOD])];
/** These contain their own targets, or affect the whole topology. */
const WITHOUT_SELECTOR = ['partition', 'quit'];

type Verb = (typeof ACTIONS)[number];

/** `words` is a line that begins with `at`, `from`, `churn`, or a selector and `churn`. Throws `LineError`. */
export function parseScriptEvent(words: Words, position: Position): ScriptEvent {
  const time = parseTime(words);
  const selector = isAction(words.peek()?.text) ? undefined : parseSelector(words);
  const verb = parseVerb(words, time);
  if (selector && WITHOUT_SELECTOR.includes(verb))
    throw new LineError(
      words.last.position,
      `${quote(verb)} is not about one thing`,
      `write ${verb} right after the time`,
    );
  const action = parseAction(words, verb);
  return { ...(time && { time }), ...(selector && { selector }), action, position };
}

function parseTime(words: Words): ScriptEvent['time'] {
  if (words.skip('at')) return { at: takeTime(words) };
  if (!words.skip('from')) return undefined;
  const at = takeTime(words);
  words.demand('to', '"to"');
  const { position } = words;
  const until = takeTime(words);
  if (until <= at)
    throw new LineError(position, 'the end is not after the start', 'write from EARLIER to LATER');
  return { at, until };
}

function parseVerb(words: Words, time: ScriptEvent['time']): Verb {
  const verb = words.keyword(ACTIONS, 'an action');
  const { position } = words.last;
  const allowed: readonly Verb[] = !time ? ['churn'] : time.until === undefined ? AT_INSTANT : IN_PERIOD;
  if (allowed.includes(verb)) return verb;
  if (!time) throw new LineError(position, `${quote(verb)} needs a time`, `write at T before it`);
  if (time.until === undefined)
    throw new LineError(position, `${quote(verb)} needs a start and an end`, `write from T to T before it`);
  throw new LineError(position, `${quote(verb)} happens at one instant`, `write at T before it`);
}

function parseAction(words: Words, verb: Verb): ScriptAction {
  switch (verb) {
    case 'set':
      return { verb, changes: parseChanges(words) };
    case 'flap':
      return { verb, period: parsePeriod(words) };
    case 'churn': {
      const amount = takeAmount(words);
      return { verb, amount, replace: words.skip('replace') ? parseReplacement(words) : ratio(0) };
    }
    case 'partition':
      return { verb, groups: parseGroups(words) };
    case 'quit':
      return { verb };
    default:
      return { verb, ...(words.atEnd() ? {} : { amount: takeAmount(words) }) };
  }
}

function parseReplacement(words: Words): Ratio {
  const { text, position } = takeWord(words, 'the percentage that is replaced', '50%');
  return withUnits(position, () => parsePercentage(text));
}

function parsePeriod(words: Words): Micros {
  words.skip('freq');
  const { position } = words;
  const period = takeTime(words);
  if (period < MIN_PERIOD)
    throw new LineError(position, 'the period is less than 10ms', 'write flap 0.01s or more');
  return period;
}

function parseChanges(words: Words): Change[] {
  if (words.atEnd()) throw words.unexpected('a property', 'write e.g. latency=20.0 or up=50%');
  const options = new Options(words, { ...LINK_OPTIONS, bandwidth: 'value' });
  refuseBothWays(options);
  const changes: Change[] = [];
  for (const key of options.keys()) {
    const value = options.value(key.text)!;
    switch (key.text) {
      case 'latency':
      case 'jitter':
        changes.push({ property: key.text, to: absoluteOrRelative(value, milliseconds) });
        break;
      case 'drop':
        changes.push({ property: 'loss', to: { kind: 'value', value: fraction(value) } });
        break;
      case 'bandwidth':
      case 'down':
        changes.push({ property: key.text, to: absoluteOrRelative(value, rate) });
        break;
      case 'up': {
        const property = options.key('symmetric') ? 'bandwidth' : 'up';
        changes.push({ property, to: absoluteOrRelative(value, rate) });
        break;
      }
      case 'symmetric':
        break;
      default:
        throw new LineError(key.position, `${key.text} can't change during an experiment`, 'remove it');
    }
  }
  return changes;
}

function isAction(text: string | undefined): boolean {
  return (ACTIONS as readonly string[]).includes(text ?? '');
}

function parseSelector(words: Words): Selector {
  const { position } = words;
  if (words.skip('tags')) {
    words.demand('=', '"=" and a tag');
    if (isAction(words.peek()?.text)) throw words.unexpected('a tag', 'write e.g. tags=edge');
    return { kind: 'tagged', tags: takeNames(words, 'of a tag', isAction).map(({ text }) => text), position };
  }
  return { kind: 'named', target: parseNamed(words) };
}

function parseNamed(words: Words): Target & { kind: 'node' | 'link' } {
  const expected = `a name, a link or an action (${ACTIONS.join(' ')})`;
  const { text, position } = takeWord(words, expected, 'client, client--s1 or tags=edge');
  const separator = text.indexOf('--');
  if (separator < 0) {
    const node = parseReference(text);
    if (node) return { kind: 'node', node, position };
  } else {
    const [from, to] = [parseReference(text.slice(0, separator)), parseReference(text.slice(separator + 2))];
    if (from && to) return { kind: 'link', from, to, directed: false, position };
  }
  throw new LineError(
    position,
    `expected ${expected}, but found ${quote(text)}`,
    'write e.g. client or client--s1',
  );
}

function parseGroups(words: Words): Target[][] {
  const groups: Target[][] = [];
  do {
    const group: Target[] = [];
    do {
      const target = parseNamed(words);
      if (target.kind === 'link')
        throw new LineError(
          target.position,
          'a link is in no group of a partition',
          'name services and bridges',
        );
      group.push(target);
    } while (!words.atEnd() && words.peek()!.text !== ';');
    groups.push(group);
  } while (words.skip(';'));
  if (groups.length < 2) throw words.unexpected('";" and another group', 'write e.g. partition a b;c d');
  return groups;
}
