/** Ending an experiment. */
import { useState } from 'preact/hooks';
import { experimentPath, type Refusal, remove } from '../data/api.ts';
import { refusalOf } from '../data/refusal.ts';

/** Asks once more before it ends the experiment. */
export function EndButton({
  name,
  onRefused,
}: {
  name: string;
  onRefused: (refusal: Refusal | undefined) => void;
}) {
  const [isAsked, setAsked] = useState(false);
  const [isEnding, setEnding] = useState(false);
  const end = async (): Promise<void> => {
    setAsked(false);
    setEnding(true);
    try {
      await remove('removeExperiment', experimentPath(name));
      onRefused(undefined);
    } catch (error) {
      onRefused(refusalOf(error));
    }
    setEnding(false);
  };
  if (!isAsked)
    return (
      <button type="button" disabled={isEnding} onClick={() => setAsked(true)}>
        {isEnding ? 'Ending …' : 'End'}
      </button>
    );
  return (
    <span class="line">
      <button type="button" class="main" onClick={() => void end()}>
        End {name} and remove it
      </button>
      <button type="button" onClick={() => setAsked(false)}>
        Keep it
      </button>
    </span>
  );
}
