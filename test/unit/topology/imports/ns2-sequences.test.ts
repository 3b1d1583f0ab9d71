/** Sequences, groups and timelines of Emulab's scripts, and traffic in them. */
import { describe, expect, it } from 'vitest';
import { eventLine } from '../../../../topology/events/write.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { Topology } from '../../../../topology/model/model.ts';
import { type Example, imported } from './support.ts';

const START = `source tb_compat.tcl
set ns [new Simulator]
set a [$ns node]
set b [$ns node]
set link0 [$ns duplex-link $a $b 10Mb 5ms DropTail]
set p [$a program-agent -command "first"]
set q [$b program-agent -command "second" -expected-exit-code 3 -timeout 10]
`;
const script = (text: string): Example => imported(`${START}${text}\n$ns run\n`, 'lab.ns');

/** Each sequence: its name and when it begins, then its steps. */
const steps = ({ sequences = [] }: Topology): string[] =>
  sequences.flatMap(({ name, start, steps: all }) => [
    `${name} ${'at' in start ? `at ${start.at / 1e6}s` : `after ${start.after.name}${start.after.fails ? ' fails' : ''}`}`,
    ...all.map(({ line }) => line),
  ]);

describe('a sequence of a script', () => {
  it.each([
    [
      'waits for what is run, and not for what is started',
      'set s [$ns event-sequence {\n  $p run\n  $q start -command "third" -timeout 0\n  $q run\n}]\n$ns at 2.5 "$s start"',
      [
        's at 2.5s',
        'run a "first" exit 0',
        /^run b "timeout 0 sh -c 'third'" detached$/,
        'run b "second" exit 3 timeout 10s',
      ],
    ],
    [
      'may be appended to, and changes links',
      'set s [$ns event-sequence]\n$s append "$p run"\n$s append "$link0 down"\n$s append "$link0 up"\n$ns at 2 "$s run"',
      ['s at 2s', 'run a "first" exit 0', 'leave a--b', 'join a--b'],
    ],
    [
      'runs a group at once, as one step',
      'set r [$b program-agent -command "first"]\nset g [$ns event-group [list $p $r]]\nset s [$ns event-sequence {\n  $g run\n  $link0 modify DELAY=9ms\n}]\n$ns at 1 "$s start"',
      ['s at 1s', 'run a b "first" exit 0', 'set a--b latency=9ms'],
    ],
    [
      'has a branch for errors',
      'set s [$ns event-sequence {\n  $p run\n} {\n  $q run\n}]\n$ns at 1 "$s start"',
      ['s at 1s', 'run a "first" exit 0', 's-error after s fails', 'run b "second" exit 3 timeout 10s'],
    ],
    [
      'contains others, and timelines with their times',
      'set t [$ns event-timeline]\n$t at 3 "$p run"\n$t at 1 "$link0 down"\nset i [$ns event-sequence {\n  $q run\n}]\nset s [$ns event-sequence {\n  $p run\n  $t run\n  $i run\n}]\n$ns at 1 "$s start"',
      [
        's at 1s',
        'run a "first" exit 0',
        'wait 1s',
        'leave a--b',
        'wait 2s',
        'run a "first" detached',
        'run b "second" exit 3 timeout 10s',
      ],
    ],
    [
      'ends the experiment',
      'set s [$ns event-sequence {\n  $p run\n  $ns swapout\n  $q run\n}]\n$ns at 1 "$s start"',
      ['s at 1s', 'run a "first" exit 0', 'quit'],
    ],
    [
      'begins as often as it is started',
      'set s [$ns event-sequence {\n  $p run\n}]\n$ns at 1 "$s start"\n$ns at 9 "$s start"',
      ['s at 1s', 'run a "first" exit 0', 's-2 at 9s', 'run a "first" exit 0'],
    ],
    [
      'starts traffic',
      'set u [new Agent/UDP]\n$ns attach-agent $a $u\nset n [new Agent/Null]\n$ns attach-agent $b $n\n$ns connect $u $n\nset cbr [new Application/Traffic/CBR]\n$cbr attach-agent $u\nset s [$ns event-sequence {\n  $p run\n  $cbr start\n}]\n$ns at 1 "$s start"',
      ['s at 1s', 'run a "first" exit 0', 'start cbr'],
    ],
  ])('%s', (_, text, expected) => {
    const { topology } = script(text);
    const found = steps(topology);
    expect(found).toHaveLength(expected.length);
    expected.forEach((one, index) => {
      if (typeof one === 'string') expect(found[index]).toBe(one);
      else expect(found[index]).toMatch(one);
    });
    // What convert writes is read again as the same.
    const again = loadTopology(nativeText(topology), 'a.yaml').topology;
    expect(steps(again)).toEqual(found);
    expect(again.events.map(eventLine)).toEqual(topology.events.map(eventLine));
  });

  it('that starts itself again and again ends the reading', () => {
    expect(() => script('set s [$ns event-sequence]\n$s append "$s run"\n$ns at 1 "$s start"')).toThrow(
      /LIMIT|deep|nested/,
    );
  });

  it('tells of different programs in one step', () => {
    const { topology, told } = script(
      'set g [$ns event-group [list $p $q]]\nset s [$ns event-sequence {\n  $g run\n}]\n$ns at 1 "$s start"',
    );
    expect(steps(topology)).toEqual(['s at 1s', 'run a "first" exit 0', 'run b "second" exit 3 timeout 10s']);
    expect(told.join('\n')).toContain('one after the other');
  });
});

describe('traffic of a script', () => {
  const ENDS = (agent: string, sink: string) =>
    `set s0 [new ${agent}]\n$ns attach-agent $a $s0\nset s1 [new ${sink}]\n$ns attach-agent $b $s1\n$ns connect $s0 $s1\n`;
  const TCP = ENDS('Agent/TCP', 'Agent/TCPSink');

  it('of Telnet has the times of tcplib, or exponential ones', () => {
    const { topology } = script(
      `${TCP}set t [new Application/Telnet]\n$t attach-agent $s0\n$s0 set packetSize_ 64\n$ns at 1 "$t start"\n$ns at 5 "$t stop"\nset e [new Application/Telnet]\n$e attach-agent $s0\n$e set interval_ 0.2\n$ns at 2 "$e start"`,
    );
    expect(topology.traffic).toMatchObject([
      { name: 't', kind: 'telnet', protocol: 'tcp', size: 64, start: 1e6, stop: 5e6 },
      { name: 'e', kind: 'telnet', protocol: 'tcp', size: 64, interval: 200_000, start: 2e6 },
    ]);
    expect(topology.traffic![0]).not.toHaveProperty('interval');
  });

  it('over TCP writes what it would send', () => {
    const { topology } = script(
      `${TCP}set c [new Application/Traffic/CBR]\n$c attach-agent $s0\n$c set packetSize_ 500\n$ns at 1 "$c start"`,
    );
    expect(topology.traffic).toMatchObject([{ name: 'c', kind: 'constant', protocol: 'tcp', size: 500 }]);
  });

  it('that is simulated is reckoned with', () => {
    const { topology, told } = script(
      `$ns make-simulated {\n${TCP}set f [new Application/FTP]\n$f attach-agent $s0\n${ENDS('Agent/UDP', 'Agent/Null')}set x [new Application/Traffic/Exponential]\n$x attach-agent $s0\n$x set rate_ 100k\n$x set burst_time_ 300ms\n$x set idle_time_ 100ms\n}\n$ns at 1 "$f start"\n$ns at 1 "$x start"`,
    );
    expect(topology.traffic).toMatchObject([
      { name: 'f', kind: 'greedy', simulated: true },
      { name: 'x', kind: 'constant', rate: 75_000, simulated: true },
    ]);
    expect(told.join('\n')).toContain('takes its shares of links');
  });
});
