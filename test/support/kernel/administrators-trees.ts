/** Qdisc trees that administrators install on interfaces, as tc commands. A kernel may lack some of the kinds. */

export interface AdministratorsTree {
  readonly name: string;
  readonly lines: readonly string[];
}

const add = (what: string): string => `qdisc add dev eth0 ${what}`;
const addClass = (what: string): string => `class add dev eth0 ${what}`;
const addFilter = (what: string): string => `filter add dev eth0 ${what}`;

/** An HTB root with two classes, for trees that add to it. */
const HTB = [
  add('root handle 1: htb default 30'),
  addClass('parent 1: classid 1:10 htb rate 5mbit ceil 9mbit prio 2 overhead 18 mpu 64'),
  addClass('parent 1: classid 1:30 htb rate 3mbit burst 20k quantum 3000'),
];

export const RESTORABLE: readonly AdministratorsTree[] = [
  { name: 'a pfifo of its own size', lines: [add('root pfifo limit 77')] },
  { name: 'a bfifo with a handle', lines: [add('root handle 5: bfifo limit 40000')] },
  { name: 'a pfifo_head_drop', lines: [add('root pfifo_head_drop limit 12')] },
  { name: 'the kind that is the default, made by hand', lines: [add('root pfifo_fast')] },
  { name: 'no queue, on purpose', lines: [add('root noqueue')] },
  { name: 'tbf', lines: [add('root handle 3: tbf rate 1mbit burst 4000 limit 30000')] },
  {
    name: 'tbf with a peak rate and a queue of its own',
    lines: [
      add('root handle 3: tbf rate 800mbit burst 15001 latency 50ms peakrate 900mbit mtu 1999 overhead 4'),
      add('parent 3:1 handle 9: pfifo limit 55'),
    ],
  },
  { name: 'tbf at more than 34 Gb/s', lines: [add('root tbf rate 50gbit burst 1000001 limit 3000000')] },
  {
    name: 'htb with classes in classes, a leaf, and u32 filters of two priorities, the later asked first',
    lines: [
      add('root handle 1: htb default 30 r2q 5 direct_qlen 333'),
      addClass('parent 1: classid 1:1 htb rate 10mbit burst 20k'),
      addClass('parent 1:1 classid 1:10 htb rate 5mbit ceil 9mbit prio 2'),
      addClass('parent 1:1 classid 1:30 htb rate 3mbit quantum 3000'),
      add('parent 1:30 handle 30: pfifo limit 44'),
      addFilter('parent 1: protocol ip prio 5 u32 match ip dst 10.0.0.1 flowid 1:10'),
      addFilter('parent 1: protocol ipv6 prio 3 u32 match ip6 dst fd00::2/128 flowid 1:30'),
      addFilter('parent 1: protocol ipv6 prio 3 u32 match ip6 dst fd00::3/128 flowid 1:10'),
    ],
  },
  {
    name: 'u32 with a hash table',
    lines: [
      ...HTB,
      addFilter('parent 1: protocol ip prio 3 handle 2: u32 divisor 256'),
      addFilter('parent 1: protocol ip prio 3 u32 ht 2:7: match ip src 10.1.0.9 flowid 1:10'),
      addFilter(
        "parent 1: protocol ip prio 3 u32 ht 800:: match ip src 10.1.0.0/16 hashkey mask '0x000000ff' at 12 link 2:",
      ),
      addFilter('parent 1: protocol ip prio 3 u32 ht 800:: match mark 6 0xff flowid 1:30'),
    ],
  },
  {
    name: 'classic BPF filters of one priority, on a class too',
    lines: [
      ...HTB,
      addFilter("parent 1: protocol all prio 1 bpf bytecode '1,6 0 0 65536' flowid 1:10"),
      addFilter("parent 1: protocol all prio 1 bpf bytecode '1,6 0 0 4294967295' flowid 1:30"),
      addFilter("parent 1:10 protocol all prio 2 bpf bytecode '1,6 0 0 0' flowid 1:30"),
    ],
  },
  {
    name: 'htb at 64-bit rates, tbf below it, bfifo below that',
    lines: [
      add('root handle 1: htb default 1'),
      addClass('parent 1: classid 1:1 htb rate 40gbit ceil 80gbit'),
      add('parent 1:1 handle 2: tbf rate 2mbit burst 3000 limit 9000'),
      add('parent 2:1 handle 4: bfifo limit 5000'),
    ],
  },
  {
    name: 'a queue for each of the driver',
    lines: [add('root handle 1: mq'), add('parent 1:2 pfifo limit 9')],
  },
  { name: 'fq_codel', lines: [add('root fq_codel')] },
  {
    name: 'fq_codel with all of its own',
    lines: [
      add(
        'root handle 7: fq_codel limit 999 flows 33 target 7ms interval 111ms quantum 444 ce_threshold 3ms memory_limit 5000000 noecn',
      ),
    ],
  },
  { name: 'codel', lines: [add('root codel limit 88 target 13ms interval 77ms ecn ce_threshold 2ms')] },
  { name: 'fq', lines: [add('root fq limit 999 flow_limit 55 maxrate 9mbit quantum 4000 nopacing')] },
  { name: 'cake', lines: [add('root cake bandwidth 30mbit besteffort rtt 44ms ethernet nat')] },
  {
    name: 'prio with sfq and tbf below',
    lines: [
      add('root handle 1: prio bands 4 priomap 3 2 1 0 3 2 1 0 3 2 1 0 3 2 1 0'),
      add('parent 1:1 handle 10: sfq perturb 10 limit 99 quantum 3000 divisor 512 headdrop'),
      add('parent 1:3 handle 30: tbf rate 1mbit burst 4000 limit 30000'),
      addFilter('parent 1: protocol ip prio 1 u32 match ip tos 0x10 0xff flowid 1:3'),
    ],
  },
  {
    name: 'sfq that drops early',
    lines: [add('root sfq limit 3000 headdrop redflowlimit 100000 min 8000 max 60000 probability 0.2 ecn')],
  },
  {
    name: 'hfsc',
    lines: [
      add('root handle 1: hfsc default 20'),
      addClass('parent 1: classid 1:1 hfsc sc rate 7mbit ul rate 9mbit'),
      addClass('parent 1:1 classid 1:20 hfsc rt m1 3mbit d 13ms m2 2mbit ls m2 1mbit'),
    ],
  },
  {
    name: 'drr and qfq',
    lines: [
      add('root handle 1: drr'),
      addClass('parent 1: classid 1:1 drr quantum 700'),
      add('parent 1:1 handle 2: qfq'),
      addClass('parent 2: classid 2:1 qfq weight 3 maxpkt 2048'),
    ],
  },
  {
    name: 'netem with settings that the kernel reports',
    lines: [add('root netem delay 40ms loss 1.3% duplicate 0.2% rate 9mbit limit 555 reorder 2% 50% gap 4')],
  },
  { name: 'netem with a model of loss', lines: [add('root netem loss gemodel 1% 10% 70% 0.1%')] },
  {
    name: 'filters by mark, by protocol, and for the rest',
    lines: [
      ...HTB,
      addFilter('parent 1: protocol ip prio 1 handle 6 fw classid 1:10'),
      addFilter('parent 1: protocol ip prio 1 handle 7 fw classid 1:30'),
      addFilter(
        'parent 1: protocol ip prio 3 flower ip_proto tcp dst_port 22 src_ip 10.0.0.0/8 classid 1:10',
      ),
      addFilter('parent 1: protocol all prio 9 matchall classid 1:30'),
    ],
  },
];

/** Trees that can't be restored: they have to be refused, and left unchanged. The refusal has to contain `names`. */
export const NOT_RESTORABLE: readonly (AdministratorsTree & { readonly names: RegExp })[] = [
  {
    name: 'a filter with an action',
    lines: [
      ...HTB,
      addFilter('parent 1: protocol ip prio 4 u32 match u32 0 0 action mirred egress redirect dev far0'),
    ],
    names: /filter u32 at 1: prio 4 .*actions/,
  },
  {
    name: 'a numbering of u32 that has gaps',
    lines: [
      ...HTB,
      addFilter('parent 1: protocol ip prio 3 u32 match ip dst 10.0.0.1 flowid 1:10'),
      addFilter('parent 1: protocol ip prio 4 u32 match ip dst 10.0.0.2 flowid 1:10'),
      'filter del dev eth0 parent 1: prio 3',
    ],
    names: /filter u32 at 1: prio 4/,
  },
  {
    name: 'a size table',
    lines: [add('root handle 8: stab linklayer adsl overhead 10 mtu 2048 tsize 512 pfifo limit 5')],
    names: /qdisc pfifo 8: at the root: .*stab/,
  },
  {
    name: 'a queue from when the interface had another queue length',
    lines: [...HTB, 'LINK set dev eth0 txqueuelen 321'],
    names: /qdisc pfifo 0: at 1:(10|30) has other options/,
  },
  {
    name: 'netem with jitter',
    lines: [add('root netem delay 40ms 3ms distribution pareto')],
    names: /netem.*jitter/,
  },
  { name: 'red', lines: [add('root red limit 400000 avpkt 1000 min 30000 max 90000')], names: /kind red/ },
  {
    name: 'filters of flower that compete',
    lines: [
      ...HTB,
      addFilter('parent 1: protocol ip prio 3 flower ip_proto tcp classid 1:10'),
      addFilter('parent 1: protocol ip prio 3 flower dst_ip 10.0.0.0/8 classid 1:30'),
    ],
    names: /flower at 1: prio 3 .*order/,
  },
  {
    name: 'an extended match',
    lines: [...HTB, addFilter("parent 1: prio 3 basic match 'u32(u32 0x1 0xff at 0)' classid 1:10")],
    names: /basic at 1: prio 3 .*ematch/,
  },
];
