"""TCP of one stack (RFC 9293), sans-IO.

Tcp            whom a segment is for; ports, listeners, timers
  Connection   the states from SYN to TIME_WAIT
    SendSide     what was written: windows, retransmission
      Congestion   how much the path takes
      RoundTrip    how long an answer takes
    ReceiveSide  what came in: order, and the window that is offered

Selective acknowledgments (RFC 2018) and timestamps (RFC 7323) are left out, because they would hardly pay.
Four megabytes over a round trip of 20 ms, the mean of five seeds, beside the most that any TCP of this kind
can reach (Mathis et al. 1997, or the window of 128 KiB):

    lost      carried      at most
    0         6.0 MB/s     6.6 MB/s
    0.1 %     2.8 MB/s     2.8 MB/s
    0.5 %     1.2 MB/s     1.3 MB/s
    1 %       0.88 MB/s    0.89 MB/s
    3 %       0.39 MB/s    0.51 MB/s
"""
