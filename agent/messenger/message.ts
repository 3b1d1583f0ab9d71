/** What a messenger has to tell, and to whom: data of the agent that it speaks for. */
import { z } from 'zod';
import { bootstrapSchema } from '../../proto/bootstrap.ts';
import { commandSchema } from '../../proto/command.ts';

/** Longer than hosts are away by accident. A process that does nothing else takes some 100 MB for it. */
export const WAITS_MS = 7 * 86_400_000;

export const messageSchema = z.strictObject({
  /** The agent's, without endpoints. */
  bootstrap: bootstrapSchema,
  /** All that the agent has, with the `quit`. */
  commands: z.array(commandSchema).readonly(),
  /** Hosts that may not have it, and where they could be dialled. */
  untold: z
    .array(z.strictObject({ name: z.string(), peer: z.string(), addresses: z.array(z.string()).readonly() }))
    .readonly(),
  /** When the experiment started, in milliseconds since 1970. */
  startAt: z.number(),
  /** When it gives up, in milliseconds since 1970. A date that is set back does not make it wait for longer than `WAITS_MS`. */
  until: z.number(),
});

export type Message = z.infer<typeof messageSchema>;
