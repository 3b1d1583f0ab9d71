import { expect, it } from 'vitest';
import { parseDelivered } from '../../../controller/verify/delivered.ts';

/** As `ss -tinH` of iproute2 prints two connections of iperf3. */
const TEXT = `0      0      10.1.0.1:39644 10.1.0.2:5201
\t cubic wscale:10,10 rto:204 rtt:1.2/0.5 ato:40 mss:1448 pmtu:1500 rcvmss:536 cwnd:10 bytes_sent:151 bytes_acked:152 segs_out:8 delivered:5 app_limited rcv_space:14480
0      43440  10.1.0.1:39652 10.1.0.2:5201
\t cubic wscale:10,10 rto:804 rtt:601/9 mss:1428 pmtu:1500 cwnd:17 ssthresh:12 bytes_sent:700000 bytes_retrans:20000 segs_out:480 data_segs_out:478 delivered:455 busy:20000ms unacked:17
`;

it('finds the connection that has delivered most, and the size of its segments', () => {
  expect(parseDelivered(TEXT)).toEqual({ segments: 455, segmentBytes: 1428 });
});

it('finds none where there is none, or where nothing was delivered yet', () => {
  expect(parseDelivered('')).toBeUndefined();
  expect(parseDelivered('0 0 10.1.0.1:1 10.1.0.2:5201\n\t cubic mss:1448 cwnd:10\n')).toBeUndefined();
});
