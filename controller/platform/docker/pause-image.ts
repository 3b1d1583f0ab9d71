/**
 * The image of the containers that hold networks: one program that waits for ever. It is made here, byte by byte, so that no registry
 * is needed. Formats: elf(5), and the ustar format of POSIX.
 */
import { ContainerError } from '../containers/errors.ts';

export const PAUSE_IMAGE = 'netfold-pause:1';
export const PAUSE_COMMAND = '/pause';

interface Machine {
  /** e_machine. */
  readonly number: number;
  readonly code: Buffer;
}

/** By Node's name of the processor, on which the engine runs as well. */
const MACHINES: Readonly<Record<string, Machine>> = {
  x64: {
    number: 62,
    // again: mov eax, 34 (pause); syscall; jmp again
    code: Buffer.from('b822000000' + '0f05' + 'ebf7', 'hex'),
  },
  arm64: {
    number: 183,
    // again: x0 to x3 = 0; x8 = 73 (ppoll); svc 0; b again
    code: Buffer.from('000080d2010080d2020080d2030080d2' + '280980d2' + '010000d4' + 'faffff17', 'hex'),
  },
};

const HEADER = 64;
const SEGMENT = 56;
const BASE = 0x400000;
/** No page is larger. */
const ALIGNMENT = 0x10000;

/** A static program for Linux; numbers are in this processor's order, which is the little-endian one of all that are known here. Throws `ENGINE_UNSUPPORTED` for a processor of which no program is known here. */
export function pauseProgram(processor: string = process.arch): Buffer {
  const machine = Object.hasOwn(MACHINES, processor) ? MACHINES[processor] : undefined;
  if (!machine)
    throw new ContainerError(
      'ENGINE_UNSUPPORTED',
      `containers are made on x86-64 and 64-bit ARM, and this is ${processor}`,
      'start the containers yourself, and use netfold attach FILE --engine docker',
    );
  const start = HEADER + SEGMENT;
  const program = Buffer.alloc(start + machine.code.length);
  program.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // e_type (an executable), e_machine, e_version, e_entry, e_phoff
  program.writeUInt16LE(2, 16);
  program.writeUInt16LE(machine.number, 18);
  program.writeUInt32LE(1, 20);
  program.writeBigUInt64LE(BigInt(BASE + start), 24);
  program.writeBigUInt64LE(BigInt(HEADER), 32);
  // e_ehsize, e_phentsize, e_phnum
  program.writeUInt16LE(HEADER, 52);
  program.writeUInt16LE(SEGMENT, 54);
  program.writeUInt16LE(1, 56);
  // PT_LOAD, readable and executable: p_offset 0, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
  program.writeUInt32LE(1, HEADER);
  program.writeUInt32LE(5, HEADER + 4);
  const sizes = [0, BASE, BASE, program.length, program.length, ALIGNMENT];
  program.set(new Uint8Array(BigUint64Array.from(sizes, BigInt).buffer), HEADER + 8);
  program.set(machine.code, start);
  return program;
}

const BLOCK = 512;

/** The image's root: a tar archive with the program alone. */
export function pauseArchive(program: Buffer = pauseProgram()): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  header.write(PAUSE_COMMAND.slice(1), 0, 'latin1');
  octal(0o755, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(program.length, 124, 12);
  octal(0, 136, 12);
  header.write('0', 156, 'latin1');
  header.write('ustar\0' + '00', 257, 'latin1');
  // The sum is taken with blanks in its own place.
  header.write(' '.repeat(8), 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const padding = Buffer.alloc((BLOCK - (program.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, program, padding, Buffer.alloc(2 * BLOCK)]);
}
