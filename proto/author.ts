/** Who gives commands, and what he may: users with keys of their own, and agents, which have their identities. */
import { z } from 'zod';

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
export const commanderSchema = z.strictObject({
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
