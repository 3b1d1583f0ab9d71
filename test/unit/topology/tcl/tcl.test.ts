import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../topology/tcl/budget.ts';
import { installCommands } from '../../../../topology/tcl/commands/install.ts';
import { TclError, TclStop } from '../../../../topology/tcl/errors.ts';
import { Interpreter } from '../../../../topology/tcl/interpreter.ts';
import { CASES } from './cases.ts';

function make(limits = LIMITS): Interpreter {
  const tcl = new Interpreter(undefined, limits);
  installCommands(tcl);
  return tcl;
}

/** The value, or the message of an error. */
function evaluate(script: string): string {
  try {
    return make().run(script);
  } catch (error) {
    if (error instanceof TclError) return `error:${error.message}`;
    throw error;
  }
}

/** Line and column of an error. */
function placeOf(script: string): readonly [number, number] | undefined {
  try {
    make().run(script);
  } catch (error) {
    if (error instanceof TclError && error.place) return [error.place.line, error.place.column];
    throw error;
  }
  return undefined;
}

describe.each(Object.entries(CASES))('%s', (_, cases) => {
  it.each(cases)('%s', (script, value) => {
    if (value.startsWith('error:')) expect(evaluate(script).slice(0, value.length)).toBe(value);
    else expect(evaluate(script)).toBe(value);
  });
});

describe('an error has the place of its command', () => {
  it.each([
    ['set a 1\n  set b $c', [2, 3]],
    ['for {set i 0} {$i < 2} {incr i} {\n  set a 1\n  nothing\n}', [3, 3]],
    ['proc f {} {\n\n  set x $y\n}\nf', [3, 3]],
    ['if 1 {\n  if 1 {\n    set a [nothing 1]\n  }\n}', [3, 12]],
    ['set a \\\n 1\nset b {', [3, 7]],
    ['foreach x {1} {\n  set a \\\n    b\n  set c $d\n}', [4, 3]],
    ['namespace eval n {\n  nothing\n}', [2, 3]],
    ['set a 1\neval "nothing $a"', [2, 1]],
    ['if {$x} {}', [1, 1]],
    ['set a 1; nothing', [1, 10]],
  ] as const)('%s', (script, place) => {
    expect(placeOf(script)).toEqual(place);
  });
});

describe('a script can not take more than it may', () => {
  it.each([
    ['a loop without an end', 'while 1 {}'],
    ['another', 'for {set i 0} {1} {incr i} {set a $i}'],
    ['a recursion without an end', 'proc f {} {f}; f'],
    ['one through brackets', 'proc f {} {expr {[f] + 1}}; f'],
    ['one through eval', 'proc f {} {eval {eval f}}; f'],
    ['one through uplevel', 'proc f {} {uplevel 1 f}; f'],
    ['one that sorts', 'proc f {a b} {lsort -command f {1 2}}; f 1 2'],
    ['one that is caught', 'proc f {} {catch f}; f; while 1 {catch {while 1 {}}}'],
    ['a text that doubles', 'set a x; while 1 {append a $a}'],
    ['many long texts', 'set a [string repeat x 100000]; for {set i 0} {1} {incr i} {set b($i) "$a$i"}'],
    ['a list that doubles', 'set a x; while 1 {set a [concat $a $a]}'],
    ['a long repetition', 'string repeat abc 99999999'],
    ['a wide field', 'format %999999999d 1'],
    ['a list of many', 'lrepeat 99999999 a'],
    [
      'long texts that are compared',
      'set a [string repeat x 500000]; while 1 {set c [expr {"$a-" eq "$a+"}]}',
    ],
    ['a text that is read again and again', 'set a [string repeat x 900000]; while 1 {string length $a}'],
    [
      'a long key',
      'set a [string repeat x 900000]; while 1 {append a y; set b($a) 1; string range $a 1 end}',
    ],
    ['patterns with many stars', 'set a [string repeat a 20000]; while 1 {string match *a*a*a*a*b $a}'],
    ['a map of many', 'set m [lrepeat 5000 a b]; while 1 {string map $m [string repeat c 10000]}'],
    [
      'a regular expression that backtracks elsewhere',
      'set a [string repeat a 30000]; while 1 {regexp {^(a+)+$} $a-}',
    ],
    ['one with many repetitions', 'set a [string repeat a 30000]; while 1 {regexp {(a?){200}b} $a}'],
  ])('%s', { timeout: 20_000 }, (_, script) => {
    const start = process.cpuUsage();
    expect(() => make().run(script)).toThrow(TclStop);
    const { user, system } = process.cpuUsage(start);
    // About a second on its own; others use the processor, too.
    expect((user + system) / 1e6).toBeLessThan(6);
  });

  it.each([
    ['brackets', `set a ${'['.repeat(5000)}`],
    ['braces', `set a ${'{'.repeat(5000)}${'}'.repeat(5000)}`],
    ['parentheses', `expr {${'('.repeat(5000)}1${')'.repeat(5000)}}`],
    ['operators', `expr {${'1+'.repeat(5000)}1}`],
    ['indices', `set a ${'$a('.repeat(5000)}`],
    ['groups', `regexp {${'('.repeat(500)}a${')'.repeat(500)}} a`],
    ['numbers', `expr {${'9'.repeat(5000)} * 2}`],
    ['powers', 'expr {9 ** 99999999}'],
    ['shifts', 'expr {1 << 99999999}'],
    ['squares', 'set a 99; while 1 {set a [expr {$a * $a}]}'],
    ['repetitions', 'regexp {((a{200}){200}){200}} a'],
  ])('%s in %s', (_, script) => {
    try {
      make().run(script);
    } catch (error) {
      expect(error instanceof TclError || error instanceof TclStop, String(error)).toBe(true);
    }
  });

  it('a script that ends itself does so', () => {
    expect(() => make().run('set a 1; exit; nothing')).toThrow(/ended itself/);
  });

  it('neither files nor programs are there', () => {
    for (const command of [
      'exec ls',
      'open /etc/passwd',
      'glob *',
      'socket a 1',
      'file exists /',
      'load x',
      'cd /',
    ])
      expect(evaluate(command)).toMatch(
        /^error:(?:the command "\w+" is not available here|invalid command name)/,
      );
  });
});
