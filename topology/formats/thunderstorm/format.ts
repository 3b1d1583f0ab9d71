import type { Format } from '../../model/format.ts';

export const thunderstorm: Format = {
  name: 'ThunderStorm',
  detect: { ending: /\.tdl$/i },
  reader: async () => (await import('./standalone.ts')).readStandalone,
};
