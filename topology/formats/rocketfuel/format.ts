import type { Format } from '../../model/format.ts';

export const rocketfuel: Format = {
  name: 'Rocketfuel',
  detect: {
    ending: /\.cch$|(?:^|[/\\])(?:latencies|weights)\.intra$/i,
    // uid @location [+] [bb] (number of neighbours) …
    content: /^\s*-?\d+\s+@\S+\s+(?:\+\s+)?(?:bb\s+)?\(\d+\)/,
  },
  reader: async () => {
    const { parseRocketfuel } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseRocketfuel(text, file, name, findings);
  },
};
