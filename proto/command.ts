/**
 * Commands, which users give to a running experiment: their fields, limits, identity and orders, and who gives them: hosts, and
 * the runs of their agents. All code that carries, keeps or plays commands uses these definitions.
 */
import { z } from 'zod';
import { formatMicros, MAX_DURATION, micros } from './units.ts';

/** In one experiment at a time. Older ones are folded (`foldHorizon`); of still more, some stay (`surplusCommands`). */
export const MAX_COMMANDS = 4096;
/** In addition, so many that a user needs to get out of a bad state, whatever was commanded before (`isUrgent`). */
export const MAX_URGENT_COMMANDS = 1024;
export const MAX_ALL_COMMANDS = MAX_COMMANDS + MAX_URGENT_COMMANDS;
/**
 * History is folded (agent/timeline/folding.ts): a command may be left out that was over so long before another one was
 * accepted, if later ones have set all of what it set. Shorter, and hosts that were cut off for longer find less of what
 * they missed; longer, and more commands are kept at the same rate.
 */
const FOLD_AFTER = micros(60_000_000);
/** The horizon moves in steps, since each step costs a replay. */
const FOLD_STEP = micros(10_000_000);
/** So many of the latest that could be left out are kept, for `netfold history`. */
export const KEPT_FOLDABLE = 512;
/** How far ahead of this agent's clock a command may have been accepted: clocks are compared all the time. */
export const MAX_CLOCK_AHEAD = micros(10_000_000);
/** The text of one command, as UTF-8. A longer one is a script and belongs in the file. */
export const MAX_COMMAND_BYTES = 1024;

/** A command as all agents know it. Times are microseconds since the experiment's start. */
export interface Command {
  /** Name of the host whose agent accepted it, the incarnation of that agent, and its count there, from 1. */
  readonly origin: string;
  readonly incarnation: number;
  readonly number: number;
  /** When it was accepted, and when it takes effect. */
  readonly issuedAt: number;
  readonly at: number;
  /** When it ends, if it has a window. */
  readonly until?: number;
  /** An action of the event grammar (`set s1--s2 latency=50ms`), or `reset`: back to the timeline. */
  readonly text: string;
  /** Who gave it: the peer id of a user's key or of an agent. Absent where nobody signs. */
  readonly author?: string;
  /** The author's, of all other fields (agent/mesh/trust/command-signature.ts); base64. */
  readonly signature?: string;
}

/** A user's input. The agent that accepts it adds the rest (`CommandOrigin`). */
export type NewCommand = Pick<Command, 'issuedAt' | 'at' | 'until' | 'text'>;
export type CommandOrigin = Pick<Command, 'origin' | 'incarnation' | 'number' | 'author'>;

/** `undone`: by a reset, which also drops what was not due yet. `failed`: it could change nothing. */
export type CommandState = 'pending' | 'done' | 'undone' | 'failed';

/** Identifies a command: nobody can give one with the identity of another author's. */
export function commandKey({ origin, incarnation, number, author }: CommandOrigin): string {
  const place = `${origin} ${incarnation} ${number}`;
  return author === undefined ? place : `${place} ${author}`;
}

/**
 * The order in which commands take effect, the same on every host. Total: every field of `CommandOrigin` takes part.
 */
export function compareCommands(a: Command, b: Command): number {
  return (
    a.at - b.at ||
    a.issuedAt - b.issuedAt ||
    compareText(a.origin, b.origin) ||
    a.incarnation - b.incarnation ||
    a.number - b.number ||
    compareText(a.author ?? '', b.author ?? '')
  );
}

/**
 * The order of acceptance. Of two with one identity, the first stays; a reset undoes all that come before it. 0 only for
 * commands that are equal in every field that is signed; an author can sign the same twice.
 */
export function compareIssue(a: Command, b: Command): number {
  return (
    a.issuedAt - b.issuedAt ||
    compareCommands(a, b) ||
    (a.until ?? 0) - (b.until ?? 0) ||
    compareText(a.text, b.text)
  );
}

/** Whether it ends something: `heal`, `reset` and `quit` are accepted although there are `MAX_COMMANDS` others. */
export function isUrgent({ text }: Pick<Command, 'text'>): boolean {
  return /^\s*(heal|reset|quit)(\s|$)/.test(text);
}

/** Whether it ends the experiment. */
export const isQuit = ({ text }: Pick<Command, 'text'>): boolean => /^\s*quit\s*$/.test(text);

/** Which commands of a set are left out as old. Pure: all agents with the same commands leave out the same. */
export type LeftOut = (commands: readonly Command[]) => readonly Command[];

/**
 * What was over by then may be folded. It follows from the set alone, not from anybody's clock: all agents with the same
 * commands have the same horizon. Negative: nothing may be folded yet.
 */
export function foldHorizon(commands: Iterable<Pick<Command, 'issuedAt'>>): number {
  let latest = 0;
  for (const { issuedAt } of commands) if (issuedAt > latest) latest = issuedAt;
  return Math.floor(latest / FOLD_STEP) * FOLD_STEP - FOLD_AFTER;
}

/**
 * The commands that don't stay, of more than `MAX_COMMANDS`, and of more than `MAX_URGENT_COMMANDS` urgent ones. All authors
 * keep equally many (where nobody signs: all origins), and each its first ones by its own count: whatever numbers and times
 * somebody gives to his commands, only his own go. The same for any order of arrival: what goes from a part of the commands
 * goes from all of them.
 */
export function surplusCommands(commands: readonly Command[]): Command[] {
  const { true: urgent = [], false: others = [] } = Object.groupBy(commands, (one) =>
    isUrgent(one) ? 'true' : 'false',
  );
  return [...surplusOf(urgent, MAX_URGENT_COMMANDS), ...surplusOf(others, MAX_COMMANDS)];
}

/** Whether the next command of an agent would stay. */
export function wouldStay(
  next: Pick<Command, 'origin' | 'text' | 'author'>,
  commands: readonly Command[],
): boolean {
  const { text } = next;
  const urgent = isUrgent({ text });
  const alike = commands.filter((one) => isUrgent(one) === urgent);
  const most = urgent ? MAX_URGENT_COMMANDS : MAX_COMMANDS;
  if (alike.length < most) return true;
  const counts = new Map([[giverOf(next), 1]]);
  for (const one of alike) counts.set(giverOf(one), (counts.get(giverOf(one)) ?? 0) + 1);
  return counts.get(giverOf(next))! <= levelOf([...counts.values()], most);
}

/** Who loses what is too much. */
const giverOf = ({ author, origin }: Pick<Command, 'author' | 'origin'>): string => author ?? origin;

function surplusOf(commands: readonly Command[], most: number): Command[] {
  if (commands.length <= most) return [];
  const groups = [...Map.groupBy(commands, giverOf).values()];
  const level = levelOf(
    groups.map(({ length }) => length),
    most,
  );
  return groups.flatMap((group) => group.sort(compareCount).slice(level));
}

/** The largest number so that all counts, cut to it, are at most `most` together. */
function levelOf(counts: readonly number[], most: number): number {
  let left = most;
  const sorted = counts.toSorted((a, b) => a - b);
  for (const [index, count] of sorted.entries()) {
    const others = sorted.length - index;
    if (count * others > left) return Math.floor(left / others);
    left -= count;
  }
  return most;
}

function compareCount(a: Command, b: Command): number {
  return a.incarnation - b.incarnation || a.number - b.number || compareText(a.origin, b.origin);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The wrong field with its value; `undefined`: all are right. */
export function wrongCommand(command: Command): string | undefined {
  const { origin, incarnation, number, text, author, signature } = command;
  if (!isHostName(origin)) return `origin ${show(origin)}`;
  if (!isIncarnation(incarnation)) return `incarnation ${incarnation}`;
  if (!Number.isInteger(number) || number < 1 || number > 0xffffffff) return `number ${number}`;
  const time = wrongTime(command);
  if (time) return showTime(time, command);
  if (author !== undefined && !isPeerId(author)) return `author ${show(author)}`;
  if (signature !== undefined && !SIGNATURE.test(signature)) return `signature ${show(signature)}`;
  return isCommandText(text) ? undefined : `text ${show(text)}`;
}

/** 64 bytes as base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

/** `early`: it takes effect before it was accepted. */
export type WrongTime = 'issuedAt' | 'at' | 'early' | 'until';

/** Which time of a command is wrong. `latest`: how far ahead times may be. */
export function wrongTime(
  { issuedAt, at, until }: Pick<Command, 'issuedAt' | 'at' | 'until'>,
  latest: number = MAX_DURATION,
): WrongTime | undefined {
  if (!isTime(issuedAt, latest)) return 'issuedAt';
  if (!isTime(at, latest)) return 'at';
  if (at < issuedAt) return 'early';
  return until === undefined || (isTime(until, latest) && until > at) ? undefined : 'until';
}

/** One line. */
function isCommandText(text: string): boolean {
  const isLine = text.length > 0 && text.isWellFormed() && !/\p{Cc}/u.test(text);
  return isLine && Buffer.byteLength(text) <= MAX_COMMAND_BYTES;
}

function isTime(micros: number, latest: number): boolean {
  return Number.isFinite(micros) && micros >= 0 && micros <= latest;
}

function showTime(wrong: WrongTime, { issuedAt, at, until }: Command): string {
  if (wrong === 'issuedAt') return `issued_at ${issuedAt}`;
  return wrong === 'until' ? `until ${until}, at ${at}` : `at ${at}, issued at ${issuedAt}`;
}

const show = (text: string): string => JSON.stringify(text).slice(0, 80);

/** A command from outside, e.g. from a file. Everything that `wrongCommand` objects to is refused. */
export const commandSchema = z
  .object({
    origin: z.string(),
    incarnation: z.number(),
    number: z.number(),
    issuedAt: z.number(),
    at: z.number(),
    until: z.number().optional(),
    text: z.string(),
    author: z.string().optional(),
    signature: z.string().optional(),
  })
  .transform(
    ({ until, author, signature, ...command }): Command => ({
      ...command,
      ...(until !== undefined && { until }),
      ...(author !== undefined && { author }),
      ...(signature !== undefined && { signature }),
    }),
  )
  .refine((command) => wrongCommand(command) === undefined);

/**
 * `network`: everything that changes the network and who is present in it, of all endpoints, links and bridges, with signals,
 * `heal`, `reset` and `quit`. `run`: to start commands in endpoints, which are root's where the file does not say otherwise.
 */
export const RIGHTS = ['network', 'run'] as const;
export type Right = (typeof RIGHTS)[number];

/** At most so many keys of users in one experiment. */
export const MAX_COMMANDERS = 256;
/** Printable ASCII characters without spaces, as in lists. */
const NAME = /^[\x21-\x7e]{1,64}$/;
/** Ed25519 keys as base58 multihashes (libp2p's "Peer Ids and Keys" specification). */
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{1,128}$/;

export const isPeerId = (text: string): boolean => PEER_ID.test(text);
export const isCommanderName = (text: string): boolean => NAME.test(text);

/** A user's key: its public half as a peer id, what `history` calls it, and what it may. */
const commanderSchema = z.strictObject({
  peer: z.string().regex(PEER_ID),
  name: z.string().regex(NAME),
  rights: z.array(z.enum(RIGHTS)).readonly(),
});

export type Commander = Readonly<z.infer<typeof commanderSchema>>;

/** The same for all agents of an experiment. */
export const commandRulesSchema = z.strictObject({
  /** At random, new with each start: a command of an earlier start is none of this one. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  commanders: z.array(commanderSchema).max(MAX_COMMANDERS).readonly(),
});

export type CommandRules = z.infer<typeof commandRulesSchema>;

/** Who has signed a command. An agent may only change the network of its host's own endpoints. */
export type Author =
  | { readonly kind: 'user'; readonly name: string; readonly rights: readonly Right[] }
  | { readonly kind: 'agent'; readonly host: string };

/** As logs and `history` have it: `root@host0`, `agent host1`. */
export const authorName = (author: Author): string =>
  author.kind === 'user' ? author.name : `agent ${author.host}`;

export const MAX_HOST_NAME_LENGTH = 64;
const HOST_NAME = new RegExp(`^[\\x21-\\x7e]{1,${MAX_HOST_NAME_LENGTH}}$`);

/** Whether `text` can be the name of a host: printable ASCII characters without spaces. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

/** When an agent started, in milliseconds since 1970: a restarted agent has a higher incarnation. */
export function isIncarnation(value: number | null | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

// The command that replaces the mesh's key. It has the new key once for each host, sealed so that this host alone can open it
// (agent/mesh/trust/sealed-key.ts), and in as many parts as the length of commands asks for: it counts when all of them are there.

/** The new key for one host: whose, and sealed. Base64url. */
export interface SealedFor {
  readonly peer: string;
  readonly box: string;
}

/** What all parts of one replacement have alike. */
export interface RekeyHead {
  readonly parts: number;
  /** For so many microseconds, hosts that are on the list may come in by the key before. */
  readonly overlap: number;
  /** Of the new key; says nothing about it. */
  readonly id: string;
  /** The key before, sealed by the new one. */
  readonly before: string;
  /** The public half of a key that is made for this replacement. */
  readonly ephemeral: string;
}

export interface RekeyPart extends RekeyHead {
  /** From 1. */
  readonly part: number;
  readonly hosts: readonly SealedFor[];
}

/** With these, a part is shorter than `MAX_COMMAND_BYTES`. */
const HOSTS_IN_A_PART = 10;
const MOST_PARTS = 999;
export const MOST_REKEYED_HOSTS = HOSTS_IN_A_PART * MOST_PARTS;

const TEXT =
  /^rekey ([1-9]\d{0,2})\/([1-9]\d{0,2}) ([1-9]\d{0,13})us ([\w-]{22}) ([\w-]{64}) ([\w-]{43})((?: [\w-]{16}:[\w-]{64})+)$/;

export const isRekey = ({ text }: { readonly text: string }): boolean => /^\s*rekey(\s|$)/.test(text);

/** `undefined`: it is no such text. */
export function parseRekey(text: string): RekeyPart | undefined {
  const found = TEXT.exec(text);
  if (!found) return undefined;
  const [part, parts, overlap] = found.slice(1, 4).map(Number) as [number, number, number];
  const [id, before, ephemeral, list] = found.slice(4) as [string, string, string, string];
  const hosts = list
    .trim()
    .split(' ')
    .map((word) => {
      const [peer, box] = word.split(':') as [string, string];
      return { peer, box };
    });
  return part > parts ? undefined : { part, parts, overlap, id, before, ephemeral, hosts };
}

/** The texts of all parts. */
export function rekeyTexts(head: Omit<RekeyHead, 'parts'>, hosts: readonly SealedFor[]): string[] {
  const { overlap, id, before, ephemeral } = head;
  const parts = Math.ceil(hosts.length / HOSTS_IN_A_PART);
  return Array.from({ length: parts }, (_, index) => {
    const here = hosts.slice(index * HOSTS_IN_A_PART, (index + 1) * HOSTS_IN_A_PART);
    const list = here.map(({ peer, box }) => `${peer}:${box}`);
    return [`rekey ${index + 1}/${parts} ${overlap}us`, id, before, ephemeral, ...list].join(' ');
  });
}

/** A command's text for people: a replacement's is long, and says nothing to them. */
export function shownText(text: string): string {
  const found = parseRekey(text);
  if (!found) return text;
  const { part, parts, overlap } = found;
  return `rekey${parts > 1 ? ` (part ${part} of ${parts})` : ''}, the key before counts for ${formatMicros(micros(overlap))}`;
}
