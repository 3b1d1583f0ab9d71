/** The identity of hosts in an experiment, and of the runs of their agents. */

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
