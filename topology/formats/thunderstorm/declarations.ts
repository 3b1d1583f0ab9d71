/**
 * The lines that declare a topology:
 *
 *     bootstrapper IMAGE
 *     service NAME image=IMAGE [replicas=N] [command=['a', 'b']] [share] [reuse] [supervisor [port=N]] [tags=TAG…]
 *     bridges NAME…
 *     bridge NAME [tags=TAG…]
 *     link NODE--NODE latency=MS up=RATE [down=RATE | symmetric] [jitter=MS] [drop=FRACTION] [network=NAME] [tags=TAG…]
 *
 * As everywhere in Kollaps, services forward, and a link without `down` or `symmetric` is one-way.
 */
import { impairment } from '../../../proto/impairment.ts';
import { LineError, type Word, type Words } from '../../events/words.ts';
import { quote } from '../../model/diagnostics.ts';
import type { Bridge, LinkPair, Service } from '../../model/model.ts';
import { parseReference } from '../../model/names.ts';
import type { Position } from '../../model/position.ts';
import { parseCommand } from '../kollaps/command.ts';
import { type OptionForms, Options, takeName, takeNames } from './options.ts';
import { fraction, milliseconds, rate, takeWord, wholeNumber } from './values.ts';

const SERVICE_OPTIONS: OptionForms = {
  image: 'value',
  replicas: 'value',
  command: 'value',
  share: 'flag',
  reuse: 'flag',
  supervisor: 'flag',
  port: 'value',
  tags: 'names',
};
export const LINK_OPTIONS: OptionForms = {
  latency: 'value',
  jitter: 'value',
  drop: 'value',
  up: 'value',
  down: 'value',
  symmetric: 'flag',
  network: 'value',
  tags: 'names',
};

export interface DeclaredService {
  readonly service: Service;
  readonly isSupervisor: boolean;
}

export function parseService(words: Words, position: Position): DeclaredService {
  const name = takeName(words, 'of the service').text;
  const options = new Options(words, SERVICE_OPTIONS);
  const image = options.value('image');
  if (!image) throw missing(words, 'image', 'image=nginx:1');
  if (image.quoted) throw new LineError(image.position, 'an image is not a list', 'write e.g. image=nginx:1');
  const port = options.key('port');
  if (port && !options.key('supervisor'))
    throw new LineError(port.position, 'only a supervisor has a port', 'remove the port');
  const command = options.value('command');
  const service = {
    name,
    replicas: options.read('replicas', ({ text, position: at }) => wholeNumber(text, at, 'replicas')) ?? 1,
    image: image.text,
    ...(command ? { command: parseCommand(command.text) } : {}),
    tags: options.names('tags'),
    forward: true,
    shareLinks: options.key('share') !== undefined,
    position,
  };
  return { service, isSupervisor: options.key('supervisor') !== undefined };
}

export function parseBridges(words: Words, position: Position): Bridge[] {
  return takeNames(words, 'of a bridge', () => false).map(({ text: name, position: at }) => ({
    name,
    tags: [],
    position: { ...position, column: at.column },
  }));
}

export function parseBridge(words: Words, position: Position): Bridge {
  const name = takeName(words, 'of the bridge').text;
  const tags = new Options(words, { tags: 'names' }).names('tags');
  return { name, tags, position };
}

export interface DeclaredLink {
  readonly link: LinkPair;
  /** The network of containers, if the line names one. */
  readonly network: Word | undefined;
}

export function parseLink(words: Words, position: Position): DeclaredLink {
  const [from, to] = takeEnds(words);
  const options = new Options(words, LINK_OPTIONS);
  const latency = options.read('latency', milliseconds);
  if (latency === undefined) throw missing(words, 'latency', 'latency=10.0');
  const bandwidth = options.read('up', rate);
  if (bandwidth === undefined) throw missing(words, 'up', 'up=100Mbps');
  refuseBothWays(options);
  const down = options.key('symmetric') ? bandwidth : options.read('down', rate);
  const jitter = options.read('jitter', milliseconds);
  const loss = options.read('drop', fraction);
  const properties = impairment({ latency, jitter, loss });
  const link = {
    from,
    to,
    up: { ...properties, bandwidth },
    ...(down === undefined ? {} : { down: { ...properties, bandwidth: down } }),
    tags: options.names('tags'),
    position,
  };
  return { link, network: options.key('network') };
}

/** `symmetric` already determines `down`. */
export function refuseBothWays(options: Options): void {
  const symmetric = options.key('symmetric');
  if (!symmetric) return;
  if (options.key('down'))
    throw new LineError(symmetric.position, 'symmetric stands beside down', 'keep one of them');
  if (!options.key('up'))
    throw new LineError(symmetric.position, 'symmetric needs up', 'add e.g. up=100Mbps');
}

function takeEnds(words: Words): [string, string] {
  const { text, position } = takeWord(words, 'a link', 'client--s1');
  const separator = text.indexOf('--');
  const ends = [text.slice(0, separator), text.slice(separator + 2)] as [string, string];
  if (separator < 0 || !ends.every((end) => parseReference(end)))
    throw new LineError(position, `${quote(text)} is not a link`, 'write two names with -- between them');
  return ends;
}

function missing(words: Words, option: string, example: string): LineError {
  return new LineError(words.position, `the ${option} is missing`, `add e.g. ${example}`);
}
