/** How the API names a command. A file of its own, which a page loads without the schemas. */
import type { CommandOrigin } from '../../command.ts';

/** A command's identity in paths: `commandKey` with `~` between its parts. */
export function commandId({ origin, incarnation, number, author }: CommandOrigin): string {
  const place = `${origin}~${incarnation}~${number}`;
  return author === undefined ? place : `${place}~${author}`;
}
