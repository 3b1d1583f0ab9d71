/** Where an interface of a file is, as its description says. Pure. */

export interface InterfaceFacts {
  /** Of the endpoint. */
  readonly name: string;
  readonly experiment: string;
  readonly host: string;
  readonly addresses: readonly string[];
}

export const describeInterface = ({ name, experiment, host, addresses }: InterfaceFacts): string =>
  `${name} of ${experiment} on ${host}, ${addresses.join(' ')}`;

/** `undefined`: netfold has not written it. */
export function interfaceFacts(description: string): InterfaceFacts | undefined {
  const found = /^(\S+) of (\S+) on (\S+), ([0-9a-fA-F.: ]+)$/.exec(description);
  if (!found) return undefined;
  const [, name, experiment, host, addresses] = found as unknown as [string, string, string, string, string];
  return { name, experiment, host, addresses: addresses.split(' ').filter((one) => one !== '') };
}
