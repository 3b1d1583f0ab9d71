/** The arguments of a container as the formats of Kollaps write them. */

/** `['server', '1']` as Kollaps writes lists; anything else is one argument. */
export function parseCommand(text: string): string[] {
  const list = /^\s*\[(.*)\]\s*$/s.exec(text);
  if (!list) return [text];
  const quoted = /\s*(?:'([^']*)'|"([^"]*)"|([^,'"\s][^,]*))\s*(?:,|$)/gy;
  return [...list[1]!.matchAll(quoted)].map((match) => match[1] ?? match[2] ?? match[3]!.trim());
}
