/** The thread of `OwnPart`: a recorder like that of `netfold up`, ordered by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadTopology } from '../../../topology/load.ts';
import { beginRecord, continueRecord, type RecordedRun } from '../open.ts';
import type { Recorder } from '../recorder.ts';
import type { OwnRun, ThreadOrder, ThreadWord } from './own-part.ts';

const { run, wanted } = workerData as OwnRun;
const say = (word: ThreadWord): void => parentPort!.postMessage(word);
const ports = { tell: (line: string) => say({ kind: 'line', line }) };

async function begin(): Promise<Recorder> {
  const { text, file, script } = run.source;
  const whole: RecordedRun = { ...run, topology: loadTopology(text, file, script).topology };
  try {
    // A former agent of this host was killed, and this one takes its place.
    const former = wanted === undefined ? continueRecord(whole, ports) : undefined;
    if (former) return former;
  } catch {
    // That record is complete, damaged or gone: another one begins.
  }
  return beginRecord(whole, ports, wanted);
}

const recorder = await begin();
say({ kind: 'begun', folder: recorder.folder });
parentPort!.on('message', async (order: ThreadOrder) => {
  if (order === 'drain') {
    await recorder.drain();
    say({ kind: 'drained' });
    return;
  }
  await recorder.complete();
  say({ kind: 'complete' });
  parentPort!.close();
});
