/** The thread of the name servers: an application that asks without end takes no time of the agent's main thread. */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromNames, NamesStart, ToNames } from './messages.ts';
import { NameTable } from './name-table.ts';
import { Serving } from './serving.ts';

const { hostsFile, listen } = workerData as NamesStart;
const table = new NameTable(readFileSync(hostsFile, 'utf8'));
const served = new Map<number, Serving>();

function attach({ number, name, namespace }: Extract<ToNames, { kind: 'attach' }>['places'][number]): void {
  served.get(number)?.close();
  served.delete(number);
  try {
    served.set(number, new Serving(namespace, listen, table));
  } catch (error) {
    tell({ kind: 'problem', text: `names don't resolve by DNS in ${name}: ${(error as Error).message}` });
  }
}

function tell(message: FromNames): void {
  parentPort!.postMessage(message);
}

parentPort!.on('message', (message: ToNames) => {
  if (message.kind === 'attach') for (const place of message.places) attach(place);
  else {
    served.get(message.number)?.close();
    served.delete(message.number);
  }
  tell({ kind: 'done', request: message.request });
});
