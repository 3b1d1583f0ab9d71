/** What one host's settings were read from: a value, and where in the file each of its keys stands. */
import type { Place } from '../../topology/formats/native/yaml/document.ts';

export interface HostEntry {
  readonly name: string;
  /** Settings as in `hostSchema`, not yet checked. */
  readonly value: unknown;
  /** The way to it in messages: `hosts.host1`. */
  readonly field: string;
  readonly place: Place;
  /** Of a setting; of `value` as a whole where it has none. */
  readonly placeOf: (key: string) => Place;
  /** The name of a setting in the file, if it has another one there. */
  readonly keyOf?: (key: string) => string;
  /** Besides `labels` of the settings. */
  readonly labels: readonly string[];
}
