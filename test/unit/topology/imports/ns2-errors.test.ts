/** Scripts of ns-2 and Emulab with slips and errors. */
import { describe, expect, it } from 'vitest';
import { loadTopology } from '../../../../topology/load.ts';
import { problems } from '../support.ts';
import { type Example, imported } from './support.ts';

const EMULAB = 'source tb_compat.tcl\nset ns [new Simulator]\n';
const TWO = 'set a [$ns node]\nset b [$ns node]\n';
const emulab = (text: string): Example => imported(`${EMULAB}${text}\n$ns run\n`, 'lab.ns');

describe('slips are told, and the rest is read', () => {
  it.each([
    ['$ns rtptoto Static', /a simulator has no "rtptoto": it is left out/],
    ['tb-set-node-hardwear $a pc', /there is no command "tb-set-node-hardwear"/],
    ['$a progam-agent -command x', /a node has no "progam-agent"/],
    ['$ns at 1 "$l dwon"', /a link has no "dwon"/],
    ['tb-set-node-tarfiles $a /opt /proj/x.tgz', /files are not installed here/],
    ['source other.tcl', /other files are not read/],
    ['tb-set-ip $a 10.1.1.2', /addresses are chosen by netfold/],
    ['set x [new Application/Traffic/Pareto]', /traffic is left out: Application\/Traffic\/Pareto/],
    ['$ns duplex-link $a $b 2Mb 5ms DropTail', /parallel to the edge in line 5/],
    [
      'set c [$ns node]\n$ns duplex-link $b $c 1Mb 1ms DropTail',
      /no node forwards for others, as in Emulab without rtproto/,
    ],
    ['exec ls', /nothing is run while the script is read/],
  ])('%s', (script, message) => {
    const { topology, told } = emulab(`${TWO}set l [$ns duplex-link $a $b 1Mb 1ms DropTail]\n${script}`);
    expect(told.join('\n')).toMatch(message);
    expect(topology.links.length).toBeGreaterThan(0);
  });

  it('with what was probably meant', () => {
    const { warnings } = loadTopology(`${EMULAB}${TWO}$ns rtptoto Static\n`, 'a.ns');
    expect(warnings.map(({ remedy }) => remedy).join()).toContain('did you mean "rtproto"?');
  });
});

describe('errors have their line, and say what was expected', () => {
  it.each([
    [
      '$ns duplex-link $a $c 1Mb 1ms DropTail',
      'TCL_ERROR',
      /can't read "c": no such variable, in "\$ns duplex-link/,
    ],
    ['$ns duplex-link $a x 1Mb 1ms DropTail', 'VALUE_INVALID', /expected a node, but "x" is none/],
    [
      '$ns duplex-link $a $b 1Mbit 1ms DropTail',
      'VALUE_INVALID',
      /"Mbit" in "1Mbit" is no unit of a bandwidth/,
    ],
    ['$ns duplex-link $a $b 1Mb fast DropTail', 'VALUE_INVALID', /"fast" is no delay/],
    ['$ns duplex-link $a $a 1Mb 1ms DropTail', 'VALUE_INVALID', /leads from a to itself/],
    ['$ns duplex-link $a $b', 'VALUE_INVALID', /wrong # args: should be "duplex-link node1 node2/],
    ['$ns make-lan "$a" 1Mb 1ms', 'VALUE_INVALID', /a LAN has two nodes at least/],
    ['tb-set-link-loss $a $b 0.1', 'VALUE_INVALID', /there is no link from a to b/],
    ['tb-set-node-startcmd $a', 'VALUE_INVALID', /should be "tb-set-node-startcmd node command"/],
    ['$ns at 2401h "$a reboot"', 'VALUE_INVALID', /the time "2401h" is outside of 0 to 100 days/],
    ['$ns at soon "$a reboot"', 'VALUE_INVALID', /soon/],
    ['$ns at 1 "$c down"', 'TCL_ERROR', /can't read "c"/],
    ['set g [$ns event-group {nothing}]', 'TCL_ERROR', /there is nothing that is called "nothing"/],
    ['$ns at 1 {$c down}', 'TCL_ERROR', /can't read "c"/],
    ['set p [$a program-agent]\n$ns at 1 "$p start"', 'TCL_ERROR', /the program p has no command/],
    [
      'set p [$a program-agent -command [string repeat "echo " 801]]\n$ns at 1 "$p start"',
      'TCL_ERROR',
      /the command of p has 4004 characters, more than 4000/,
    ],
    ['set f [open data.txt r]', 'TCL_ERROR', /the file "data.txt" can't be read/],
    ['while 1 {}', 'LIMIT', /more than 500000 steps/],
    ['proc f {} {f}\nf', 'LIMIT', /nested more than/],
    [
      'set t [$ns event-timeline]\nfor {set i 0} {$i < 1000} {incr i} {$t at 1 "$a reboot"}\nfor {set i 0} {$i < 51} {incr i} {$ns at $i "$t start"}',
      'LIMIT',
      /more than 50000 events/,
    ],
    ['set x {', 'TCL_ERROR', /missing close-brace/],
    ['tb-set-lan-loss $a 0.1', 'VALUE_INVALID', /expected a LAN, but "a" is a node/],
    [
      'set l [$ns duplex-link $a $b 1Mb 1ms DropTail]\ntb-set-link-loss $l 2',
      'VALUE_INVALID',
      /the loss "2" is outside of 0 to 1/,
    ],
    ['proc again {} {global ns; $ns at [expr [$ns now] + 1] again}\n$ns at 0 again', 'LIMIT', /events|steps/],
  ])('%s', (script, code, message) => {
    const found = problems(`${EMULAB}${TWO}${script}\n`, 'lab.ns');
    expect(found[0]).toMatchObject({ code });
    expect(found[0]!.message).toMatch(message);
    if (code !== 'LIMIT') expect(found[0]!.line).toBe(script.includes('\n') ? 6 : 5);
  });

  it('without nodes there is no topology', () => {
    expect(problems('set ns [new Simulator]', 'a.ns')[0]).toMatchObject({ code: 'NO_SERVICES' });
  });
});
