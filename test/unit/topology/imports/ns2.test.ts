/** Scripts of ns-2 and Emulab: what they make, and what is told of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventLine } from '../../../../topology/events/write.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { Topology } from '../../../../topology/model/model.ts';
import { type Example, imported, linkOf, names, pathOf } from './support.ts';

const example = (file: string): Example =>
  imported(readFileSync(new URL(`../../../../examples/ns2/${file}`, import.meta.url), 'utf8'), file);
const EMULAB = 'source tb_compat.tcl\nset ns [new Simulator]\n';
const emulab = (text: string): Example => imported(`${EMULAB}${text}\n$ns run\n`, 'lab.ns');
const TWO = 'set a [$ns node]\nset b [$ns node]\n';
const lines = ({ events }: Topology): (string | undefined)[] => events.map(eventLine);
/** Each sequence: its name and when it begins, then its steps. */
const steps = ({ sequences = [] }: Topology): string[] =>
  sequences.flatMap(({ name, start, steps: all }) => [
    `${name} ${'at' in start ? `at ${start.at / 1e6}s` : `after ${start.after.name}${start.after.fails ? ' fails' : ''}`}`,
    ...all.map(({ line }) => line),
  ]);

describe('a script of Emulab', () => {
  const { format, topology, told } = example('dumbbell.ns');

  it('makes nodes, which are called after the variables that hold them', () => {
    expect(format).toBe('ns-2');
    expect(names(topology.services)).toEqual([
      'left',
      'right',
      'client-0',
      'server-0',
      'client-1',
      'server-1',
    ]);
    expect(topology.services[3]!.run).toBe('while :; do sleep 1; done');
    expect(topology.bridges).toEqual([]);
    expect(topology.routing).toBe('hops');
  });

  it('makes links, with directions that may differ', () => {
    expect(linkOf(topology, 'left', 'right')).toMatchObject({
      up: { latency: 20_000, bandwidth: 10e6 },
      down: { latency: 20_000, bandwidth: 10e6 },
    });
    expect(linkOf(topology, 'client-1', 'left')!.up.latency).toBe(3000);
    const last = linkOf(topology, 'right', 'server-1')!;
    expect(last.up).toMatchObject({ loss: 0, bandwidth: 100e6 });
    expect(last.down).toMatchObject({ loss: 0.01, bandwidth: 50e6 });
    expect(pathOf(topology, 'client-1', 'server-1')).toMatchObject({
      latency: 24_000,
      bandwidth: 10e6,
      hops: 3,
    });
  });

  it('has events', () => {
    expect(lines(topology)).toEqual([
      'at 60s set left--right bandwidth=5Mbps',
      'at 90s leave left--right',
      'at 95s join left--right',
    ]);
  });

  it('is told of what means nothing here, once each', () => {
    expect(told).toEqual([
      '9 KEY_IGNORED it is about machines of a testbed',
      '10 KEY_IGNORED tb-set-node-os: also in line 10',
    ]);
  });
});

describe('LANs and programs', () => {
  const { topology } = example('programs.ns');

  it('half of the delay lies on each leg, and a node may have a leg of its own', () => {
    expect(names(topology.services)).toEqual(['alpha', 'beta', 'gamma']);
    expect(names(topology.bridges)).toEqual(['lan0']);
    expect(pathOf(topology, 'alpha', 'beta')).toMatchObject({ latency: 10_000, bandwidth: 100e6 });
    expect(pathOf(topology, 'alpha', 'gamma')!.latency).toBe(20_000);
  });

  it('run at their times', () => {
    expect(lines(topology)).toEqual([
      'at 500ms run alpha "echo hello from alpha"',
      `at 500ms run beta "timeout 10 sh -c 'cd '\\\\''/tmp'\\\\'' && { echo beta answers; }'"`,
      'at 2s run alpha "echo hello from alpha"',
      `at 3s run beta "timeout 10 sh -c 'cd '\\\\''/tmp'\\\\'' && { echo beta again; }'"`,
      'at 5s set alpha--lan0 beta--lan0 gamma--lan0 latency=10ms',
    ]);
    expect(steps(topology)).toEqual([
      'steps at 4s',
      'run alpha "echo hello from alpha" exit 0',
      `run beta "cd '/tmp' && { echo beta answers; }" exit 0 timeout 10s`,
    ]);
  });
});

describe('a script of ns-2 itself', () => {
  const { topology, told } = example('simulation.tcl');

  it('forwards as ns-2 does, and ends with its simulation', () => {
    expect(names(topology.services)).toEqual(['n-0', 'n-1', 'n-2', 'n-3']);
    expect(topology.services.map(({ forward }) => forward)).toEqual([false, false, true, false]);
    expect(linkOf(topology, 'n-2', 'n-3')!.up).toMatchObject({ bandwidth: 1.7e6, queuePackets: 10 });
    expect(linkOf(topology, 'n-2', 'n-3')!.down!.queuePackets).toBeUndefined();
    expect(lines(topology)).toEqual(['at 2s leave n-2--n-3', 'at 2.5s join n-2--n-3', 'at 5s quit']);
  });

  it('has its generators as traffic, from each start to the next stop', () => {
    expect(told.filter((one) => one.includes('traffic'))).toEqual([]);
    expect(topology.traffic).toMatchObject([
      { name: 'ftp', kind: 'greedy', from: { name: 'n-0' }, to: { name: 'n-3' }, start: 1e6, stop: 4e6 },
      { name: 'cbr', kind: 'constant', from: { name: 'n-1' }, to: { name: 'n-3' }, start: 1e5, stop: 4.5e6 },
    ]);
    // A packet of ns-2 is what links carry.
    expect(topology.traffic![1]).toMatchObject({ rate: 1e6, size: 958 });
    expect(linkOf(topology, 'n-2', 'n-3')!.up.aqm).toContain('red min=5packets max=15packets');
    expect(told.join('\n')).toMatch(/KEY_IGNORED no files are written here/);
  });
});

describe('what a script may say', () => {
  it.each<[string, string, (topology: Topology) => unknown, unknown]>([
    [
      'a list of nodes without names',
      'for {set i 0} {$i < 3} {incr i} {lappend nodes [$ns node]}',
      ({ services }) => names(services),
      ['n0', 'n1', 'n2'],
    ],
    [
      'a variable that holds several in turn',
      'foreach i {1 2} {set x [$ns node]; lappend all $x}\n$ns duplex-link [lindex $all 0] [lindex $all 1] 1Mb 1ms DropTail',
      ({ services }) => names(services),
      ['x', 'x-2'],
    ],
    [
      'a name that is put together',
      'foreach n {web db} {set "node-$n" [$ns node]}',
      ({ services }) => names(services),
      ['node-web', 'node-db'],
    ],
    [
      'the variable of a namespace',
      'namespace eval lab {variable n}\nset lab::n [$ns node]',
      ({ services }) => names(services),
      ['n'],
    ],
    [
      'a procedure that makes nodes',
      'proc mk {name} {global ns; upvar #0 $name v; set v [$ns node]; return $v}\nmk a; mk b; set l [$ns duplex-link $a $b 1Mb 0ms DropTail]',
      ({ links }) => links.length,
      1,
    ],
    [
      'an index with two numbers',
      'foreach i {0 1} {set n($i) [$ns node]}\nset l(0-1) [$ns duplex-link $n(0) $n(1) 1kb 1 DropTail]',
      ({ links: [link] }) => [link!.up.bandwidth, link!.up.latency],
      [1000, 1e6],
    ],
    [
      'bits per second without a unit',
      `${TWO}$ns duplex-link $a $b 64000 0.005 DropTail`,
      ({ links: [link] }) => [link!.up.bandwidth, link!.up.latency],
      [64_000, 5000],
    ],
    [
      'a computed delay',
      `${TWO}$ns duplex-link $a $b 1.5Mb [expr 10.0/3]ms DropTail`,
      ({ links: [link] }) => [link!.up.bandwidth, link!.up.latency],
      [1.5e6, 3333],
    ],
    [
      'one-way links',
      `${TWO}$ns simplex-link $a $b 1Mb 1ms DropTail\n$ns simplex-link $b $a 2Mb 3ms DropTail`,
      ({ links }) => [links.length, links[0]!.up.bandwidth, links[0]!.down!.latency],
      [1, 1e6, 3000],
    ],
    [
      'losses, by link and by nodes',
      `${TWO}set c [$ns node]\nset l [$ns duplex-link $a $b 1Mb 1ms DropTail]\n$ns duplex-link $b $c 1Mb 1ms DropTail\ntb-set-link-loss $l 0.02\ntb-set-link-loss $b $c 0.03`,
      ({ links }) => links.map(({ up, down }) => [up.loss, down!.loss]),
      [
        [0.02, 0.02],
        [0.03, 0.03],
      ],
    ],
    [
      'the loss of a LAN, half on each leg',
      `${TWO}set lan [$ns make-lan "$a $b" 10Mb 0ms]\ntb-set-lan-loss $lan 0.19`,
      ({ links: [link] }) => link!.up.loss.toFixed(6),
      '0.100000',
    ],
    [
      'the directions of a leg',
      `${TWO}set lan [$ns make-lan "$a $b" 10Mb 0ms]\ntb-set-lan-simplex-params $lan $b 1ms 2Mb 0.1 3ms 4Mb 0.2`,
      ({ links }) => [links[1]!.up.latency, links[1]!.up.loss, links[1]!.down!.bandwidth],
      [1000, 0.1, 4e6],
    ],
    [
      'all of a leg',
      `${TWO}set lan [$ns make-lan "$a $b" 10Mb 0ms]\ntb-set-node-lan-params $b $lan 7ms 2Mb 0.1\ntb-set-node-lan-bandwidth $a $lan 3Mb\ntb-set-node-lan-loss $a $lan 0.5`,
      ({ links }) => links.map(({ up }) => [up.latency, up.bandwidth, up.loss]),
      [
        [0, 3e6, 0.5],
        [7000, 2e6, 0.1],
      ],
    ],
    [
      'a queue by its packets, of one direction',
      `${TWO}$ns duplex-link $a $b 1Mb 1ms DropTail\n[[$ns link $b $a] queue] set limit_ 20`,
      ({ links: [link] }) => [link!.up.queuePackets, link!.down!.queuePackets],
      [undefined, 20],
    ],
    [
      'a queue by its bytes',
      `${TWO}$ns duplex-link $a $b 1Mb 1ms DropTail\nset q [[$ns link $a $b] queue]\n$q set queue-in-bytes_ true\n$q set limit_ 30000`,
      ({ links: [link] }) => link!.up.queueBytes,
      30_000,
    ],
    [
      'the queues of all links',
      `Queue set limit_ 33\n${TWO}$ns duplex-link $a $b 1Mb 1ms DropTail`,
      ({ links: [link] }) => link!.up.queuePackets,
      33,
    ],
    [
      'errors of a link',
      `${TWO}$ns duplex-link $a $b 1Mb 1ms DropTail\nset em [new ErrorModel]\n$em unit pkt\n$em set rate_ 0.05\n$ns lossmodel $em $a $b`,
      ({ links: [link] }) => [link!.up.loss, link!.down!.loss],
      [0.05, 0],
    ],
    [
      'a SAN without a limit',
      `${TWO}set l [$ns make-lan "$a $b" ~ 0ms]`,
      ({ links: [link] }) => link!.up.bandwidth,
      Number.POSITIVE_INFINITY,
    ],
    [
      'a parameter of a template',
      '$ns define-template-parameter count 3 {how many}\nfor {set i 0} {$i < $count} {incr i} {set n($i) [$ns node]}',
      ({ services }) => services.length,
      3,
    ],
    ['simulated nodes', '$ns make-simulated {\n  set a [$ns node]\n}', ({ services }) => services.length, 1],
    [
      'redirections of the C shell',
      `${TWO}tb-set-node-startcmd $a "ping b >& /tmp/log"`,
      ({ services: [a] }) => a!.run,
      'ping b > /tmp/log 2>&1',
    ],
    [
      'a switch, a list and a regular expression',
      'set all {r1 h1 h2}\nforeach n $all {\n  switch -glob $n {\n    r* {set kind router}\n    default {set kind host}\n  }\n  if {[regexp {^h([0-9])$} $n x number] && $kind eq "host"} {set host($number) [$ns node]}\n}',
      ({ services }) => names(services),
      ['host-1', 'host-2'],
    ],
  ])('%s', (_, script, of, expected) => {
    expect(of(emulab(script).topology)).toEqual(expected);
  });
});

describe('parameters of a script', () => {
  const script = `${EMULAB}${TWO}proc late {} {global ns; uplevel #0 {$ns define-template-parameter delay 5ms {one way}}}
late
$ns define-template-parameter count 1
$ns duplex-link $a $b 1Mb $delay DropTail
for {set i 0} {$i < $count} {incr i} {set n($i) [$ns node]}\n`;
  const load = (set: Record<string, string>) =>
    loadTopology(script, 'lab.ns', undefined, undefined, { set: new Map(Object.entries(set)) });

  it('have their defaults, or what is given, also for who has the text alone', () => {
    expect(load({}).topology.links[0]!.up.latency).toBe(5000);
    const { topology, expanded } = load({ delay: '7ms', count: '3' });
    expect(topology.links[0]!.up.latency).toBe(7000);
    expect(topology.services).toHaveLength(5);
    const again = loadTopology(expanded!(), 'lab.ns').topology;
    expect([again.links[0]!.up.latency, again.services.length]).toEqual([7000, 5]);
  });

  it('that it does not have are refused', () => {
    expect(() => load({ dealy: '7ms' })).toThrow(
      /the script has no parameter "dealy" .*it has: delay, count/,
    );
  });
});

describe('events', () => {
  const LINK = `${TWO}set link0 [$ns duplex-link $a $b 1Mb 1ms DropTail]\n`;
  it.each([
    [
      'bare names, and several in one',
      `${LINK}$ns at 10 "link0 down; link0 delay 5ms"\n$ns at 1h2m3s {link0 up}`,
      ['at 10s leave a--b', 'at 10s set a--b latency=5ms', 'at 3723s join a--b'],
    ],
    [
      'only what changes something',
      `${LINK}$ns at 1 "$link0 up"\n$ns at 2 "$link0 down"\n$ns at 3 "$link0 down"`,
      ['at 2s leave a--b'],
    ],
    [
      'in the order of their times',
      `${LINK}$ns at 3 "$link0 plr 0.1"\n$ns at 1 "$link0 bandwidth 2Mb"\n$ns at 2 "$link0 delay 0.02"`,
      ['at 1s set a--b bandwidth=2Mbps', 'at 2s set a--b latency=20ms', 'at 3s set a--b loss=10%'],
    ],
    [
      'modify, with and without units',
      `${LINK}$ns at 1 "$link0 modify BANDWIDTH=500 DELAY=7 PLR=0.5"\n$ns at 2 "$link0 modify DELAY=8ms"`,
      [
        'at 1s set a--b bandwidth=500Kbps',
        'at 1s set a--b latency=7ms',
        'at 1s set a--b loss=50%',
        'at 2s set a--b latency=8ms',
      ],
    ],
    [
      'of two at one instant the last, and of what the last leaves out the one before',
      `${TWO}set lan0 [$ns make-lan "$a $b" 10Mb 4ms]\n${LINK.slice(TWO.length)}set back [$ns link $b $a]\n$ns at 1 "$lan0 delay 8ms"\n$ns at 1 "$link0 delay 5ms"\n$ns at 1 "$back delay 6ms"\n$ns at 1 "$link0 plr 0.1"\n$ns at 1 "$link0 delay 7ms"\n$ns at 1 "$lan0 delay 10ms"\n$ns at 2 "$lan0 delay 8ms"`,
      [
        'at 1s set a--b loss=10%',
        'at 1s set a--b latency=7ms',
        'at 1s set a--lan0 b--lan0 latency=5ms',
        'at 2s set a--lan0 b--lan0 latency=4ms',
      ],
    ],
    [
      'a LAN that goes down',
      `${TWO}set lan0 [$ns make-lan "$a $b" 10Mb 4ms]\n$ns at 1 "$lan0 down"\n$ns at 2 "$lan0 up"\n$ns at 3 "$lan0 delay 8ms"`,
      ['at 1s leave lan0', 'at 2s join lan0', 'at 3s set a--lan0 b--lan0 latency=4ms'],
    ],
    [
      'one direction',
      `${LINK}set back [$ns link $b $a]\n$ns at 1 "$back delay 9ms"`,
      ['at 1s set b->a latency=9ms'],
    ],
    [
      'a procedure that schedules itself until the end',
      `${LINK}proc step {} {\n  global ns link0\n  set now [$ns now]\n  $link0 delay [expr {$now + 1}]ms\n  $ns at [expr {$now + 2}] "step"\n}\n$ns at 1 "step"\n$ns at 6 "$ns halt"`,
      [
        'at 1s set a--b latency=2ms',
        'at 3s set a--b latency=4ms',
        'at 5s set a--b latency=6ms',
        'at 6s quit',
      ],
    ],
    [
      'a program as an object',
      `${LINK}set p [new Program $ns]\n$p set node $a\n$p set command "ping -c 1 b"\n$ns at 1 "$p start"\n$ns at 2 "$p stop"\n$ns at 3 "$p kill SIGKILL"`,
      ['at 1s run a "ping -c 1 b"', 'at 2s signal a TERM', 'at 3s signal a KILL'],
    ],
    ['a node that starts again', `${LINK}$ns at 1 "$a reboot"`, ['at 1s crash a', 'at 1s join a']],
    ['an experiment that ends', `${LINK}$ns at 5 "$link0 down"\n$ns at 4 "$ns swapout"`, ['at 4s quit']],
    [
      'a group of links',
      `${LINK}set c [$ns node]\nset link1 [$ns duplex-link $b $c 1Mb 1ms DropTail]\nset g [$ns event-group [list $link0]]\n$g add $link1\n$ns at 2 "$g down"`,
      ['at 2s leave a--b', 'at 2s leave b--c'],
    ],
  ])('%s', (_, script, expected) => {
    expect(lines(emulab(script).topology)).toEqual(expected);
  });

  it('are written by convert, and read again', () => {
    for (const file of ['dumbbell.ns', 'programs.ns', 'simulation.tcl']) {
      const { topology } = example(file);
      const again = loadTopology(nativeText(topology), 'a.yaml').topology;
      expect(lines(again)).toEqual(lines(topology));
      for (const { from, to, up } of topology.links) expect(linkOf(again, from, to)!.up).toEqual(up);
    }
  });
});
