/**
 * A process that records an experiment which runs already, as `netfold up` would in its own, and stops doing so, as often as it is
 * told: `node recording.ts EXPERIMENT FILE FOLDER`, then a message for each change.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginRecord } from '../../controller/record/open.ts';
import type { Recorder } from '../../controller/record/recorder.ts';
import { loadTopology } from '../../topology/load.ts';

/** Begin to record, or end it. */
export type Order = 'begin' | 'end';
/** What it answers when that is done. */
const DONE = 'done';

const [experiment, file, folder] = process.argv.slice(2) as [string, string, string];
const text = readFileSync(file, 'utf8');
const { topology } = loadTopology(text, file);
let recorder: Recorder | undefined;
let records = 0;

process.on('message', async (order: Order) => {
  if (order === 'begin') {
    const run = {
      ...{ experiment, platform: 'lab', delayBackend: 'delay-line', hosts: ['host0', 'host1'] },
      ...{ endpoints: 0, seeds: {}, placement: {}, source: { file, text }, topology },
    };
    recorder = await beginRecord(run, { tell: console.error }, join(folder, `sliced-${++records}`));
  } else {
    await recorder!.drain();
    await recorder!.complete();
  }
  process.send!(DONE);
});
process.on('disconnect', () => process.exit());
