/** The arguments of a container in the syntax of Kollaps' formats. */

/** `['server', '1']` is a list as Kollaps writes it; anything else is one argument. */
export function parseCommand(text: string): string[] {
  const list = /^\s*\[(.*)\]\s*$/s.exec(text);
  if (!list) return [text];
  const quoted = /\s*(?:'([^']*)'|"([^"]*)"|([^,'"\s][^,]*))\s*(?:,|$)/gy;
  return [...list[1]!.matchAll(quoted)].map((match) => match[1] ?? match[2] ?? match[3]!.trim());
}
