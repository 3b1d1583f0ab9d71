/** Running the programs that make a test machine. */
import { capture, lastLines } from '../setup/processes.mjs';
import { MachineError } from './errors.ts';

/** Standard output and error of a program that has to succeed. */
export async function runTool(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const { code, output } = await capture(command, [...args], cwd === undefined ? {} : { cwd });
  if (code === 0) return output;
  throw new MachineError(
    'TOOL_FAILED',
    `${command} ${args.join(' ')} ended with exit code ${code}:\n${lastLines(output)}`,
    code === 127
      ? 'npm test installs what test machines need; by hand: apt-get install qemu-system-x86 busybox-static kmod'
      : undefined,
  );
}
